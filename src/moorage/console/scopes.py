"""The scopes of API keys in words, and usual sets of them."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from moorage.core.access import Scope, scopes_to_grant


class ScopeWords(NamedTuple):
    """A scope in one or two words for lists, and in a sentence."""

    short: str
    sentence: str


WORDS: Final = {
    Scope.INVOKE: ScopeWords("call", "Get configurations and call models, as an application does."),
    Scope.READ: ScopeWords("read", "See deployments, versions, history and environments."),
    Scope.WRITE: ScopeWords("write", "Save drafts, and publish in environments that are not protected."),
    Scope.PUBLISH: ScopeWords("publish", "Publish, undo and delete in protected environments, such as production."),
    Scope.APPROVE: ScopeWords("approve", "Approve changes of others. It belongs on the keys of people."),
    Scope.EMERGENCY: ScopeWords("emergency", "Publish without the required approvals, with a reason."),
    Scope.KEYS_ADMIN: ScopeWords("API keys", "Create, roll and revoke API keys."),
    Scope.INTEGRATIONS_ADMIN: ScopeWords("integrations", "Connect providers, with their credentials."),
    Scope.ENVIRONMENTS_ADMIN: ScopeWords("environments", "Create, change and delete environments."),
}


class Preset(NamedTuple):
    """A usual set of scopes."""

    name: str
    title: str
    sentence: str
    scopes: frozenset[Scope]


PRESETS: Final = (
    Preset("application", "Application", "Only calls.", frozenset({Scope.INVOKE})),
    Preset(
        "author", "Author", "Reads, saves drafts and tries them, but publishes nothing in production.",
        frozenset({Scope.READ, Scope.WRITE, Scope.INVOKE}),
    ),
    Preset(
        "publisher", "Publisher", "An author who also publishes. Suitable for continuous integration, too.",
        frozenset({Scope.READ, Scope.WRITE, Scope.PUBLISH, Scope.INVOKE}),
    ),
    Preset("administrator", "Administrator", "Everything, API keys included.", frozenset(Scope)),
)  # fmt: skip


def in_words(scopes: Iterable[str]) -> str:
    """Return scopes for a list, such as "call, read"."""
    held = set(scopes)
    return (
        "everything"
        if held == set(Scope)
        else ", ".join(words.short for scope, words in WORDS.items() if scope in held)
    )


def missing_to_grant(own: frozenset[Scope], scopes: Iterable[str]) -> list[Scope]:
    """Return the scopes that an API key lacks to give these scopes to another one."""
    return sorted(scopes_to_grant(frozenset(map(Scope, scopes))) - own)


def presets_of(own: frozenset[Scope]) -> list[Preset]:
    """Return the usual sets that an API key can give to another one."""
    return [preset for preset in PRESETS if not missing_to_grant(own, preset.scopes)]


def grantable(own: frozenset[Scope]) -> list[Scope]:
    """Return the scopes that an API key can give to another one."""
    return [scope for scope in WORDS if not missing_to_grant(own, [scope])]
