"""No parameter is lost: each provider gets it, or lists that it does not, or the call is rejected."""

from typing import Any

import pytest

from moorage.core.deployments.provider_parameters import PROVIDER_PARAMETERS, takes
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.errors import NotSupportedByProvider
from moorage.providers.openai import encode_chat
from moorage.providers.protocols import find_protocol
from moorage.providers.table import PROVIDERS, ProtocolName
from tests.contract.full_items import FULL_PARAMETERS, PROVIDER_VALUES
from tests.providers.test_openai import a_config

MODELS = {"anthropic": "claude-sonnet-4-5", "aws": "us.anthropic.claude-sonnet-4-5-v1:0", "google": "gemini-2.5-pro",
          "google-ai": "gemini-2.5-pro", "cohere": "command-a-03-2025"}  # fmt: skip
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
OPTIONS = {"project": "p", "location": "l"}
CELLS = [
    (provider, model_type, protocol)
    for provider, row in PROVIDERS.items() for model_type, protocol in row.protocols.items() if model_type != "vision"
]  # fmt: skip

#: Parameters of the contract whose value in the tests is the default of the providers, or a null.
_WITHOUT_EFFECT = {"responseFormat"}


def encode(config: ResolvedConfig, protocol: ProtocolName) -> tuple[Object, Any]:
    if protocol == "openai":
        arguments, omitted = encode_chat(config)
        return {**arguments}, omitted
    request = find_protocol(protocol).encode(config, OPTIONS, stream=False)
    return {"body": request.body, "path": request.path}, request.omitted


@pytest.mark.parametrize(("provider", "model_type", "protocol"), CELLS)
def test_each_parameter_is_sent_listed_or_rejected(provider: str, model_type: str, protocol: ProtocolName) -> None:
    fields: Object = {"provider": provider, "model": MODELS.get(provider, "m"), "type": model_type}
    if model_type == "chat":
        fields["tools"] = [TOOL]
    plain, _ = encode(a_config(**fields), protocol)
    sent = set()
    for name, value in {**PROVIDER_VALUES, **FULL_PARAMETERS}.items():
        try:
            request, omitted = encode(a_config(**fields, parameters={name: value}), protocol)
        except NotSupportedByProvider as error:
            assert error.param == f"parameters.{name}"  # noqa: PT017 -- each parameter has one of three results
            continue
        is_sent, is_listed = request != plain, f"parameters.{name}" in omitted
        assert is_sent or is_listed or name in _WITHOUT_EFFECT, name
        sent |= {name} if is_sent else set()

    assert sent & set(PROVIDER_PARAMETERS) <= {name for name in PROVIDER_PARAMETERS if takes(protocol, provider, name)}
    assert {"temperature", "maxTokens"} <= sent
