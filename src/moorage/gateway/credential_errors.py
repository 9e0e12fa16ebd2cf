"""Errors of credentials that must be exchanged or signed with before a call."""

from moorage.core.errors.base import MoorageError


class CredentialUnusable(MoorageError):
    """The credential of the provider {provider} cannot be used: {reason}."""

    code = "provider_credential_invalid"
    hint = "Set another one with `moorage integrations set`."


class ExtraMissing(CredentialUnusable):
    """The provider {provider} needs the extra {extra}, which the server does not have."""

    hint = "Run on the server: pip install 'moorage[{extra}]'. A Bedrock or Gemini API key needs no extra."
