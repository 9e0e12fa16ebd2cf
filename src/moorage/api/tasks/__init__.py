"""Calls of models that are not for chats, in the shape of OpenAI: what a request asks for, and the response."""
