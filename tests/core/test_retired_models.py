"""The table of retirements."""

from datetime import date, timedelta
from typing import get_args

import pytest

from moorage.core.deployments.prompt_config import Provider
from moorage.core.deployments.retired_models import AS_OF, RETIREMENTS, find_retirement


def test_every_row_has_a_provider_of_the_contract_and_a_public_source() -> None:
    assert {row.provider for row in RETIREMENTS} <= set(get_args(Provider))
    assert all(row.source.title and row.source.url.startswith("https://") for row in RETIREMENTS)


def test_announcements_are_before_retirements_and_before_the_day_of_the_sources() -> None:
    announced = [(row.announced, row.retires) for row in RETIREMENTS if row.announced is not None]

    assert announced
    assert all(first < last and first <= AS_OF for first, last in announced)


def test_a_tentative_date_is_shown_as_one() -> None:
    tentative = next(row for row in RETIREMENTS if row.is_tentative)
    known = next(row for row in RETIREMENTS if not row.is_tentative)

    assert tentative.day == f"{tentative.retires} (tentative)"
    assert known.day == str(known.retires)


def test_no_two_rows_are_about_the_same_model() -> None:
    assert len({(row.provider, row.model) for row in RETIREMENTS}) == len(RETIREMENTS)


def test_no_replacement_has_a_known_retirement() -> None:
    assert [row.model for row in RETIREMENTS if find_retirement(row.provider, row.replacement or "")] == []


def test_a_name_can_begin_with_the_id_of_its_provider() -> None:
    assert find_retirement("openai", "openai/o1") == find_retirement("openai", "o1")
    assert find_retirement("openai", "o1") is not None


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-5.6-sol"),
        ("openai", "gpt-4o-custom"),
        ("openai", "o1-2"),
        ("openai", "ft:gpt-4o:team::1"),
        ("azure", "gpt-4o"),
        ("aws", "anthropic.claude-2.1"),
        ("google", "gemini-2.5-pro"),
        ("google-ai", "gemini-2.5-flash-lite"),
        ("anthropic", "openai/o1"),
        ("openai", ""),
    ],
)
def test_newer_custom_and_hosted_models_have_no_known_date(provider: str, model: str) -> None:
    assert find_retirement(provider, model) is None


def test_a_model_is_retired_from_its_date() -> None:
    row = find_retirement("openai", "gpt-4o")

    assert row is not None
    assert row.retires == date(2027, 1, 14)
    assert row.status(row.retires - timedelta(days=1)) == "retiring"
    assert row.status(row.retires) == "retired"
