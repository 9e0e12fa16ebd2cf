"""YAML files: a file that cannot be read is one problem in one line, and the others are read."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.core.validation.strict_json import MAX_BODY
from moorage.documents.read import MAX_FILE, read_paths
from moorage.documents.yaml import YamlError, dump_file, dump_yaml, load_documents
from tests.cli.samples import TEXTS
from tests.support.limited import run_limited
from tests.support.program import moorage
from tests.support.server import Project, a_body

NINES = "9" * 10_000

#: A document -> a part of the problem.
REJECTED = {
    "a: !!bool maybe": "'maybe' is not of the type !!bool",
    "a: !!int maybe": "'maybe' is not of the type !!int",
    "a: !!int 1_000": "'1_000' is not of the type !!int",
    "a: !!int ''": "'' is not of the type !!int",
    "a: !!float x": "'x' is not of the type !!float",
    "a: !!null x": "'x' is not of the type !!null",
    "a: !!timestamp x": "the tag !!timestamp is not supported; remove it or, if it is a text, put it in quotes",
    "a: !!timestamp 2026-01-01": "the tag !!timestamp is not supported",
    "a: !!binary '*'": "the tag !!binary is not supported",
    "a: !!binary aGk=": "the tag !!binary is not supported",
    "? !!set\n: 1": "the tag !!set is not supported",
    "!!set {a, b}": "the tag !!set is not supported",
    "!!omap [a: 1]": "the tag !!omap is not supported",
    "!!pairs [a: 1]": "the tag !!pairs is not supported",
    "!!merge x": "the tag !!merge is not supported",
    "!!value x": "the tag !!value is not supported",
    "!!yaml x": "the tag !!yaml is not supported",
    "!!map [a]": "the tag !!map is not supported",
    "!!seq {a: 1}": "the tag !!seq is not supported",
    "!!str {a: 1}": "the tag !!str is not supported",
    "!!str [a]": "the tag !!str is not supported",
    "a: !!python/object/apply:os.system [id]": "the tag !!python/object/apply:os.system is not supported",
    "a: !!python/name:os.system": "the tag !!python/name:os.system is not supported",
    "!!python/tuple [1]": "the tag !!python/tuple is not supported",
    "a: !mine x": "the tag !mine is not supported",
    "%TAG ! tag:example.org,2026:\n---\na: !x y": "the tag !<tag:example.org,2026:x> is not supported",
    "a: !<tag:yaml.org,2002:set> {b}": "the tag !!set is not supported",
    "a: !x!y z": "the tag is not declared; put a text that begins with ! in quotes",
    "%YAML 2.0\n---\na: b": "the version of YAML is not supported",
    "a: *nowhere": "there is no anchor &nowhere before this alias; if it is a text, put it in quotes",
    "a: &x 1\n---\nb: *x": "there is no anchor &x before this alias",
    "&x [*x]": "the alias *x stands for an object or list that contains it",
    "&x {a: {b: *x}}": "the alias *x stands for an object or list that contains it",
    "<<: 1": "the value of << must be an object or a list of objects, such as *name",
    "<<:": "the value of << must be an object or a list of objects",
    "<<: a": "the value of << must be an object or a list of objects",
    "a: &x {b: 1}\nc: {<<: [*x, 1]}": "the value of << must be an object or a list of objects, such as *name",
    "a: &x text\n<<: *x": "the value of << must be an object or a list of objects",
    "{<<}": "the value of << must be an object or a list of objects",
    "<<: {a: 1}\n<<: {b: 1}": "the key << occurs twice; write one list: <<: [*a, *b]",
    "<<: {a: 1}\na: 1\na: 2": 'the key "a" occurs twice, first in line 2; remove one',
    "<<: {a: 1, a: 2}": 'the key "a" occurs twice, first in line 1',
    "a: &a {<<: *a}": "the alias *a stands for an object or list that contains it",
    "<<: *nowhere": "there is no anchor &nowhere before this alias",
    "!!merge a: {b: 1}": "the tag !!merge is not supported",
    "? {a: 1}\n: b": "a key must be a string",
    "? [a]\n: b": "a key must be a string",
    "x: &x {a: 1}\n? *x\n: b": "a key must be a string",
    "a: 1\na: 2": 'the key "a" occurs twice, first in line 1; remove one',
    "1: a": 'a key must be a string; put it in quotes: "1"',
    "true: a": 'a key must be a string; put it in quotes: "true"',
    "~: a": 'a key must be a string; put it in quotes: "null"',
    "x: &x 1\n*x : a": 'a key must be a string; put it in quotes: "1"',
    f"{'k' * 1001}: a": "a key has at most 1,000 characters; this one has 1,001",
    'a: "\\0"': "the text has a NUL character, which databases cannot store; remove it",
    "a: .inf": ".inf is not a finite number; if it is a text, put it in quotes",
    "a: .nan": ".nan is not a finite number",
    "a: 1e999": "1e999 is not a finite number",
    "&k a: 1\n*k : 2": 'the key "a" occurs twice, first in line 1',
    f"a: {NINES}": "does not fit into a double",
    f"a: 0x{NINES}": "does not fit into a double",
    f"a: -.{NINES}": "does not fit into a double",
    f"{NINES}: a": "does not fit into a double",
    "[" * 1_000_000: "the nesting is deeper than 64 levels",
    "- " * 1_000_000: "the nesting is deeper than 64 levels",
    "{a: " * 100_000: "the nesting is deeper than 64 levels",
    "? " * 100_000: "a key must be a string",
    "a: [": "the [ is not closed; add a ]",
    "a: 'x": "the quote is not closed; add one at the end of the text",
    "a: \x1b[2J": "the character U+001B is not possible in YAML; remove it, or write it as an escape",
    "a: \x00": "the character U+0000 is not possible in YAML",
    "\tb: 1": "a tab cannot be used for indentation; use spaces",
    "a: b: c": 'a value with ": " in it must be in quotes: "b: c"',
    "a: \ud800": "the character U+D800 is not possible in YAML",
    '"\\x"': "\\x is not a valid escape in double quotes",
    '"\\ud800"': "\\u is not a valid escape in double quotes",
    "a: &" + "x" * 100_000 + " 1\nb: *" + "y" * 100_000: "there is no anchor &yyyyyyyy",
}


@pytest.mark.parametrize("text", REJECTED, ids=lambda text: ascii(text)[:40])
def test_a_document_that_is_not_json_is_one_line(text: str) -> None:
    with pytest.raises(YamlError) as error:
        load_documents(text)

    assert REJECTED[text] in str(error.value)
    assert error.value.position is not None
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


ACCEPTED: dict[str, Any] = {
    "a: !!str 5": {"a": "5"},
    "a: ! 5": {"a": "5"},
    "a: !!int 5": {"a": 5},
    "a: !!int '5'": {"a": 5},
    "a: !!float 5": {"a": 5.0},
    "a: !!bool true": {"a": True},
    "a: !!null": {"a": None},
    "a: !!map {b: !!seq [c]}": {"a": {"b": ["c"]}},
    "'<<': {a: 1}": {"<<": {"a": 1}},
    "!!str <<: {a: 1}": {"<<": {"a": 1}},
    "! <<: {a: 1}": {"<<": {"a": 1}},
    "a: <<": {"a": "<<"},
    "base: &b {a: 1}\nall:\n  <<: *b": {"base": {"a": 1}, "all": {"a": 1}},
    "? <<\n: {a: 1}": {"a": 1},
    "!!merge <<: {a: 1}": {"a": 1},
    "&k <<: {a: 1}": {"a": 1},
    "k: &k <<\n*k : {a: 1}": {"k": "<<", "a": 1},
    "{<<: {a: {b: 1}}, c: 2}": {"a": {"b": 1}, "c": 2},
    "<<: []\na: 1": {"a": 1},
    "<<: {a: 1, b: 2}\nb: 3": {"a": 1, "b": 3},
    "b: 3\n<<: {a: 1, b: 2}": {"b": 3, "a": 1},
    "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y, {c: 3, d: 3}], d: 4}": {
        "x": {"a": 1, "b": 1}, "y": {"b": 2, "c": 2}, "z": {"a": 1, "b": 1, "c": 2, "d": 4},
    },
    "x: &x [{a: 1}, {b: 2}]\n<<: *x": {"x": [{"a": 1}, {"b": 2}], "a": 1, "b": 2},
    "x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y}": {"x": {"a": 1}, "y": {"a": 1, "b": 2}, "z": {"a": 1, "b": 2}},
    "- <<": ["<<"],
    "a: no\nb: 2026-01-01\nc: 1e3\nd: 0o17\ne: 0x1f\nf: ~": {
        "a": "no", "b": "2026-01-01", "c": 1000.0, "d": 15, "e": 31, "f": None,
    },
    "a: &x {b: [1]}\nc: [*x, *x]": {"a": {"b": [1]}, "c": [{"b": [1]}, {"b": [1]}]},
    "a: &x one\n*x : two": {"a": "one", "one": "two"},
    "a: &x one\nb: &x two\nc: *x": {"a": "one", "b": "two", "c": "two"},
    "a: &x": {"a": None},
    "a: &x\nb: *x": {"a": None, "b": None},
}  # fmt: skip


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_document_of_the_core_schema_is_read(text: str) -> None:
    assert load_documents(text) == [ACCEPTED[text]]


@pytest.mark.parametrize(
    ("text", "order"), [("c: 0\n<<: {b: 0, a: 0}\nd: 0", "cbad"), ("<<: {b: 0, a: 0}\na: 1", "ba")]
)
def test_merged_fields_have_the_place_of_the_merge_key(text: str, order: str) -> None:
    assert "".join(load_documents(text)[0]) == order


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"], ids=ascii)
def test_a_line_separator_of_yaml_1_1_is_a_character(separator: str) -> None:
    lines = ["a: one*two", "b*: |", "  one", "  *two", "c: 'x * y'", 'd: "\ue000\\uE001*"']
    text = "\n".join(lines).replace("*", separator)

    assert load_documents(text) == [
        {
            "a": f"one{separator}two",
            f"b{separator}": f"one\n{separator}two\n",
            "c": f"x {separator} y",
            "d": f"\ue000\ue001{separator}",
        }
    ]


def test_an_empty_stream_has_no_document_and_an_empty_document_is_null() -> None:
    assert load_documents("") == load_documents("# nothing\n") == []
    assert load_documents("---\n---\na\n") == [None, "a"]


def billion(levels: int, width: int, text: str = "lol") -> str:
    """Return a document whose aliases multiply a text."""
    lines = [f"a0: &a0 [{', '.join([text] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def merges(count: int, width: int) -> str:
    """Return a document in which each object merges the last one and has one more field."""
    lines = (f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * width)}], x{n}: 1}}" for n in range(1, count))
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (billion(9, 10), "the aliases stand for more than 100000 values"),
        (billion(60, 2), "the aliases stand for more than 100000 values"),
        (billion(3, 40, "x" * 10_000), "the aliases stand for more than 4194304 characters"),
        (f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 50_000)}]", "more than 4194304 characters"),
        ("a0: &a0 {x: 1}\n" + merges(2_000, 100), "the aliases stand for more than 100000 values"),
        ("\n---\n".join(billion(4, 10) for _ in range(100)), "the aliases stand for more than 100000 values"),
    ],
    ids=["wide", "deep", "long", "one text", "merges", "many documents"],
)
def test_aliases_cannot_multiply_a_file(text: str, problem: str) -> None:
    with pytest.raises(YamlError, match=problem):
        load_documents(text)


def test_a_bomb_takes_limited_time_and_memory(folder: Path) -> None:
    (folder / "bomb.yaml").write_text(f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 50_000)}]")
    (folder / "deep.yaml").write_text("[" * 5_000_000)
    (folder / "good.yaml").write_text("key: good\n")
    program = (
        "from moorage.documents.read import read_paths;"
        f"print([bool(document.problem) for document in read_paths([{str(folder)!r}])])"
    )

    done = run_limited(program, cpu_seconds=60, memory=400_000_000)

    assert (done.returncode, done.stdout) == (0, "[True, True, False]\n"), done.stderr


def test_a_file_that_cannot_be_read_does_not_stop_the_others(project: Project, folder: Path) -> None:
    (folder / "files").mkdir()
    for number, text in enumerate(REJECTED):
        (folder / "files" / f"{number:02}.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    for key in ("first", "last"):
        (folder / "files" / f"{'0' if key == 'first' else 'z'}{key}.yaml").write_text(
            json.dumps({"key": key, **a_body()})
        )

    result = moorage("apply", "--strict", "files", folder=folder, project=project)

    assert result.returncode == 1
    assert result.stdout.split("created  updated  unchanged  failed")[1].split() == ["2", "0", "0", str(len(REJECTED))]
    assert sorted(project.page().keys) == ["first", "last"]


def test_a_file_without_end_is_not_read_to_the_end() -> None:
    program = "from moorage.documents.read import read_paths; print(read_paths(['/dev/zero'])[0].problem)"

    done = run_limited(program, cpu_seconds=60, memory=600_000_000)

    assert (done.returncode, done.stdout) == (0, f"larger than {MAX_FILE} bytes\n"), done.stderr


def test_a_circle_of_links_is_a_problem(project: Project, folder: Path) -> None:
    (folder / "loop.yaml").symlink_to("loop.yaml")

    for command in ("apply", "diff"):
        result = moorage(command, "loop.yaml", folder=folder, project=project)

        assert result.returncode == 1
        assert "Too many levels of symbolic links" in result.stdout


UNSAFE = "".join(
    map(chr, [*range(1, 9), *range(11, 0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x2028, 0x2029, 0xFEFF, 0xE0041])
)


def test_what_is_written_has_no_unsafe_character_and_reads_back() -> None:
    for character in UNSAFE:
        for value in (character, f"a{character}b", f"one\n{character}\ntwo\n", {character: [character]}):
            for text in (dump_yaml(value), dump_file(value)):
                assert not set(text) & set(UNSAFE), ascii(value)
                assert load_documents(text) == [value], ascii(value)


@pytest.mark.parametrize("text", [text for texts in TEXTS.values() for text in texts], ids=ascii)
def test_every_text_reads_back(text: str) -> None:
    assert load_documents(dump_yaml({"a": text, text: "b"})) == [{"a": text, text: "b"}]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0")), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=200)
@given(JSON)
def test_every_json_value_reads_back(value: Any) -> None:
    assert load_documents(dump_yaml(value)) == [value]


PIECES = st.sampled_from(
    ["!!bool ", "!!set ", "!!binary ", "!!timestamp ", "!!int ", "!!float ", "!!omap ", "!!python/name:x ", "!x ", "! ",
     "&a ", "*a ", "<<: ", "? ", ": ", "- ", "[", "]", "{", "}", ", ", "\n", "\n  ", "---\n", "...\n", "a", "b: ", "'",
     '"', "|\n", ">\n", "#", "%TAG ! x:\n", "1e999", ".nan", "0x", "~", "\t", "\x85", "\ufeff", "\x00", "9" * 400]
)  # fmt: skip


@settings(max_examples=1_000)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_read_or_one_problem(text: str) -> None:
    try:
        load_documents(text)
    except YamlError as error:
        assert "\n" not in str(error)  # noqa: PT017 -- both ends are correct


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".jsonl", ".yml", ""])
@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"\x00" * 100,
        b"",
        b"[" * 100_000,
        b'{"a": 1e999}',
        b"\xed\xa0\x80",
        b"\x80",
        b'{"key": [[]]}',
        b"- 1",
    ],
    ids=ascii,
)
def test_every_file_is_read_or_one_problem(folder: Path, suffix: str, content: bytes) -> None:
    (folder / f"a{suffix}").write_bytes(content)

    documents = read_paths([str(folder / f"a{suffix}")])

    assert all(document.problem and "\n" not in document.problem for document in documents)


def test_the_largest_deployment_fits() -> None:
    text = "x" * MAX_BODY

    assert load_documents(f"a: &a '{text}'\nb: *a\nc: *a\n")[0]["c"] == text
