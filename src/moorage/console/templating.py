"""Templates and static files. Both are read when the console is used first."""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from moorage.console.words import move_words

_MEDIA_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class StaticFile(NamedTuple):
    """A file for browsers; `digest` is part of its address, so that a browser may keep it for ever."""

    digest: str
    media_type: str
    body: bytes
    compressed: bytes


@cache
def static_files() -> dict[str, StaticFile]:
    """Return the static files by their names. The scripts are one file, because a browser requests each file."""
    found, scripts = dict[str, StaticFile](), dict[str, str]()
    for file in (files("moorage.console") / "static").iterdir():
        kind = file.name.rpartition(".")[2]
        if kind == "js":
            scripts[file.name] = file.read_text()
        elif kind in _MEDIA_TYPES:
            found[file.name] = _static_file(kind, file.read_bytes())
    return found | {"console.js": _static_file("js", _one_script(scripts).encode())}


def _one_script(scripts: dict[str, str]) -> str:
    """Return a script that runs the theme at once, before the first paint, and the others when the page is parsed.

    Each one is the body of a function, so it can return on pages that it does not concern.
    """
    theme = scripts.pop("theme.js")
    rest = "".join(f"(() => {{\n{scripts[name]}}})();\n" for name in sorted(scripts))
    return f'"use strict";\n{theme}addEventListener("DOMContentLoaded", () => {{\n{rest}}});\n'


def _static_file(kind: str, body: bytes) -> StaticFile:
    digest = hashlib.sha256(body).hexdigest()[:16]
    return StaticFile(digest, _MEDIA_TYPES[kind], body, gzip.compress(body, mtime=0))


@cache
def templates() -> Environment:
    """Return the templates. All values are escaped, and an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("moorage.console"), autoescape=True, undefined=StrictUndefined, auto_reload=False,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["move_words"] = move_words
    return environment


def static_path(prefix: str, name: str) -> str:
    """Return the address of a static file."""
    return f"{prefix}/console/static/{static_files()[name].digest}/{name}"
