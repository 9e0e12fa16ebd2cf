"""The fields of the editor, as its template shows them: which ones, how, and what is wrong with each."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

import msgspec

from moorage.console.editor_parameters import OFFERED, parameter_kinds
from moorage.console.form_body import Fields, indexes, split_name
from moorage.console.version_view import variables_of
from moorage.core.deployments.prompt_config import ModelType, Provider, Role

_MESSAGES: Final = "prompt_config.messages"
_TOOLS: Final = "prompt_config.tools"
PARAMETERS: Final = "prompt_config.model_parameters"

_ITEM: Final = re.compile(r"(?:prompt_config\.(?:messages|tools)|variables)\[\d+\]")

_CARRIAGE_RETURNS: Final = (
    "This text has carriage returns, which a form cannot carry. Edit it as JSON, or replace them there."
)

#: Sections that are JSON, with their labels and what they are for.
_SECTIONS: Final = {
    "settings": ("Settings", "The template engine, missing inputs, cache, guardrails and masking."),
    "fallbacks": ("Fallbacks", "Models that are called in this order if the model fails."),
    "variants": ("Variants", "Other prompts of this deployment, which the routing selects."),
    "routing": ("Routing", "Rules that select a variant by the context of a request."),
}


class Field(msgspec.Struct):
    """A field: its name in the form, its path in the body, and how it is shown."""

    name: str
    path: str
    label: str
    value: str
    shown_as: str = "input"  # or area, code, select, hidden
    options: Sequence[str] = ()
    hint: str = ""
    is_number: bool = False
    is_read_only: bool = False
    problems: Sequence[str] = ()


class Group(msgspec.Struct):
    """A message, a tool or a variable: its place in its list, and its fields by their keys."""

    index: int
    path: str
    fields: dict[str, Field]
    others: list[Field]

    @property
    def all(self) -> list[Field]:
        """All fields."""
        return [*self.fields.values(), *self.others]


class EditorView(msgspec.Struct):
    """What the template of the editor shows."""

    messages: list[Group]
    tools: list[Group]
    variables: list[Group]
    model: dict[str, Field]
    parameters: list[Field]
    offered: list[Field]
    addable: list[str]
    sections: list[Field]
    others: list[Field]
    undeclared: list[str]
    known: frozenset[str]

    def nearest(self, path: str) -> str:
        """Return the path of the field or section that is at a path, or the nearest one above it."""
        while path and path not in self.known:
            path = re.sub(r"(\.?[\w-]+|\[[^\[\]]*\]|.)$", "", path)
        return path


class _Builder:
    """Takes the fields of a form for their places; the rest is shown, too."""

    def __init__(self, fields: Fields, problems: Mapping[str, Sequence[str]]) -> None:
        self._by_path = {found.path: (name, text) for name, text in fields.items() if (found := split_name(name))}
        self._problems = problems
        self._of_item: dict[str, list[str]] = {}
        for path in self._by_path:
            if item := _ITEM.match(path):
                self._of_item.setdefault(item[0], []).append(path)
        self._taken = set[str]()
        self.built = list[Field]()

    def has(self, path: str) -> bool:
        return path in self._by_path

    def take(self, path: str, label: str, kind: str = "", **shown: Any) -> Field:
        """Return the field at a path; its kind is that of its text, or `kind` if the form does not have it."""
        self._taken.add(path)
        name, value = self._by_path.get(path, (f"{path}:{kind}" if kind else path, ""))
        field = Field(name, path, label, value, **shown)
        is_json = name.endswith(":json")
        if field.shown_as == "input" and "\n" in value:
            field.shown_as = "area"
        if is_json and kind != "json" and field.shown_as != "hidden":
            field.shown_as, field.options = "code", ()
            field.is_read_only = value.startswith('"') and "\\r" in value
            field.hint = _CARRIAGE_RETURNS if field.is_read_only else "As JSON."
        field.problems = self._problems.get(path, ())
        self.built.append(field)
        return field

    def below(self, path: str) -> list[Field]:
        """Return the fields below a path that nobody took."""
        paths = [
            each for each in self._by_path if each.startswith((f"{path}.", f"{path}[")) and each not in self._taken
        ]
        return [self.take(each, each.removeprefix(f"{path}."), self._kind(each), shown_as="area") for each in paths]

    def rest(self) -> list[Field]:
        """Return the fields that nobody took."""
        paths = [each for each in self._by_path if each not in self._taken and self._kind(each) != "list"]
        return [self.take(each, each, self._kind(each), shown_as="code") for each in paths]

    def _kind(self, path: str) -> str:
        found = split_name(self._by_path[path][0])
        return found.kind if found else ""


def view_of(fields: Fields, problems: Mapping[str, Sequence[str]] | None = None) -> EditorView:
    """Return what the template shows of the fields of a content; `problems` are those of the fields, by path."""
    build = _Builder(fields, problems or {})
    model_type = fields.get("prompt_config.model_type", "")
    model = {
        "provider": build.take(
            "prompt_config.provider", "Provider", shown_as="select",
            options=_options(get_args(Provider), fields.get("prompt_config.provider", "openai")),
        ),
        "model_type": build.take(
            "prompt_config.model_type", "Type", shown_as="select", options=_options(get_args(ModelType), model_type)
        ),
        "model": build.take("prompt_config.model", "Model"),
        "integration_id": build.take("prompt_config.integration_id", "Integration", "optional"),
        "retry_count": build.take("retry_count", "Retries", "json", is_number=True),
    }  # fmt: skip
    parameters, offered, addable = _parameters(build, fields, model_type)
    messages = [_message(build, fields, index) for index in indexes(fields, _MESSAGES)]
    tools = [_tool(build, index) for index in indexes(fields, _TOOLS)]
    variables = [_variable(build, index) for index in indexes(fields, "variables")]
    sections = [
        build.take(path, label, "json", shown_as="code", hint=hint) for path, (label, hint) in _SECTIONS.items()
    ]
    others = build.rest()
    known = {field.path for field in build.built if field.shown_as != "hidden"}
    known |= {group.path for group in (*messages, *tools, *variables)}
    known |= {"prompt_config", _MESSAGES, _TOOLS, PARAMETERS, "variables"}
    return EditorView(
        messages, tools, variables, model, parameters, offered, addable, sections, others,
        _undeclared(messages, variables), frozenset(known),
    )  # fmt: skip


def _options(values: Iterable[str], chosen: str) -> list[str]:
    """Return the values of a list, with the chosen one: it may come from a form."""
    return [*dict.fromkeys([*values, chosen])]


def _message(build: _Builder, fields: Fields, index: int) -> Group:
    path = f"{_MESSAGES}[{index}]"
    role = fields.get(f"{path}.role", "")
    number = index + 1
    found = {
        "role": build.take(
            f"{path}.role", f"Role of message {number}", shown_as="select", options=_options(get_args(Role), role)
        ),
        "content": build.take(f"{path}.content", f"Content of message {number}", shown_as="area"),
    }  # fmt: skip
    if role == "tool" or build.has(f"{path}.tool_call_id"):
        found["tool_call_id"] = build.take(f"{path}.tool_call_id", "Id of the tool call", "optional")
    if role == "assistant" or build.has(f"{path}.tool_calls"):
        found["tool_calls"] = build.take(f"{path}.tool_calls", "Tool calls", "json", shown_as="code")
    return Group(index, path, found, build.below(path))


def _tool(build: _Builder, index: int) -> Group:
    path = f"{_TOOLS}[{index}]"
    found = {
        "type": build.take(f"{path}.type", "Type", shown_as="hidden"),
        "name": build.take(f"{path}.function.name", "Name"),
        "description": build.take(f"{path}.function.description", "Description", "optional", shown_as="area"),
        "parameters": build.take(f"{path}.function.parameters", "Arguments as JSON Schema", "json", shown_as="code"),
        "strict": build.take(
            f"{path}.function.strict", "Strict", "json", shown_as="select", options=["", "true", "false"]
        ),
    }
    return Group(index, path, found, build.below(path))


def _variable(build: _Builder, index: int) -> Group:
    path, number = f"variables[{index}]", index + 1
    found = {
        "key": build.take(f"{path}.key", f"Name of variable {number}"),
        "value": build.take(f"{path}.value", f"Default of variable {number}", "optional", shown_as="area"),
    }
    return Group(index, path, found, build.below(path))


def _parameters(build: _Builder, fields: Fields, model_type: str) -> tuple[list[Field], list[Field], list[str]]:
    """Return the parameters that are set, those that are offered, and the names of all others."""
    offered = OFFERED.get(model_type, ())
    start = f"{PARAMETERS}."
    sent = {found.path.removeprefix(start): text for name, text in fields.items()
            if (found := split_name(name)) and found.path.startswith(start)}  # fmt: skip
    present = [name for name, text in sent.items() if text or name not in offered]
    shown = [_parameter(build, name) for name in present]
    others = [_parameter(build, name) for name in offered if name not in present]
    return shown, others, sorted(set(parameter_kinds()) - set(present) - set(offered), key=str.lower)


def _parameter(build: _Builder, name: str) -> Field:
    kind, options = parameter_kinds().get(name, ("json", ()))
    field = build.take(f"{PARAMETERS}.{name}", name, "json")
    field.is_number = kind == "number"
    if kind == "select" and "\n" not in field.value:
        field.shown_as, field.options = "select", _options(["", *options], field.value)
    elif kind == "json" and field.value[:1] in ("[", "{"):
        field.shown_as = "code"
    return field


def _undeclared(messages: Sequence[Group], variables: Sequence[Group]) -> list[str]:
    """Return the variables that texts use and nobody declares, in their order."""
    declared = {group.fields["key"].value for group in variables}
    texts = [group.fields["content"].value for group in messages]
    used = dict.fromkeys(name for text in texts for name in variables_of(text))
    return [name for name in used if name not in declared and name.partition(".")[0] not in declared]
