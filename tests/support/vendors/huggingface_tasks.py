"""The fakes of the tasks of Hugging Face: each model has one."""

import base64
import json
from typing import Any, Final

from tests.support.vendors import media
from tests.support.vendors.checks import check_fields
from tests.support.vendors.server import Received, Refused, Reply

TASK_MODELS: Final = {
    "embedding": ("BAAI/bge-small-en-v1.5",), "image": ("black-forest-labs/FLUX.1-dev",),
    "tts": ("hexgrad/Kokoro-82M",), "stt": ("openai/whisper-large-v3",),
}  # fmt: skip

#: Of the generation of texts, which are beside the others in a request for speech.
_GENERATION: Final = {
    "do_sample", "early_stopping", "epsilon_cutoff", "eta_cutoff", "max_length", "max_new_tokens", "min_length",
    "min_new_tokens", "num_beam_groups", "num_beams", "penalty_alpha", "temperature", "top_k", "top_p", "typical_p",
    "use_cache",
}  # fmt: skip
_PARAMETERS: Final = {
    "image": {"width", "height", "seed", "num_inference_steps", "guidance_scale", "negative_prompt", "scheduler"},
    "tts": {"generation_parameters", *_GENERATION}, "stt": {"return_timestamps", "generation_parameters"},
}  # fmt: skip

#: Embeddings have their parameters beside the input.
_OF_EMBEDDINGS: Final = {
    "normalize", "prompt_name", "truncate", "truncation_direction", "dimensions", "encoding_format",
}  # fmt: skip


def respond_task(request: Received, key: str) -> Reply:
    """Return the response to a request to a task.

    Raises:
        Refused
    """
    if request.headers.get("authorization") != f"Bearer {key}":
        raise Refused(Reply.of_json({"error": "Invalid username or password."}, 401))
    for kind, (model,) in TASK_MODELS.items():
        suffix = "/pipeline/feature-extraction" if kind == "embedding" else ""
        if request.path == f"/hf-inference/models/{model}{suffix}":
            break
    else:
        raise Refused(Reply.of_json({"error": "Model not found"}, 404))
    media_type = request.headers.get("content-type", "")
    if kind == "stt" and media_type != "application/json":  # the SDK sends no type for bytes
        return Reply.of_json({"text": media.heard("audio", media_type or "bytes", len(request.body))})
    body = json.loads(request.body)

    def refuse(param: str, message: str) -> Reply:
        return Reply.of_json({"error": f"{message} ({param})"}, 400)

    check_fields(body, "", {"inputs", *(_OF_EMBEDDINGS if kind == "embedding" else {"parameters"})}, refuse)
    check_fields(body.get("parameters", {}), "parameters", _PARAMETERS.get(kind, set()), refuse)
    return {"embedding": _vectors, "image": _picture, "tts": _speech, "stt": _heard}[kind](body)


def _vectors(body: dict[str, Any]) -> Reply:
    texts = [body["inputs"]] if isinstance(body["inputs"], str) else body["inputs"]
    return Reply.of_json([media.vector(text) for text in texts])


def _picture(body: dict[str, Any]) -> Reply:
    return Reply(200, {"Content-Type": "image/png"}, [media.picture(body["inputs"])])


def _speech(body: dict[str, Any]) -> Reply:
    return Reply(200, {"Content-Type": "audio/wav"}, [media.spoken(body["inputs"], "wav")])


def _heard(body: dict[str, Any]) -> Reply:
    text = media.heard("audio", "audio/wav", len(base64.b64decode(body["inputs"], validate=True)))
    chunks = [{"text": said, "timestamp": [start, end]} for said, start, end in media.sentences(text)]
    return Reply.of_json({"text": text, "chunks": chunks})
