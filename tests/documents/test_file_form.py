"""Exported files: the order of their fields, and texts as people review them."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.manifest import Manifest
from moorage.documents.file_form import file_form
from moorage.documents.plan import make_plan
from moorage.documents.read import read_paths
from moorage.documents.yaml import dump_file, load_documents
from tests.cli.samples import PIECES, TEXTS, body_with_text, body_with_values
from tests.contract.full_items import full_bodies
from tests.contract.generated import prompt_configs
from tests.support.json_values import VALUES
from tests.support.registry import parsed

FULL_BODY: dict[str, Any] = dict(full_bodies())["json-schema"]

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)

RUNTIME: dict[str, Any] = {
    "settings": {"engine": "text", "missing_inputs": "empty"},
    "fallbacks": [{"provider": "openai", "model": "m", "model_type": "chat"}],
    "retry_count": 2,
    "variants": [
        {"name": "bare", "prompt_config": {"provider": "openai", "model": "m", "model_type": "chat"}},
        {
            "name": "empty",
            "settings": {},
            "variables": [],
            "fallbacks": [],
            "prompt_config": {"provider": "openai", "model": "m", "model_type": "chat", "messages": [], "tools": []},
        },
    ],
    "routing": [{"variant": "bare", "when": {"b": {"eq": 1}, "a": {"in": ["x"]}}}, {"variant": "empty"}],
}


def manifest_of(body: dict[str, Any], key: str = "a") -> Manifest:
    """Return the manifest of a deployment with this body."""
    content = parsed(body, PutDeployment)
    fields = {name: getattr(content, name) for name in ("prompt_config", *RUNTIME)}
    return Manifest(
        id="id", key=key, owner="files", file="a.yaml", etag='"1"', version="1.0", updated="",
        description=content.description or "", variables=content.variables or [], **fields,
    )  # fmt: skip


def export(body: dict[str, Any]) -> str:
    """Return the exported file of a deployment with this body."""
    return dump_file(file_form(manifest_of(body)))


def action_of(body: dict[str, Any], folder: Path) -> str:
    """Return what an apply of the exported file does to the deployment."""
    file = folder / "a.yaml"
    file.write_text(export(body), encoding="utf-8")
    (step,) = make_plan(read_paths([str(file)]), {"a": manifest_of(body)}, ())
    return step.action


def without_duplicate_tools(config: dict[str, Any]) -> dict[str, Any]:
    """Return a prompt config with one tool of each name."""
    return {**config, "tools": [*{tool["function"]["name"]: tool for tool in config["tools"]}.values()]}


BODIES = st.fixed_dictionaries(
    {"prompt_config": prompt_configs(is_newest=True).map(without_duplicate_tools)},
    optional={
        "description": TEXT,
        "variables": st.lists(
            st.fixed_dictionaries(
                {"key": st.text("abcé ", min_size=1, max_size=8)},
                optional={"value": VALUES, "is_pii": st.booleans(), "description": TEXT},
            ),
            max_size=3,
            unique_by=lambda variable: str(variable["key"]),
        ),
        **{name: st.just(value) for name, value in RUNTIME.items() if name not in ("variants", "routing")},
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(BODIES)
@example(body_with_values())
@example({**FULL_BODY, **RUNTIME})
@example({**FULL_BODY, "settings": {}})
def test_an_exported_file_is_applied_as_unchanged(folder: Path, body: dict[str, Any]) -> None:
    assert action_of(body, folder) == "unchanged"


@pytest.mark.parametrize("text", [text for texts in TEXTS.values() for text in texts], ids=ascii)
def test_an_exported_text_is_applied_as_unchanged(folder: Path, text: str) -> None:
    assert action_of(body_with_text(text), folder) == "unchanged"


def test_the_fields_have_the_order_in_which_people_write_them() -> None:
    document = file_form(manifest_of({**FULL_BODY, **RUNTIME, "variables": [{"is_pii": True, "value": 1, "key": "v"}]}))

    config = document["prompt_config"]
    assert list(document) == [
        "key", "description", "prompt_config", "variables",
        "settings", "fallbacks", "retry_count", "variants", "routing",
    ]  # fmt: skip
    assert list(config) == ["provider", "model", "model_type", "model_parameters", "messages", "tools"]
    assert [list(message)[:2] for message in config["messages"]] == [["role", "content"]] * 4
    assert list(config["tools"][0]) == ["type", "id", "display_name", "function"]
    assert list(config["tools"][0]["function"]) == ["name", "description", "strict", "parameters"]
    assert list(config["model_parameters"]["responseFormat"]["json_schema"]) == [
        "name", "description", "strict", "schema",
    ]  # fmt: skip
    assert list(document["variables"][0]) == ["key", "value", "is_pii"]
    assert list(document["variants"][0]) == ["name", "prompt_config"]
    assert list(document["fallbacks"][0]) == ["provider", "model", "model_type"]


def test_free_json_keeps_its_order() -> None:
    properties = {name: {"type": "string", "description": name} for name in ("zebra", "apple", "mango")}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": properties, "type": "object"}}}
    config = {"provider": "openai", "model": "m", "model_type": "chat", "tools": [tool]}

    document = file_form(manifest_of({"prompt_config": config, "variables": [{"key": "v", "value": {"b": 1, "a": 2}}]}))

    assert list(document["prompt_config"]["tools"][0]["function"]["parameters"]) == ["properties", "type"]
    assert list(document["prompt_config"]["tools"][0]["function"]["parameters"]["properties"]) == [*properties]
    assert list(document["variables"][0]["value"]) == ["b", "a"]


def test_empty_defaults_are_omitted_but_not_what_a_variant_has() -> None:
    empty = {"description": "", "variables": [], "settings": {}, "fallbacks": [], "variants": [], "routing": []}
    config = {"provider": "openai", "model": "m", "model_type": "chat"}
    full = {**config, "tools": [], "model_parameters": {}, "messages": []}

    document = file_form(manifest_of({"prompt_config": full, **empty}))
    (_, variant) = file_form(manifest_of({"prompt_config": full, **RUNTIME}))["variants"]

    assert document == {"key": "a", "prompt_config": config}
    assert variant == {"name": "empty", "prompt_config": config, "variables": [], "settings": {}, "fallbacks": []}


#: A text of several lines -> its form in a file.
BLOCKS = {
    "two\nlines": "a: |-\n  two\n  lines\n",
    "two\nlines\n": "a: |\n  two\n  lines\n",
    "two\nlines\n\n\n": "a: |+\n  two\n  lines\n\n\n...\n",
    "trailing \nblanks  \n": "a: |\n  trailing \n  blanks  \n",
    "a\ttab\n\ttoo\t": "a: |-\n  a\ttab\n  \ttoo\t\n",
    "\ttab\nfirst": "a: |2-\n  \ttab\n  first\n",
    "  leading\nblanks": "a: |2-\n    leading\n  blanks\n",
    "\nempty line\nfirst\n": "a: |2\n\n  empty line\n  first\n",
    "blank\n   \nline": "a: |-\n  blank\n     \n  line\n",
    "blank\nlast line\n   ": "a: |-\n  blank\n  last line\n     \n",
    "emoji 👋🏽\n👩‍💻 ❤️\n": "a: |\n  emoji 👋🏽\n  👩‍💻 ❤️\n",
    "a flag \U0001f3f4\U000e0067\U000e0062\U000e007f\nthere": (
        "a: |-\n  a flag \U0001f3f4\U000e0067\U000e0062\U000e007f\n  there\n"
    ),
    "an emoji that is newer\nthan this Python \U0001fae8 \U0001fae9": (
        "a: |-\n  an emoji that is newer\n  than this Python \U0001fae8 \U0001fae9\n"
    ),
    "a zero-width\u200b space\nand a soft\u00adhyphen": "a: |-\n  a zero-width\u200b space\n  and a soft\u00adhyphen\n",
    "# no: comment\n- 'no' list\n---\n": "a: |\n  # no: comment\n  - 'no' list\n  ---\n",
    "x\n" + "many words " * 30: "a: |-\n  x\n  " + "many words " * 30 + "\n",
}


@pytest.mark.parametrize("text", BLOCKS, ids=ascii)
def test_a_text_of_several_lines_is_a_block(text: str) -> None:
    assert dump_file({"a": text}) == BLOCKS[text]
    assert load_documents(BLOCKS[text]) == [yaml.load(BLOCKS[text], Loader=yaml.BaseLoader)] == [{"a": text}]


#: A text that a block cannot have, or not visibly -> its form in a file.
QUOTED = {
    "a line\u2028separator\nb": '"a line\\Lseparator\\nb"',
    "a paragraph\u2029separator\nb": '"a paragraph\\Pseparator\\nb"',
    "a next\x85line\nb": '"a next\\Nline\\nb"',
    "a carriage\r\nreturn": '"a carriage\\r\\nreturn"',
    "a byte\ufefforder mark\nb": '"a byte\\uFEFForder mark\\nb"',
    "an override\u202e\nb": '"an override\\u202e\\nb"',
    "an isolate\u2066\nb": '"an isolate\\u2066\\nb"',
    "a hidden tag\U000e0041\nb": '"a hidden tag\\U000E0041\\nb"',
    "ESC \x1b[2J\nb": '"ESC \\e[2J\\nb"',
    "\n \n": '"\\n \\n"',
    "one line\u2028": '"one line\\L"',
}


@pytest.mark.parametrize("text", QUOTED, ids=ascii)
def test_a_text_that_other_libraries_could_misread_is_quoted(text: str) -> None:
    assert dump_file({"a": text}) == f"a: {QUOTED[text]}\n"
    assert load_documents(f"a: {QUOTED[text]}\n") == [{"a": text}]


ANY_TEXT = st.lists(st.sampled_from([*PIECES, "\x85", "\u200b", "\u202e", "\U0001fae8", "\U000e0067"])).map("".join)


@given(ANY_TEXT)
def test_another_parser_reads_the_same_texts(text: str) -> None:
    written = dump_file({"a": text, "b": [text, {text: text}]})

    assert yaml.load(written, Loader=yaml.BaseLoader) == {"a": text, "b": [text, {text: text}]}
    assert load_documents(written) == [{"a": text, "b": [text, {text: text}]}]


def test_a_long_line_is_not_wrapped() -> None:
    assert dump_file({"a": "many words " * 60 + "end"}) == f"a: {'many words ' * 60}end\n"
