"""The table of providers: how each is reached, and which protocol it has for each model type.

The addresses and paths are those of the providers' documentation. A provider that differs only in data is a row here.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

#: How a credential is sent: as a header `Authorization: Bearer`, as another header, or by signing the request.
Auth = Literal["bearer", "api-key", "x-api-key", "x-goog-api-key", "xi-api-key", "key", "google", "aws"]

#: The name of a module of `moorage.providers.protocols`.
ProtocolName = Literal["openai", "completions", "anthropic", "gemini", "bedrock", "cohere", "responses"]


class ProviderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A provider.

    `base_url` has a `{name}` for each option that it needs; None if an integration must have its own. `protocols` maps
    the model types of chats and texts to their protocols; `media.table` has those of the other types. `key_variables`
    and `url_variables` are the variables of the provider's own tools, which append `url_suffix` to the URL in such a
    variable.
    """

    id: str
    name: str
    base_url: str | None
    auth: Auth = "bearer"
    protocols: Mapping[str, ProtocolName] = {}
    key_variables: tuple[str, ...] = ()
    url_variables: tuple[str, ...] = ()
    url_suffix: str = ""
    options: tuple[str, ...] = ()
    extra: str | None = None

    @property
    def required_options(self) -> tuple[str, ...]:
        """The options without which there is no base URL."""
        return tuple(name for name in self.options if self.base_url and f"{{{name}}}" in self.base_url)


_CHAT: Final[Mapping[str, ProtocolName]] = {"chat": "openai", "vision": "openai"}
_TEXT: Final[Mapping[str, ProtocolName]] = {**_CHAT, "completion": "completions"}

PROVIDERS: Final[Mapping[str, ProviderRow]] = {
    row.id: row
    for row in (
        ProviderRow(
            id="openai", name="OpenAI", base_url="https://api.openai.com/v1", protocols=_TEXT,
            key_variables=("OPENAI_API_KEY",), url_variables=("OPENAI_BASE_URL",),
            options=("organization", "project"),
        ),
        ProviderRow(
            id="groq", name="Groq", base_url="https://api.groq.com/openai/v1", protocols=_CHAT,
            key_variables=("GROQ_API_KEY",), url_variables=("GROQ_BASE_URL",),
            url_suffix="/openai/v1",
        ),
        ProviderRow(
            id="cohere", name="Cohere", base_url="https://api.cohere.com",
            protocols={"chat": "cohere", "vision": "cohere"},
            key_variables=("CO_API_KEY", "COHERE_API_KEY"), url_variables=("CO_API_URL",),
        ),
        ProviderRow(
            id="azure", name="Azure OpenAI", base_url="https://{resource}.openai.azure.com/openai/v1", auth="api-key",
            protocols=_TEXT, options=("resource",),
            key_variables=("AZURE_OPENAI_API_KEY",), url_variables=("AZURE_OPENAI_ENDPOINT",),
            url_suffix="/openai/v1",
        ),
        ProviderRow(
            id="aws", name="Amazon Bedrock", base_url="https://bedrock-runtime.{region}.amazonaws.com", auth="aws",
            protocols={"chat": "bedrock", "vision": "bedrock"},
            options=("region", "agent_base_url"),
            key_variables=("AWS_BEARER_TOKEN_BEDROCK",), url_variables=("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",),
            extra="aws",
        ),
        ProviderRow(
            id="google", name="Google Vertex AI", base_url="https://{location}-aiplatform.googleapis.com/v1",
            auth="google", protocols={"chat": "gemini", "vision": "gemini"},
            options=("location", "project"), extra="google",
        ),
        ProviderRow(
            id="google-ai", name="Google Gemini API",
            base_url="https://generativelanguage.googleapis.com/v1beta", auth="x-goog-api-key",
            protocols={"chat": "gemini", "vision": "gemini"},
            key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"), url_variables=("GOOGLE_GEMINI_BASE_URL",),
            url_suffix="/v1beta",
        ),
        ProviderRow(
            id="huggingface", name="Hugging Face", base_url="https://router.huggingface.co", protocols=_CHAT,
            key_variables=("HF_TOKEN",),
        ),
        ProviderRow(
            id="togetherai", name="Together AI", base_url="https://api.together.ai/v1", protocols=_TEXT,
            key_variables=("TOGETHER_API_KEY",), url_variables=("TOGETHER_BASE_URL",),
        ),
        ProviderRow(
            id="perplexity", name="Perplexity", base_url="https://api.perplexity.ai/v1",
            protocols={"chat": "responses", "vision": "responses"},
            key_variables=("PERPLEXITY_API_KEY",), url_variables=("PERPLEXITY_BASE_URL",), url_suffix="/v1",
        ),
        ProviderRow(
            id="anthropic", name="Anthropic", base_url="https://api.anthropic.com/v1", auth="x-api-key",
            protocols={"chat": "anthropic", "vision": "anthropic"},
            key_variables=("ANTHROPIC_API_KEY",), url_variables=("ANTHROPIC_BASE_URL",), url_suffix="/v1",
        ),
        ProviderRow(
            id="leonardoai", name="Leonardo.Ai", base_url="https://cloud.leonardo.ai/api/rest/v1",
            key_variables=("LEONARDO_API_KEY",),
        ),
        ProviderRow(
            id="fal", name="fal", base_url="https://queue.fal.run", auth="key",
            key_variables=("FAL_KEY",),
        ),
        ProviderRow(
            id="nvidia", name="NVIDIA NIM", base_url="https://integrate.api.nvidia.com/v1", protocols=_TEXT,
            options=("retrieval_base_url",), key_variables=("NVIDIA_API_KEY",),
        ),
        ProviderRow(
            id="jina", name="Jina AI", base_url="https://api.jina.ai/v1",
            key_variables=("JINA_API_KEY",),
        ),
        ProviderRow(
            id="elevenlabs", name="ElevenLabs", base_url="https://api.elevenlabs.io", auth="xi-api-key",
            key_variables=("ELEVENLABS_API_KEY",),
        ),
        ProviderRow(
            id="litellm", name="LiteLLM proxy", base_url=None, protocols=_TEXT,
            key_variables=("LITELLM_PROXY_API_KEY",), url_variables=("LITELLM_PROXY_API_BASE",),
        ),
        ProviderRow(
            id="cerebras", name="Cerebras", base_url="https://api.cerebras.ai/v1",
            protocols={"chat": "openai", "completion": "completions"},
            key_variables=("CEREBRAS_API_KEY",), url_variables=("CEREBRAS_BASE_URL",), url_suffix="/v1",
        ),
        ProviderRow(
            id="openailike", name="OpenAI-compatible server", base_url=None, protocols=_TEXT,
        ),
        ProviderRow(
            id="bytedance", name="BytePlus ModelArk", base_url="https://ark.ap-southeast.bytepluses.com/api/v3",
            protocols=_CHAT, key_variables=("ARK_API_KEY",),
        ),
        ProviderRow(
            id="mistral", name="Mistral AI", base_url="https://api.mistral.ai/v1", protocols=_TEXT,
            key_variables=("MISTRAL_API_KEY",),
        ),
        ProviderRow(
            id="deepseek", name="DeepSeek", base_url="https://api.deepseek.com", protocols=_TEXT,
            key_variables=("DEEPSEEK_API_KEY",),
        ),
        ProviderRow(
            id="contextualai", name="Contextual AI", base_url="https://api.contextual.ai/v1",
            key_variables=("CONTEXTUAL_API_KEY",),
        ),
        ProviderRow(
            id="moonshotai", name="Moonshot AI", base_url="https://api.moonshot.ai/v1", protocols=_CHAT,
            key_variables=("MOONSHOT_API_KEY",),
        ),
    )
}  # fmt: skip
