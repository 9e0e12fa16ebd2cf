"""An application with the SDKs of two providers. mypy and pyright must accept it, and infer these types."""

from typing import assert_type

import anthropic
import openai
from anthropic.types import Message
from openai.types.chat import ChatCompletion

from moorage.client import AnthropicArguments, AsyncMoorage, Config, HeldDeployment, Moorage, OpenAIArguments


def complete(config: Config, client: openai.OpenAI) -> ChatCompletion:
    arguments = config.for_openai()
    assert_type(arguments, OpenAIArguments)
    arguments["messages"].append({"role": "user", "content": "Hello"})
    arguments["temperature"] = 0
    assert_type(client.chat.completions.create(**arguments), ChatCompletion)
    return client.chat.completions.create(**config.for_openai(), user="ada")


def stream(config: Config, client: openai.OpenAI, other: anthropic.Anthropic) -> list[str]:
    chunks = client.chat.completions.create(**config.for_openai(), stream=True)
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks]
    with other.messages.stream(**config.for_anthropic()) as events:
        return [*texts, *events.text_stream]


def create(config: Config, client: anthropic.Anthropic) -> Message:
    arguments = config.for_anthropic()
    assert_type(arguments, AnthropicArguments)
    arguments["max_tokens"] = 10
    return client.messages.create(**arguments)


async def create_async(
    moorage: AsyncMoorage, client: openai.AsyncOpenAI, other: anthropic.AsyncAnthropic
) -> tuple[ChatCompletion, Message]:
    config = await moorage.get_config("support")
    return (
        await client.chat.completions.create(**config.for_openai()),
        await other.messages.create(**config.for_anthropic()),
    )


def held() -> list[HeldDeployment]:
    with Moorage.from_env() as moorage:
        return moorage.list()
