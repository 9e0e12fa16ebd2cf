"""The forms of pages, as a browser without JavaScript fills and sends them."""

from html.parser import HTMLParser

from tests.support.server import Response

BOUNDARY = "----boundary"


def form_of(response: Response, action: str = "") -> dict[str, str]:
    """Return the fields of a form, without its buttons: that of the editor, or the one of `action`."""
    reader = _Forms(action)
    reader.feed(response.body.decode())
    reader.close()
    return reader.fields


def multipart(fields: dict[str, str]) -> bytes:
    """Return a form in the encoding of the editor: browsers send CRLF as line ends."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        + text.replace("\r\n", "\n").replace("\n", "\r\n")
        for name, text in fields.items()
    ]
    return "\r\n".join([*parts, f"--{BOUNDARY}--", ""]).encode()


class _Forms(HTMLParser):
    """Reads the controls of one form."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields = dict[str, str]()
        self._action, self._is_inside, self._name, self._text = action, False, "", list[str]()
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = found.get("action") == self._action if self._action else found.get("id") == "editor"
        if not self._is_inside:
            return
        if tag == "input" and found.get("name"):
            self.fields[found["name"]] = found.get("value", "")
        elif tag == "textarea":
            self._name, self._text = found["name"], []
        elif tag == "select":
            self._select = found["name"]
        elif tag == "option" and self._select and ("selected" in found or self._select not in self.fields):
            self.fields[self._select] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._name:
            self.fields[self._name] = "".join(self._text).removeprefix("\n")
            self._name = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._name:
            self._text.append(data)
