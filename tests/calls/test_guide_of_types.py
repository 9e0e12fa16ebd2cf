"""The Python of the guides about calls, executed as it is printed."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway

_GUIDE = Path(__file__).parents[2] / "docs/guide"


def _python_of(page: str) -> str:
    """Return the block of Python of a page."""
    [block] = (_GUIDE / page).read_text().split("```python\n")[1:]
    return block.partition("```")[0]


def test_the_calls_of_each_type_work_as_printed(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "call.mp3").write_bytes(b"ID3")
    style = [{"role": "user", "content": "In the style of {{artist}}: {{input}}"}]
    kinds: Any = {"catalog_search": "embedding", "covers": "image", "announcements": "tts", "calls": "stt"}
    code = _python_of("providers.md")
    for name, kind in kinds.items():
        key = gateway.deploy("openai", kind, messages=style if kind == "image" else [])
        assert f'"{name}"' in code
        code = code.replace(f'"{name}"', f'"{key}"')
    names: dict[str, Any] = {"MOORAGE_URL": gateway.server.url, "MOORAGE_API_KEY": gateway.project.token}

    exec(code, names)

    assert len(names["vectors"].data) == 2
    assert len(names["picture"].data) == 1
    assert (tmp_path / "welcome.mp3").read_bytes()
    assert names["text"].startswith("1\n00:00:00,000 --> ")


def test_the_call_of_a_stored_prompt_works_as_printed(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    key = gateway.deploy("openai", messages=[{"role": "system", "content": "You help {{name}}."}])
    code = _python_of("responses.md").replace("support_answers", key).replace('"1.2"', '"1"')
    code = code.replace("https://moorage.example.com", gateway.server.url)
    names: dict[str, Any] = {"token": gateway.project.token}

    exec(f"import openai\n{code}", names)

    assert capsys.readouterr().out == "You said: Where is my order?\n"
