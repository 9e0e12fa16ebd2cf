"""The check of keys and names in bodies."""

from typing import Any

from moorage.core.deployments.ids import characters_rule
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import DROP, Report


def check_characters(value: Any, path: JsonPath, report: Report) -> Any:
    """Report a key or a name with other characters, with a valid one."""
    if isinstance(value, str) and (rule := characters_rule(value)):
        report.problem(path, rule)
        return DROP
    return value
