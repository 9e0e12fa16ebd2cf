"""Problems of YAML in the words of an author: what is wrong at which place, and the fix.

The parser reports where it stopped, in terms of its grammar. The mistake is often elsewhere: a quote that is not closed
is reported lines later. So each rule looks at the report, at the event before it, and at the line.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

import yaml

from moorage.core.escaping import visible_line
from moorage.documents.text import CONFLICT, Place, conflict_marker
from moorage.documents.yaml_quotes import (
    explain_braces,
    explain_colon,
    explain_continued_line,
    explain_escape,
    explain_first_character,
    explain_open_quote,
    missing_space,
    quoted,
)
from moorage.documents.yaml_report import Problem, Report, indentation_of

_TAB_IN_INDENTATION: Final = re.compile(r" *\t")
_NO_BREAK_SPACE: Final = re.compile(r"[ \t]*([\xa0\u2000-\u200b\u202f\u3000])")

#: A line that begins a field or an item of an object or list around brackets.
_NEW_KEY: Final = re.compile(r"[^\s\[\]{},#]+:(?:\s|$)|- ")

_NO_CONTENT: Final = "did not find expected node content"


def explain(text: str, error: yaml.MarkedYAMLError, events: Sequence[yaml.Event]) -> Problem:
    """Return the problem that an error of the parser is about; `events` are those before it, without old ones."""
    conflict = conflict_marker(text)
    if conflict is not None:
        return Problem(CONFLICT, conflict)
    report = Report.of(text, error, events)
    for rule in _RULES:
        found = rule(report)
        if found is not None:
            return found
    return Problem(visible_line(report.problem or report.context, 200), report.at)


def _tabs(report: Report) -> Problem | None:
    indentation = _TAB_IN_INDENTATION.match(report.line(report.at))
    if indentation and (indentation.end() > report.at.column or "tab" in report.problem):
        return Problem("a tab cannot be used for indentation; use spaces", Place(report.at.line, indentation.end() - 1))
    if report.character(report.at) == "\t":
        return Problem("a tab is not possible here; use spaces", report.at)
    return None


def _spaces(report: Report) -> Problem | None:
    for line in range(max(0, report.at.line - 1), report.at.line + 1):
        found = _NO_BREAK_SPACE.match(report.line(Place(line, 0)))
        if found:
            name = f"U+{ord(found[1]):04X}"
            message = f"the indentation has the character {name}, which only looks like a space; use spaces"
            return Problem(message, Place(line, found.start(1)))
    return None


def _no_colon(report: Report) -> Problem | None:
    if not report.problem.startswith("could not find expected ':'"):
        return None
    problem = missing_space(report, report.context_at.line)
    if problem:
        return problem
    message = "the line is not `key: value`; a text of several lines needs | after its key, and deeper indentation"
    return Problem(message, report.whole_line(report.context_at.line))


def _open_list(report: Report) -> Problem | None:
    """Explain a `[` or `{` that is not closed, and what is wrong after it."""
    if report.bracket is None:
        return None
    line, opening = report.line(report.at), report.character(report.bracket)
    closing = "]" if opening == "[" else "}"
    is_outside = indentation_of(line) <= indentation_of(report.line(report.bracket)) and _NEW_KEY.match(line.lstrip())
    if not report.character(report.at) or (report.at.line > report.bracket.line and is_outside):
        return Problem(f"the {opening} is not closed; add a {closing}", report.bracket)
    if report.character(report.at) == "," and report.problem == _NO_CONTENT:
        return Problem("there is no item before this comma; remove it", report.at)
    if not report.problem.startswith("did not find expected ',' or"):
        return None
    where = f"after the {opening} in line {report.bracket.line + 1}"
    return Problem(f"a comma or a {closing} is missing here, {where}", report.at)


def _closed_list(report: Report) -> Problem | None:
    """Explain text after `[…]` or `{…}`, and a closing bracket without an opening one."""
    last, mark = report.last, report.last.end_mark if report.last else None
    if isinstance(last, yaml.CollectionEndEvent) and mark and 0 < mark.column <= report.at.column:
        closing = report.character(Place(mark.line, mark.column - 1))
        if closing in ("]", "}") and mark.line == report.at.line:
            value = report.value(report.at.line)
            text, kind = report.line(value)[value.column :].rstrip(), "a list" if closing == "]" else "an object"
            message = f"a value that begins with {text[:1]} must be in quotes, unless it is {kind}{quoted(text)}"
            return Problem(message, value)
    if report.character(report.at) in ("]", "}") and report.problem == _NO_CONTENT:
        return Problem(
            f"there is no open bracket for this {report.character(report.at)}; remove it, or use quotes", report.at
        )
    return None


def _indentation(report: Report) -> Problem | None:
    if report.problem.startswith("block sequence entries"):
        return Problem("a list begins in the line after its key; if this is a text, use quotes", report.at)
    if report.problem not in ("did not find expected key", "did not find expected '-' indicator"):
        return None
    place, last = report.whole_line(report.at.line), report.last
    if isinstance(last, yaml.ScalarEvent) and last.style in ("|", ">") and last.start_mark:
        line = last.start_mark.line + 1
        return Problem(f"the line is indented less than the first line of the text in line {line}; align it", place)
    what = "the list" if "'-'" in report.problem else "the object"
    first = report.context_at
    if place.column == first.column:
        expected = "an item, such as `- text`" if "'-'" in report.problem else "a key, such as `name: text`"
        return Problem(f"{what} that begins in line {first.line + 1} needs {expected} here", place)
    message = (
        f"the indentation is {place.column}, but that of {what} that begins in line {first.line + 1} is {first.column}"
    )
    return Problem(f"{message}; align the lines of each object", place)


def _others(report: Report) -> Problem | None:
    messages = {
        "found incompatible YAML document": "the version of YAML is not supported; remove the directive",
        "did not find expected <document start>": "there is text after the end; begin another document with ---",
        "found undefined tag handle": "the tag is not declared; put a text that begins with ! in quotes",
    }
    message = messages.get(report.problem)
    if report.problem.endswith("<document start>") and report.at.column > 0:
        return Problem(
            "the indentation fits no line above; align the lines of each object", report.whole_line(report.at.line)
        )
    return Problem(message, report.at) if message else None


_RULES: Final[Sequence[Callable[[Report], Problem | None]]] = (
    explain_braces, _tabs, _spaces, explain_open_quote, explain_escape, _others, explain_continued_line,
    explain_colon, explain_first_character, _no_colon, _open_list, _closed_list, _indentation,
)  # fmt: skip
