"""Warnings about names: used but not declared, declared but not used, and placeholders that are none."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from moorage.core.compatibility.contract import VariableNames
from moorage.core.deployments.content import VariantContent
from moorage.core.deployments.message_templates import templates_in
from moorage.core.deployments.prompt_config import MAX_VARIABLE_KEY
from moorage.core.lint.usage import Usage, mustache_usage, text_usage
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report

#: Tags that are only jinja's.
_JINJA: Final = re.compile(r"\{%-?\s*+(?:if|for|set|macro|filter|raw|block|include|extends|import)\b")


def check_variables(variant: VariantContent, jinja_names: VariableNames, report: Report, path: JsonPath) -> None:
    """Report the variables of a variant that are used or declared, but not both.

    A variant that declares no variables has no undeclared ones. `jinja_names` has the names in its jinja templates, or
    None if they are unknown.
    """
    engine, messages = variant.settings.engine or "text", str(path / "prompt_config" / "messages")
    found = templates_in(msgspec.to_builtins(variant.prompt_config.messages))
    templates = [(f"{messages}{where}", text) for where, text in found]
    declared = {variable.key: index for index, variable in enumerate(variant.variables)}
    if engine == "jinja":
        if not isinstance(jinja_names, AbstractSet):
            return
        used = [_jinja_usage(templates, jinja_names)]
    else:
        find = mustache_usage if engine == "mustache" else text_usage
        used = [find(where, text, declared) for where, text in templates]
        for where, text in templates:
            if tag := _JINJA.search(text):
                report.problem(where, f"{tag[0]} … is jinja, but settings.engine is {engine}: it is sent as written")
    for usage in used:
        for where, message in usage.not_names:
            report.problem(where, message)
    if declared:
        _check_undeclared(used, declared.keys(), report)
        _check_unused(used, declared, templates, report, path / "variables")


def _jinja_usage(templates: Iterable[tuple[str, str]], names: AbstractSet[str]) -> Usage:
    """Return the names with the first template that contains each: jinja finds names, but not their places."""
    usage, texts = Usage(), list(templates)
    for name in sorted(names):
        path = next((path for path, text in texts if name.partition(".")[0] in text), "")
        usage.add(name, path or (texts[0][0] if texts else ""))
    return usage


def _check_undeclared(used: Iterable[Usage], declared: AbstractSet[str], report: Report) -> None:
    known, seen = _Names(declared), set[str]()
    for usage in used:
        for name, path in usage.names.items():
            if name not in seen and name not in usage.inner and not known.has_related(name):
                seen.add(name)
                hint = report.suggestion(name, [*declared]) or "; declare it, or remove it"
                report.problem(path, f"{{{{{name}}}}} is not a declared variable{hint}")


def _check_unused(
    used: Iterable[Usage], declared: dict[str, int], templates: list[tuple[str, str]], report: Report, path: JsonPath
) -> None:
    names = _Names({name for usage in used for name in usage.names})
    misspelled = "\n".join(message for usage in used for _, message in usage.not_names)
    for name, index in declared.items():
        if report.is_full:
            return
        if not names.has_related(name) and name not in misspelled:
            single = f"{{{name}}}"
            is_single = any(single in text for _, text in templates)
            hint = f". Did you mean {{{single}}} instead of {single}?" if is_single else "; use it, or remove it"
            report.problem(path / index / "key", f"{name!r} is declared, but no message uses it{hint}")


class _Names:
    """Names of values: `customer` is related to `customer.name`, which is a part of it."""

    def __init__(self, names: AbstractSet[str]) -> None:
        self._names = names
        self._sorted = sorted(names)

    def has_related(self, name: str) -> bool:
        """Return whether there is the name, a part of it, or something that it is a part of."""
        if any(start in self._names for start in _beginnings(name)):
            return True
        index = bisect_left(self._sorted, f"{name}.")
        return index < len(self._sorted) and self._sorted[index].startswith(f"{name}.")


def _beginnings(name: str) -> Iterator[str]:
    """Yield `a`, `a.b` and `a.b.c` for `a.b.c`; of a long name, only those that can be the key of a variable."""
    end = name.find(".")
    while 0 <= end <= MAX_VARIABLE_KEY:
        yield name[:end]
        end = name.find(".", end + 1)
    yield name
