"""Problems of YAML whose fix are quotes: values that begin with a character of the syntax, and wrong quotes."""

import re
from collections.abc import Sequence

import yaml

from moorage.core.escaping import visible_line
from moorage.documents.text import Place
from moorage.documents.yaml_report import Problem, Report, value_start


def braces(lines: Sequence[str], place: Place) -> Problem | None:
    """Return the problem of a value that begins with the braces of a template, if there is one at a place."""
    line = lines[place.line] if 0 <= place.line < len(lines) else ""
    text = line[max(0, place.column) :]
    if not text.startswith(("{{", "{%")):
        return None
    is_whole = value_start(line) == place.column
    value = re.split(r"\s+#|\s+$", text)[0]
    if not is_whole:  # brackets after it belong to the list or object around it
        value = value[: value.find("}}") + 2] if "}}" in value else value
    message = f"a value that begins with {text[:2]} must be in quotes, because {{ begins an object"
    return Problem(f"{message}{quoted(value)}", Place(place.line, place.column, len(value)))


def quoted(value: str) -> str:
    """Return the end of a message: the value in quotes as an example, or the advice to use a block."""
    shown = visible_line(value, 60)
    if len(value) > 60 or ("'" in value and '"' in value):
        return ", or in the next lines after a |"
    return f": '{shown}'" if '"' in value or "\\" in value else f': "{shown}"'


def explain_braces(report: Report) -> Problem | None:
    """Explain a value that begins with the braces of a template."""
    lines = [report.at.line, report.context_at.line]
    if report.last is not None and report.last.start_mark:
        lines.append(report.last.start_mark.line)
    found = (braces(report.lines, report.value(line)) for line in dict.fromkeys(lines))
    return next((problem for problem in found if problem), None)


def explain_first_character(report: Report) -> Problem | None:
    """Explain a value whose first character has a meaning in YAML."""
    where = report.context_at if report.context.startswith("while scanning a") else report.at
    last = report.last
    if isinstance(last, yaml.AliasEvent) and last.start_mark and last.start_mark.line == report.at.line:
        where = Place(last.start_mark.line, last.start_mark.column)
    first = report.character(where)
    meaning = {
        "%": "begins a directive", "@": "is reserved", "`": "is reserved", "*": "begins an alias",
        "&": "begins an anchor", "!": "begins a tag", "?": "begins a key", ",": "separates items",
        "|": "begins a block, whose text is in the next lines", ">": "begins a block, whose text is in the next lines",
    }.get(first)  # fmt: skip
    if meaning is None or (first == "," and report.bracket is not None):
        return None
    if first in "|>" and not report.context.startswith("while scanning a block scalar"):
        return None
    value = report.line(where)[where.column :].rstrip()
    message = f"a value that begins with {first} must be in quotes, because {first} {meaning}"
    return Problem(f"{message}{quoted(value)}", where._replace(length=len(value)))


def explain_open_quote(report: Report) -> Problem | None:
    """Explain a quote that is not closed, or closed too early."""
    if report.context.endswith("scanning a quoted scalar"):
        return Problem("the quote is not closed; add one at the end of the text", report.context_at)
    last = report.last
    if not isinstance(last, yaml.ScalarEvent) or last.style not in ("'", '"') or not last.start_mark:
        return None
    start, end = last.start_mark, last.end_mark or last.start_mark
    if end.line not in (report.at.line, report.at.line - 1) or report.problem.startswith("mapping values"):
        return None
    if start.line < end.line:
        message = f"the quote is closed only in line {end.line + 1}; close it where the text ends"
        return Problem(message, Place(start.line, start.column))
    if end.line != report.at.line:
        return None
    value = report.value(end.line)
    text, rest = report.line(value)[value.column :].rstrip(), report.line(report.at)[report.at.column :].rstrip()
    if text.endswith(last.style) and len(text) > end.column - value.column:
        inside = "''" if last.style == "'" else '\\"'
        fix = f"inside of quotes, write {inside} for {last.style}"
    else:
        fix = f"put the whole value in quotes{quoted(text)}"
    return Problem(f"there is text after the closing quote; {fix}", Place(end.line, report.at.column, len(rest)))


def explain_escape(report: Report) -> Problem | None:
    """Explain a backslash in double quotes that begins no escape."""
    if report.context != "while parsing a quoted scalar":
        return None
    start = report.line(report.at).rfind("\\", 0, report.at.column + 1)
    shown = visible_line(report.line(report.at)[start : start + 2], 10)
    message = f"{shown} is not a valid escape in double quotes; write \\\\ for a backslash, or use single quotes"
    return Problem(message, Place(report.at.line, max(start, 0), 2))


def missing_space(report: Report, line: int) -> Problem | None:
    """Return the problem of a line such as `key:value`, if it is one."""
    place = report.whole_line(line)
    text = report.line(place).strip()
    key = re.match(r"[\w.-]+:(?=[^\s:])", text)
    if key is None or value_start(report.line(place)) > place.column:
        return None
    fixed = visible_line(f"{key[0]} {text[key.end() :]}", 60)
    return Problem(f"a space is missing after the colon: {fixed}", place)


def explain_continued_line(report: Report) -> Problem | None:
    """Explain a line with a key that continues the value above it."""
    last, is_colon = report.last, report.problem.startswith("mapping values")
    if not is_colon or not isinstance(last, yaml.ScalarEvent) or not last.start_mark:
        return None
    if last.start_mark.line >= report.at.line:
        return None
    dash = re.match(r"\s*-(?=[^\s-])", report.line(report.at))
    if dash:
        return Problem("a list item needs a space after the -", Place(report.at.line, dash.end() - 1))
    line = last.start_mark.line + 1
    message = f"this line continues the value in line {line}, because it is indented deeper; align it with its object"
    return missing_space(report, line - 1) or Problem(message, report.whole_line(report.at.line))


def explain_colon(report: Report) -> Problem | None:
    """Explain `a: b: c`, and keys that are not possible at their place."""
    if not report.problem.startswith("mapping values"):
        return None
    line, value = report.line(report.at), report.value(report.at.line)
    if line.startswith("---"):
        return Problem("a key cannot stand after ---; write it in the next line", report.whole_line(report.at.line))
    if report.at.column > 1_024 and value.column > 1_024:
        return Problem("a key has at most 1,024 characters", Place(report.at.line, 0, 1_024))
    text = line[value.column :].rstrip()
    return Problem(f'a value with ": " in it must be in quotes{quoted(text)}', value._replace(length=len(text)))
