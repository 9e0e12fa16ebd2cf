"""Moderations by the guardrails of Amazon Bedrock. The model is `GUARDRAIL_ID:VERSION`."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.media.reading import parse, post
from moorage.providers.media.results import Moderated, Moderation
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Moderate

_GUARDRAIL: Final = re.compile(r"([a-z0-9]{1,64}):([0-9]{1,8}|DRAFT)")

#: The categories of OpenAI for those of the filters; others keep their own name, in lower case.
_CATEGORIES: Final = {"HATE": "hate", "INSULTS": "harassment", "MISCONDUCT": "illicit"}
_SCORES: Final = {"NONE": 0.0, "LOW": 0.33, "MEDIUM": 0.66, "HIGH": 1.0}


class _Filter(msgspec.Struct):
    type: str = "custom"
    name: str | None = None
    confidence: str = "HIGH"
    action: str = "BLOCKED"
    detected: bool = True


class _Content(msgspec.Struct):
    filters: list[_Filter] = []


class _Topics(msgspec.Struct):
    topics: list[_Filter] = []


class _Words(msgspec.Struct, rename="camel"):
    custom_words: list[_Filter] = []
    managed_word_lists: list[_Filter] = []


class _Sensitive(msgspec.Struct, rename="camel"):
    pii_entities: list[_Filter] = []
    regexes: list[_Filter] = []


class _Assessment(msgspec.Struct, rename="camel"):
    content_policy: _Content | None = None
    topic_policy: _Topics | None = None
    word_policy: _Words | None = None
    sensitive_information_policy: _Sensitive | None = None


class _Response(msgspec.Struct):
    action: str
    assessments: list[_Assessment] = []


def run(request: Request) -> Exchange:
    """Return the classifications of texts, each from a request of its own.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Moderate = request.task
    found = _GUARDRAIL.fullmatch(request.model)
    if found is None:
        raise request.reject("model", f"{request.model!r:.80} is no guardrail; write GUARDRAIL_ID:VERSION")
    path = f"/guardrail/{found[1]}/version/{found[2]}/apply"
    body: Object = {"source": "INPUT"} | request.rest()
    results = list[Moderated]()
    for text in task.texts:
        reply = yield post(path, body | {"content": [{"text": {"text": text}}]})
        results.append(_moderated(parse(reply, _Response)))
    return Moderation(results)


def _moderated(response: _Response) -> Moderated:
    categories, scores = dict[str, bool](), dict[str, float]()
    for name, item in (pair for each in response.assessments for pair in _findings(each)):
        categories[name] = categories.get(name, False) or item.action not in ("NONE", "")
        score = _SCORES.get(item.confidence, 1.0) if item.detected else 0.0
        scores[name] = max(scores.get(name, 0.0), score)
    return Moderated(response.action == "GUARDRAIL_INTERVENED", categories, scores)


def _findings(found: _Assessment) -> Iterator[tuple[str, _Filter]]:
    """Yield what a guardrail has found, by category."""
    for each in found.content_policy.filters if found.content_policy else ():
        yield _CATEGORIES.get(each.type, each.type.lower()), each
    for each in found.topic_policy.topics if found.topic_policy else ():
        yield "denied_topic", each
    words, sensitive = found.word_policy or _Words(), found.sensitive_information_policy or _Sensitive()
    for each in (*words.custom_words, *words.managed_word_lists):
        yield "denied_words", each
    for each in (*sensitive.pii_entities, *sensitive.regexes):
        yield "sensitive_information", each
