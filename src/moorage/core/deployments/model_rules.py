"""The parameters that models reject, and the form in which they take thinking, with the sources.

The rules are about models, and the table of provider parameters is about providers. A model without a rule takes every
parameter of its provider. Adapters omit what a model rejects, and a write of it has a warning.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import msgspec

from moorage.core.deployments.retired_models import Source

#: The day on which the sources were read.
AS_OF: Final = date(2026, 11, 30)

#: When a model rejects the parameters: always, while it thinks because a request asks for it, or while it reasons,
#: which it does by default.
When = Literal["always", "while it thinks", "unless the effort is none"]

#: What a request for thinking has: nothing, because the model does not think, or a number of tokens, an effort, a level
#: of Gemini, or the effort in the `reasoningConfig` of Amazon Nova.
Thinking = Literal["none", "budget", "budget or effort", "effort", "level", "reasoningConfig"]

#: Efforts that switch thinking off.
OFF: Final = ("none", "disable")

_NAMES: Final = {
    "claude": re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)"),
    "gemini": re.compile(r"gemini-(\d{1,2})(?:\.(\d{1,2}))?(?!\d)"),
}


class Generation(NamedTuple):
    """The version of a model of a family, such as 4.5."""

    major: int
    minor: int


#: A model whose name has no version is a current one.
_CURRENT: Final = Generation(99, 0)


def generation_of(family: Literal["claude", "gemini"], model: str) -> Generation | None:
    """Return the generation of a model, also by its name at other hosts; None for a model of no such family."""
    if family not in model:
        return None
    found = _NAMES[family].search(model)
    return Generation(int(found[1]), int(found[2] or 0)) if found else _CURRENT


class ModelRule(msgspec.Struct, frozen=True):
    """A rule for the models of a protocol.

    The models are those whose name begins with `pattern`, or those of a `family` with a generation from `since` to
    before `before`; `models` describes them. `providers` is None for all of the protocol. `rejects` has the names of
    parameters in JSON.
    """

    protocols: tuple[str, ...]
    providers: tuple[str, ...] | None
    models: str
    source: Source
    pattern: str = ""
    family: Literal["claude", "gemini"] | None = None
    since: Generation = Generation(0, 0)
    before: Generation = Generation(100, 0)
    rejects: tuple[str, ...] = ()
    when: When = "always"
    thinking: Thinking | None = None

    def matches(self, protocol: str, provider: str, model: str) -> bool:
        """Return whether the rule is about a model of a provider."""
        if protocol not in self.protocols or (self.providers is not None and provider not in self.providers):
            return False
        if self.family is None:
            return re.match(self.pattern, model) is not None
        generation = generation_of(self.family, model)
        return generation is not None and self.since <= generation < self.before


_OPENAI: Final = Source(
    "Using the latest model, OpenAI API", "https://developers.openai.com/api/docs/guides/latest-model"
)
_KIMI: Final = Source("Models overview, Kimi API", "https://platform.kimi.ai/docs/api/models-overview")
_CLAUDE: Final = Source(
    "Migration guide, Claude API", "https://platform.claude.com/docs/en/about-claude/models/migration-guide"
)
_THINKING: Final = Source(
    "Extended thinking, Claude API", "https://platform.claude.com/docs/en/build-with-claude/extended-thinking"
)
_GEMINI: Final = Source("Gemini thinking, Gemini API", "https://ai.google.dev/gemini-api/docs/thinking")
_PENALTY: Final = Source("Issue 1290, Gemini cookbook", "https://github.com/google-gemini/cookbook/issues/1290")
_COHERE: Final = Source("Reasoning Capabilities, Cohere", "https://docs.cohere.com/docs/reasoning")
_BEDROCK: Final = Source(
    "Inference parameters, Amazon Bedrock",
    "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html",
)
_CACHES: Final = Source(
    "Prompt caching, Amazon Bedrock", "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html"
)

_PENALTIES: Final = ("frequencyPenalty", "presencePenalty")
_CLAUDE_SAMPLING: Final = ("temperature", "topP", "topK")
_CLAUDES: Final = ("anthropic", "bedrock")

#: The first rule with a form of thinking counts.
RULES: Final = (
    ModelRule(
        ("openai", "responses"), ("openai", "azure"), "`o…`, `gpt-5` and later, except `…-chat…`", _OPENAI,
        pattern=r"(o[1-9]|gpt-[5-9])(?!.*-chat)", rejects=("temperature", "topP", *_PENALTIES),
        when="unless the effort is none",
    ),
    ModelRule(
        ("openai",), ("moonshotai",), "`kimi-…`", _KIMI, pattern="kimi-",
        rejects=("temperature", "topP", *_PENALTIES),
    ),
    ModelRule(
        _CLAUDES, None, "Claude before 3.7", _THINKING, family="claude", before=Generation(3, 7), thinking="none"
    ),
    ModelRule(
        _CLAUDES, None, "Claude 3.7 to 4.5", _THINKING, family="claude", since=Generation(3, 7),
        before=Generation(4, 6), thinking="budget",
    ),
    ModelRule(
        _CLAUDES, None, "Claude 4.6", _CLAUDE, family="claude", since=Generation(4, 6), before=Generation(4, 7),
        thinking="budget or effort",
    ),
    ModelRule(
        _CLAUDES, None, "Claude 4.7 and later", _CLAUDE, family="claude", since=Generation(4, 7),
        rejects=_CLAUDE_SAMPLING, thinking="effort",
    ),
    ModelRule(("anthropic",), None, "all", _THINKING, rejects=_CLAUDE_SAMPLING, when="while it thinks"),
    ModelRule(
        ("bedrock",), None, "Claude", _THINKING, family="claude", rejects=_CLAUDE_SAMPLING, when="while it thinks"
    ),
    ModelRule(
        ("bedrock",), None, "all except Claude, Mistral and Qwen", _BEDROCK,
        pattern=r"(?!.*(?:claude|mistral|mixtral|qwen))", rejects=("topK",),
    ),
    ModelRule(
        ("bedrock",), None, "all except Claude and Nova", _CACHES, pattern=r"(?!.*(?:claude|nova))",
        rejects=("cacheControl",),
    ),
    ModelRule(
        ("bedrock",), None, "Nova 2", _BEDROCK, pattern=r".*nova-2", rejects=("budgetTokens",),
        thinking="reasoningConfig",
    ),
    ModelRule(
        ("bedrock",), None, "gpt-oss", _BEDROCK, pattern=r".*gpt-oss", rejects=("budgetTokens",), thinking="effort"
    ),
    ModelRule(("bedrock",), None, "all others", _BEDROCK, pattern=r"(?!.*claude)", thinking="none"),
    ModelRule(
        ("gemini",), None, "Gemini before 2.5", _GEMINI, family="gemini", before=Generation(2, 5), thinking="none"
    ),
    ModelRule(
        ("gemini",), None, "Gemini 2.5", _GEMINI, family="gemini", since=Generation(2, 5), before=Generation(3, 0),
        thinking="budget",
    ),
    ModelRule(
        ("gemini",), None, "Gemini 3 and later", _GEMINI, family="gemini", since=Generation(3, 0), thinking="level"
    ),
    ModelRule(
        ("gemini",), None, "Gemini 2.5 and later", _PENALTY, family="gemini", since=Generation(2, 5),
        rejects=_PENALTIES,
    ),
    ModelRule(("gemini",), None, "all except Gemini", _GEMINI, pattern=r"(?!.*gemini)", thinking="none"),
    ModelRule(
        ("cohere",), None, "`command`, `command-a`, `command-r…`, `command-light…`, `c4ai-aya…`", _COHERE,
        pattern=r"(command-(r|light|nightly)|command(-a(-\d\d-\d{4}|-vision.*|-translate.*)?)?$|c4ai-aya)",
        thinking="none",
    ),
)  # fmt: skip


@lru_cache(maxsize=1_024)  # calls of one deployment are about the same models
def rules_of(protocol: str, provider: str, model: str) -> tuple[ModelRule, ...]:
    """Return the rules for a model, by its name at the provider."""
    return tuple(rule for rule in RULES if rule.matches(protocol, provider, model))


def rejected_parameters(protocol: str, provider: str, model: str, *, thinks: bool) -> tuple[str, ...]:
    """Return the parameters that a model rejects, in a request with thinking or in one without."""
    rules = rules_of(protocol, provider, model)
    return tuple(name for rule in rules if thinks or rule.when == "always" for name in rule.rejects)


def thinking_of_model(protocol: str, provider: str, model: str) -> Thinking | None:
    """Return the form in which a model takes thinking; None without a rule."""
    return next((rule.thinking for rule in rules_of(protocol, provider, model) if rule.thinking), None)
