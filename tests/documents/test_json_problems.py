"""JSON that cannot be read: the place, the reason and the fix, in the words of an author."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.errors.requests import InvalidJson
from moorage.core.validation import strict_json
from moorage.documents.json_problems import find_problem
from moorage.documents.text import position_of

#: A text -> the place of its problem, and the begin of the message.
PROBLEMS = {
    '{"a": 1,}': ("1:8", "a comma before } is not possible in JSON; remove it"),
    "[1,2,]": ("1:5", "a comma before ] is not possible in JSON; remove it"),
    "[1,,2]": ("1:4", "there is no value before this comma; remove it"),
    "[,1]": ("1:2", "there is no value before this comma; remove it"),
    '{"a" 1}': ("1:6", "a colon is missing before this"),
    '{"a": 1 "b": 2}': ("1:9", "a comma is missing before this"),
    "[1 2]": ("1:4", "a comma is missing before this"),
    "{'a': 1}": ("1:2", "JSON has no single quotes; use double quotes"),
    "{\"a\": 'x'}": ("1:7", "JSON has no single quotes; use double quotes"),
    "{a: 1}": ("1:2", 'a key must be in quotes: "a"'),
    '{"a": True}': ("1:7", "True is not a JSON value; write true"),
    '{"a": None}': ("1:7", "None is not a JSON value; write null"),
    '{"a": NaN}': ("1:7", "NaN is not a JSON value; a text must be in double quotes"),
    '{"a": {{x}}}': ("1:7", 'a placeholder must be in quotes: "{{x}}"'),
    '{"a": [{{x}}]}': ("1:8", 'a placeholder must be in quotes: "{{x}}"'),
    '{"a": "x\ny"}': ("1:7", "the quote is not closed in this line; write \\n for a line break in a text"),
    '{"a": "x}': ("1:7", "the quote is not closed in this line; write \\n for a line break in a text"),
    '{"a": "\\d"}': ("1:8", "\\d is not a valid escape; write \\\\ for a backslash"),
    '{"a": "\t"}': ("1:8", "the character U+0009 is not possible here; in a text, write \\t"),
    '{"a": "\\u00"}': ("1:8", "\\u is not a valid escape; write \\\\ for a backslash"),
    '{"a": 1': ("1:1", "the { is not closed; add a }"),
    '[{"a": 1}': ("1:1", "the [ is not closed; add a ]"),
    "[1}": ("1:3", "] is missing here, for the [ in line 1"),
    '{"a": 1]': ("1:8", "} is missing here, for the { in line 1"),
    '{"a": 1} {"b": 2}': ("1:10", "there is text after the end; a file with one document per line is .jsonl"),
    '{"a": 1}\nx': ("2:1", "there is text after the end; a file with one document per line is .jsonl"),
    '{"a": 1, "a": 2}': ("1:10", 'the key "a" occurs twice, first in line 1; remove one'),
    '{"a": 1e999}': ("1:7", "the number 1e999 does not fit into a double"),
    '{"a": "\\u0000"}': ("1:7", "the text has a NUL character, which databases cannot store; remove it"),
    '{"a": "\\ud800"}': ("1:7", "the text has half a surrogate pair; write both halves, or remove it"),
    '// c\n{"a": 1}': ("1:1", "JSON has no comments; remove it, or use a YAML file"),
    '{"a": 1, // c\n"b": 2}': ("1:10", "JSON has no comments; remove it, or use a YAML file"),
    '{"a": 1 // c\n}': ("1:9", "JSON has no comments; remove it, or use a YAML file"),
    '{"a": /* c */ 1}': ("1:7", "JSON has no comments; remove it, or use a YAML file"),
    "# c\n{}": ("1:1", "JSON has no comments; remove it, or use a YAML file"),
    '{"a": 01}': ("1:7", "01 is not a JSON number; a text must be in double quotes"),
    '{"a": +1}': ("1:7", "+1 is not a JSON number; a text must be in double quotes"),
    '{"a": .5}': ("1:7", ".5 is not a JSON number; a text must be in double quotes"),
    '{"a": 1.}': ("1:7", "1. is not a JSON number; a text must be in double quotes"),
    '{"a": 0x1}': ("1:7", "0x1 is not a JSON number; a text must be in double quotes"),
    "": ("1:1", "the file is empty"),
    "  \n": ("2:1", "the file is empty"),
    '{"a"': ("1:1", "the { is not closed; add a }"),
    '{"a":': ("1:1", "the { is not closed; add a }"),
    '{"a":}': ("1:6", "a value is missing before this"),
    '{"a":,}': ("1:6", "there is no value before this comma; remove it"),
    "{,}": ("1:2", "there is no key before this comma; remove it"),
    "{:1}": ("1:2", "a key is missing before this"),
    "}": ("1:1", "there is no open bracket for this }; remove it"),
    '"x': ("1:1", "the quote is not closed in this line; write \\n for a line break in a text"),
    "nope": ("1:1", "nope is not a JSON value; a text must be in double quotes"),
    '{"a": 1}}': ("1:9", "there is no open bracket for this }; remove it"),
    '<<<<<<< HEAD\n{"a": 1}\n=======\n{}\n>>>>>>> b\n': (
        "1:1",
        "this is a conflict marker of git; resolve the conflict, and remove the lines",
    ),
    '{"a": \x01}': ("1:7", "\\x01 is not a JSON value; a text must be in double quotes"),
    '{"a": “x”}': ("1:7", "“x” is not a JSON value; a text must be in double quotes"),
    '\xa0{"a": 1}': ("1:1", "the character U+00A0 is not possible here; in a text, write \\u00a0"),
    '{"a": 1;}': ("1:7", "1; is not a JSON number; a text must be in double quotes"),
    '{"a": "x" y}': ("1:11", "a comma is missing before this"),
    '{"key": "a"\n "prompt_config": {}}': ("2:2", "a comma is missing before this"),
    '{"a": "b\\\n"}': ("1:9", "\\  is not a valid escape; write \\\\ for a backslash"),
    '{"a": "\\': ("1:8", "\\ is not a valid escape; write \\\\ for a backslash"),
    '{"a": [1 2]}': ("1:10", "a comma is missing before this"),
    '{"messages": [{"role": "user", "content": {{question}}}]}': (
        "1:43",
        'a placeholder must be in quotes: "{{question}}"',
    ),
    '{\n  "a": 1,\n  "b": 2,\n}': ("3:9", "a comma before } is not possible in JSON; remove it"),
    '{"a": "it\'s", "b": \'x\'}': ("1:20", "JSON has no single quotes; use double quotes"),
    '{"a": undefined}': ("1:7", "undefined is not a JSON value; write null"),
    '["a" "b"]': ("1:6", "a comma is missing before this"),
    '{"a": Infinity}': ("1:7", "Infinity is not a JSON value; a text must be in double quotes"),
    '{"a": -Infinity}': ("1:7", "-Infinity is not a JSON number; a text must be in double quotes"),
}


@pytest.mark.parametrize("text", PROBLEMS, ids=ascii)
def test_a_problem_has_its_place_and_its_fix(text: str) -> None:
    found = find_problem(text)

    assert found is not None
    position = position_of(text, found[1])
    place, message = PROBLEMS[text]
    assert (f"{position.line}:{position.column}", found[0][: len(message)]) == (place, message)
    with pytest.raises(InvalidJson):
        strict_json.parse(text.encode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": ' + "9" * 400 + "}", "1:7: the number 9999999999999999999999999999999999999999 does not fit"),
        ("[" * 70, "1:65: the nesting is deeper than 64 levels"),
        ('{"' + "k" * 1001 + '": 1}', "1:2: a key has at most 1,000 characters; this one has 1,001"),
    ],
    ids=["number", "depth", "key"],
)
def test_the_limits_of_json_have_a_place(text: str, message: str) -> None:
    found = find_problem(text)

    assert found is not None
    assert f"{found[1].line + 1}:{found[1].column + 1}: {found[0]}".startswith(message)


PIECES = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"a"', '"b": ', "1", "-", "0", ".5", "1e9", "true", "None", "'", '"', "\\", "\n",
     "\t", " ", "//", "{{x}}", "\ufeff", "\x00", "\u2028", '"\\u0000"', '"\\ud800"', "é"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=10).map("".join))
def test_whatever_the_parser_rejects_has_a_problem(text: str) -> None:
    value = None
    with contextlib.suppress(InvalidJson):
        value = [strict_json.parse(text.encode())]

    assert (find_problem(text) is None) == (value is not None), text
