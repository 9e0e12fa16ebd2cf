"""The official SDK of Amazon reads the fakes of Bedrock's other models, of its ranks and its guardrails.

The SDK parses whatever it gets, so the tests look for what its description of the API requires.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import botocore.config
import botocore.session
import pytest

from tests.support.vendors import media
from tests.support.vendors.bedrock_api import BedrockVendor
from tests.support.vendors.bedrock_media import BEDROCK_MODELS
from tests.support.vendors.server import VendorServer

_TEXTS = ["a red boat", "a blue Zürich tram"]
_IDENTIFIER, _VERSION = BEDROCK_MODELS["moderation"][0].split(":")


@pytest.fixture
def service(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def client(vendors: VendorServer, service: str) -> Iterator[Any]:
    """Return the client of one of the two services, which signs its requests."""
    found = botocore.session.Session().create_client(
        service, region_name="eu-west-1", endpoint_url=vendors.base_url("aws"),
        aws_access_key_id=BedrockVendor.access_key, aws_secret_access_key=BedrockVendor.secret_key,
        config=botocore.config.Config(proxies={}, retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield found
    found.close()
    vendors.take("aws")


def _missing(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of what a response must have and has not, and of each value that no enumeration has."""
    if shape.type_name == "structure":
        yield from (f"{path}.{name}" for name in shape.required_members if name not in value)
        for name in value.keys() & shape.members.keys():
            yield from _missing(shape.members[name], value[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for each in value:
            yield from _missing(shape.member, each, f"{path}[]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{path}={value}"


def _call(client: Any, operation: str, **request: Any) -> dict[str, Any]:
    """Return the response to a request, which has all that the SDK's description of it requires."""
    response: dict[str, Any] = client._make_api_call(operation, request)
    shape = client.meta.service_model.operation_model(operation).output_shape
    assert [*_missing(shape, response)] == []
    return response


@pytest.mark.parametrize("service", ["bedrock-runtime"], indirect=True)
def test_botocore_reads_the_guardrails_of_the_fake(client: Any) -> None:
    guardrail = {"guardrailIdentifier": _IDENTIFIER, "guardrailVersion": _VERSION, "source": "INPUT"}
    peaceful, harmful = [{"text": {"text": "a boat"}}], [{"text": {"text": "harm"}}]

    found = _call(client, "ApplyGuardrail", content=peaceful, **guardrail)
    assert (found["action"], found["outputs"]) == ("NONE", [])

    found = _call(client, "ApplyGuardrail", content=harmful, **guardrail)
    assert found["action"] == "GUARDRAIL_INTERVENED"
    [violence] = found["assessments"][0]["contentPolicy"]["filters"]
    assert (violence["type"], violence["confidence"], violence["detected"]) == ("VIOLENCE", "HIGH", True)

    found = _call(client, "ApplyGuardrail", content=peaceful, outputScope="FULL", **guardrail)
    assessment = found["assessments"][0]
    assert [each["detected"] for each in assessment["contentPolicy"]["filters"]] == [False]
    assert [each["detected"] for each in assessment["topicPolicy"]["topics"]] == [False]

    with pytest.raises(client.exceptions.ValidationException):
        client.apply_guardrail(**{**guardrail, "source": "NOWHERE"}, content=peaceful)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.apply_guardrail(**{**guardrail, "guardrailVersion": "9"}, content=peaceful)


@pytest.mark.parametrize("service", ["bedrock-runtime"], indirect=True)
def test_botocore_invokes_the_models_for_embeddings_and_images(client: Any) -> None:
    def invoke(model: str, **body: Any) -> Any:
        response = _call(client, "InvokeModel", modelId=model, body=json.dumps(body), contentType="application/json")
        return json.loads(response["body"].read())

    titan, cohere = BEDROCK_MODELS["embedding"]
    assert invoke(titan, inputText=_TEXTS[1], dimensions=4)["embedding"] == media.vector(_TEXTS[1], 4)
    found = invoke(cohere, texts=_TEXTS, input_type="search_query", embedding_types=["float"])
    assert found["embeddings"]["float"] == [*map(media.vector, _TEXTS)]
    canvas, stability = BEDROCK_MODELS["image"]
    drawn = invoke(canvas, taskType="TEXT_IMAGE", textToImageParams={"text": _TEXTS[0]})
    assert [base64.b64decode(each) for each in drawn["images"]] == [media.picture(_TEXTS[0])]
    drawn = invoke(stability, prompt=_TEXTS[0], mode="text-to-image", output_format="png")
    assert [base64.b64decode(each) for each in drawn["images"]] == [media.picture(_TEXTS[0])]
    with pytest.raises(client.exceptions.ValidationException):
        invoke("no-such-model", inputText=_TEXTS[0])


@pytest.mark.parametrize("service", ["bedrock-agent-runtime"], indirect=True)
@pytest.mark.parametrize("limit", [{}, {"numberOfResults": 1}])
def test_botocore_reads_the_ranks_of_the_fake(client: Any, limit: dict[str, int]) -> None:
    def rank(model: str) -> list[tuple[int, float]]:
        arn = f"arn:aws:bedrock:eu-west-1::foundation-model/{model}"
        config = {"modelConfiguration": {"modelArn": arn}, **limit}
        response = _call(
            client, "Rerank",
            queries=[{"type": "TEXT", "textQuery": {"text": "blue tram"}}],
            sources=[
                {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
                for text in _TEXTS
            ],
            rerankingConfiguration={
                "type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": config,
            },
        )  # fmt: skip
        return [(each["index"], each["relevanceScore"]) for each in response["results"]]

    assert rank(BEDROCK_MODELS["rerank"][0]) == [(1, 1.0), (0, 0.0)][: limit.get("numberOfResults")]
    with pytest.raises(client.exceptions.ValidationException):
        rank("no-such-model")
