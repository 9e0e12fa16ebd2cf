"""Files as they are: encodings, formats, and files that are no deployments."""

import codecs
import json
from pathlib import Path

import pytest

from moorage.documents.document import Document, read_contents
from moorage.documents.read import read_paths

YAML = "# é\nkey: a\nprompt_config: {}\n"
JSON = json.dumps({"key": "a", "prompt_config": {}, "description": "é👋"}, ensure_ascii=False)
LINES = JSON + "\n" + JSON.replace('"a"', '"b"') + "\n"

MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def read(folder: Path, name: str, content: str | bytes) -> list[Document]:
    """Return the documents of a file with this content."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_paths([str(folder / name)])


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize(
    ("suffix", "text"), [("yaml", YAML), ("json", JSON), ("jsonl", LINES), ("", YAML), ("", LINES)]
)
def test_every_encoding_with_a_byte_order_mark_is_read(folder: Path, suffix: str, text: str, encoding: str) -> None:
    documents = read(folder, f"a.{suffix}" if suffix else "a", MARKS[encoding] + text.encode(encoding))

    assert [(document.key, document.problem) for document in documents] == [
        (key, "") for key in ("ab" if text is LINES else "a")
    ]


def test_a_byte_order_mark_between_two_files_of_one_stream_is_ignored(folder: Path) -> None:
    one, two = (codecs.BOM_UTF8 + f"key: {key}\nprompt_config: {{}}\n".encode() for key in "ab")

    assert [document.key for document in read(folder, "a.yaml", one + b"---\n" + two)] == ["a", "b"]
    assert [document.key for document in read(folder, "b.yaml", one + codecs.BOM_UTF8 + b"---\n" + two)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "a: 1\nb: café\n".encode("latin-1"),
            "the byte 0xE9 in line 2, at byte 7 of the line, is not UTF-8; save the file as UTF-8",
        ),
        (b"\xff\xfea", "the file begins as UTF-16-LE, but byte 2 does not continue it; save the file as UTF-8"),
        ("key: a\n".encode("utf-16-le"), "the file is UTF-16 without a byte order mark; save it as UTF-8"),
        ("key: a\n".encode("utf-16-be"), "the file is UTF-16 without a byte order mark; save it as UTF-8"),
        ('{"key": "a"}'.encode("utf-16-le"), "the file is UTF-16 without a byte order mark; save it as UTF-8"),
    ],
)
@pytest.mark.parametrize("suffix", [".yaml", ".json", ".jsonl", ""])
def test_another_encoding_is_named(folder: Path, content: bytes, problem: str, suffix: str) -> None:
    assert [document.problem for document in read(folder, f"a{suffix}", content)] == [problem]


def test_a_problem_of_a_json_file_has_its_place_and_its_line(folder: Path) -> None:
    (document,) = read(folder, "a.json", '{\n  "key": "a",\n  "prompt_config": {{x}},\n}')

    position = document.find_position()
    assert document.problem_with_place() == f'{folder}/a.json:3:20: a placeholder must be in quotes: "{{{{x}}}}"'
    assert position is not None
    assert position.excerpt() == ('"prompt_config": {{x}},', "                 ^^^^^")


def test_a_problem_of_a_line_has_its_place_in_the_file(folder: Path) -> None:
    _, document, _ = read(folder, "a.jsonl", '{"key": "a"}\r\n\r\n{"key": "b",}\n{"key": "c"}\n')

    position = document.find_position()
    assert (
        document.problem_with_place() == f"{folder}/a.jsonl:3:12: a comma before }} is not possible in JSON; remove it"
    )
    assert position is not None
    assert position.excerpt() == ('{"key": "b",}', "           ^")


def test_a_conflict_in_lines_is_one_problem(folder: Path) -> None:
    (document,) = read(folder, "a.jsonl", '{"key": "a"}\n<<<<<<< HEAD\n{"key": "b"}\n=======\n{}\n>>>>>>> x\n')

    assert ":2:1: this is a conflict marker of git" in document.problem_with_place()


def test_a_document_without_a_key_has_its_place(folder: Path) -> None:
    _, document = read(folder, "a.yaml", "key: a\nprompt_config: {}\n---\n# the second\nprompt_config: {}\n")

    assert document.problem_with_place() == f"{folder}/a.yaml:5:1: key is missing"


#: Files that are in folders with deployments, and are none.
OTHERS = {
    "package.json": '{"name": "shop", "version": "1.0.0"}',
    "package-lock.json": json.dumps({"packages": {str(number): {"key": []} for number in range(100_001)}}),
    "tsconfig.json": '{\n  // comments\n  "compilerOptions": {},\n}',
    "list.json": "[1, 2, 3]",
    "models.json": '{"object": "list", "data": [{"id": "my-gpt"}]}',
    "text.json": '"hello"',
    "docker-compose.yml": "services:\n  web:\n    image: nginx\n",
    "workflow.yaml": "on: push\njobs: {test: {steps: [{uses: x}]}}\n",
    "kubernetes.yaml": "kind: A\n---\nkind: B\nspec:\n  - secretKeyRef: {key: password}\n",
    "helm.yaml": "kind: A\nspec:\n  {{- if .Values.x }}\n  - name: x\n    key: y\n  {{- end }}\n",
    "mkdocs.yml": "emoji: !!python/name:material.to_svg\n",
    "events.jsonl": '{"at": 1}\n{"at": 2}\n',
    "empty.yaml": "",
    "comments.yaml": "# nothing\n",
    "numbers.ndjson": "1\nx\n",
    "latin.yaml": "name: x\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_in_a_folder_that_is_no_deployment_is_skipped(folder: Path, name: str) -> None:
    (folder / "z.yaml").write_text(YAML)
    (folder / name).write_text(OTHERS[name])

    skipped, deployment = read_paths([str(folder)])
    *strict, _ = read_paths([str(folder)], is_strict=True)

    assert (skipped.source, skipped.is_skipped, deployment.key) == (str(folder / name), True, "a")
    assert skipped.problem.startswith(("it has no key and no prompt_config", "it is empty"))
    assert strict
    assert all(document.problem and not document.is_skipped for document in strict)


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_that_is_named_is_a_problem_if_it_is_no_deployment(folder: Path, name: str) -> None:
    documents = read(folder, name, OTHERS[name])

    assert documents
    assert not any(document.is_skipped for document in documents)
    assert all(document.problem for document in documents)


#: Files that were meant as deployments.
MEANT = {
    "no-config.yaml": "key: a\n",
    "no-key.yaml": "prompt_config: {}\n",
    "a-number.yaml": "key: 7\n",
    "broken.yaml": "key: a\nprompt_config:\n  messages:\n    - content: {{x}}\n",
    "only-key-is-read.yaml": "key: a\n\tprompt: x\n",
    "conflict.yaml": "<<<<<<< HEAD\nkey: a\n=======\nkey: b\n>>>>>>> x\n",
    "broken.json": '{\n  "key": "a",\n}',
    "broken-line.json": '{"key": "a",}',
    "no-key.json": '{"prompt_config": {}}',
    "one-of-two.json": '[{"name": "x"}, {"key": "a"}]',
    "one-of-two.jsonl": '{"name": "x"}\n{"prompt_config": {}}\n',
    "one-of-two.yaml": "kind: A\n---\nkey: a\nprompt_config: {}\n",
    "page.json": '{"object": "list", "data": [{"id": "x", "key": 1}]}',
}


@pytest.mark.parametrize("name", MEANT)
def test_a_file_in_a_folder_that_was_meant_as_a_deployment_is_not_skipped(folder: Path, name: str) -> None:
    (folder / name).write_text(MEANT[name])

    documents = read_paths([str(folder)])

    assert documents
    assert not any(document.is_skipped for document in documents)


def test_a_folder_with_other_files_only_is_a_problem_unless_it_may_be_empty(folder: Path) -> None:
    (folder / "package.json").write_text("{}")

    skipped, problem = read_paths([str(folder)])
    (only,) = read_paths([str(folder)], may_be_empty=True)

    assert (skipped.is_skipped, problem.problem) == (True, "no file in the folder has a deployment")
    assert only.is_skipped


def test_the_position_of_a_merged_field_is_that_in_the_object_it_comes_from(folder: Path) -> None:
    (document,) = read(folder, "a.yaml", "key: a\u2028\nbase: &b {x: {y: 1}}\nother:\n  <<: [{z: 1}, *b]\n")

    origin = document.origin
    assert origin is not None
    place, whole = origin.find("other.x.y"), origin.find("other.none")
    assert place is not None
    assert (place.line, place.column) == (2, 15)
    assert whole is not None
    assert whole.line == 3


def test_a_value_in_json_with_tabs_and_escaped_emoji_has_its_position(folder: Path) -> None:
    (document,) = read(folder, "a.json", '{\n\t"key": "a",\n\t"b": "\\ud83d\\ude00",\n\t"c": {"d": 1}\n}')

    assert document.origin is not None
    position = document.origin.find("c.d")
    assert position is not None
    assert (position.line, position.column, position.text) == (4, 8, '\t"c": {"d": 1}')


def test_contents_without_files_are_managed_by_none_and_have_a_maximum() -> None:
    contents = [
        ("a.yaml", b"key: a\nprompt_config: {}\n"),
        ("unknown.txt", b'{"key": "b"}'),
        ("c.json", b'{"key": "a"}'),
    ]

    found = read_contents(contents, maximum=10)

    assert [(each.source, each.key, each.file) for each in found] == [
        ("a.yaml", "a", None), ("unknown.txt", "b", None), ("c.json", "a", None)
    ]  # fmt: skip
    assert [each.problem for each in found] == ["", "", "a.yaml has the same key; remove one of them"]
    assert len(read_contents(contents, maximum=2)) == 2
    (hidden,) = read_contents([("a\u202e.yaml", b"")], maximum=2)
    assert hidden.problem == "the file name is not printable; rename the file"
