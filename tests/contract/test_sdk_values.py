"""What is told of the SDKs is so: a value that a version is said to reject costs it the page, and no other does."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moorage.core.prompt_config import ModelType, PromptConfig, Provider, ResponseFormatName, Role
from moorage.core.sdk_values import NEAREST, REJECTED, rejected_by
from tests.contract.full_items import full_bodies
from tests.contract.test_orq_sdk_items import PARAMETERS, literals, parameter_values
from tests.support.server import clean_environment

PROGRAM = Path(__file__).with_name("parse_with_sdk.py")

#: Field -> its values.
CHOICES = {
    "provider": literals(Provider),
    "model_type": literals(ModelType),
    "role": literals(Role),
    **{name: parameter_values(field) for field, name in PARAMETERS.items()},
    "responseFormat": literals(ResponseFormatName),
}


def config(**values: str) -> dict[str, Any]:
    """A configuration with these values of `CHOICES`."""
    plain = {name: values.pop(name) for name in ("provider", "model_type")}
    messages = [{"role": role, "content": "Hello"} for role in ("user", values.pop("role"))]
    return {"tools": [], "model": "m", **plain, "model_parameters": values, "messages": messages}


def configs() -> Iterator[dict[str, Any]]:
    """Each value by itself, many together by chance, and the items with every field."""
    usual = {"provider": "openai", "model_type": "chat", "role": "system"}
    for field, values in CHOICES.items():
        for value in values:
            yield config(**(usual | {field: value}))
    chance = random.Random(20_261_122)
    for _ in range(300):
        yield config(**{field: chance.choice(values) for field, values in CHOICES.items()})
    for _, body in full_bodies():
        yield body["prompt_config"]


def page(prompt_config: dict[str, Any]) -> str:
    """A page with one deployment, on one line."""
    times = {"created": "2026-03-01T09:30:00.000Z", "updated": "2026-03-01T09:30:00.000Z"}
    item = {"id": "a", **times, "key": "a", "description": "", "prompt_config": prompt_config, "version": "1.0"}
    return json.dumps({"object": "list", "data": [item], "has_more": False})


@pytest.mark.parametrize("version", REJECTED)
def test_a_version_rejects_the_values_that_it_is_said_to_reject_and_no_other(version: str) -> None:
    tried = list(configs())
    older = Path(sys.prefix) / "sdks" / version
    done = subprocess.run(
        [sys.executable, str(PROGRAM), version],
        input="\n".join(map(page, tried)), text=True, capture_output=True, check=True,
        env=clean_environment(PYTHONPATH=str(older)) if older.exists() else clean_environment(),
    )  # fmt: skip

    told = ["rejected" if rejected_by(version, msgspec.convert(each, PromptConfig)) else "read" for each in tried]
    assert done.stdout.split() == told
    assert set(told) == {"read", "rejected"}


def test_what_is_told_to_be_nearest_is_known_to_every_version() -> None:
    for field, nearest in NEAREST.items():
        for value in nearest.split(" or "):
            assert value in CHOICES[field]
            assert not any(value in rejected.get(field, ()) for rejected in REJECTED.values())


def test_every_version_that_the_tests_install_is_told_of() -> None:
    installed = {path.name for path in (Path(sys.prefix) / "sdks").iterdir()}

    assert set(REJECTED) - {"4.17.13"} == installed
