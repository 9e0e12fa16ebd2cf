"""Deployment files and the state of a server, for the tests of `moorage apply`."""

import json
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.support.program import moorage
from tests.support.server import Project, a_body

#: The fields of a deployment that a file contains.
MANIFEST_FIELDS = ("description", "variables", "prompt_config")


def a_document(key: str, text: str = "one", **fields: Any) -> dict[str, Any]:
    """Return a document of a deployment file, with `text` as its only message."""
    return {"key": key, **a_body(messages=[{"role": "system", "content": text}]), **fields}


def write(file: Path, *documents: Mapping[str, Any]) -> None:
    """Write these documents to a YAML file. Missing parent folders are created."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n---\n".join(json.dumps(document) for document in documents))


def put(project: Project, document: Mapping[str, Any], file: str = "", **options: str) -> None:
    """Put a document through the API; with `file`, as `moorage apply` does."""
    body = {name: value for name, value in document.items() if name != "key"}
    query = "&".join(f"{name}={value}" for name, value in {"file": file, **options}.items() if value)
    response = project.put(document["key"], body, f"?{query}")
    assert response.status in (200, 201), response.body


def manifests(project: Project) -> dict[str, dict[str, Any]]:
    """Return the manifests of all deployments, by key."""
    found: dict[str, dict[str, Any]] = {}
    query = "?limit=50"
    while True:
        page = project.request("GET", f"/v2/manifests{query}").json
        found |= {each["key"]: each for each in page["data"]}
        if not page["has_more"]:
            return found
        query = f"?limit=50&starting_after={page['data'][-1]['id']}"


def contents(project: Project) -> dict[str, str]:
    """Return the content of every deployment as JSON: in Python, 1 == 1.0 == True."""
    return {
        key: json.dumps({name: manifest[name] for name in MANIFEST_FIELDS}, sort_keys=True)
        for key, manifest in manifests(project).items()
    }


def ownership(project: Project) -> dict[str, tuple[str, str | None]]:
    """Return the owner of each deployment, and the file it was last applied from."""
    return {key: (manifest["owner"], manifest["file"]) for key, manifest in manifests(project).items()}


def revision(project: Project) -> str:
    """Return the revision of the server."""
    return project.page().headers["x-moorage-revision"]


def run(project: Project, folder: Path, *arguments: str, stdin: bytes = b"") -> CompletedProcess[str]:
    """Run a command, and assert that it succeeds."""
    result = moorage(*arguments, folder=folder, project=project, stdin=stdin)
    assert result.returncode == 0, result.stderr + result.stdout
    return result
