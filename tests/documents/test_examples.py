"""The files in `examples/`."""

from pathlib import Path

import msgspec
import pytest

from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.message_templates import with_texts
from moorage.documents.document import Document
from moorage.documents.read import read_paths
from tests.support.registry import parsed

EXAMPLES = read_paths([str(Path(__file__).parents[2] / "examples")])


def test_every_example_can_be_read() -> None:
    assert EXAMPLES
    assert not [document.problem for document in EXAMPLES if document.problem]


@pytest.mark.parametrize("document", EXAMPLES, ids=lambda document: document.key)
def test_no_example_has_a_placeholder_where_nothing_is_inserted(document: Document) -> None:
    """Text with `{{` outside of a template would be sent to the model."""
    content = parsed(document.body, PutDeployment)
    configs = [content.prompt_config, *(variant.prompt_config for variant in content.variants or ())]
    for config in map(msgspec.to_builtins, configs):
        endless = iter(lambda: "", None)
        config["messages"] = [with_texts(message, endless) for message in config["messages"]]

        assert b"{{" not in msgspec.json.encode(config)
