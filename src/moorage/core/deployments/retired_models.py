"""The dates on which providers retire models, with their sources.

Names are complete: a prefix would match newer models. A model that is not in the table, such as one with a custom name,
has no known date. A provider sets its own dates, so a model can have others at another provider.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal, get_args

import msgspec

#: The day on which the sources were read.
AS_OF: Final = date(2026, 11, 30)

ModelStatus = Literal["retired", "retiring"]
STATUSES: Final = get_args(ModelStatus)


class Source(msgspec.Struct, frozen=True):
    """A public page of a provider, by its title and address."""

    title: str
    url: str


class Retirement(msgspec.Struct, frozen=True):
    """The end of a model: the day from which the provider rejects its requests, or can do so.

    `announced` is the day since which the model is deprecated, and `replacement` the model that the provider
    recommends; they are None if they are unknown. A tentative date is known from others than the provider.
    """

    provider: str
    model: str
    retires: date
    source: Source
    announced: date | None = None
    replacement: str | None = None
    is_tentative: bool = False

    @property
    def day(self) -> str:
        """The date of the retirement, as people read it."""
        return f"{self.retires} (tentative)" if self.is_tentative else str(self.retires)

    def status(self, today: date) -> ModelStatus:
        """Return the status of the model on a day."""
        return "retired" if self.retires <= today else "retiring"


_OPENAI: Final = Source("Deprecations, OpenAI API", "https://developers.openai.com/api/docs/deprecations")
_ANTHROPIC: Final = Source(
    "Model deprecations, Claude API", "https://platform.claude.com/docs/en/about-claude/model-deprecations"
)
_GOOGLE: Final = Source("Gemini deprecations, Gemini API", "https://ai.google.dev/gemini-api/docs/deprecations")
_GROQ: Final = Source("Model Deprecation, GroqDocs", "https://console.groq.com/docs/deprecations")
_MISTRAL: Final = Source("Models, Mistral Docs", "https://docs.mistral.ai/getting-started/models")
_CEREBRAS: Final = Source("Deprecations, Cerebras Inference", "https://inference-docs.cerebras.ai/support/deprecation")
_XAI: Final = Source(
    "Grok Model Retirement on May 15, 2026, xAI Docs", "https://docs.x.ai/docs/migration/may-15-retirement"
)

#: Provider, announcement, retirement (with ? if it is tentative), replacement, source, and the names of the models.
_ROWS: Final[tuple[tuple[str, str, str, str, Source, str], ...]] = (
    ("openai", "2025-11-17", "2026-01-16", "", _OPENAI, "codex-mini-latest"),
    ("openai", "2025-11-18", "2026-02-17", "", _OPENAI, "chatgpt-4o-latest"),
    ("openai", "2026-04-22", "2026-07-23", "", _OPENAI, "gpt-5-chat-latest gpt-5.1-chat-latest gpt-5-codex"
     " gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-codex-mini gpt-5.2-codex o3-deep-research o3-deep-research-2025-06-26"
     " o4-mini-deep-research o4-mini-deep-research-2025-06-26 gpt-4o-search-preview-2025-03-11"
     " gpt-4o-mini-search-preview-2025-03-11 gpt-4o-mini-tts-2025-03-20"),
    ("openai", "2026-05-08", "2026-08-10", "gpt-5.5", _OPENAI, "gpt-5.2-chat-latest gpt-5.3-chat-latest"),
    ("openai", "2026-04-22", "2026-10-23", "gpt-5.6-terra", _OPENAI, "gpt-3.5-turbo gpt-3.5-turbo-0125"),
    ("openai", "2026-04-22", "2026-10-23", "gpt-5.6-sol", _OPENAI, "gpt-4 gpt-4-0613"),
    ("openai", "", "2026-10-23", "gpt-5.6-terra", _OPENAI, "o4-mini o4-mini-2025-04-16"),
    ("openai", "", "2026-10-23", "gpt-5.6-sol", _OPENAI, "gpt-4-1106-preview gpt-4-turbo gpt-4-turbo-2024-04-09"
     " gpt-4o-2024-05-13 o1 o1-2024-12-17 o3-mini o3-mini-2025-01-31 o1-pro o1-pro-2025-03-19"),
    ("openai", "", "2026-10-23", "gpt-5.6-luna", _OPENAI, "gpt-4.1-nano gpt-4.1-nano-2025-04-14"),
    ("openai", "", "2026-10-23", "", _OPENAI, "gpt-image-1"),
    ("openai", "2026-06-02", "2026-12-01", "gpt-image-2.6-sunburst", _OPENAI, "gpt-image-1-mini gpt-image-1.5"
     " gpt-image-1.5-2025-12-16 chatgpt-image-latest"),
    ("openai", "2026-06-11", "2026-12-11", "gpt-6.1-sol", _OPENAI, "gpt-5 gpt-5-2025-08-07"),
    ("openai", "2026-06-11", "2026-12-11", "gpt-6.1-terra", _OPENAI, "gpt-5-mini gpt-5-mini-2025-08-07"),
    ("openai", "2026-06-11", "2026-12-11", "", _OPENAI, "gpt-5-nano gpt-5-nano-2025-08-07 gpt-5-pro"
     " gpt-5-pro-2025-10-06 o3 o3-2025-04-16 o3-pro o3-pro-2025-06-10"),
    ("openai", "2026-10-14", "2027-01-14", "gpt-6-luna", _OPENAI, "gpt-4o gpt-4o-2024-08-06 gpt-4o-2024-11-20"
     " gpt-4o-mini gpt-4o-mini-2024-07-18 gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14"),
    ("openai", "", "2027-01-06?", "", _OPENAI, "tts-1 tts-1-hd gpt-4o-mini-tts"),
    ("openai", "2026-08-26", "2027-02-26", "gpt-transcribe", _OPENAI, "whisper-1 gpt-4o-transcribe"
     " gpt-4o-mini-transcribe gpt-4o-transcribe-diarize"),
    ("openai", "", "2027-04-01?", "", _OPENAI, "gpt-5.1 gpt-5.3-codex gpt-5.4-nano"),
    ("anthropic", "2024-09-04", "2024-11-06", "", _ANTHROPIC, "claude-1.0 claude-1.1 claude-1.2 claude-1.3"
     " claude-instant-1.0 claude-instant-1.1 claude-instant-1.2"),
    ("anthropic", "2025-01-21", "2025-07-21", "", _ANTHROPIC, "claude-2.0 claude-2.1 claude-3-sonnet-20240229"),
    ("anthropic", "2025-08-13", "2025-10-28", "", _ANTHROPIC, "claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022"),
    ("anthropic", "2025-06-30", "2026-01-05", "", _ANTHROPIC, "claude-3-opus-20240229"),
    ("anthropic", "2025-10-28", "2026-02-19", "", _ANTHROPIC, "claude-3-7-sonnet-20250219"),
    ("anthropic", "", "2026-02-19", "claude-haiku-4-5", _ANTHROPIC, "claude-3-5-haiku-20241022"),
    ("anthropic", "", "2026-04-20", "claude-haiku-4-5", _ANTHROPIC, "claude-3-haiku-20240307"),
    ("anthropic", "", "2026-06-15", "claude-sonnet-4-6", _ANTHROPIC, "claude-sonnet-4-20250514"),
    ("anthropic", "", "2026-06-15", "claude-opus-4-8", _ANTHROPIC, "claude-opus-4-20250514"),
    ("anthropic", "2026-06-05", "2026-08-05", "", _ANTHROPIC, "claude-opus-4-1 claude-opus-4-1-20250805"),
    ("anthropic", "", "2026-11-30", "claude-sonnet-5-5", _ANTHROPIC, "claude-sonnet-4-5 claude-sonnet-4-5-20250929"),
    ("anthropic", "2026-11-23", "2027-01-22?", "claude-opus-5-5", _ANTHROPIC, "claude-opus-4-5"
     " claude-opus-4-5-20251101"),
    ("google-ai", "", "2025-11-10", "", _GOOGLE, "imagen-3.0-generate-002"),
    ("google-ai", "", "2025-12-02", "gemini-3.1-pro-preview", _GOOGLE, "gemini-2.5-pro-preview-03-25"
     " gemini-2.5-pro-preview-05-06 gemini-2.5-pro-preview-06-05"),
    ("google-ai", "", "2026-03-09", "gemini-3.1-pro-preview", _GOOGLE, "gemini-3-pro-preview"),
    ("google-ai", "", "2026-06-01", "gemini-3.5-flash", _GOOGLE, "gemini-2.0-flash gemini-2.0-flash-001"),
    ("google-ai", "", "2026-06-01", "gemini-3.1-flash-lite", _GOOGLE, "gemini-2.0-flash-lite"
     " gemini-2.0-flash-lite-001"),
    ("google-ai", "", "2026-06-25", "gemini-3.1-flash-image", _GOOGLE, "gemini-3.1-flash-image-preview"),
    ("google-ai", "", "2026-06-25", "gemini-3-pro-image", _GOOGLE, "gemini-3-pro-image-preview"),
    ("google-ai", "", "2026-12-01", "gemini-3.8-flash", _GOOGLE, "gemini-2.5-pro"),
    ("google-ai", "", "2026-12-01", "gemini-3.5-flash-lite", _GOOGLE, "gemini-2.5-flash"),
    ("groq", "", "2025-03-20", "", _GROQ, "mixtral-8x7b-32768"),
    ("groq", "", "2026-08-16", "openai/gpt-oss-120b", _GROQ, "llama-3.3-70b-versatile"),
    ("groq", "", "2026-08-16", "", _GROQ, "llama-3.1-8b-instant"),
    ("cerebras", "2026-04-22", "2026-05-27", "", _CEREBRAS, "llama3.1-8b qwen-3-235b-a22b-instruct-2507"),
    ("mistral", "2025-11-06", "2025-11-30", "codestral-2508", _MISTRAL, "codestral-2501"),
    ("mistral", "2025-12-02", "2025-12-31", "", _MISTRAL, "pixtral-12b-2409"),
    ("xai", "", "2026-05-15", "grok-4.3", _XAI, "grok-4-1-fast-reasoning grok-4-1-fast-non-reasoning"
     " grok-4-fast-reasoning grok-4-fast-non-reasoning grok-4-0709 grok-code-fast-1 grok-3"),
    ("xai", "", "2026-05-15", "grok-imagine-image-quality", _XAI, "grok-imagine-image-pro"),
)  # fmt: skip


def _read_rows() -> tuple[Retirement, ...]:
    return tuple(
        Retirement(
            provider, model, date.fromisoformat(retires.rstrip("?")), source,
            date.fromisoformat(announced) if announced else None, replacement or None, retires.endswith("?"),
        )
        for provider, announced, retires, replacement, source, models in _ROWS
        for model in models.split()
    )  # fmt: skip


RETIREMENTS: Final = _read_rows()

_BY_MODEL: Final[Mapping[tuple[str, str], Retirement]] = {(row.provider, row.model): row for row in RETIREMENTS}


def find_retirement(provider: str, model: str) -> Retirement | None:
    """Return the retirement of a model, whose name can begin with the provider's id; None if no date is known."""
    return _BY_MODEL.get((provider, model.removeprefix(f"{provider}/")))
