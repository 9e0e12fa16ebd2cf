"""The table of values that each SDK version rejects is correct: it rejects pages with these values and no others."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moorage.core.deployments.model_parameters import ResponseFormatName
from moorage.core.deployments.prompt_config import ModelType, PromptConfig, Provider, Role
from moorage.diagnostics.sdk import NEAREST, REJECTED, rejected_by
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
    """Return a prompt config with these values of `CHOICES`."""
    top_level = {name: values.pop(name) for name in ("provider", "model_type")}
    messages = [{"role": role, "content": "Hello"} for role in ("user", values.pop("role"))]
    return {"tools": [], "model": "m", **top_level, "model_parameters": values, "messages": messages}


def configs() -> Iterator[dict[str, Any]]:
    """Yield configs with each single value, with random values, and with every field."""
    default = {"provider": "openai", "model_type": "chat", "role": "system"}
    for field, values in CHOICES.items():
        for value in values:
            yield config(**(default | {field: value}))
    rng = random.Random(20_261_122)
    for _ in range(300):
        yield config(**{field: rng.choice(values) for field, values in CHOICES.items()})
    for _, body in full_bodies():
        yield body["prompt_config"]


def page(prompt_config: dict[str, Any]) -> str:
    """Return a page with one deployment as one line of JSON."""
    times = {"created": "2026-03-01T09:30:00.000Z", "updated": "2026-03-01T09:30:00.000Z"}
    item = {"id": "a", **times, "key": "a", "description": "", "prompt_config": prompt_config, "version": "1.0"}
    return json.dumps({"object": "list", "data": [item], "has_more": False})


@pytest.mark.system
@pytest.mark.parametrize("version", REJECTED)
def test_each_version_rejects_the_values_in_the_table_and_no_other(version: str) -> None:
    all_configs = list(configs())
    older = Path(sys.prefix) / "sdks" / version
    completed = subprocess.run(
        [sys.executable, str(PROGRAM), version],
        input="\n".join(map(page, all_configs)), text=True, capture_output=True, check=True,
        env=clean_environment(PYTHONPATH=str(older)) if older.exists() else clean_environment(),
    )  # fmt: skip

    expected = [
        "rejected" if rejected_by(version, msgspec.convert(prompt_config, PromptConfig)) else "parsed"
        for prompt_config in all_configs
    ]
    assert completed.stdout.split() == expected
    assert set(expected) == {"parsed", "rejected"}


def test_every_version_supports_the_nearest_values() -> None:
    for field, nearest in NEAREST.items():
        for value in nearest.split(" or "):
            assert value in CHOICES[field]
            assert not any(value in rejected.get(field, ()) for rejected in REJECTED.values())


def test_the_table_contains_every_version_that_the_tests_install() -> None:
    installed = {path.name for path in (Path(sys.prefix) / "sdks").iterdir() if (path / "orq_ai_sdk").is_dir()}

    assert set(REJECTED) - {"4.17.13"} == installed
