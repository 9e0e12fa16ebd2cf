"""The items and the tools of a request of the Responses API, translated to messages and tools of chats."""

from typing import Any, Final

from moorage.core.errors.base import Problem
from moorage.core.resolution.config import Object

#: Why a part of a request has no effect at a provider without the Responses API.
_NO_EQUIVALENT: Final = "only the Responses API has it"

_DETAILS: Final = (None, "low", "high", "auto")

#: Fields of the values of variables that are texts.
_TEXTS: Final = ("text", "image_url", "detail", "file_id", "file_data", "file_url", "filename")

_FUNCTION: Final = ("name", "description", "parameters", "strict")

#: The most parts without a translation that are recorded: one is enough to reject a request.
_MAX_RECORDED: Final = 100


class InputReader:
    """Reads the parts of one request; `messages` are the translation of its items.

    `untranslated` has the path of each part that only the Responses API has, and what it is. `omitted` has that of
    each part without which a request has the same meaning, and the reason.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.messages = list[Object]()
        self.untranslated: dict[str, str] = {}
        self.omitted: dict[str, str] = {}

    def omit(self, path: str) -> None:
        """Record a part that other APIs do not have, and do not need."""
        if len(self.omitted) < _MAX_RECORDED:
            self.omitted[path] = _NO_EQUIVALENT

    def items(self, given: Any) -> list[Object]:
        """Return the items of `input`, and add the messages for them."""
        if isinstance(given, str):
            self.messages.append({"role": "user", "content": given})
            return [{"type": "message", "role": "user", "content": given}]
        if not isinstance(given, list | None):
            self.problems.append(Problem("input", "must be a text or a list of items"))
        items = given if isinstance(given, list) else []
        for index, item in enumerate(items):
            if isinstance(item, dict):
                self._add_item(item, f"input[{index}]")
            else:
                self.problems.append(Problem(f"input[{index}]", "must be an object"))
        return items

    def medium(self, value: Object, path: str) -> Object:
        """Return the part of a message for an image or a file that is the value of a variable."""
        wrong = [name for name in _TEXTS if not isinstance(value.get(name), str | None)]
        self.problems += [Problem(f"{path}.{name}", f"must be a text, not {value[name]!r:.40}") for name in wrong]
        found = None if wrong else _translated(str(value.get("type")), value)
        if found is None:
            self._need(path, f"a value of the type {value.get('type')!r:.60} in this form")
        return found or value

    def tools(self, tools: Any) -> list[Object]:
        """Return the functions; only the Responses API has other tools."""
        found = list[Object]()
        if not isinstance(tools, list):
            self.problems.append(Problem("tools", "must be a list"))
            return found
        for index, tool in enumerate(tools):
            path = f"tools[{index}]"
            if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
                self.problems.append(Problem(path, "must be an object with a `type`, such as function"))
            elif tool["type"] != "function":
                self._need(path, f"a tool of the type {tool['type']!r:.60}")
            else:
                function = {name: tool[name] for name in _FUNCTION if name in tool}
                found.append({"type": "function", "function": function})
        return found

    def tool_choice(self, choice: Any) -> Any:
        """Return the choice of tools in the form of chats; None for one that only the Responses API has."""
        if choice is None or choice in ("none", "auto", "required"):
            return choice
        if not isinstance(choice, dict) or not isinstance(choice.get("type"), str):
            self.problems.append(
                Problem("tool_choice", 'must be none, auto, required or {"type": "function", "name": …}')
            )
        elif choice["type"] == "function" and isinstance(choice.get("name"), str):
            return {"type": "function", "function": {"name": choice["name"]}}
        else:
            self._need("tool_choice", f"a choice of the type {choice['type']!r:.60}")
        return None

    def _need(self, path: str, what: str) -> None:
        if len(self.untranslated) < _MAX_RECORDED:
            self.untranslated[path] = what

    def _add_item(self, item: Object, path: str) -> None:
        match item.get("type", "message"):
            case "message":
                content = self._content(item.get("content"), f"{path}.content")
                if content == []:  # it has nothing that other APIs have, so the message is not sent
                    content = ""
                self.messages.append({"role": item.get("role"), "content": content})
            case "function_call":
                if not self.messages or self.messages[-1]["role"] != "assistant":  # the calls of a turn are one message
                    self.messages.append({"role": "assistant", "content": None})
                function = {"name": item.get("name"), "arguments": item.get("arguments")}
                call = {"id": item.get("call_id"), "type": "function", "function": function}
                self.messages[-1].setdefault("tool_calls", []).append(call)
            case "function_call_output":
                output = self._content(item.get("output"), f"{path}.output", only_text=True)
                self.messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": output})
            case "reasoning":  # the models of other providers cannot read it
                self.omit(path)
            case "item_reference":
                message = "needs stored responses, and the server stores none; send the item itself"
                self.problems.append(Problem(path, message))
            case str(kind):
                self._need(path, f"an item of the type {kind!r:.60}")
            case kind:
                self.problems.append(Problem(f"{path}.type", f"must be the type of an item, not {kind!r:.60}"))

    def _content(self, content: Any, path: str, *, only_text: bool = False) -> Any:
        """Return the content of a message, without parts that only the Responses API has."""
        if not isinstance(content, list):
            return content
        parts = list[Object]()
        for index, part in enumerate(content):
            kind = part.get("type") if isinstance(part, dict) else None
            if not isinstance(kind, str):
                self.problems.append(Problem(f"{path}[{index}]", "must be an object with a `type`, such as input_text"))
            elif kind in ("input_text", "output_text"):
                parts.append({"type": "text", "text": part.get("text")})
            elif (found := None if only_text else _translated(kind, part)) is not None:
                parts.append(found)
            else:
                self._need(f"{path}[{index}]", f"a part of the type {kind!r:.60} in this form")
        return parts


def _translated(kind: str, part: Object) -> Object | None:
    if kind == "refusal":
        return {"type": "refusal", "refusal": part.get("refusal")}
    if kind == "input_image" and part.get("image_url") and part.get("detail") in _DETAILS:
        return {"type": "image_url", "image_url": {"url": part["image_url"], "detail": part.get("detail")}}
    if kind == "input_file" and (part.get("file_data") or part.get("file_url")):
        names = {"file_data": "file_data", "file_url": "uri", "filename": "filename"}
        return {"type": "file", "file": {new: part[name] for name, new in names.items() if part.get(name)}}
    return None
