"""Escaping: no character that a terminal obeys or does not show is left as it is."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.escaping import escape_json, visible, visible_line, visible_lines

#: Categories of characters that are never shown as they are: controls, formats, surrogates, and line separators.
UNSAFE = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and chr(code) not in "\u200c\u200d"
]


def test_the_unsafe_characters_are_those_of_terminals_and_more() -> None:
    assert {
        "\x00",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9b",
        "\u202e",
        "\u2066",
        "\u200f",
        "\u061c",
        "\ufeff",
        "\U000e0041",
    } <= set(UNSAFE)


def test_every_unsafe_character_is_escaped() -> None:
    for character in UNSAFE:
        assert visible(f"a{character}b") == f"a{ascii(character)[1:-1]}b"
        assert not set(visible_lines(f"a{character}b")) & (set(UNSAFE) - set("\n\t"))
        assert not set(visible_line(f"a{character}b")) & set(UNSAFE)


@pytest.mark.parametrize(
    "text", ["", "a b", "é ü ß 日本　語 שלום", "👨\u200d👩\u200d👧", "क्\u200cष", "\xa0", "a\\b'c\""]
)
def test_text_of_any_script_is_left_alone(text: str) -> None:
    assert visible(text) == visible_line(text) == visible_lines(text) == text


def test_a_text_of_several_lines_keeps_them() -> None:
    assert visible_lines("a\n\tb\r\n") == "a\n\tb\\r\n"


def test_a_line_is_cut_and_its_line_breaks_are_spaces() -> None:
    assert visible_line("one\ntwo\u2028three\x85four\tfive") == "one two three four five"
    assert visible_line("\x1b" * 10_000_000, 10) == "\\x1b\\x1b\\…"
    assert visible_line("x" * 11, 10) == "x" * 9 + "…"


@given(st.text(st.characters()))
def test_json_is_escaped_without_a_loss(text: str) -> None:
    written = escape_json(json.dumps({"a": text, text: 1}, ensure_ascii=False, indent=2))

    assert not set(written) & (set(UNSAFE) - {"\n"})
    assert json.loads(written) == json.loads(json.dumps({"a": text, text: 1}))
