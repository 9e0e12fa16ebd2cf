"""Responses of Moorage to each request of the command line, which a hostile server changes."""

import json
from typing import Any

from tests.support.hostile import Request

ID = "01a226b1-d493-7680-9b5d-d9e7eaf30aca"

CONFIG = {
    "tools": [], "model": "openai/my-gpt", "model_type": "chat", "model_parameters": {"temperature": 0.2},
    "provider": "openai", "messages": [{"role": "system", "content": "Hello"}],
}  # fmt: skip

ITEM = {
    "id": ID, "key": "a", "version": "1.0", "created": "2026-03-01T09:30:00.123Z",
    "updated": "2026-03-01T09:30:00.123Z", "description": "Answers", "prompt_config": CONFIG,
}  # fmt: skip

VERSION = {
    "_id": ID, "version": "1.0", "status": "live", "timestamp": "2026-03-01T09:30:00.123Z", "user_id": "k",
    "description": "", "notes": "why",
}  # fmt: skip

HISTORY = {
    "id": ID, "at": "2026-03-01T09:30:00.123Z", "action": "published", "from_version": "1.0", "to_version": "1.1",
    "api_key": {"id": "k", "name": "test"}, "reason": "because", "breaking": ["variables.a"],
}  # fmt: skip

MANIFEST = {
    "id": ID, "key": "a", "owner": "api", "file": "a.yaml", "etag": '"1-x"', "version": "1.0", "updated": "2026",
    "description": "Answers", "variables": [{"key": "v", "value": "x"}], "prompt_config": CONFIG,
}  # fmt: skip

SNAPSHOT_DEPLOYMENT = {
    "id": ID, "key": "a", "version_id": ID, "version": "1.0", "prompt_config": CONFIG, "variables": [],
    "runtime_config": {},
}  # fmt: skip

DELETED = {
    "id": ID, "key": "a", "name": "a", "version": "1.0", "deleted": True, "deleted_at": "2026",
    "restorable_until": "2026",
}  # fmt: skip

CHANGED = {"context": {"plan": "pro"}, "before": {"variant": "default"}, "after": {"variant": "new"}}

CALL = {
    "id": "x", "created": "2026", "object": "chat", "model": "my-gpt", "provider": "openai",
    "choices": [{
        "index": 0, "finish_reason": "stop",
        "message": {
            "type": "content", "role": "assistant", "content": "Hi", "reasoning": "Hm",
            "tool_calls": [{"index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
    }],
    "is_final": True, "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}  # fmt: skip

INTEGRATION = {
    "id": ID, "name": "a", "provider": "openai", "project_id": "p", "base_url": None, "url": "https://x/v1",
    "options": {"timeout_total_s": 60}, "credentials": {"api_key": "…6789"}, "headers": {"x-team": "…"},
    "status": "ready", "source": "project", "key_id": "12345678", "created": "2026", "updated": "2026",
}  # fmt: skip

PROBE = {
    "name": "a", "provider": "openai", "url": "https://x/v1/models", "ok": True, "milliseconds": 1.5,
    "message": "Fine.", "status": 200,
}  # fmt: skip

ENVIRONMENT = {
    "id": ID, "name": "production", "display_name": "Production", "description": "", "protected": True,
    "required_approvals": 0, "approve_undo": False, "unknown_names": "production", "created_at": "2026",
    "created_by": None, "updated_at": "2026", "updated_by": None,
}  # fmt: skip

DIFFERENCE = {
    "id": ID, "key": "a", "from_version": "1.1", "to_version": "1.0", "from_follows": False, "to_follows": False,
    "relation": "ahead", "breaking": [],
}  # fmt: skip

PROPOSAL = {
    "id": ID, "kind": "publish", "environment": "production", "status": "published", "reason": "calmer",
    "created": "2026", "created_by": {"id": "k", "name": "test"}, "expires": "2026", "required_approvals": 1,
    "approvals": [{"api_key": {"id": "k", "name": "n"}, "at": "2026", "reason": "lgtm"}], "can_approve": False,
    "why_not": "it is published",
    "items": [{"key": "a", "base_version": "1.0", "version": "1.1", "breaking": ["variables.a"]}],
    "closed": {"at": "2026", "by": {"id": "k", "name": "n"}, "reason": "lgtm", "revision": 2},
}  # fmt: skip

PROMOTION = {
    "revision": 2,
    "deployments": [
        {"key": "a", "from_version": "1.0", "version": "1.1", "result": "promoted", "breaking": ["variables.a"]}
    ],
}  # fmt: skip

HEADERS = {
    "ETag": '"1-x"', "X-Moorage-Result": "updated", "X-Moorage-Deployment": "a", "X-Moorage-Version": "1.0",
    "X-Moorage-Variant": "default", "X-Moorage-Reason": "only", "X-Moorage-Breaking": "variables.a",
    "X-Moorage-Normalized": "prompt_config.tools", "X-Moorage-Previous-Owner": "api",
    "X-Moorage-Attempts": "1", "X-Moorage-Dropped": "topK", "X-Moorage-Attempt-Log": "openai ok 1ms",
    "X-Moorage-Warnings": "a: is unknown",
}  # fmt: skip

ERROR = {
    "message": "Wrong.",
    "error": {
        "code": "deployment_deleted", "message": "Wrong. Until then: POST /v2/deployments/a/restore",
        "request_id": ID, "doc_url": "/docs", "hint": "Until then: POST /v2/deployments/a/restore", "key": "a",
        "problems": [{"path": "a.b", "message": "must be a string"}],
        "breaking": [{"kind": "variable_removed", "path": "variables.a", "message": "a is no longer used"}],
        "callers": [
            {"api_key": {"id": "k", "name": "n"}, "inputs_missing": ["x"], "inputs_unused": ["y"], "last_used": "2026"}
        ],
        "attempts": [{
            "provider": "openai", "model": "m", "integration": "i", "outcome": "provider_error", "milliseconds": 1.5,
            "status": 503, "reason": "busy", "next": "retry", "wait_ms": 500.0,
        }],
    },
}  # fmt: skip


def media_type(request: Request) -> str:
    """Return the media type of that body if it is bytes."""
    return "text/event-stream" if request.path.endswith("/stream") else "text/plain; charset=utf-8"


def a_page(*items: Any, has_more: bool = False) -> dict[str, Any]:
    """Return a page of a list."""
    return {"object": "list", "data": list(items), "has_more": has_more}


def body_for(request: Request) -> Any:
    """Return the body of the response of a server with the deployment `a`; a diff is text if that is accepted."""
    last = request.path.rpartition("/")[2]
    if last == "diff" and "text/plain" in request.head and "/deployments/" in request.path:
        return b"--- 1.0\n+++ 1.1\n+prompt_config.model: x\n"
    if last == "stream":
        return b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(CALL).encode()
    by_segment = {
        "invoke": CALL,
        "snapshot": {"format": 1, "project": "p", "epoch": "", "revision": 1, "deployments": [SNAPSHOT_DEPLOYMENT]},
        "manifests": a_page(MANIFEST),
        "versions": a_page(VERSION) if request.method == "GET" else VERSION,
        "history": a_page(HISTORY),
        "explain": {
            "variant": "default", "reason": "only", "rule": 0, "version": "1.0",
            "rules": [{"rule": 0, "variant": "default", "matched": True, "explanation": "because"}],
        },
        "simulate": {"version": "1.0", "changed": [CHANGED], "unchanged": 1},
        "diff": {"from": "1.0", "to": "1.1", "changes": []},
        "publish": VERSION | ITEM,
        "undo": VERSION | ITEM,
        "unpublish": VERSION | ITEM,
        "restore": VERSION | ITEM,
        "get_config": {
            "id": "x", "version": "1.0", "provider": "openai", "model": "m", "type": "chat", "messages": [],
            "parameters": {}, "missing_inputs": ["name"],
        },
        "ready": {"status": "ready"},
        "openapi.json": {"info": {"version": "0.1.0"}},
    }  # fmt: skip
    if request.method == "DELETE":
        return DELETED
    if any(f"/{name}" in request.path for name in ("integrations", "environments", "proposals", "promotions")):
        return _not_of_deployments(request.path, last)
    if last in by_segment:
        return by_segment[last]
    return a_page(ITEM) if (request.method, last) == ("GET", "deployments") else ITEM


def _not_of_deployments(path: str, last: str) -> Any:
    if "/integrations" in path:
        return {"integrations": a_page(INTEGRATION), "test": PROBE}.get(last, INTEGRATION)
    others = {
        "environments": a_page(ENVIRONMENT), "diff": a_page(DIFFERENCE), "proposals": a_page(PROPOSAL),
        "promotions": PROMOTION,
    }  # fmt: skip
    return others.get(last, ENVIRONMENT if "/environments" in path else PROPOSAL)
