"""A server with deployments that fill the screens of the console, and the list of these screens."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from moorage.core.access import ApiKey, Scope
from moorage.core.compatibility.consumers import UsageRecord
from moorage.core.deployments.history import OPERATOR, Subject
from tests.support.server import Project, Server
from tests.support.team import Team, proposed

_EXAMPLES = Path(__file__).parents[2] / "examples"

#: A deployment with the versions 1.0 (published), 1.1 (live), 1.2 (live in staging) and 1.3 (draft), and a proposal.
KEY: Final = "support_answers"

#: A deployment of the file prompts/orders.yaml, with a draft 1.1 that breaks the API key `shop-web`.
BREAKING_KEY: Final = "order_status"

#: A deleted deployment.
DELETED_KEY: Final = "old_answers"

#: A deployment whose texts are HTML, and too long for a line.
HOSTILE_KEY: Final = "hostile_texts"

#: A deployment with a routing table.
ROUTED_KEY: Final = "routed_answers"

_HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>{{name}}</pre>"
_WORD: Final = "long" * 60


class Screen(NamedTuple):
    """A page of the console."""

    name: str
    path: str
    is_signed_in: bool = True


SCREENS: Final = (
    Screen("sign-in", "/console/sign-in", is_signed_in=False),
    Screen("deployments", "/console/deployments"),
    Screen("nothing-found", "/console/deployments?search=refnud"),
    Screen("staging", f"/console/deployments/{KEY}?environment=staging"),
    Screen("live", f"/console/deployments/{KEY}"),
    Screen("hostile", f"/console/deployments/{HOSTILE_KEY}"),
    Screen("hostile-versions", f"/console/deployments/{HOSTILE_KEY}/versions"),
    Screen("hostile-history", f"/console/deployments/{HOSTILE_KEY}/history"),
    Screen("versions", f"/console/deployments/{KEY}/versions"),
    Screen("history", f"/console/deployments/{KEY}/history"),
    Screen("compare", f"/console/deployments/{KEY}/compare?from=1.0&to=1.1"),
    Screen("compare-one", f"/console/deployments/{KEY}/compare?from=1.0&to=1.2&layout=one"),
    Screen("try", f"/console/deployments/{KEY}/try?version=1.1&input.question=Where+is+my+order%3F"),
    Screen("try-two", f"/console/deployments/{KEY}/try?version=1.3&against=live&case=A+late+order"),
    Screen("try-hostile", f"/console/deployments/{HOSTILE_KEY}/try?input.name=%3Cb%3EAda%3C%2Fb%3E&context=wrong"),
    Screen("environments", "/console/environments"),
    Screen("proposals", "/console/proposals"),
    Screen("edit", f"/console/deployments/{KEY}/edit?from=1.1"),
    Screen("edit-hostile", f"/console/deployments/{HOSTILE_KEY}/edit"),
    Screen("edit-json", f"/console/deployments/{KEY}/edit?from=1.1&as=json"),
    Screen("new", "/console/new"),
    Screen("routing", f"/console/deployments/{ROUTED_KEY}/routing?context=country%3DNLD%0Auser_id%3Danna"),
    Screen("use-it-rule", f"/console/deployments/{ROUTED_KEY}/use?rule=2"),
    Screen("use-it", f"/console/deployments/{KEY}/use"),
    Screen("changes", "/console/changes?where=all"),
    Screen("usage", "/console/usage"),
    Screen("deployment-usage", f"/console/deployments/{KEY}/usage"),
    Screen("no-usage", f"/console/deployments/{ROUTED_KEY}/usage"),
    Screen("settings", "/console/settings"),
    Screen("keyboard", "/console/keyboard"),
    Screen("environment-new", "/console/new-environment"),
    Screen("environment-settings", "/console/environments/production"),
    Screen("environment-delete", "/console/environments/staging/delete"),
    Screen("import", "/console/import"),
    Screen("integrations", "/console/integrations"),
    Screen("integration", "/console/integrations/openai-eu"),
    Screen("integration-replace", "/console/integrations/openai-eu?replace=1"),
    Screen("integration-new", "/console/new-integration?provider=aws"),
    Screen("integration-providers", "/console/new-integration"),
    Screen("integration-delete", "/console/integrations/openai-eu/delete"),
    Screen("projects", "/console/projects"),
    Screen("keys", "/console/keys"),
    Screen("keys-new", "/console/keys/new?from=SampleKey001"),
    Screen("key", "/console/keys/SampleKey001"),
    Screen("key-roll", "/console/keys/SampleKey001/roll"),
    Screen("key-revoke", "/console/keys/SampleKey001/revoke"),
    Screen("unknown", "/console/deployments/unknown"),
    # The pages that change what is live.
    Screen("publish", f"/console/deployments/{KEY}/publish/1.2"),
    Screen("publish-breaking", f"/console/deployments/{BREAKING_KEY}/publish/1.1"),
    Screen("publish-live", f"/console/deployments/{KEY}/publish/1.1"),
    Screen("propose", f"/console/deployments/{KEY}/publish/1.1?environment=canary"),
    Screen("undo", f"/console/deployments/{KEY}/undo"),
    Screen("unpublish", f"/console/deployments/{KEY}/unpublish?environment=staging"),
    Screen("promote", f"/console/deployments/{KEY}/promote?from=staging&to=production"),
    Screen("promote-several", f"/console/promote?from=staging&to=production&key={KEY}&key={BREAKING_KEY}"),
    Screen("delete", f"/console/deployments/{BREAKING_KEY}/delete"),
    Screen("discard", f"/console/deployments/{KEY}/versions/1.3/delete"),
    Screen("tombstone", f"/console/deployments/{DELETED_KEY}"),
    Screen("restore", f"/console/deployments/{DELETED_KEY}/restore"),
    Screen("deleted", "/console/deleted"),
    Screen("drafts", "/console/drafts"),
    Screen("description", f"/console/deployments/{KEY}/description"),
    Screen("differences", "/console/environments?from=staging&to=production"),
)


class Samples(NamedTuple):
    """A server with the sample deployments, and the token of an API key of their project."""

    server: Server
    token: str


@contextmanager
def running_samples(folder: Path) -> Iterator[Samples]:
    """Start a server with the sample deployments."""
    with Server(folder, "--load", str(_EXAMPLES)) as server:
        token = server.token()
        with server.open_store() as store:
            project = store.projects()[0]
        team = Team(Project(server, project.id, project.name, token))
        _add_versions(team.project)
        _add_environments(team)
        _add_breaking_draft(team)
        _add_unpublished(team)
        _add_deleted(team)
        _add_routing(team.project)
        _add_usage(team.project)
        _add_api_key(team.project)
        eu = {"provider": "openai", "base_url": "https://eu.api.openai.com/v1", "options": {"organization": "org-shop"}}
        eu |= {"credentials": {"api_key": "sk-example-0123456789"}, "headers": {"X-Team": "the-support-team"}}
        assert team.send("PUT", "/v2/integrations/openai-eu", eu).status == 201
        _add_cases(team.project)
        yield Samples(server, token)


def _add_versions(project: Project) -> None:
    live = project.request("GET", f"/v2/deployments/{KEY}/versions").json["data"][0]
    content = {"prompt_config": project.get(KEY).json["prompt_config"], "variables": live["variables"]}
    message = content["prompt_config"]["messages"][0]
    message["content"] = message["content"].replace("brief and friendly", "friendly and concrete")
    _post(project, {**content, "status": "live", "reason": "Fewer questions about dates"})
    message["content"] += "Thank the customer.\n"
    content["prompt_config"]["model_parameters"]["temperature"] = 0.3
    _post(project, {**content, "notes": "To be tried with the support team"})
    messages = [{"role": "user", "content": text} for text in (_HTML, "long" * 500)]
    prompt: dict[str, Any] = {
        "model": f"openai/{_WORD}",
        "model_type": "chat",
        "provider": "openai",
        "messages": messages,
    }
    prompt["model_parameters"] = {"stop": [_WORD]}
    variables = [{"key": "name", "value": "Ada"}, {"key": "v" * 64, "value": _WORD}]
    body: dict[str, Any] = {"description": f"{_HTML} {_WORD}", "prompt_config": prompt, "variables": variables}
    for reason in (_WORD, _WORD * 2):
        body["prompt_config"] = {**prompt, "messages": [*messages, {"role": "user", "content": reason}]}
        hostile = project.put(HOSTILE_KEY, body, **{"X-Moorage-Change-Reason": reason})
        assert hostile.status in (200, 201), hostile.body
    draft = {"prompt_config": prompt, "variables": variables, "notes": _WORD}
    path = f"/v2/deployments/{HOSTILE_KEY}/versions"
    assert project.request("POST", path, json.dumps(draft).encode()).status == 201


def _add_environments(team: Team) -> None:
    team.create("staging", description="Tests of the support team")
    assert team.publish(KEY, "1.2", "staging").status == 200
    team.create("canary", required_approvals=1)
    proposed(team.publish(KEY, "1.2", "canary", team.person))
    content = {"prompt_config": team.project.get(KEY).json["prompt_config"]}
    _post(team.project, {**content, "notes": "Without defaults"})


def _add_unpublished(team: Team) -> None:
    """Add a deployment that is live nowhere."""
    prompt = {"model": "openai/gpt-5", "model_type": "chat", "provider": "openai", "messages": []}
    body = {"description": "Writes to customers about refunds", "prompt_config": prompt}
    assert team.send("PUT", "/v2/deployments/refund_letters?draft=true", body).status == 201


def _add_breaking_draft(team: Team) -> None:
    text = "You answer questions about orders.\nThe order is {{order}}.\nGive the date of the delivery.\n"
    prompt = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}
    contents = [
        {"prompt_config": prompt | {"messages": [{"role": "system", "content": each}]}, "variables": [{"key": name}]}
        for name, each in (("order", text), ("order_number", text.replace("{{order}}", "{{order_number}}")))
    ]
    path = f"/v2/deployments/{BREAKING_KEY}"
    assert team.send("PUT", f"{path}?file=prompts/orders.yaml", contents[0]).status == 201
    assert team.send("POST", f"{path}/versions", contents[1]).status == 201
    publish = f"{path}/versions/1.1/publish?environment=staging&allow_breaking=true"
    assert team.send("POST", publish).status == 200
    call = {"key": BREAKING_KEY, "inputs": {"order": "A-17"}}
    assert team.send("POST", "/v2/deployments/get_config", call, team.key("shop-web")).status == 200


def _add_deleted(team: Team) -> None:
    assert team.put(DELETED_KEY, "You answer briefly.").status == 201
    headers = {"X_Moorage_Change_Reason": "Replaced by support_answers"}  # an emergency, because `canary` shows it
    deleted = team.send("DELETE", f"/v2/deployments/{DELETED_KEY}?emergency=true", **headers)
    assert deleted.status == 200, deleted.body


def _add_routing(project: Project) -> None:
    prompt = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}
    messages = {
        name: [{"role": "system", "content": f"{name}: {{{{shop}}}}"}] for name in ("default", "dutch", "newer")
    }
    routing = [
        {"when": {"country": {"in": ["NLD", "BEL"]}, "app_version": {"gte": 3}}, "variant": "dutch"},
        {"when": {"country": {"exists": True}}, "split": {"by": "user_id", "percent": 20}, "variant": "newer"},
    ]
    variants = [{"name": name, "prompt_config": prompt | {"messages": messages[name]}} for name in ("dutch", "newer")]
    body = {"prompt_config": prompt | {"messages": messages["default"]}, "variants": variants, "routing": routing}
    assert project.put(ROUTED_KEY, body).status == 201
    draft = project.put(ROUTED_KEY, body | {"routing": routing[1:]}, "?draft=true")
    assert draft.status == 200, draft.body


def _add_usage(project: Project) -> None:
    """Record that two applications use the sample: one the live version, one an earlier one for weeks."""
    versions = project.request("GET", f"/v2/deployments/{KEY}/versions").json["data"]
    ids = {version["version"]: version["_id"] for version in versions}
    (shop, _), (mail, _) = project.key(Scope.INVOKE), project.key(Scope.INVOKE)
    with project.server.open_store() as store:
        now_us, day_us = store.now_us(), 86_400_000_000
        store.record_consumers(
            [
                UsageRecord(ids["1.1"], shop, now_us - 6 * day_us, now_us, ("question", "shop_name")),
                UsageRecord(ids["1.0"], mail, now_us - 25 * day_us, now_us - 9 * day_us, ()),
            ]
        )


def _add_api_key(project: Project) -> None:
    """Add the API key of an application with an id that is known, and its calls."""
    scopes = frozenset({Scope.INVOKE})
    version_id = project.request("GET", f"/v2/deployments/{KEY}/versions").json["data"][-2]["_id"]
    with project.server.open_store() as store:
        with store.write() as tx:
            tx.insert_api_key(ApiKey("SampleKey001", project.id, "shop-web", scopes, "0" * 64, tx.now_us))
            tx.record("key_created", OPERATOR, Subject(project.id, subject_key_id="SampleKey001"))
            now_us = tx.now_us
        store.record_consumers([UsageRecord(version_id, "SampleKey001", now_us, now_us, ("customer",))])


def _add_cases(project: Project) -> None:
    for name, question in {"A late order": "Where is my order?", "A refund": "I want my money back."}.items():
        case = json.dumps({"inputs": {"question": question}, "context": {"country": "NL"}}).encode()
        assert project.request("PUT", f"/v2/deployments/{KEY}/cases/{quote(name)}", case).status == 200


def _post(project: Project, version: dict[str, Any]) -> None:
    created = project.request("POST", f"/v2/deployments/{KEY}/versions", json.dumps(version).encode())
    assert created.status == 201, created.body
