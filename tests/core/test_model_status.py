"""The filter of the list by the status of models, on any day."""

import json
from datetime import date
from typing import Any

import pytest

from moorage.core.deployments.filter import Filter, FilterFields

RETIRED = {"provider": "openai", "model": "openai/o1", "model_type": "chat"}
RETIRING = {"provider": "openai", "model": "gpt-4o", "model_type": "chat"}
CUSTOM = {"provider": "openai", "model": "ours", "model_type": "chat"}
TODAY = date(2026, 11, 30)


def statuses(config: dict[str, Any], today: date = TODAY, **runtime: Any) -> list[str]:
    item = {"key": "a", "description": "", "updated": "2026-11-01T00:00:00.000Z", "prompt_config": config}
    fields = FilterFields.of(json.dumps(item).encode(), "api", json.dumps(runtime))
    named = {name: Filter.read([("model_status", name)], today) for name in ("retired", "retiring")}
    return [name for name, chosen in named.items() if chosen is not None and chosen.matches(fields)]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2027, 1, 13), ["retiring"]),
        (date(2027, 1, 14), ["retired"]),
    ],
)
def test_the_status_follows_the_date_without_a_write(today: date, expected: list[str]) -> None:
    assert statuses(RETIRING, today) == expected


def test_a_custom_model_has_no_status() -> None:
    assert statuses(CUSTOM) == []


def test_models_of_variants_and_of_fallbacks_count() -> None:
    assert statuses(CUSTOM, fallbacks=[RETIRED]) == ["retired"]
    assert statuses(CUSTOM, variants=[{"name": "v", "prompt_config": RETIRING}]) == ["retiring"]
    assert statuses(CUSTOM, variants=[{"name": "v", "prompt_config": CUSTOM, "fallbacks": [RETIRED]}]) == ["retired"]


def test_a_deployment_with_models_of_both_kinds_has_both() -> None:
    assert statuses(RETIRED, fallbacks=[RETIRING]) == ["retired", "retiring"]
