"""The client library: `Moorage` and `AsyncMoorage` return configurations from memory, even if the server is down.

from moorage.client import Moorage

moorage = Moorage("http://127.0.0.1:8700", api_key)
config = moorage.get_config("support_answers", {"customer": "Ada"}, {"country": "NLD"})
"""

from moorage.client.client import AsyncMoorage, Moorage
from moorage.client.config import Config, Source
from moorage.client.errors import (
    ClientError,
    DeploymentNotFound,
    DeploymentUnreadable,
    InvalidEnvironment,
    NoConfigurationError,
    WrongEnvironment,
)
from moorage.client.state import HeldDeployment
from moorage.providers.anthropic import AnthropicArguments
from moorage.providers.errors import NotSupportedByProvider, UnsupportedModelType
from moorage.providers.openai import OpenAIArguments

__all__ = [
    "AnthropicArguments",
    "AsyncMoorage",
    "ClientError",
    "Config",
    "DeploymentNotFound",
    "DeploymentUnreadable",
    "HeldDeployment",
    "InvalidEnvironment",
    "Moorage",
    "NoConfigurationError",
    "NotSupportedByProvider",
    "OpenAIArguments",
    "Source",
    "UnsupportedModelType",
    "WrongEnvironment",
]
