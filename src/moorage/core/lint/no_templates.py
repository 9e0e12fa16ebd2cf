"""Warnings about placeholders in texts that are not templates: tools, response formats, and stored tool calls."""

from collections.abc import Iterator
from typing import Any

import msgspec

from moorage.core.deployments.prompt_config import PromptConfig
from moorage.core.templates.placeholders import PLACEHOLDER, is_name
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report


def check_no_templates(config: PromptConfig, report: Report, path: JsonPath) -> None:
    """Report placeholders in texts of a `prompt_config` that models read, but that are sent as written."""
    for where, text in _texts(config, path):
        inside = next((inside for inside in PLACEHOLDER.findall(text) if is_name(inside.strip())), None)
        if inside is not None:
            report.problem(where, f"is not a template: {{{{{inside}}}}} is sent as written; put it into a message")


def _texts(config: PromptConfig, path: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    for index, tool in enumerate(config.tools):
        yield from _strings(msgspec.to_builtins(tool.function), path / "tools" / index / "function")
    response_format = config.model_parameters.response_format
    if isinstance(response_format, msgspec.Struct):
        where = path / "model_parameters" / "responseFormat"
        yield from _strings(msgspec.to_builtins(response_format), where)
    for index, message in enumerate(config.messages):
        for number, call in enumerate(message.tool_calls or ()):
            where = path / "messages" / index / "tool_calls" / number / "function"
            yield from _strings(msgspec.to_builtins(call.function), where)


def _strings(value: Any, path: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    """Yield the strings in a JSON value that can have a placeholder, and their paths."""
    if isinstance(value, str):
        if "{{" in value:
            yield path, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _strings(child, path / key)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _strings(child, path / index)
