"""Files that hold deployments, and what a server has of them. Shared by the tests of `moorage apply`'s family."""

import json
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.support.program import moorage
from tests.support.server import Project, a_body

#: What a file says of a deployment.
MANIFEST_FIELDS = ("description", "variables", "prompt_config")


def a_document(key: str, text: str = "one", **fields: Any) -> dict[str, Any]:
    """A deployment whose one message is `text`, as a file says it."""
    return {"key": key, **a_body(messages=[{"role": "system", "content": text}]), **fields}


def write(file: Path, *documents: Mapping[str, Any]) -> None:
    """Write a YAML file of these documents; the folders it is in are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n---\n".join(json.dumps(document) for document in documents))


def put(project: Project, document: Mapping[str, Any], file: str = "", **terms: str) -> None:
    """Put a document over the API; with a `file`, as `moorage apply` puts what is in it."""
    body = {name: value for name, value in document.items() if name != "key"}
    query = "&".join(f"{name}={value}" for name, value in {"file": file, **terms}.items() if value)
    answer = project.put(document["key"], body, f"?{query}")
    assert answer.status in (200, 201), answer.body


def manifests(project: Project) -> dict[str, dict[str, Any]]:
    """All that the server says of every deployment, by key."""
    found: dict[str, dict[str, Any]] = {}
    query = "?limit=50"
    while True:
        page = project.request("GET", f"/v2/manifests{query}").json
        found |= {each["key"]: each for each in page["data"]}
        if not page["has_more"]:
            return found
        query = f"?limit=50&starting_after={page['data'][-1]['id']}"


def contents(project: Project) -> dict[str, str]:
    """What a file would say of every deployment, as JSON text: there, 1 and 1.0 and true are three."""
    return {
        key: json.dumps({name: manifest[name] for name in MANIFEST_FIELDS}, sort_keys=True)
        for key, manifest in manifests(project).items()
    }


def kept(project: Project) -> dict[str, tuple[str, str | None]]:
    """Who keeps every deployment, and the file it was applied from last."""
    return {key: (manifest["owner"], manifest["file"]) for key, manifest in manifests(project).items()}


def revision(project: Project) -> str:
    """How many writes the server has committed."""
    return project.page().headers["x-moorage-revision"]


def done(project: Project, folder: Path, *arguments: str, stdin: bytes = b"") -> CompletedProcess[str]:
    """Run a command that must succeed."""
    result = moorage(*arguments, folder=folder, project=project, stdin=stdin)
    assert result.returncode == 0, result.stderr + result.stdout
    return result
