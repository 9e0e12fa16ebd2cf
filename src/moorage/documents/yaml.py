"""YAML as people expect it: version 1.2's core schema, where `no` is a string and `2026-01-01` is too.

PyYAML reads version 1.1 and takes the last of duplicate keys; here both directions use 1.2, and a duplicate
is an error.
"""

import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from yaml.emitter import ScalarAnalysis

from moorage.core.escaping import escape_json, visible_line, visible_lines
from moorage.documents.text import BREAK, CONFLICT, Place, conflict_marker, hide_separators, position_of
from moorage.documents.yaml_problems import explain
from moorage.documents.yaml_quotes import braces
from moorage.documents.yaml_report import Problem
from moorage.documents.yaml_scalars import CORE, STRING, TAG, YamlError
from moorage.documents.yaml_values import read_values

__all__ = ["YamlError", "dump_file", "dump_yaml", "load_documents"]


#: Characters that an exported file has as escapes: those that YAML cannot hold, those that YAML 1.1 reads as line
#: breaks, overrides of the text direction, and tags outside of a flag. Other invisible characters are part of scripts
#: and emoji, and newer emoji are unknown to this Python.
_ESCAPED_IN_FILES = re.compile(
    "[^\\t\\n\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0000-\U000e007f]"
)


#: How many events before a problem are looked at.
_MAX_RECENT = 10_000

#: Characters that YAML cannot have, not even in quotes.
_NOT_YAML = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


class _Dumper(yaml.SafeDumper):
    """The dumper of a text for a terminal: unsafe characters are escaped, which is possible in quoted texts only."""

    yaml_implicit_resolvers = {  # noqa: RUF012 -- the 1.1 rules too: quoted is what either version would misread
        first: list(rules) for first, rules in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def is_literal(self, text: str) -> bool:
        return visible_lines(text) == text

    def style_of(self, text: str) -> str | None:
        """Return the style of a scalar: a text of several lines is a block, unless it is blank or needs escapes."""
        if not self.is_literal(text):
            return '"'
        if "\n" not in text:
            return "'" if text[:1].isspace() else None
        return "|" if text.strip(" \t\n") else '"'

    def analyze_scalar(self, scalar: str) -> ScalarAnalysis:
        """Allow blocks for tabs and for blanks at the end of lines, which YAML preserves."""
        analysis = super().analyze_scalar(scalar)
        analysis.allow_block = self.style_of(scalar) == "|"
        return analysis

    def determine_block_hints(self, text: str) -> str:
        """Return the indicators after `|`. The indentation is explicit if the text begins with a blank."""
        indentation = str(self.best_indent) if text[0] in " \t\n" else ""
        return indentation + ("-" if text[-1] != "\n" else "+" if text.endswith("\n\n") else "")


class _FileDumper(_Dumper):
    """The dumper of a file."""

    def is_literal(self, text: str) -> bool:
        return not _ESCAPED_IN_FILES.search(text)


for _name, _pattern, _first in CORE:
    _Dumper.add_implicit_resolver(TAG + _name, _pattern, list(_first))
_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(STRING, text, style=dumper.style_of(text)))


def load_documents(text: str) -> list[Any]:
    """All documents of a YAML stream.

    Raises:
        YamlError: with the position.
    """
    hidden_text, hidden = hide_separators(text)
    recent = deque[yaml.Event](maxlen=_MAX_RECENT)
    try:
        conflict = conflict_marker(text)
        if conflict and "\n>>>>>>> " in text:  # it could also be a part of a quoted text
            raise YamlError(CONFLICT, conflict)
        character = _NOT_YAML.search(hidden_text)
        if character:
            raise _invalid_character(hidden_text, character)
        return list(read_values(_restored(yaml.parse(hidden_text, Loader=yaml.CSafeLoader), hidden, recent)))
    except YamlError as error:
        lines = BREAK.split(text)
        column = error.place.column - 1
        found = braces(lines, error.place._replace(column=column)) if column >= 0 else None
        problem = found or Problem(str(error), error.place)
    except yaml.MarkedYAMLError as error:
        problem = explain(hidden_text, error, [*recent])
    except (yaml.YAMLError, ValueError) as error:
        problem = Problem(visible_line(" ".join(str(error).split()), 200), Place(0, 0))
    raise YamlError(problem.message, problem.place, position_of(text, problem.place))


def _invalid_character(text: str, found: re.Match[str]) -> YamlError:
    before = BREAK.split(text[: found.start()])
    name = f"U+{ord(found[0]):04X}"
    problem = f"the character {name} is not possible in YAML; remove it, or write it as an escape in double quotes"
    return YamlError(problem, Place(len(before) - 1, len(before[-1])))


def _restored(
    events: Iterable[yaml.Event], hidden: Mapping[int, str], recent: deque[yaml.Event]
) -> Iterator[yaml.Event]:
    """Yield the events with the separators that are hidden in their scalars; the last ones are in `recent`."""
    for event in events:
        recent.append(event)
        if hidden and isinstance(event, yaml.ScalarEvent):
            event.value = event.value.translate(hidden)
        yield event


def dump_yaml(value: Any) -> str:
    """Return one document for a terminal: keys in the order they have, and all unsafe characters escaped."""
    return escape_json(_dump(value, _Dumper, width=100))


def dump_file(value: Any) -> str:
    """Return one document for a file that people review: the same, with long lines and harmless characters as is."""
    return _ESCAPED_IN_FILES.sub(lambda found: f"\\u{ord(found[0]):04x}", _dump(value, _FileDumper, width=sys.maxsize))


def _dump(value: Any, dumper: type[_Dumper], width: int) -> str:
    return str(yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=width))
