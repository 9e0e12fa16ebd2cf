"""The process that renders jinja templates: one message in, one message out, on the socket that is its standard input.

A sandbox keeps a template from what it must not touch; it does not keep it from eating all memory. So this process has
little: no environment, no files, no processes, limits on memory and time; and the server kills it when a
template takes too long.
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
from moorage.core.templates.output import Output
from moorage.core.templates.template import Rendered
from moorage.rendering.jinja_environment import PromptEnvironment, Unfilled
from moorage.rendering.messages import Names, Question, Refused, Render, Reply, Texts, VariablesFound, receive, send

#: The address space, in bytes; about 50 MiB of it are the program itself.
MAX_MEMORY = 256 * 1_048_576

#: How long one message may compute if nobody is there to kill the process, in seconds: a whole number.
_MAX_CPU_SECONDS = 1

#: Compiled templates are kept, for that takes far longer than rendering; but none that is longer, in characters.
_MAX_KEPT = 16_384

_environment = PromptEnvironment()
_decoder = msgspec.json.Decoder(Question)


def main() -> None:
    """Answer until the other side hangs up."""
    connection = socket.socket(fileno=0)
    _give_up()
    send(connection, b"")
    while True:
        try:
            question = receive(connection, 2**31)
        except (EOFError, OSError):
            return
        reply = _reply(question)
        send(connection, msgspec.json.encode(reply))
        if isinstance(reply, Refused) and reply.is_last:
            return


def _give_up() -> None:
    # Import everything that a template can need; from here on no file can be opened.
    for module in ("encodings.unicode_escape", "html", "jinja2.debug", "pprint", "textwrap", "unicodedata"):
        importlib.import_module(module)
    for what, limit in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def _reply(question: bytes) -> Reply:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + _MAX_CPU_SECONDS, hard))
    try:
        return _answer(_decoder.decode(question))
    except SecurityError as error:
        return Refused("not_allowed", str(error)[:500])
    except TemplateError as error:
        line, reason = getattr(error, "lineno", None), (error.message or "")[:500].removesuffix(".")
        return Refused("invalid", f"{reason}, line {line}" if line else reason)
    except OutputTooLarge:
        return Refused("too_large", "")
    except (MemoryError, OverflowError, RecursionError) as error:
        # Little memory may be left: a new process is better than this one.
        return Refused(
            "too_heavy", f"{type(error).__name__} {str(error)[:200]}".strip(), is_last=isinstance(error, MemoryError)
        )
    except Exception as error:  # noqa: BLE001 -- whatever Python has against the template is an answer about the template
        return Refused("invalid", f"{type(error).__name__}: {str(error)[:500]}")


def _answer(question: Question) -> Reply:
    if isinstance(question, Names):
        return VariablesFound([_names(template) for template in question.templates])
    rendered: list[Rendered] = []
    budget = question.budget
    for template in question.templates:
        rendered.append(_render(template, question, budget))
        budget -= rendered[-1].size
    return Texts(rendered)


def _render(template: str, question: Render, budget: int) -> Rendered:
    output = Output(budget, keep=question.keep)
    Unfilled.report_to(output)
    for piece in _compiled(template).generate(question.inputs):
        output.write(piece)
    return Rendered(output.text(), [*output.missing], output.size)


def _compiled(template: str) -> Template:
    return _kept(template) if len(template) <= _MAX_KEPT else _environment.from_string(template)


@functools.lru_cache(maxsize=64)
def _kept(template: str) -> Template:
    return _environment.from_string(template)


def _names(template: str) -> list[str]:
    return sorted(meta.find_undeclared_variables(_environment.parse(template)) - _environment.globals.keys())
