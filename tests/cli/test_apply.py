"""`moorage apply`: input formats, and the printed results."""

import json
from pathlib import Path

import pytest

from tests.support.program import moorage
from tests.support.server import Project, Server, a_body

EXAMPLES = Path(__file__).parents[2] / "examples"


def counts(output: str) -> list[int]:
    """Return the counts of the summary: created, updated, unchanged, failed."""
    lines = output.splitlines()
    heading = next(
        number for number, line in enumerate(lines) if line.split() == ["created", "updated", "unchanged", "failed"]
    )
    return [int(word) for word in lines[heading + 1].split()]


def document(key: str, **changes: object) -> str:
    return json.dumps({"key": key, **a_body(**changes)})


def test_the_examples_are_created_and_then_unchanged(project: Project, folder: Path) -> None:
    first = moorage("apply", str(EXAMPLES), folder=folder, project=project)
    second = moorage("apply", str(EXAMPLES), folder=folder, project=project)

    assert (first.returncode, counts(first.stdout)) == (0, [13, 0, 0, 0])
    assert (second.returncode, counts(second.stdout)) == (0, [0, 0, 13, 0])


def test_the_examples_cover_every_model_type_and_every_kind_of_part(project: Project, folder: Path) -> None:
    moorage("apply", str(EXAMPLES), folder=folder, project=project)

    configs = [item["prompt_config"] for item in project.page(limit=50).json["data"]]
    text = json.dumps(configs)

    assert {config["model_type"] for config in configs} == {
        "chat", "completion", "embedding", "image", "tts", "stt", "rerank", "moderation", "vision", "ocr", "classify",
    }  # fmt: skip
    assert all(word in text for word in ('"image_url"', '"file"', '"json_schema"', '"tool_calls"', '"function"'))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("one.json", document("a")),
        ("many.json", f"[{document('a')}, {document('b')}]"),
        ("lines.jsonl", f"{document('a')}\n\n{document('b')}\n"),
        ("lines.json", f"{document('a')}\n{document('b')}\n"),
        ("one.yaml", document("a")),
        ("many.yml", f"---\n{document('a')}\n---\n{document('b')}\n"),
        ("bom.json", "\ufeff" + document("a")),
    ],
)
def test_every_format_is_read_from_a_file_and_from_standard_input(
    server: Server, project: Project, folder: Path, name: str, content: str
) -> None:
    (folder / name).write_text(content)
    other = server.new_project()

    from_file = moorage("apply", name, folder=folder, project=project)
    from_stdin = moorage("apply", "-", folder=folder, project=other, stdin=content.encode())

    expected = [content.count('"key"'), 0, 0, 0]
    assert counts(from_file.stdout) == counts(from_stdin.stdout) == expected
    assert project.page().keys == other.page().keys


def test_a_list_page_of_the_hosted_service_is_applied_oldest_first(
    server: Server, project: Project, folder: Path
) -> None:
    project.fill(5)
    project.put("d3", a_body(model="changed") | {"variables": [{"key": "customer"}]})
    other = server.new_project()

    moorage("apply", "-", folder=folder, project=other, stdin=project.page().body)

    applied, listed = other.page().json["data"], project.page().json["data"]
    assert [item["key"] for item in applied] == [item["key"] for item in listed] == ["d5", "d4", "d3", "d2", "d1"]
    assert [item["prompt_config"] for item in applied] == [item["prompt_config"] for item in listed]


def test_the_order_of_several_pages_in_one_stream_is_preserved(server: Server, project: Project, folder: Path) -> None:
    project.fill(7)
    pages = b"\n".join(page.body for page in project.walk(limit=3))
    other = server.new_project()

    moorage("apply", "-", folder=folder, project=other, stdin=pages)

    assert other.page().keys == project.page().keys


def test_the_list_of_a_project_is_applied_to_it_as_unchanged(project: Project, folder: Path) -> None:
    moorage("apply", str(EXAMPLES), folder=folder, project=project)
    for output in ("json", "yaml"):
        listed = moorage("deployments", "list", "--all", "-o", output, folder=folder, project=project)

        result = moorage("apply", "-", folder=folder, project=project, stdin=listed.stdout.encode())

        assert counts(result.stdout) == [0, 0, 13, 0]


def test_fields_that_a_file_omits_become_empty(project: Project, folder: Path) -> None:
    project.put("a", a_body() | {"variables": [{"key": "customer", "value": "guest"}]})
    (folder / "a.yaml").write_text(json.dumps({"key": "a", "prompt_config": a_body()["prompt_config"]}))

    result = moorage("apply", "a.yaml", folder=folder, project=project)

    assert counts(result.stdout) == [0, 1, 0, 0]
    assert project.get("a").json["description"] == ""


def test_valid_deployments_are_applied_and_every_problem_of_the_others_is_reported(
    project: Project, folder: Path
) -> None:
    (folder / "good.yaml").write_text(document("good"))
    (folder / "wrong.yaml").write_text(document("wrong", provider="acme", model_type="talk"))
    (folder / "broken.yaml").write_text("key: [unclosed")
    (folder / "twice.yaml").write_text("key: a\nkey: b\n")
    (folder / "nameless.json").write_text('{"prompt_config": {}}')
    (folder / "lines.jsonl").write_text(f"{document('also_good')}\nnot json\n[1]\n")
    (folder / "note.txt").write_text("not a deployment")

    result = moorage("apply", ".", folder=folder, project=project)

    assert result.returncode == 1
    assert counts(result.stdout) == [2, 0, 0, 6]
    assert sorted(project.page().keys) == ["also_good", "good"]
    for message in (
        "prompt_config.provider", "prompt_config.model_type", "line 1", "key is missing",
        'the key "key" occurs twice, first in line 1; remove one',
        "lines.jsonl:2", "lines.jsonl:3",
    ):  # fmt: skip
        assert message in result.stdout
    assert "note.txt" not in result.stdout


def test_a_normalized_schema_is_reported(project: Project, folder: Path) -> None:
    tool = {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object", "additionalProperties": True}},
    }
    (folder / "a.yaml").write_text(document("a", tools=[tool]))

    result = moorage("apply", "a.yaml", folder=folder, project=project)

    assert "normalized: prompt_config.tools[0].function.parameters" in result.stdout


def test_a_dry_run_reports_the_result_and_changes_nothing(project: Project, folder: Path) -> None:
    project.put("present")
    (folder / "a.jsonl").write_text(f"{document('new')}\n{document('present')}\n{document('bad', provider='acme')}\n")

    result = moorage("apply", "--dry-run", "a.jsonl", folder=folder, project=project)

    assert result.returncode == 1
    assert counts(result.stdout) == [1, 0, 1, 1]
    assert "nothing was changed" in result.stdout
    assert project.page().keys == ["present"]


def test_yaml_words_that_look_like_other_types_are_strings(project: Project, folder: Path) -> None:
    (folder / "a.yaml").write_text(
        "key: a\nprompt_config:\n  model: m\n  model_type: chat\n  provider: openai\n"
        "  messages:\n    - {role: user, content: no}\n    - {role: user, content: 2026-01-01}\n"
        "    - {role: user, content: 12:30:45}\n    - role: user\n      content: |\n        two\n        lines\n"
    )

    moorage("apply", "a.yaml", folder=folder, project=project)

    contents = [message["content"] for message in project.get("a").json["prompt_config"]["messages"]]
    assert contents == ["no", "2026-01-01", "12:30:45", "two\nlines\n"]


def test_a_yaml_bomb_is_rejected(project: Project, folder: Path) -> None:
    lines = ["key: b", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (folder / "bomb.yaml").write_text("\n".join(lines))
    (folder / "loop.yaml").write_text("key: a\nprompt_config: &a [*a, *a]\n")

    result = moorage("apply", ".", folder=folder, project=project)

    assert counts(result.stdout) == [0, 0, 0, 2]
    assert "more than 100000 values" in result.stdout
    assert "the alias *a stands for an object or list that contains it" in result.stdout


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"MOORAGE_API_KEY": ""}, "MOORAGE_API_KEY is not set"),
        ({"MOORAGE_API_KEY": "mrg_wrong"}, "Check MOORAGE_API_KEY"),
        ({"MOORAGE_URL": "http://127.0.0.1:9"}, "Check that the server is running"),
    ],
)
def test_common_configuration_errors_are_reported_with_a_solution(
    project: Project, folder: Path, settings: dict[str, str], message: str
) -> None:
    result = moorage("deployments", "list", folder=folder, project=project, settings=settings)

    assert result.returncode == 1
    assert message in result.stderr


def test_a_missing_path_is_a_usage_error(project: Project, folder: Path) -> None:
    result = moorage("apply", folder=folder, project=project)

    assert result.returncode == 1
    assert "Missing argument 'PATH...'" in result.stderr


def test_a_missing_file_an_empty_folder_and_empty_input_are_failures(project: Project, folder: Path) -> None:
    (folder / "empty").mkdir()

    result = moorage("apply", "missing.yaml", "empty", "-", folder=folder, project=project)

    assert counts(result.stdout) == [0, 0, 0, 3]
    assert "No such file" in result.stdout
