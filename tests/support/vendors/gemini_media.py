"""The fakes of Gemini's models for embeddings, images, speech, and of its chat models that listen."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from tests.support.vendors import media
from tests.support.vendors.checks import Refuse, check_fields
from tests.support.vendors.server import Refused, Reply


def respond_media(
    model: str, method: str, body: dict[str, Any], models: Mapping[str, str], refuse: Refuse
) -> Reply | None:
    """Return the response to a request that is no chat; None if it is one.

    Raises:
        Refused
    """
    methods = {models["embedding"]: ("batchEmbedContents", "embedContent"), models["older embedding"]: ("predict",)}
    if method not in methods.get(model, ("generateContent", "streamGenerateContent?alt=sse")):
        raise Refused(refuse("model", f"{model} does not support {method}."))
    if model in methods:
        respond = {"batchEmbedContents": _batch, "embedContent": _one, "predict": _predictions}[method]
        return respond(body, model, refuse)
    parts = body["contents"][0]["parts"]
    config = body.get("generationConfig", {})
    if model == models["image"]:
        if config.get("responseModalities") != ["IMAGE"] or "candidateCount" in config:
            raise Refused(refuse("generation_config", "Image models make one image."))
        content = base64.b64encode(media.picture(parts[0]["text"])).decode()
        return _reply({"inlineData": {"mimeType": "image/png", "data": content}})
    if model == models["tts"]:
        if config.get("responseModalities") != ["AUDIO"] or "speechConfig" not in config:
            raise Refused(refuse("generation_config", "Speech models need AUDIO and a speechConfig."))
        content = base64.b64encode(media.spoken(parts[0]["text"], "pcm")).decode()
        return _reply({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": content}})
    audio = [
        part["inlineData"] for part in parts if str(part.get("inlineData", {}).get("mimeType")).startswith("audio/")
    ]
    if not audio:
        return None
    size = len(base64.b64decode(audio[0]["data"], validate=True))
    text = media.heard("audio", audio[0]["mimeType"], size)
    if config.get("responseMimeType") != "application/json":
        return _reply({"text": f"{text}\n"})
    segments = [{"text": said, "start": start, "end": end} for said, start, end in media.sentences(text)]
    return _reply({"text": json.dumps({"language": "en", "segments": segments})})


def _batch(body: dict[str, Any], model: str, refuse: Refuse) -> Reply:
    check_fields(body, "", {"requests"}, refuse)
    if not 0 < len(body["requests"]) <= 100:
        raise Refused(refuse("requests", "at most 100 requests can be in one batch"))
    found = list[Any]()
    for each in body["requests"]:
        check_fields(each, "requests", {"model", "content", "taskType", "outputDimensionality", "title"}, refuse)
        if each["model"] != f"models/{model}":
            raise Refused(refuse("requests", "The model of each request must be that of the path."))
        found.append({"values": media.vector(each["content"]["parts"][0]["text"], each.get("outputDimensionality", 8))})
    return Reply.of_json({"embeddings": found})


def _one(body: dict[str, Any], model: str, refuse: Refuse) -> Reply:
    check_fields(body, "", {"content", "embedContentConfig"}, refuse)
    config = body.get("embedContentConfig", {})
    check_fields(config, "embedContentConfig", {"taskType", "outputDimensionality", "title", "autoTruncate"}, refuse)
    [part] = body["content"]["parts"]
    usage = {"promptTokenCount": len(part["text"].split())}
    values = media.vector(part["text"], config.get("outputDimensionality", 8))
    return Reply.of_json({"embedding": {"values": values}, "usageMetadata": usage, "truncated": False})


def _predictions(body: dict[str, Any], model: str, refuse: Refuse) -> Reply:
    check_fields(body, "", {"instances", "parameters"}, refuse)
    if len(body["instances"]) != 1:
        raise Refused(refuse("instances", "1 instance is allowed per prediction."))
    [instance] = body["instances"]
    check_fields(instance, "instances", {"content", "task_type", "title"}, refuse)
    values = media.vector(instance["content"], body.get("parameters", {}).get("outputDimensionality", 8))
    statistics = {"token_count": len(instance["content"].split()), "truncated": False}
    return Reply.of_json({"predictions": [{"embeddings": {"values": values, "statistics": statistics}}]})


def _reply(part: dict[str, Any]) -> Reply:
    return Reply.of_json({
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12},
    })  # fmt: skip
