"""The cells of the matrix: each provider with each type of model that it has."""

from typing import Final

from moorage.providers.media.table import MEDIA
from moorage.providers.table import PROVIDERS

CELLS: Final = [(row.id, kind) for row in PROVIDERS.values() for kind in row.protocols]
CHATS: Final = [provider for provider, kind in CELLS if kind == "chat"]
SEEING: Final = [provider for provider, kind in CELLS if kind == "vision"]
TEXTS: Final = [provider for provider, kind in CELLS if kind == "completion"]

#: A provider of each protocol, for what does not depend on the provider otherwise.
OF_EACH_PROTOCOL: Final = [*{row.protocols["chat"]: row.id for row in PROVIDERS.values() if row.protocols}.values()]

OTHERS: Final = [row.id for row in PROVIDERS.values() if not row.protocols]

#: The cells of models of other types than chats and texts.
MEDIA_CELLS: Final = [(provider, kind) for provider, protocols in MEDIA.items() for kind in protocols]


def having(kind: str) -> list[str]:
    """Return the providers that have models of a type."""
    return [provider for provider, each in MEDIA_CELLS if each == kind]
