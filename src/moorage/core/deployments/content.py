"""The content of a version: its configuration, its variables, and its runtime configuration."""

import hashlib

import msgspec

from moorage.core.deployments.prompt_config import PromptConfig, Variable, decode_prompt_config, decode_variables
from moorage.core.deployments.runtime_config import EMPTY, RuntimeConfig, decode_runtime_config
from moorage.core.deployments.variant import Fallback, Settings
from moorage.core.routing.rules import DEFAULT_VARIANT

#: Raised for stored content that Moorage did not write.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

#: A content of more characters is not small.
SMALL_CONTENT = 16_384

_encode = msgspec.json.Encoder().encode


class VariantContent(msgspec.Struct, frozen=True):
    """The content of one variant."""

    prompt_config: PromptConfig
    variables: list[Variable]
    settings: Settings
    fallbacks: list[Fallback] = []
    retry_count: int = 0


class Content(msgspec.Struct, frozen=True):
    """The content of a version as typed values."""

    prompt_config: PromptConfig
    variables: list[Variable] = []
    runtime_config: RuntimeConfig = EMPTY

    def encode(self) -> "StoredContent":
        """Return the JSON texts of this content."""
        return StoredContent(
            _encode(self.prompt_config).decode(),
            _encode(self.variables).decode(),
            _encode(self.runtime_config).decode(),
        )

    def variants(self) -> dict[str, VariantContent]:
        """Return the variants by name, the default variant first."""
        runtime = self.runtime_config
        default = VariantContent(
            self.prompt_config, self.variables, runtime.settings or Settings(), runtime.fallbacks,
            int(runtime.retry_count or 0),
        )  # fmt: skip
        others = {
            variant.name: VariantContent(
                variant.prompt_config, variant.variables or [], variant.settings or Settings(),
                variant.fallbacks or [], int(variant.retry_count or 0),
            )
            for variant in runtime.variants
        }  # fmt: skip
        return {DEFAULT_VARIANT: default, **others}


class StoredContent(msgspec.Struct, frozen=True, gc=False):
    """The content of a version as the JSON texts that are stored and sent."""

    prompt_config: str
    variables: str
    runtime_config: str

    @property
    def size(self) -> int:
        """The number of characters."""
        return len(self.prompt_config) + len(self.variables) + len(self.runtime_config)

    @property
    def is_small(self) -> bool:
        """Whether it takes a few milliseconds at most to decode, compile or compare it. Else, do so in a thread."""
        return self.size <= SMALL_CONTENT

    def decode(self) -> Content:
        """Return the typed values.

        Raises:
            DECODE_ERRORS: Moorage did not write the texts.
        """
        # Most deployments have neither variables nor a runtime configuration, and a start decodes all of them.
        return Content(
            decode_prompt_config(self.prompt_config),
            decode_variables(self.variables) if self.variables != "[]" else [],
            decode_runtime_config(self.runtime_config) if self.runtime_config != "{}" else EMPTY,
        )

    def sha256(self) -> str:
        """Return the hash that identifies the content.

        `Content.encode` writes the fields of the API in one order. The order inside schemas and default values counts,
        because models follow it.
        """
        texts = (self.prompt_config, self.variables, self.runtime_config)
        return hashlib.sha256(_encode(texts if self.runtime_config != "{}" else texts[:2])).hexdigest()


#: The content of a deployment that does not keep its content in memory.
NO_CONTENT = StoredContent("", "", "")
