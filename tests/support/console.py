"""A browser of the console, without JavaScript: it keeps the cookie of its session, and follows no redirect."""

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from urllib.parse import urlencode

from tests.support.server import Project, Response


class Browser:
    """A visitor of the console of a server."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.cookie = ""

    def get(self, path: str, **headers: str) -> Response:
        """Get a page."""
        return self._send("GET", path, None, headers)

    def post(
        self, path: str, form: Mapping[str, str | list[str]] | Sequence[tuple[str, str]], **headers: str
    ) -> Response:
        """Send a form, as a browser does from a page of the server."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", **headers}
        return self._send("POST", path, urlencode(form, doseq=True).encode(), sent)

    def post_body(self, path: str, body: bytes, content_type: str, **headers: str) -> Response:
        """Send the body of a form."""
        return self._send(
            "POST", path, body, {"Content-Type": content_type, "Sec-Fetch-Site": "same-origin", **headers}
        )

    def sign_in(self, token: str | None = None) -> "Browser":
        """Sign in with an API key, by default the one of the project."""
        response = self.post("/console/sign-in", {"token": token or self.project.token})
        assert response.status == 303, response.body
        return self

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        response = self.project.request(method, path, body, {"Authorization": "", **sent})
        if "set-cookie" in response.headers:
            name_and_value = response.headers["set-cookie"].partition(";")[0]
            self.cookie = "" if name_and_value.endswith("=") or '=""' in name_and_value else name_and_value
        return response


def text_of(response: Response) -> str:
    """Return the text of a page, with a single space between words and between elements."""
    reader = _Text()
    reader.feed(response.body.decode())
    return re.sub(r"\s+", " ", "".join(reader.found)).strip()


def links(response: Response) -> list[str]:
    """Return the addresses of the links of a page, in order."""
    reader = _Text()
    reader.feed(response.body.decode())
    return reader.links


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found, self.links, self._hidden = list[str](), list[str](), 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style", "svg")
        self.found.append(" ")
        href = dict(attrs).get("href")
        if tag == "a" and href is not None:
            self.links.append(href)

    def handle_endtag(self, tag: str) -> None:
        self.found.append(" ")
        self._hidden -= tag in ("script", "style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.append(data)
