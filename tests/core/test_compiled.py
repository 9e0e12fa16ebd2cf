"""Compiled variants insert inputs into encoded parts if possible. The result has the bytes of a complete rendering."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.errors.templates import MissingInputs, OutputTooLarge
from moorage.core.resolution.compiled import CompiledDeployment, CompiledVariant, render_all
from moorage.core.resolution.config import GetConfigRequest, encode, with_id
from moorage.core.templates.output import MAX_OUTPUT

NAMES = ("a", "b", "c.d", "e")

a_text = st.lists(
    st.one_of(
        st.sampled_from([f"{{{{{name}}}}}" for name in NAMES] + ["{{ a }}", "{{{a}}}", "{{b}} {{b}}"]),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
        st.sampled_from(['"', "\\", "\n", "\u2028", "é", "👋", "{{", "}}", "\x1f", "%", "%b", "%s"]),
    ),
    max_size=8,
).map("".join)

a_value = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.none(), st.integers(), st.booleans()
)

some_inputs = st.dictionaries(
    st.sampled_from(["a", "b", "c", "c.d", "e"]), a_value | st.fixed_dictionaries({"d": a_value})
)


def compiled(texts: list[str], missing: str = "empty", engine: str = "text", **variables: str) -> CompiledVariant:
    """Return a variant with these messages."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": text} for text in texts[:1]]
    parts = [{"type": "text", "text": text} for text in texts[1:]]
    messages.append({"role": "user", "content": parts} if parts else {"role": "assistant", "content": None})
    config = {"model": "m", "model_type": "chat", "provider": "openai", "messages": messages}
    declared = [{"key": key, "value": value} for key, value in variables.items()]
    runtime_config = {"settings": {"engine": engine, "missing_inputs": missing}}
    encoded = (msgspec.json.encode(part).decode() for part in (config, declared, runtime_config))
    return CompiledDeployment(LiveVersion("k", "id", "version_id", "1.0", StoredContent(*encoded))).resolve({})[1]


def result_of(render: Callable[[], bytes]) -> bytes | tuple[str, ...]:
    """Return the result, or the names of the missing inputs."""
    try:
        return render()
    except MissingInputs as error:
        return error.names


@given(
    st.lists(a_text, min_size=1, max_size=3),
    some_inputs,
    st.sampled_from(["empty", "keep", "error"]),
    st.sampled_from(["text", "mustache"]),
    st.booleans(),
    st.sampled_from([{"e": "by default"}, {"e": "by default", "c.d": "by default"}]),
)
def test_precompiled_and_rendered_configurations_have_equal_bytes(
    texts: list[str], inputs: dict[str, Any], missing: str, engine: str, has_messages: bool, defaults: dict[str, str]
) -> None:
    if engine == "mustache":
        texts = [text.replace("{{{", "").replace("{{", "").replace("}}", "") + "{{a}}" for text in texts]
    variant = compiled(texts, missing, engine, **defaults)
    request = GetConfigRequest("k", inputs)
    if has_messages:
        hello = {"role": "user", "content": "Hi"}
        request = GetConfigRequest("k", inputs, {}, [hello], [hello, {"role": "assistant"}], {"topP": 1, "seed": None})

    complete = result_of(lambda: variant.encoded(render_all(variant, request.inputs), request))
    assert result_of(lambda: variant.render(request)) == complete
    assert result_of(lambda: with_id(encode(variant.rendered(request)))) == complete


def test_both_ways_of_rendering_limit_the_output() -> None:
    variant = compiled(["{{a}}" * 1_000])

    assert len(variant.render(GetConfigRequest("k", {"a": "x" * 1_000}))) > 1_000_000
    with pytest.raises(OutputTooLarge):
        variant.render(GetConfigRequest("k", {"a": "x" * (MAX_OUTPUT // 1_000 + 10)}))


def test_the_limit_applies_to_the_text_before_its_encoding_as_json() -> None:
    variant = compiled(["{{a}}"])

    config = msgspec.json.decode(variant.render(GetConfigRequest("k", {"a": "\n" * MAX_OUTPUT})))

    assert config["messages"][0]["content"] == "\n" * MAX_OUTPUT


def test_a_text_with_a_nul_is_resolved() -> None:
    variant = compiled(["\0 {{a}}"])

    config = msgspec.json.decode(variant.render(GetConfigRequest("k", {"a": "\0"})))

    assert config["messages"][0]["content"] == "\0 \0"
