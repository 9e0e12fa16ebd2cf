"""YAML as people expect it: version 1.2's core schema, where `no` is a string and `2026-01-01` is too.

PyYAML reads version 1.1 and takes the last of duplicate keys; here both directions use 1.2, and a duplicate
is an error.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

_STRING, _TAG = "tag:yaml.org,2002:str", "tag:yaml.org,2002:"
_CORE = (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)", list("-+0123456789")),
    (
        "float",
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))",
        list("-+0123456789."),
    ),
)


class YamlError(Exception):
    """A document is not YAML that can be read; says where."""


class _Loader(yaml.CSafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- PyYAML's own way


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers = {  # noqa: RUF012 -- the 1.1 rules too: quoted is what either version would misread
        first: list(rules) for first, rules in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }


for _name, _pattern, _first in _CORE:
    for _kind in (_Loader, _Dumper):
        _kind.add_implicit_resolver(_TAG + _name, re.compile(f"^{_pattern}$"), _first)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Iterator[dict[Any, Any]]:
    result: dict[Any, Any] = {}
    yield result  # before its children, so that an anchor inside can name it
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, dict | list):
            raise yaml.MarkedYAMLError(problem="a key must be a string", problem_mark=key_node.start_mark)
        if key in result:
            raise yaml.MarkedYAMLError(problem=f"the key {key!r} occurs twice", problem_mark=key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)


def _int(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = node.value
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # A prompt of several lines is read as lines; where YAML cannot show it so, the emitter quotes it.
    # A next line (U+0085) is read as a plain end of line wherever it is not escaped.
    return dumper.represent_scalar(_STRING, text, style='"' if "\x85" in text else "|" if "\n" in text else None)


_Loader.add_constructor(_TAG + "map", _mapping)
_Loader.add_constructor(_TAG + "int", _int)
_Loader.add_constructor(_TAG + "float", _float)
_Dumper.add_representer(str, _text)


def load_documents(text: str) -> list[Any]:
    """All documents of a YAML stream.

    Raises:
        YamlError: with line and column.
    """
    try:
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise YamlError(f"{error.problem or error.context}{where}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError(" ".join(str(error).split())) from error


def dump_yaml(value: Any) -> str:
    """One document, keys in the order they have, long texts as blocks of lines."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
