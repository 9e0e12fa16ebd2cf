"""The fakes of Amazon Bedrock's models other than those for chats, of its ranks and its guardrails."""

import base64
import re
from typing import Any, Final
from urllib.parse import unquote

from tests.support.vendors import media
from tests.support.vendors.checks import Refuse, body_of, check_fields
from tests.support.vendors.server import Received, Refused, Reply

BEDROCK_MODELS: Final = {
    "embedding": ("amazon.titan-embed-text-v2:0", "cohere.embed-v4:0"),
    "image": ("amazon.nova-canvas-v1:0", "us.stability.stable-image-core-v1:1"),
    "rerank": ("cohere.rerank-v3-5:0",), "moderation": ("gr1234567890:3",),
}  # fmt: skip

_INVOKED: Final = {
    "amazon.titan-embed-text-v2:0": {"inputText", "dimensions", "normalize", "embeddingTypes"},
    "cohere.embed-v4:0": {"texts", "input_type", "embedding_types", "output_dimension", "truncate"},
    "amazon.nova-canvas-v1:0": {"taskType", "textToImageParams", "imageGenerationConfig"},
    "us.stability.stable-image-core-v1:1": {
        "prompt", "mode", "aspect_ratio", "output_format", "seed", "negative_prompt", "style_preset",
    },
}  # fmt: skip


def respond_media(request: Received, refuse: Refuse) -> Reply | None:
    """Return the response to a request that is no chat; None if it is one.

    Raises:
        Refused
    """
    if request.path == "/rerank":
        return _rank(body_of(request, refuse), refuse)
    if request.path == "/guardrail/gr1234567890/version/3/apply":
        return _guard(body_of(request, refuse), refuse)
    found = re.fullmatch(r"/model/([^/]+)/invoke", request.path)
    if found is None:
        return None
    model = unquote(found[1])
    if model not in _INVOKED:
        raise Refused(refuse("modelId", "The provided model identifier is invalid."))
    body = body_of(request, refuse)
    check_fields(body, "", _INVOKED[model], refuse)
    if "embed" in model:
        return _vectors(body, refuse)
    return _picture(body, refuse)


def _vectors(body: dict[str, Any], refuse: Refuse) -> Reply:
    if "inputText" in body:
        text = body["inputText"]
        numbers = media.vector(text, body.get("dimensions", 8))
        return Reply.of_json({"embedding": numbers, "inputTextTokenCount": len(text.split())})
    if "input_type" not in body or len(body["texts"]) > 96:
        raise Refused(refuse("input_type", "required key [input_type] not found"))
    found = [media.vector(text, body.get("output_dimension", 8)) for text in body["texts"]]
    return Reply.of_json({"id": "e1", "embeddings": {"float": found}, "response_type": "embeddings_by_type"})


def _picture(body: dict[str, Any], refuse: Refuse) -> Reply:
    prompt, count = body.get("prompt"), 1
    if prompt is None:
        config = body.get("imageGenerationConfig", {})
        known = {"numberOfImages", "width", "height", "quality", "cfgScale", "seed"}
        check_fields(config, "imageGenerationConfig", known, refuse)
        prompt, count = body["textToImageParams"]["text"], config.get("numberOfImages", 1)
    content = base64.b64encode(media.picture(prompt)).decode()
    return Reply.of_json({"images": [content] * count, "finish_reasons": [None] * count})


def _rank(body: dict[str, Any], refuse: Refuse) -> Reply:
    check_fields(body, "", {"queries", "sources", "rerankingConfiguration", "nextToken"}, refuse)
    [query] = body["queries"]
    config = body["rerankingConfiguration"]["bedrockRerankingConfiguration"]
    arn = f"arn:aws:bedrock:eu-west-1::foundation-model/{BEDROCK_MODELS['rerank'][0]}"
    if config["modelConfiguration"]["modelArn"] != arn:
        raise Refused(refuse("modelArn", "The model ARN is invalid."))
    texts = [each["inlineDocumentSource"]["textDocument"]["text"] for each in body["sources"]]
    found = [
        {"index": index, "relevanceScore": media.score(query["textQuery"]["text"], text)}
        for index, text in enumerate(texts)
    ]
    return Reply.of_json(
        {"results": sorted(found, key=lambda each: -each["relevanceScore"])[: config.get("numberOfResults")]}
    )


_UNITS: Final = {
    "topicPolicyUnits": 0, "contentPolicyUnits": 1, "wordPolicyUnits": 0, "sensitiveInformationPolicyUnits": 0,
    "sensitiveInformationPolicyFreeUnits": 0, "contextualGroundingPolicyUnits": 0,
}  # fmt: skip


def _guard(body: dict[str, Any], refuse: Refuse) -> Reply:
    check_fields(body, "", {"source", "content", "outputScope"}, refuse)
    if body.get("source") not in ("INPUT", "OUTPUT") or body.get("outputScope", "FULL") not in (
        "INTERVENTIONS",
        "FULL",
    ):
        raise Refused(refuse("source", "Member must satisfy enum value set"))
    [block] = body["content"]
    text = block["text"]["text"]
    is_harmful, is_full = media.is_harmful(text), body.get("outputScope") == "FULL"
    found: dict[str, Any] = {"type": "VIOLENCE", "confidence": "NONE", "filterStrength": "HIGH", "action": "NONE"}
    found |= {"confidence": "HIGH", "action": "BLOCKED"} if is_harmful else {}
    topic = {"name": "Money", "type": "DENY", "action": "NONE", "detected": False}
    assessment: dict[str, Any] = {}
    if is_harmful or is_full:
        assessment["contentPolicy"] = {"filters": [found | {"detected": is_harmful}]}
    if is_full:  # then it has what it did not find, too
        assessment["topicPolicy"] = {"topics": [topic]}
    return Reply.of_json({
        "action": "GUARDRAIL_INTERVENED" if is_harmful else "NONE", "assessments": [assessment], "usage": _UNITS,
        "outputs": [{"text": "Sorry, I cannot answer this."}] if is_harmful else [],
    })  # fmt: skip
