"""Warnings about parameters that a model rejects, so that calls omit them."""

from typing import Final

from msgspec import UNSET

from moorage.core.deployments.model_parameters import ModelParameters
from moorage.core.deployments.model_rules import OFF, When, rules_of, thinking_of_model
from moorage.core.deployments.prompt_config import ModelType
from moorage.core.deployments.provider_parameters import protocol_of
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report

_TYPES: Final = ("chat", "vision")

#: When the model rejects a parameter, and what to do about it.
_TEXTS: Final[dict[When, str]] = {
    "always": "is rejected by this model, so calls omit it: remove it",
    "while it thinks": "is rejected by this model while it thinks, so calls omit it: remove it",
    "unless the effort is none": (
        "is rejected by this model while it reasons, so calls omit it: remove it, or set reasoningEffort to none"
    ),
}


def check_rules(
    provider: str, model: str, model_type: ModelType, parameters: ModelParameters, report: Report, path: JsonPath
) -> None:
    """Report the parameters that calls omit because of the model."""
    if model_type not in _TYPES:
        return
    protocol, native = protocol_of(provider, model_type), model.removeprefix(f"{provider}/")
    rules = rules_of(protocol, provider, native)
    cannot_think = thinking_of_model(protocol, provider, native) == "none"
    if not rules and not cannot_think:
        return
    given = _given(parameters)
    applied = [rule for rule in rules if _applies(rule.when, given, cannot_think=cannot_think)]
    # If several rules reject a parameter, the text is that of the first one.
    found = {name: _TEXTS[rule.when] for rule in reversed(applied) for name in rule.rejects if name in given}
    if cannot_think and _asks(given):
        for name in ("reasoningEffort", "budgetTokens", "thinkingLevel" if protocol == "gemini" else ""):
            if name in given:
                found[name] = "has no effect: this model does not think, so calls omit it: remove it"
    for name, text in found.items():
        report.problem(path / name, text)


def _given(parameters: ModelParameters) -> dict[str, object]:
    """Return the parameters that have a value, by their names in JSON."""
    names = zip(parameters.__struct_encode_fields__, parameters.__struct_fields__, strict=True)
    values = {name: getattr(parameters, field) for name, field in names}
    return {name: value for name, value in values.items() if value is not UNSET and value is not None}


def _applies(when: When, given: dict[str, object], *, cannot_think: bool) -> bool:
    if when == "while it thinks":
        return not cannot_think and _asks(given)
    return when == "always" or given.get("reasoningEffort") not in OFF


def _asks(given: dict[str, object]) -> bool:
    """Return whether a request with these parameters asks the model to think."""
    thinking = given.get("thinking")
    if isinstance(thinking, dict):
        return thinking.get("type") != "disabled"
    if "budgetTokens" in given:
        return given["budgetTokens"] != 0
    return "thinkingLevel" in given or given.get("reasoningEffort", "none") not in OFF
