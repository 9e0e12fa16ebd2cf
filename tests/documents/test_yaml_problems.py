"""YAML that cannot be read: the place, the reason and the fix, in the words of an author."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.documents.yaml import YamlError, load_documents
from tests.documents.test_yaml import PIECES

#: A text -> the place of its problem, and the begin of the message.
PROBLEMS = {
    "key:faq\nprompt_config:\n  model: x\n": ("1:1", "a space is missing after the colon: key: faq"),
    "a:\n  key:faq\n  b: 1\n": ("2:3", "a space is missing after the colon: key: faq"),
    "--- a: 1\n": ("1:1", "a key cannot stand after ---; write it in the next line"),
    "---\n  a: 1\n b: 2\n": ("3:2", "the indentation fits no line above; align the lines of each object"),
    'a: "x\n<<<<<<< HEAD\ny\n=======\nz\n>>>>>>> q\n"\n': ("2:1", "this is a conflict marker of git"),
    "key: faq\ndescription: x\nmessages:\n  - role: a\n   content: b\n": ("5:4", "the indentation is 3, but that of"),
    "a: |\n    text\n  b: 1\n": ("3:3", "the line is indented less than the first line of the text in line 1"),
    "key: a\nprompt_config:\n  messages:\n    - role: user\n      content: {{question}}\n": (
        "5:16",
        "a value that begins with {{ must be in quotes, because { begins an object:",
    ),
    "key: a\ncontent: {{name}} is here\n": (
        "2:10",
        "a value that begins with {{ must be in quotes, because { begins an object:",
    ),
    "- {{x}}\n": ("1:3", "a value that begins with {{ must be in quotes, because { begins an object:"),
    "a:\n  - {{x}} y\n": ("2:5", "a value that begins with {{ must be in quotes, because { begins an object:"),
    "content: {% if x %}a{% endif %}\n": (
        "1:10",
        "a value that begins with {% must be in quotes, because { begins an object:",
    ),
    "content: {{ customer.name }}\nb: 1\n": (
        "1:10",
        "a value that begins with {{ must be in quotes, because { begins an object:",
    ),
    "variables: [{key: {{x}}}]\n": (
        "1:19",
        "a value that begins with {{ must be in quotes, because { begins an object:",
    ),
    "content: {{ x | upper }}, hi\n": (
        "1:10",
        "a value that begins with {{ must be in quotes, because { begins an object:",
    ),
    "content: {{{x}}}\n": ("1:10", "a value that begins with {{ must be in quotes, because { begins an object:"),
    "content: {{#if x}} y\n": ("1:10", "a value that begins with {{ must be in quotes, because { begins an object:"),
    "a:\n\tb: 1\n": ("2:1", "a tab cannot be used for indentation; use spaces"),
    "a:\n  b: 1\n\tc: 1\n": ("3:1", "a tab cannot be used for indentation; use spaces"),
    "a: |\n\tx\n": ("2:1", "a tab cannot be used for indentation; use spaces"),
    "a: |\n  x\n\ty\n": ("3:1", "a tab cannot be used for indentation; use spaces"),
    "a:\n  \tb: 1\n": ("2:3", "a tab cannot be used for indentation; use spaces"),
    "a:\n\t- b\n": ("2:1", "a tab cannot be used for indentation; use spaces"),
    "key: a\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n": (
        "2:1",
        "this is a conflict marker of git; resolve the conflict, and remove the lines",
    ),
    "key: a\nc: |\n  x\n<<<<<<< HEAD\n  y\n=======\n  z\n>>>>>>> x\n": (
        "4:1",
        "this is a conflict marker of git; resolve the conflict, and remove the lines",
    ),
    "a: b: c\n": ("1:4", 'a value with ": " in it must be in quotes: "b: c"'),
    "content: Note: be brief\n": ("1:10", 'a value with ": " in it must be in quotes: "Note: be brief"'),
    "- a: b: c\n": ("1:6", 'a value with ": " in it must be in quotes: "b: c"'),
    "a: b\n  c: d\n": ("2:3", "this line continues the value in line 1, because it is indented deeper; align"),
    "a:\n    b: 1\n  c: 2\n": ("3:3", "the indentation is 2, but that of the object that begins in line 1 is 0;"),
    "a:\n  - b\n - c\n": ("3:2", "the indentation is 1, but that of the object that begins in line 1 is 0;"),
    "a:\n  - b\n    - c: 1\n  c: 1\n": (
        "3:5",
        "this line continues the value in line 2, because it is indented deeper; align",
    ),
    'a: "x\nb: 1\n': ("1:4", "the quote is not closed; add one at the end of the text"),
    'a: "x\nb: "y"\n': ("1:4", "the quote is closed only in line 2; close it where the text ends"),
    "a: 'x\nb: 1\n": ("1:4", "the quote is not closed; add one at the end of the text"),
    "a: 'it's'\n": ("1:8", "there is text after the closing quote; inside of quotes, write '' for '"),
    "a: 'it's fine'\nb: 'x'\n": ("1:8", "there is text after the closing quote; inside of quotes, write '' for '"),
    'a: "say "hi""\n': ("1:10", 'there is text after the closing quote; inside of quotes, write \\" for "'),
    'a: "Hi" he said\n': ("1:9", 'there is text after the closing quote; put the whole value in quotes: \'"Hi"'),
    "a: [Name] hello\n": ("1:4", 'a value that begins with [ must be in quotes, unless it is a list: "[Name]'),
    "a: {name} hello\n": ("1:4", 'a value that begins with { must be in quotes, unless it is an object: "{name}'),
    "a: %x\n": ("1:4", "a value that begins with % must be in quotes, because % begins a directive:"),
    "a: @x\n": ("1:4", 'a value that begins with @ must be in quotes, because @ is reserved: "@x"'),
    "a: `x`\n": ("1:4", 'a value that begins with ` must be in quotes, because ` is reserved: "`x`"'),
    "%x: 1\n": ("1:1", "a value that begins with % must be in quotes, because % begins a directive:"),
    "a: *important* text\n": ("1:4", "a value that begins with * must be in quotes, because * begins an alias:"),
    "a: **bold** text\n": ("1:4", "a value that begins with * must be in quotes, because * begins an alias:"),
    "a:\n  - *x y\n": ("2:5", "there is no anchor &x before this alias; if it is a text, put it in quotes"),
    "a: & b\n": ("1:4", 'a value that begins with & must be in quotes, because & begins an anchor: "&'),
    "a: &nbsp; x\n": ("1:4", "a value that begins with & must be in quotes, because & begins an anchor:"),
    "a: !important x\n": ("1:4", "the tag !important is not supported; remove it or, if it is a text, put it in"),
    "a: > quoted text\n": ("1:4", "a value that begins with > must be in quotes, because > begins a block, whose"),
    "a: | text\n": ("1:4", "a value that begins with | must be in quotes, because | begins a block, whose"),
    "a: |x\n": ("1:4", "a value that begins with | must be in quotes, because | begins a block, whose"),
    "a: >= 5\n": ("1:4", "a value that begins with > must be in quotes, because > begins a block, whose"),
    "a: ? x\n": ("1:4", 'a value that begins with ? must be in quotes, because ? begins a key: "? x"'),
    "a: - b\n": ("1:4", "a list begins in the line after its key; if this is a text, use quotes"),
    "a:\n  - [\n": ("2:5", "the [ is not closed; add a ]"),
    "a: [b, c\nd: e\n": ("1:4", "the [ is not closed; add a ]"),
    "a: {b: 1\nc: 2\n": ("1:4", "the { is not closed; add a }"),
    "a: [b, {c: 1]\n": ("1:13", "a comma or a } is missing here, after the { in line 1"),
    "a: b]\nc: ]\n": ("2:4", "there is no open bracket for this ]; remove it, or use quotes"),
    "a: }\n": ("1:4", "there is no open bracket for this }; remove it, or use quotes"),
    "a: 1\na: 2\n": ("2:1", 'the key "a" occurs twice, first in line 1; remove one'),
    "a: 1\nprovider openai\nb: 2\n": (
        "2:1",
        "the line is not `key: value`; a text of several lines needs | after its key,",
    ),
    "a: 1\nprovider:openai\nb: 2\n": ("2:1", "a space is missing after the colon: provider: openai"),
    "a: 1\nhello\n": ("2:1", "the line is not `key: value`; a text of several lines needs | after its key,"),
    "a: |\n  x\n y\nb: 1\n": ("3:2", "the line is indented less than the first line of the text in line 1; align it"),
    "a: x\ny\n": ("2:1", "the line is not `key: value`; a text of several lines needs | after its key,"),
    "a: x\n  y: z\n": ("2:3", "this line continues the value in line 1, because it is indented deeper; align"),
    'a: "C:\\users"\n': ("1:7", "\\u is not a valid escape in double quotes; write \\\\ for a backslash, or use"),
    'a: "\\d+"\n': ("1:5", "\\d is not a valid escape in double quotes; write \\\\ for a backslash, or use"),
    'a: "\\xZZ"\n': ("1:5", "\\x is not a valid escape in double quotes; write \\\\ for a backslash, or use"),
    "a:\n\xa0\xa0b: 1\n": ("2:1", "the key begins with U+00A0, which only looks like a space; use spaces"),
    "a:\n  b: 1\n\xa0\xa0c: 1\n": ("3:1", "the key begins with U+00A0, which only looks like a space; use spaces"),
    "a: ,b\n": ("1:4", 'a value that begins with , must be in quotes, because , separates items: ",b"'),
    "- a\nb: 1\n": ("2:1", "the list that begins in line 1 needs an item, such as `- text` here"),
    "a: 1\n- b\n": ("2:1", "the object that begins in line 1 needs a key, such as `name: text` here"),
    "[a: 1\n": ("1:1", "the [ is not closed; add a ]"),
    "a: 1\n...\nb: 2\n": ("3:1", "there is text after the end; begin another document with ---"),
    '{"a": 1,, "b": 2}': ("1:9", "there is no item before this comma; remove it"),
    "{'a': 1 'b': 2}": ("1:12", "a comma or a } is missing here, after the { in line 1"),
    "a:\n  -b\n  -c: 1\n": ("3:3", "a list item needs a space after the -"),
    "%YAML 3.0\n---\na: 1\n": ("1:1", "the version of YAML is not supported; remove the directive"),
    "a: *b\n": ("1:4", "there is no anchor &b before this alias; if it is a text, put it in quotes"),
    "a: [b #c]\n": ("1:4", "the [ is not closed; add a ]"),
    "a: [{{x}}, {{y}}]\n": ("1:5", "a value that begins with {{ must be in quotes, because { begins an object:"),
    "a: {{x}} # note\n": ("1:4", "a value that begins with {{ must be in quotes, because { begins an object:"),
    "a: 'tis\nb: 'x'\n": ("1:4", "the quote is closed only in line 2; close it where the text ends"),
    'a: "{{x}}" and "{{y}}"\n': ("1:12", 'there is text after the closing quote; inside of quotes, write \\" for "'),
    "1: a\n": ("1:1", 'a key must be a string; put it in quotes: "1"'),
    "~: a\n": ("1:1", 'a key must be a string; put it in quotes: "null"'),
    ": a\n": ("1:1", "the object that begins in line 1 needs a key, such as `name: text` here"),
    "a: .inf\n": ("1:4", ".inf is not a finite number; if it is a text, put it in quotes"),
    "a: 1e999\n": ("1:4", "1e999 is not a finite number; if it is a text, put it in quotes"),
    'a: "\\0"\n': ("1:4", "the text has a NUL character, which databases cannot store; remove it"),
    "yes: 1\ntrue: 2\n": ("2:1", 'a key must be a string; put it in quotes: "true"'),
    "[a]: 1\n": ("1:1", "a key must be a string, not a list"),
    "a: 1\r\nb: c: d\r\n": ("2:4", 'a value with ": " in it must be in quotes: "c: d"'),
    "a: 1\rb: c: d\r": ("2:4", 'a value with ": " in it must be in quotes: "c: d"'),
    "a: |\n    x\n   y\n": ("3:4", "the line is indented less than the first line of the text in line 1; align it"),
    "messages:\n  - role: user\n    content: {{ customer.name }}, hello\n    name: x\n": (
        "3:14",
        "a value that begins with {{ must be in quotes, because { begins an object:",
    ),
    '"content": {{x}}\n': ("1:12", "a value that begins with {{ must be in quotes, because { begins an object:"),
    "tools: [{{tool}}]\n": ("1:9", "a value that begins with {{ must be in quotes, because { begins an object:"),
    'content: {{x}} isn\'t "it"\n': (
        "1:10",
        "a value that begins with {{ must be in quotes, because { begins an object, or",
    ),
    'messages:\n  - role: system\n    content: "You are {{name}}\n  - role: user\n    content: "Hi"\n': (
        "3:14",
        "the quote is closed only in line 5; close it where the text ends",
    ),
    "- role: user\n content: x\n": (
        "2:2",
        "the indentation is 1, but that of the list that begins in line 1 is 0; align",
    ),
    "a: 1\r\n\tb: 2\r\n": ("2:1", "a tab cannot be used for indentation; use spaces"),
}


@pytest.mark.parametrize("text", PROBLEMS, ids=ascii)
def test_a_problem_has_its_place_and_its_fix(text: str) -> None:
    with pytest.raises(YamlError) as error:
        load_documents(text)

    place, message = PROBLEMS[text]
    position = error.value.position
    assert position is not None
    assert (f"{position.line}:{position.column}", str(error.value)[: len(message)]) == (place, message)
    assert position.text == re.split("\r\n|\r|\n", text)[position.line - 1]


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("content: {{question}}", ("content: {{question}}", "         ^^^^^^^^^^^^")),
        ("a:\n\tb: 1", ("→b: 1", "^")),
        ("a:\n\xa0\xa0b: 1", ("\xa0\xa0b: 1", "^^^")),
        ("a: \x1b[2J", ("a: \\x1b[2J", "   ^^^^")),
        ("a: {{x}} " + "long " * 50, ("a: {{x}} " + "long " * 12 + "lo…", "   " + "^" * 69)),
        ("a: '" + "long " * 50 + "' x", ("…ng " + "long " * 6 + "' x", " " * 36 + "^")),
    ],
    ids=["braces", "tab", "no-break space", "control character", "long value", "late problem"],
)
def test_an_excerpt_shows_the_line_with_carets(text: str, excerpt: tuple[str, str]) -> None:
    with pytest.raises(YamlError) as error:
        load_documents(text)

    assert error.value.position
    assert error.value.position.excerpt() == excerpt


def test_lines_are_counted_as_editors_count_them() -> None:
    with pytest.raises(YamlError) as error:
        load_documents("a: one\u2028two\x85\r\nb: 1\rc: *nowhere")

    assert error.value.position
    assert (error.value.position.line, error.value.position.column) == (3, 4)


LINES = [
    "a: 1\n",
    "b: {{x}}\n",
    "\tc: 1\n",
    '  d: "x\n',
    "- [\n",
    "e: f: g\n",
    "*x\n",
    "}",
    "<<: 1\n",
    "%\n",
    ": |\n x\n",
]


@given(st.lists(st.sampled_from(LINES) | PIECES, max_size=8).map("".join))
def test_every_problem_has_a_place_in_the_text(text: str) -> None:
    try:
        load_documents(text)
    except YamlError as error:
        assert error.position is not None  # noqa: PT017 -- both ends are correct
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert lines[error.position.line - 1 : error.position.line] in ([error.position.text], [])  # noqa: PT017 -- as above
        assert str(error).isprintable()  # noqa: PT017 -- as above
        assert len(str(error)) < 300  # noqa: PT017 -- as above
