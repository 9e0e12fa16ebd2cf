"""The form of an import: the documents that are ticked in a plan, and what becomes of them."""

import msgspec
from msgspec import UNSET, UnsetType

from moorage.console.form import Form
from moorage.console.import_plan import NEW


class Imported(msgspec.Struct, frozen=True):
    """What became of a document: `result` is created, updated, unchanged, drafted, proposed or failed.

    One that is drafted is stored as a version, and is neither live nor proposed.
    """

    key: str
    result: str
    version: str = ""
    proposal: str = ""
    why: list[str] = []


class Chosen(msgspec.Struct, frozen=True):
    """A document that is ticked, with the state of its deployment in the plan: its ETag, and its live version.

    `live` is a number, `follows`, or None for none; unset if it could not be read. `json` is as the form has it: only
    the API decodes it, within its limits.
    """

    key: str
    base: str
    json: bytes
    live: str | UnsetType | None = UNSET
    allow_breaking: bool = False

    @property
    def body(self) -> msgspec.Raw:
        """The body of a put."""
        return msgspec.Raw(self.json)

    @property
    def preconditions(self) -> dict[str, str]:
        """The headers that say that the deployment is as in the plan."""
        return {"If-None-Match": "*"} if self.base == NEW else {"If-Match": self.base}

    @property
    def query(self) -> dict[str, str]:
        """The query parameters of a put that publishes."""
        return {"allow_breaking": "true" if self.allow_breaking else ""}


def read_chosen(form: Form) -> list[Chosen]:
    """Return the documents that are ticked, in the order of the plan."""
    breaking = set(form.all("breaking"))
    ticked = breaking | set(form.all("apply"))
    numbers = [name.removeprefix("key.") for name, _ in form.fields if name.startswith("key.")]
    return [_read(form, number, allow_breaking=number in breaking) for number in numbers if number in ticked]


def _read(form: Form, number: str, *, allow_breaking: bool) -> Chosen:
    key, base, json = (form.get(f"{name}.{number}") for name in ("key", "base", "document"))
    live = (form.get(f"live.{number}") or None) if f"live.{number}" in form else UNSET
    return Chosen(key, base, json.encode(), live, allow_breaking)


def list_page(chosen: list[Chosen]) -> str:
    """Return documents as the text of another import. Those of a list page have no defaults, and a reversed order."""
    return f'{{"object":"list","data":[{",".join(map(_with_key, reversed(chosen)))}]}}'


def _with_key(chosen: Chosen) -> str:
    fields = chosen.json.decode().strip()[1:]
    comma = "" if fields.strip() == "}" else ","
    return f'{{"key":{msgspec.json.encode(chosen.key).decode()}{comma}{fields}'
