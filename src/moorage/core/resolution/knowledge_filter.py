"""Knowledge filter: the parts of a knowledge base for a request. It is validated and has no effect yet."""

from typing import Any

from moorage.core.validation.json_path import join
from moorage.core.validation.messages import name_of
from moorage.core.validation.validate import Report

_COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists")


def check_knowledge_filter(value: dict[str, Any], report: Report, path: str = "knowledge_filter") -> None:
    """Report the problems of `{field: {operator: value}}`, or with several as `{"and": […]}` or `{"or": […]}`."""
    for word in ("and", "or"):
        if isinstance(parts := value.get(word), list):
            for index, part in enumerate(parts):
                here = f"{path}.{word}[{index}]"
                if isinstance(part, dict):
                    _check_fields(part, report, here)
                else:
                    report.problem(here, f"must be an object, not {name_of(part)}")
            for other in value.keys() - {word}:
                report.problem(join(path, other), f"must not be combined with `{word}`; put it into the list")
            return
    _check_fields(value, report, path)


def _check_fields(fields: dict[str, Any], report: Report, path: str) -> None:
    for name, condition in fields.items():
        here = join(path, name)
        if not isinstance(condition, dict):
            report.problem(here, f"must be an object of operators, not {name_of(condition)}")
            continue
        for operator, operand in condition.items():
            if operator not in _COMPARISONS:
                hint = report.suggestion(operator, _COMPARISONS) or f"; the operators are {', '.join(_COMPARISONS)}"
                report.problem(join(here, operator), f"is not an operator{hint}")
            elif (requirement := _requirement(operator, operand)) is not None:
                report.problem(join(here, operator), f"must be {requirement}")


def _requirement(operator: str, operand: Any) -> str | None:
    """Return the requirement of the operator if the value does not meet it."""
    if operator in ("in", "nin"):
        is_list = isinstance(operand, list) and all(isinstance(item, str | bool | int | float) for item in operand)
        return None if is_list else "an array of strings, numbers, true or false"
    if operator == "exists":
        return None if isinstance(operand, bool) else "true or false"
    if operator in ("eq", "ne"):
        return None if isinstance(operand, str | bool | int | float) else "a string, a number, true or false"
    return None if isinstance(operand, int | float) and not isinstance(operand, bool) else "a number"
