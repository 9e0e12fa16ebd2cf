"""YAML as people expect it: version 1.2's core schema, where `no` is a string and `2026-01-01` is too.

PyYAML reads version 1.1 and takes the last of duplicate keys; here both directions use 1.2, and a duplicate
is an error.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from moorage.core.escaping import escape_json, visible_lines
from moorage.documents.text import hide_separators
from moorage.documents.yaml_values import CORE, STRING, TAG, YamlError, read_values

__all__ = ["YamlError", "dump_yaml", "load_documents"]


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers = {  # noqa: RUF012 -- the 1.1 rules too: quoted is what either version would misread
        first: list(rules) for first, rules in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # A prompt of several lines is read as lines; where YAML cannot show it so, the emitter quotes it.
    # Only a quoted text can have escapes, which `dump_yaml` adds.
    style = '"' if visible_lines(text) != text else "|" if "\n" in text else None
    return dumper.represent_scalar(STRING, text, style=style)


for _name, _pattern, _first in CORE:
    _Dumper.add_implicit_resolver(TAG + _name, _pattern, list(_first))
_Dumper.add_representer(str, _text)


def load_documents(text: str) -> list[Any]:
    """All documents of a YAML stream.

    Raises:
        YamlError: with line and column.
    """
    text, hidden = hide_separators(text)
    try:
        return list(read_values(_restored(yaml.parse(text, Loader=yaml.CSafeLoader), hidden)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise YamlError(f"{error.problem or error.context}{where}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(" ".join(str(error).split())) from error


def _restored(events: Iterable[yaml.Event], hidden: Mapping[int, str]) -> Iterator[yaml.Event]:
    """Yield the events with the separators that are hidden in their scalars."""
    for event in events:
        if hidden and isinstance(event, yaml.ScalarEvent):
            event.value = event.value.translate(hidden)
        yield event


def dump_yaml(value: Any) -> str:
    """One document, keys in the order they have, long texts as blocks of lines, unsafe characters escaped."""
    return escape_json(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))
