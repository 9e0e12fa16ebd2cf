"""The worst requests of each route."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from moorage.core.compatibility.consumers import MAX_NAMES, MAX_REPORTED
from moorage.core.deployments.page import MAX_LIMIT
from moorage.core.deployments.proposal import MAX_ITEMS
from tests.support.server import a_body
from tests.system.worst_cases.bodies import DEPLOYMENTS, HEAVIEST, RAW, REJECTED, Body, encode, user
from tests.system.worst_cases.data import HEAVY


class Case(msgspec.Struct, frozen=True):
    """A request. One that `is_batch` may hold the writer as long as a promotion of the largest size may.

    A deletion of an environment is one, too: it adds an entry to the history of each deployment with a live version.
    """

    name: str
    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = {}
    is_batch: bool = False


#: Headers of many kilobytes.
HEADERS = {
    "if-match": {"If-Match": ",".join(f'"{number}-a"' for number in range(3_000))},
    "if-none-match": {"If-None-Match": ",".join(f'"{number}-a"' for number in range(3_000))},
    "request-id": {"X-Request-Id": "x" * 30_000},
    "reason": {"X-Moorage-Change-Reason": "\xff" * 30_000},
    "min-revision": {"X-Moorage-Min-Revision": "9" * 30_000},
    "authorization": {"Authorization": "Bearer " + "mrg_" * 7_000},
}
QUERIES = {"many": "&".join(["limit=1"] * 3_000), "unknown": "x" * 30_000, "long": "search=" + "%C3%9F" * 5_000}

#: The routes that get every raw body; routes that parse in the same way get the three worst.
EVERY_BODY = {"DeploymentGetConfig", "PutDeployment", "Simulate", "Undo", "CreateApiKey"}

_USED = [
    {"version_id": f"v{number}", "inputs": [f"n{name}" for name in range(MAX_NAMES)]} for number in range(MAX_REPORTED)
]

_PATHS = {
    "Snapshot": "/v2/deployments/snapshot",
    "Deployments": "/v2/deployments",
    "CreateDeployment": "/v2/deployments",
    "DeploymentGetConfig": "/v2/deployments/get_config",
    "OpenAiModels": "/v1/models",
    "ReportUsage": "/v2/deployments/usage",
    "Manifests": "/v2/manifests",
    "ProjectHistory": "/v2/history",
    "Usage": "/v2/usage",
    "Summaries": "/v2/summaries",
    "ApiKeys": "/v2/api-keys",
    "CreateApiKey": "/v2/api-keys",
    "Integrations": "/v2/integrations",
    "Live": "/health/live",
    "Ready": "/health/ready",
    "Metrics": "/metrics",
    "OpenApi": "/openapi.json",
    "Docs": "/docs",
}


_NAMES = {
    "key_or_id": "many-tools", "version_or_id": "1.0", "api_key_id": "a", "name": "a", "proposal_id": "a",
    "environment_id": "staging", "case_name": "a",
}  # fmt: skip


def cases(operation: str, method: str, path: str) -> Iterator[Case]:
    """Yield the requests of an operation; the first ones are valid."""
    for specific in _specific(operation):
        yield from specific
    target = _PATHS.get(operation, path.format(**_NAMES))
    is_batch = operation == "DeleteVendorEnvironment"
    for name, query in QUERIES.items():
        yield Case(f"query {name}", method, f"{target}?{query}", b"{}" if method in ("POST", "PUT", "PATCH") else None)
    for name, headers in HEADERS.items():
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        yield Case(f"header {name}", method, target, body, headers, is_batch)
    if method in ("POST", "PUT", "PATCH"):
        for name in RAW if operation in EVERY_BODY else ("whitespace", "many-values", "escapes"):
            yield Case(f"body {name}", method, target, RAW[name])


def _specific(operation: str) -> Iterator[Iterator[Case]]:
    makers: dict[str, Iterator[Case]] = {
        "Deployments": chain(_lists("/v2/deployments"), _lists("/v2/deployments", "environment=staging&")),
        "Manifests": _lists("/v2/manifests"),
        "DeploymentVersions": _lists("/v2/deployments/versions/versions"),
        "History": _lists("/v2/deployments/history/history"),
        "ProjectHistory": _lists("/v2/history"),
        "Snapshot": (
            Case(name, "GET", f"/v2/deployments/snapshot?environment={name}") for name in ("production", "staging")
        ),
        "GetDeployment": (Case(key, "GET", f"/v2/deployments/{key}") for key in HEAVIEST),
        "GetVersion": (Case(key, "GET", f"/v2/deployments/{key}/versions/1.0") for key in HEAVIEST),
        "Diff": _diffs(),
        "PutDeployment": _puts(),
        "CreateDeployment": _creates(),
        "SaveVersion": _versions(),
        "PublishVersion": _publishes(),
        "Undo": (Case(key, "POST", f"/v2/deployments/published-{key}/undo") for key in HEAVIEST),
        "PatchDeployment": (
            Case(key, "PATCH", f"/v2/deployments/{key}", encode({"description": "\u0001" * 10_000})) for key in HEAVIEST
        ),
        "DeleteVersion": (Case(key, "DELETE", f"/v2/deployments/drafts-{key}/versions/1.1") for key in HEAVIEST),
        "RestoreVersion": (Case(key, "POST", f"/v2/deployments/drafts-{key}/versions/1.1/restore") for key in HEAVIEST),
        "DeleteDeployment": (Case(key, "DELETE", f"/v2/deployments/deleted-{key}?force=true") for key in HEAVIEST),
        "RestoreDeployment": (Case(key, "POST", f"/v2/deployments/deleted-{key}/restore") for key in HEAVIEST),
        "DeploymentGetConfig": _get_configs("/v2/deployments/get_config", "key"),
        "DeploymentInvoke": _get_configs("/v2/deployments/invoke", "key"),
        "DeploymentStream": _get_configs("/v2/deployments/stream", "key"),
        "OpenAiChatCompletions": _get_configs("/v1/chat/completions", "model"),
        "OpenAiCompletions": _get_configs("/v1/completions", "model"),
        "OpenAiResponses": _get_configs("/v1/responses", "model", "input"),
        "OpenAiEmbeddings": _texts("/v1/embeddings"),
        "OpenAiModerations": _texts("/v1/moderations"),
        "OpenAiRerank": _texts("/v1/rerank"),
        "Explain": (
            Case(key, "POST", f"/v2/deployments/{key}/explain", encode({"context": context}))
            for key in HEAVIEST
            for context in ({f"a{number}": 1 for number in range(60)}, {"a": ["x" * 200] * 400})
        ),
        "RenderVersion": _tryouts("render"),
        "TryVersion": _tryouts("try"),
        "Simulate": _simulations(),
        "PutEnvironment": _environments(),
        "EnvironmentDiff": iter(
            [Case("many", "GET", f"/v2/environments/diff?from=production&to=staging&limit={MAX_LIMIT}")]
        ),
        "Promote": _promotions(),
        "Propose": _proposals(),
        "Proposals": _lists("/v2/proposals"),
        "PutIntegration": _integrations(),
        "ReportUsage": iter([Case("largest", "POST", "/v2/deployments/usage", encode({"versions": _USED}))]),
    }
    if operation in makers:
        yield makers[operation]


def _environments() -> Iterator[Case]:
    body = {"display_name": "\u0001" * 128, "description": "\u0001" * 2_000}
    for number in range(3):
        yield Case(f"{number}", "PUT", f"/v2/environments/e{number}", encode(body))


def _promotions() -> Iterator[Case]:
    """Yield promotions to production, and again: there is nothing to do then."""
    small = [f"small-{number}" for number in range(MAX_ITEMS)]
    heavy = [f"heavy-{key}-{number}" for key in HEAVIEST for number in range(HEAVY)]
    long = [f"{'k' * 120}{number}" for number in range(MAX_ITEMS)]
    for name, keys in {"small": small, "heavy": heavy, "unknown": long, "repeated": ["k" * 128] * MAX_ITEMS}.items():
        body = {
            "from": "staging",
            "to": "production",
            "allow_breaking": True,
            "deployments": [{"key": key} for key in keys],
        }
        for path in ("/v2/promotions?dry_run=true", "/v2/promotions", "/v2/promotions"):
            yield Case(f"{name} {path}", "POST", path, encode(body), is_batch=True)
    outdated = [{"key": key, "base": "0" * 128, "version": "0" * 128} for key in small]
    body = {"from": "staging", "to": "production", "deployments": outdated}
    yield Case("outdated", "POST", "/v2/promotions", encode(body), is_batch=True)
    back = {"from": "production", "to": "strict", "deployments": [{"key": key} for key in small]}
    yield Case("proposed", "POST", "/v2/promotions", encode(back), is_batch=True)


def _proposals() -> Iterator[Case]:
    items = [{"key": f"small-{number}", "version": "1.0", "file": f"{number}" * 200} for number in range(MAX_ITEMS)]
    body = {"environment": "strict", "allow_breaking": True, "reason": "\u0001" * 10_000, "deployments": items}
    for name in ("new", "the same"):
        yield Case(name, "POST", "/v2/proposals", encode(body), is_batch=True)


def _integrations() -> Iterator[Case]:
    body = {"provider": "openailike", "base_url": "http://127.0.0.1:1/v1"}
    names = {f"timeout_totl_{number}": "x" * 60 for number in range(12_000)}
    for field in ("options", "credentials", "headers"):
        yield Case(f"many {field}", "PUT", "/v2/integrations/a", encode(body | {field: names}))
    yield Case("a long URL", "PUT", "/v2/integrations/a", encode(body | {"base_url": "https://a/" + "../" * 300_000}))
    yield Case("valid", "PUT", "/v2/integrations/a", encode(body))


def _lists(path: str, query: str = "") -> Iterator[Case]:
    yield Case(f"a page {query}", "GET", f"{path}?{query}limit={MAX_LIMIT}")
    yield Case(f"the page again {query}", "GET", f"{path}?{query}limit={MAX_LIMIT}")


def _diffs() -> Iterator[Case]:
    for key in HEAVIEST:
        for accept in ("application/json", "text/plain"):
            path = f"/v2/deployments/drafts-{key}/diff?from=1.0&to=1.1"
            yield Case(f"{key} {accept}", "GET", path, None, {"Accept": accept})


def _puts() -> Iterator[Case]:
    for key, body in (DEPLOYMENTS | REJECTED).items():
        for name in ("created", "unchanged") if key in HEAVIEST else ("created",):
            yield Case(f"{key} {name}", "PUT", f"/v2/deployments/put-{key}", encode(body))
    for key in HEAVIEST:  # in an environment, where the version is live already, and where production's is
        largest = encode(DEPLOYMENTS[key])
        for name in ("created", "unchanged"):
            yield Case(f"{key} {name} in staging", "PUT", f"/v2/deployments/staged-{key}?environment=staging", largest)
        yield Case(f"{key} from staging", "PUT", f"/v2/deployments/staged-{key}", largest)
    for key in HEAVIEST:  # a small body on large contents, and large ones on each other
        small = encode(a_body(messages=[user("{{other}}")]))
        path = f"/v2/deployments/put-{key}"
        yield Case(f"{key} small", "PUT", f"{path}?dry_run=true", small)
        yield Case(f"{key} deep", "PUT", f"{path}?allow_breaking=true", encode(DEPLOYMENTS["deep-schema"]))
        yield Case(f"{key} breaking", "PUT", f"{path}?allow_breaking=true", small)


def _creates() -> Iterator[Case]:
    for key in (*HEAVIEST, HEAVIEST[0]):  # the last one is a replay
        body = encode({**DEPLOYMENTS[key], "key": f"post-{key}"})
        yield Case(key, "POST", "/v2/deployments", body, {"Idempotency-Key": key})


def _versions() -> Iterator[Case]:
    for key, body in (DEPLOYMENTS | REJECTED).items():
        content = {name: value for name, value in body.items() if name != "description"}
        for status in ("draft", "published"):
            path = "/v2/deployments/saved/versions?allow_breaking=true"
            yield Case(f"{key} {status}", "POST", path, encode({**content, "status": status}))


def _publishes() -> Iterator[Case]:
    for key in HEAVIEST:
        for version in ("1.1", "1.0"):
            path = f"/v2/deployments/published-{key}/versions/{version}/publish?allow_breaking=true"
            yield Case(f"{key} {version}", "POST", path)


def _texts(path: str) -> Iterator[Case]:
    body: Body = {"input": ["\u0001" * 80] * 2_048}
    if path.endswith("/rerank"):
        body = {"query": "\u0001" * 1_000, "documents": ["\u0001" * 15] * 10_000}
    for key in HEAVIEST:
        yield Case(key, "POST", path, encode({"model": key, **body}))


def _get_configs(path: str, field: str, messages: str = "messages") -> Iterator[Case]:
    small: Body = {"inputs": {"a": [{}] * 300, "b": [{}] * 300, "c": "x"}}
    large: Body = {
        "inputs": {"a": [{}] * 20_000, "b": "x" * 300_000},
        "context": {f"a{number}": 1 for number in range(90)},
        messages: [user("")] * 10_000,
    }
    names: Body = {"inputs": {f"{'n' * 8}{number}": 0 for number in range(50_000)}}
    bad: Body = {messages: [{"role": "r" * 100}] * 4_000, "context": {"c" * 900 + str(n): {} for n in range(300)}}
    for key in DEPLOYMENTS:
        for name, body in {"small": small, "large": large, "names": names, "bad": bad}.items():
            yield Case(f"{key} {name}", "POST", path, encode({field: key, **body}))


def _tryouts(operation: str) -> Iterator[Case]:
    body: Body = {
        "inputs": {"a": [{}] * 20_000, "b": "x" * 300_000},
        "context": {f"a{number}": 1 for number in range(60)},
        "messages": [user("")] * 10_000,
    }
    for key in HEAVIEST:
        yield Case(key, "POST", f"/v2/deployments/{key}/versions/1.0/{operation}", encode(body))
    others: dict[str, Body] = {"texts": {"input": ["\u0001" * 80] * 2_000}}
    if operation == "try":
        others["documents"] = {"documents": ["\u0001" * 15] * 9_000}
        others["audio"] = {"audio": {"content": "A" * 1_000_000}}
    for name, sent in others.items():
        yield Case(name, "POST", f"/v2/deployments/many-tools/versions/1.0/{operation}", encode(sent))


def _simulations() -> Iterator[Case]:
    contexts: list[Body] = [{f"a{number}": 1 for number in range(20)}] * 1_000
    for key in HEAVIEST:
        tables: list[list[Any]] = [[], *(DEPLOYMENTS[name]["routing"] for name in ("long-rules", "many-rules"))]
        for routing in tables:
            body = encode({"contexts": contexts[: 1_000 if len(routing) != 99 else 100], "routing": routing})
            yield Case(f"{key} {len(routing)} rules", "POST", f"/v2/deployments/{key}/simulate", body)
