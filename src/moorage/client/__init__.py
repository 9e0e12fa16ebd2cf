"""The client library: `Moorage` and `AsyncMoorage` return configurations from memory, even if the server is down.

from moorage.client import Moorage

moorage = Moorage("http://127.0.0.1:8700", api_key)
config = moorage.get_config("support_answers", {"customer": "Ada"}, {"country": "NLD"})
"""

from moorage.client.client import AsyncMoorage, Moorage
from moorage.client.config import Config, Source
from moorage.client.errors import ClientError, DeploymentNotFound, DeploymentUnreadable, NoConfigurationError

__all__ = [
    "AsyncMoorage",
    "ClientError",
    "Config",
    "DeploymentNotFound",
    "DeploymentUnreadable",
    "Moorage",
    "NoConfigurationError",
    "Source",
]  # fmt: skip
