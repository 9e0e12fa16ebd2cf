"""/docs: the OpenAPI document as one page of plain HTML, without scripts and external resources."""

import base64
import hashlib
import re
from html import escape
from typing import Any

from moorage.core.errors.base import MoorageError

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a6a74; --paper: #fbfaf7; --ink: #1c2b2d }
@media (prefers-color-scheme: dark) { :root { --accent: #5cc5cf; --paper: #10181a; --ink: #e8eeed } }
* { box-sizing: border-box }
html { background: var(--paper); color: var(--ink) }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 6rem }
h1 { font-size: 1.7rem; margin: 0 } h2 { margin: 3rem 0 .5rem; font-size: 1.25rem }
h3 { margin: 2.2rem 0 .4rem; font-size: 1rem } p { margin: .4rem 0; max-width: 46rem }
code, pre { font: .875em/1.5 ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace }
pre { background: var(--soft); padding: .8rem 1rem; overflow-x: auto; border-radius: 6px }
a { color: var(--accent) } nav { columns: 2; margin: 1rem 0 } nav a { display: block; text-decoration: none }
.method { font-weight: 700; color: var(--accent); display: inline-block; min-width: 3.2rem }
section { border-top: 1px solid var(--line); margin-top: 1.6rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
:target { scroll-margin-top: 1rem; background: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line) }
th { font-weight: 600; font-size: .85rem } td:first-child { white-space: nowrap } small { opacity: .75 }
td { overflow-wrap: break-word }
@media (max-width: 40rem) { nav { columns: 1 } td:first-child { white-space: normal } }
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

#: The page loads nothing and runs nothing; its style sheet is inline.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_page(document: dict[str, Any]) -> str:
    """Return the HTML page of an OpenAPI document."""
    root_path = document["servers"][0]["url"].rstrip("/")
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    links = "".join(
        f'<a href="#{operation["operationId"]}"><span class="method">{method.upper()}</span> '
        f"<code>{escape(path)}</code></a>"
        for path, method, operation in operations
    )
    sections = "".join(_operation(path, method, operation) for path, method, operation in operations)
    types = "".join(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Moorage API</title><style>{STYLE}</style><body><main>"
        f"<h1>Moorage API <small>{escape(document['info']['version'])}</small></h1>"
        f"<p>{escape(document['info']['description'])} For programs: "
        f"<a href='{root_path}/openapi.json'>{root_path}/openapi.json</a>.</p>"
        '<pre>curl -H "Authorization: Bearer $MOORAGE_API_KEY" '
        f"http://127.0.0.1:8700{root_path}/v2/deployments</pre>"
        f"<h2>Routes</h2><nav>{links}</nav>{sections}<h2>Types</h2>{types}<h2>Errors</h2>"
        "<p>The body of every error is an <a href='#ErrorBody'>ErrorBody</a>; its <code>error.code</code> is "
        f"one of these.</p><table><tr><th>code<th>message</tr>{_errors(MoorageError)}</table></main></body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parts = [
        f'<section id="{operation["operationId"]}"><h3><span class="method">{method.upper()}</span> '
        f"<code>{escape(path)}</code></h3><p>{_prose(operation['summary'])}</p>"
    ]
    if "description" in operation:
        parts.append(f"<p>{_prose(operation['description'])}</p>")
    scopes = operation.get("x-required-scopes")
    required = f"an API key with {', '.join(f'<code>{scope}</code>' for scope in scopes)}" if scopes else "no API key"
    parts.append(f"<p><small>Requires {required}.</small></p>")
    if operation.get("parameters"):
        lines = "".join(
            f"<tr><td><code>{escape(parameter['name'])}</code> <small>{parameter['in']}</small>"
            f"<td>{_type(parameter['schema'])}<td>{_prose(parameter['description'])}</tr>"
            for parameter in operation["parameters"]
        )
        parts.append(f"<table><tr><th>parameter<th>type<th>description</tr>{lines}</table>")
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        parts.append(f"<p>Body: {_type(schema)}</p>")
    responses = "".join(
        f"<tr><td>{status}<td>{_content(response)}<td>{_described(response['description'])}</tr>"
        for status, response in operation["responses"].items()
    )
    parts.append(f"<table><tr><th>status<th>body<th>description</tr>{responses}</table></section>")
    return "".join(parts)


def _prose(text: str) -> str:
    """Return a docstring as one paragraph, with its `code` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(" ".join(text.split())))


def _described(description: str) -> str:
    codes = [word for word in description.split(", ") if word.replace("_", "").islower()]
    if not codes:
        return _prose(description)
    return ", ".join(f'<a href="#{code}"><code>{code}</code></a>' for code in codes)


def _content(response: dict[str, Any]) -> str:
    bodies = response.get("content", {}).items()
    return ", ".join(_type(body["schema"]) if "schema" in body else escape(kind) for kind, body in bodies)


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in required else ' <small>optional</small>'}"
        f"<td>{_type(kind)}<td>{_prose(kind.get('description', ''))}</tr>"
        for field, kind in schema.get("properties", {}).items()
    )
    about = _prose(schema.get("description", ""))
    table = f"<table><tr><th>field<th>type<th>description</tr>{lines}</table>" if lines else ""
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3><p>{about}</p>{table}</section>'


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(option) for option in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"array of {_type(schema.get('items', {}))}"
    limits = {
        "minimum": "from",
        "maximum": "to",
        "minLength": "at least",
        "maxLength": "at most",
        "pattern": "like",
    }
    bounds = " ".join(
        f"{word} <code>{escape(str(schema[key]))}</code>" for key, word in limits.items() if key in schema
    )
    kind = escape(str(schema.get("type", "any JSON")))
    return f"{kind} {bounds}".strip()


def _errors(kind: type[MoorageError]) -> str:
    lines = ""
    for child in kind.__subclasses__():
        if child.__module__.startswith(("moorage.core.", "moorage.gateway.", "moorage.providers.")):
            about = _prose(child.__doc__ or "")
            lines += f'<tr id="{child.code}"><td><code>{child.code}</code><td>{about}</tr>{_errors(child)}'
    return lines
