"""The process that renders jinja templates: one reply for each request, on the socket that is its standard input.

The sandbox does not limit memory or time. So this process has no environment, files or child processes, and limits on
both; and the server kills it when a template takes too long.
"""

import functools
import importlib
import math
import resource
import socket
import time

import msgspec
from jinja2 import Template, meta
from jinja2.exceptions import SecurityError, TemplateError

from moorage.core.errors.templates import OutputTooLarge
from moorage.core.templates.output import Output, RenderBudget
from moorage.core.templates.template import Rendered
from moorage.rendering.jinja_environment import PromptEnvironment, Unfilled
from moorage.rendering.messages import (
    Failure,
    FindVariables,
    Render,
    RenderedTexts,
    Reply,
    Request,
    Variables,
    receive,
    send,
)

#: The limit of the address space in bytes; the program itself uses about 50 MiB.
MAX_MEMORY = 256 * 1_048_576

#: The limit of processor time per request, in whole seconds, in case the server cannot kill the process.
_MAX_CPU_SECONDS = 1

#: The maximum length of a template in the cache of compiled templates, in characters.
_MAX_CACHED = 16_384

_environment = PromptEnvironment()
_decoder = msgspec.json.Decoder(Request)


def main() -> None:
    """Reply to requests until the server closes the connection."""
    connection = socket.socket(fileno=0)
    _restrict()
    send(connection, b"")
    while True:
        try:
            request = receive(connection, 2**31)
        except (EOFError, OSError):
            return
        reply = _reply(request)
        send(connection, msgspec.json.encode(reply))
        if isinstance(reply, Failure) and reply.is_last:
            return


def _restrict() -> None:
    # Import everything that a template can need, because no file can be opened afterwards.
    for module in ("encodings.unicode_escape", "html", "jinja2.debug", "pprint", "textwrap", "unicodedata"):
        importlib.import_module(module)
    for resource_type, limit in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(resource_type, (limit, limit))


def _reply(request: bytes) -> Reply:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + _MAX_CPU_SECONDS, hard))
    try:
        return _result(_decoder.decode(request))
    except SecurityError as error:
        return Failure("not_allowed", str(error)[:500])
    except TemplateError as error:
        line, reason = getattr(error, "lineno", None), (error.message or "")[:500].removesuffix(".")
        return Failure("invalid", f"{reason}, line {line}" if line else reason)
    except OutputTooLarge:
        return Failure("too_large", "")
    except (MemoryError, OverflowError, RecursionError) as error:
        # Little memory may be left, so a new process replaces this one.
        return Failure(
            "limit_exceeded",
            f"{type(error).__name__} {str(error)[:200]}".strip(),
            is_last=isinstance(error, MemoryError),
        )
    except Exception as error:  # noqa: BLE001 -- any exception is an error of the template
        return Failure("invalid", f"{type(error).__name__}: {str(error)[:500]}")


def _result(request: Request) -> Reply:
    if isinstance(request, FindVariables):
        return Variables([_names(template) for template in request.templates])
    budget = RenderBudget(request.budget)
    return RenderedTexts([_render(template, request, budget) for template in request.templates])


def _render(template: str, request: Render, budget: RenderBudget) -> Rendered:
    output = Output(budget, keep_placeholders=request.keep_placeholders)
    Unfilled.report_to(output)
    for piece in _compile(template).generate(request.inputs):
        output.write(piece)
    return Rendered(output.text(), [*output.missing])


def _compile(template: str) -> Template:
    return _compile_cached(template) if len(template) <= _MAX_CACHED else _environment.from_string(template)


@functools.lru_cache(maxsize=64)
def _compile_cached(template: str) -> Template:
    return _environment.from_string(template)


def _names(template: str) -> list[str]:
    return sorted(meta.find_undeclared_variables(_environment.parse(template)) - _environment.globals.keys())
