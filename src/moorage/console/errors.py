"""Errors of the console. They become pages, and never responses of the API."""


class SessionEnded(Exception):
    """Your session ended."""


class SessionKeyInvalid(SessionEnded):
    """The API key of this session is no longer valid."""


class ForgedForm(Exception):
    """A form was sent from a page of another address; the text of the error says what to do."""
