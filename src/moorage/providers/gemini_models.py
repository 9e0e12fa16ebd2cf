"""The thinking of Gemini models: a budget or a level."""

from typing import Final

from moorage.core.deployments.model_rules import OFF, Generation, generation_of, thinking_of_model
from moorage.core.resolution.config import Object
from moorage.providers.request import Translation

#: The generation that takes a level instead of a budget, and signatures of tool calls.
HAS_LEVELS: Final = Generation(3, 0)

#: The budget of an effort, in tokens; those of Google's own translation.
_BUDGETS: Final = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}

#: The smallest budget of a model that always thinks.
_SMALLEST_BUDGET: Final = 128

#: The largest budget for a level, for models without budgets.
_LEVELS: Final = ((1_024, "low"), (8_192, "medium"))

_PARAMETERS: Final = ("budgetTokens", "reasoningEffort", "thinkingLevel")


def thinking_of(translation: Translation) -> Object | None:
    """Return the `thinkingConfig` for a budget, an effort or a level; None if the request has none.

    The API rejects a budget and a level in one request. Who asks for thoughts gets them in the response, too.
    """
    model = translation.model
    budget = translation.whole("budgetTokens")
    if budget is None and not any(name in translation.parameters for name in _PARAMETERS[1:]):
        return None
    form = thinking_of_model("gemini", translation.provider, model)
    if form == "none":
        translation.omit_parameters(_PARAMETERS, f"{model} does not think")
        return None
    return _budget(budget, translation) if form == "budget" else _level(budget, translation)


def _chosen(names: tuple[str, ...], translation: Translation) -> tuple[str, str]:
    """Return the first of these parameters that is set, and its value; the others are omitted."""
    first, *others = [name for name in names if name in translation.parameters]
    translation.omit_parameters(tuple(others), f"the request has {first}")
    return first, str(translation.parameters[first])


def _budget(budget: int | None, translation: Translation) -> Object:
    if budget is None:
        name, value = _chosen(_PARAMETERS[1:], translation)
        budget = 0 if value in OFF else _BUDGETS.get(value, _BUDGETS["high"])
    else:
        name, _ = _chosen(_PARAMETERS, translation)
    if budget == 0 and "pro" in translation.model:
        translation.omit(f"parameters.{name}", f"{translation.model} always thinks, so it gets its smallest budget")
        budget = _SMALLEST_BUDGET
    return {"thinkingBudget": budget, "includeThoughts": True} if budget else {"thinkingBudget": 0}


def _level(budget: int | None, translation: Translation) -> Object:
    name, value = _chosen((*_PARAMETERS[1:], _PARAMETERS[0]), translation)
    if name == "budgetTokens":
        most = budget or 0
        value = "none" if most == 0 else next((level for limit, level in _LEVELS if most <= limit), "high")
    is_pro, is_off = "pro" in translation.model, value in OFF
    if is_off:
        translation.omit(f"parameters.{name}", f"{translation.model} always thinks, so it gets its lowest level")
    if is_off or value == "minimal":
        value = "low" if is_pro else "minimal"
    elif value != "low" and (
        value != "medium" or (is_pro and generation_of("gemini", translation.model) == HAS_LEVELS)
    ):
        value = "high"
    level = {"thinkingLevel": value.upper()}
    return level if is_off else level | {"includeThoughts": True}
