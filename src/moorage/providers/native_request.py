"""What a request of the Responses API has in its own form, for providers that have this API."""

from collections.abc import Mapping
from typing import Final

import msgspec

from moorage.core.resolution.config import Object

#: Providers that get requests of the Responses API in that form.
NATIVE_PROVIDERS: Final = frozenset({"openai", "azure", "perplexity"})

#: The types of their models that have this API.
NATIVE_TYPES: Final = frozenset({"chat", "vision"})


class NativeRequest(msgspec.Struct, frozen=True):
    """A request of the Responses API.

    `items` are those of `input`. The last `n_messages` messages of the configuration are their translation, which
    other providers get. `fields` are sent as they are. `untranslated` has the path of each part that no other API has,
    and what it is: other providers cannot be called with it. Without the parts in `omitted`, the request has the same
    meaning; it has the reason for each.
    """

    items: list[Object] = []
    n_messages: int = 0
    fields: Object = {}
    untranslated: Mapping[str, str] = {}
    omitted: Mapping[str, str] = {}

    def for_another_provider(self) -> "NativeRequest":
        """Return the request without reasoning, which only the provider that encrypted it can read."""
        items = [item for item in self.items if item.get("type") != "reasoning"]
        return msgspec.structs.replace(self, items=items)


def is_native(provider: str, model_type: str) -> bool:
    """Return whether a provider gets requests of the Responses API in that form."""
    return provider in NATIVE_PROVIDERS and model_type in NATIVE_TYPES
