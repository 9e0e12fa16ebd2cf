"""Bounds: the range of numbers for a field, as an annotation of its type and in its schema."""

from typing import Any

from msgspec import Meta

from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.messages import name_of
from moorage.core.validation.validate import DROP, Report

Number = int | float


def bounded(lowest: int, highest: int, *, decimals: int, description: str) -> Meta:
    """Return the `Meta` of a number from `lowest` to `highest` with at most `decimals` decimals."""
    kind = f"a number with at most {decimals} decimals" if decimals else "a whole number"
    requirement = f"must be {kind} from {lowest} to {highest}"

    def check(value: Any, path: JsonPath, report: Report) -> Any:
        if type(value) not in (int, float):
            report.problem(path, f"{requirement}, not {name_of(value)}")
            return DROP
        if not (lowest <= value <= highest and value == round(value, decimals)):
            report.problem(path, requirement)
        return value

    return Meta(
        description=description,
        extra_json_schema={"minimum": lowest, "maximum": highest} | ({} if decimals else {"multipleOf": 1}),
        extra={"normalize": check},
    )
