"""Fakes of all vendors.

They are written from the vendors' documentation, reject what the vendors reject, and have their errors and streams.
"""

from tests.support.vendors.anthropic_api import AnthropicVendor
from tests.support.vendors.bedrock_api import BedrockVendor
from tests.support.vendors.cohere_api import CohereVendor
from tests.support.vendors.elevenlabs_api import ElevenLabsVendor
from tests.support.vendors.gemini_api import GeminiVendor
from tests.support.vendors.openai_api import OpenAiVendor
from tests.support.vendors.openai_table import DIALECTS, WITHOUT_CHATS
from tests.support.vendors.queued_api import FalVendor, LeonardoVendor
from tests.support.vendors.responses_api import PerplexityVendor
from tests.support.vendors.server import Vendor


def all_vendors() -> list[Vendor]:
    """Return a fake of each vendor."""
    own: list[Vendor] = [
        AnthropicVendor(), BedrockVendor(), CohereVendor(), GeminiVendor("google"), GeminiVendor("google-ai"),
        PerplexityVendor(), ElevenLabsVendor(), FalVendor(), LeonardoVendor(),
    ]  # fmt: skip
    return [*own, *map(OpenAiVendor, DIALECTS), *map(OpenAiVendor, WITHOUT_CHATS)]
