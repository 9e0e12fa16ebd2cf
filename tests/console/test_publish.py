"""The pages that publish a version, undo the last change, and follow production again."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.console import Browser, links, text_of
from tests.support.server import Project, Response
from tests.support.team import Team, with_text

KEY = "/console/deployments/bot"


@pytest.fixture
def team(project: Project) -> Team:
    """Return a team with the deployment `bot`: 1.0 is published, 1.1 live, and 1.2 a draft."""
    team = Team(project)
    for text in ("one", "two"):
        assert team.put("bot", text).status in (200, 201)
    save(team, "three")
    return team


def save(team: Team, text: str, **fields: Any) -> str:
    """Save a draft; return its number."""
    body = {"prompt_config": with_text(text)["prompt_config"], **fields}
    response = team.send("POST", "/v2/deployments/bot/versions", body)
    assert response.status == 201, response.body
    number: str = response.json["version"]
    return number


def sign_in(team: Team, token: str | None = None) -> Browser:
    return Browser(team.project).sign_in(token or team.admin)


class Fields(HTMLParser):
    """The fields of the form that a page sends to itself, and the words of its button."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.values, self.boxes, self.action = dict[str, str](), set[str](), ""
        self.pairs = list[tuple[str, str]]()
        self.button, self._text, self._is_in = "", "", False
        self.feed(response.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_in = found.get("method") == "post" and not found.get("action", "").endswith("/sign-out")
            self.action = found.get("action", "") if self._is_in else self.action
        if not self._is_in:
            return
        if tag == "input" and found.get("type") == "checkbox":
            self.boxes.add(found["name"])
            if "checked" in found:
                self.values[found["name"]] = found["value"]
        elif tag == "input":
            self.values[found["name"]] = found["value"]
            self.pairs.append((found["name"], found["value"]))
        elif tag == "textarea":
            self._text = found["name"]
            self.values[self._text] = ""
        elif tag == "button":
            self._text = "button"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "button"):
            self._text = ""
        elif tag == "form":
            self._is_in = False

    def handle_data(self, data: str) -> None:
        if self._text == "button":
            self.button += data
        elif self._text:
            self.values[self._text] += data.removeprefix("\n")


def form_of(response: Response) -> Fields:
    return Fields(response)


def send(browser: Browser, path: str, **changes: str) -> Response:
    """Open a page and send its form, with changes."""
    page = browser.get(path)
    assert page.status == 200, page.body
    form = form_of(page)
    return browser.post(form.action, form.values | changes)


def live(team: Team, environment: str = "production") -> str:
    return team.version("bot", environment)


def test_the_page_shows_the_difference_before_there_is_a_button(team: Team) -> None:
    page = sign_in(team).get(f"{KEY}/publish/1.2")

    assert "before: two → after: three" in text_of(page)
    assert form_of(page).button == "Publish 1.2"
    assert page.body.count(b'"button rust"') == 1
    assert live(team) == "1.1", "a GET changes nothing"


def test_publishing_leads_to_the_live_page_which_says_so_and_offers_the_undo(team: Team) -> None:
    browser = sign_in(team)

    response = send(browser, f"{KEY}/publish/1.2", reason="a better greeting")
    page = browser.get(response.headers["location"])

    assert response.status == 303
    assert "1.2 is live in production. 1.1 is one undo away." in text_of(page)
    assert f"{KEY}/undo" in links(page)
    assert live(team) == "1.2"
    assert team.history("bot")[0]["reason"] == "a better greeting"


def test_a_form_that_is_sent_twice_publishes_once(team: Team) -> None:
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/publish/1.2"))

    first, second = (browser.post(form.action, form.values) for _ in range(2))

    assert (first.status, second.status) == (303, 303)
    assert [entry["action"] for entry in team.history("bot")].count("published") == 2


@pytest.mark.parametrize(("version", "words"), [("1.1", "1.1 is live already."), ("1.3", "Nothing differs from 1.1.")])
def test_a_version_that_changes_nothing_has_no_button(version: str, words: str, team: Team) -> None:
    assert save(team, "two") == "1.3"

    page = sign_in(team).get(f"{KEY}/publish/{version}")

    assert words in text_of(page)
    assert form_of(page).button == ""


def breaking(team: Team) -> str:
    """Save a version that needs an input which nobody sends; return its number."""
    served = team.send("POST", "/v2/deployments/get_config", {"key": "bot"}, team.key("shop-web"))
    assert served.status == 200
    return save(team, "Dear {{name}}", variables=[{"key": "name"}])


def test_a_breaking_change_names_the_api_keys_and_is_published_only_with_the_box(team: Team) -> None:
    version, browser = breaking(team), sign_in(team)
    page = browser.get(f"{KEY}/publish/{version}")

    refused = send(browser, f"{KEY}/publish/{version}", reason="the shop sends it")
    published = send(browser, f"{KEY}/publish/{version}", allow_breaking="true")

    assert "This breaks 1 API key" in text_of(page)
    assert "shop-web never sent name" in text_of(page)
    assert "Publish it although it breaks shop-web" in text_of(page)
    assert form_of(page).boxes == {"allow_breaking"}
    assert refused.status == 409
    assert form_of(refused).values["reason"] == "the shop sends it"
    assert published.status == 303
    assert team.history("bot")[0]["breaking"] == ["variables.name"]


def test_the_warnings_about_a_version_are_shown_before_it_is_published(team: Team) -> None:
    variables = [{"key": "customer", "value": "you"}]
    version = save(team, "Dear {{customer}}, or {{custommer}}", variables=variables)

    page = text_of(sign_in(team).get(f"{KEY}/publish/{version}"))

    assert "1 warning" in page
    assert "prompt_config.messages[0].content" in page
    assert "custommer" in page.partition("1 warning")[2]


def test_somebody_who_may_not_publish_sees_the_same_warnings(team: Team) -> None:
    variables = [{"key": "customer", "value": "you"}]
    body = with_text("Dear {{customer}}, or {{custommer}}")["prompt_config"]
    saved = {"prompt_config": {**body, "integration_id": "missing"}, "variables": variables}
    response = team.send("POST", "/v2/deployments/bot/versions", saved)
    assert response.status == 201, response.body
    version = response.json["version"]

    own = sign_in(team).get(f"{KEY}/publish/{version}")
    other = sign_in(team, team.project.key(Scope.READ)[1]).get(f"{KEY}/publish/{version}")

    assert "Your API key cannot publish in production" in text_of(other)
    assert warnings(other) == warnings(own)
    assert "custommer" in warnings(other)
    assert "there is no integration" in warnings(other)


def test_a_reason_that_was_typed_stays_on_the_page_if_the_key_may_not_publish(team: Team) -> None:
    reader = sign_in(team, team.project.key(Scope.READ)[1])

    refused = reader.post(f"{KEY}/publish/1.2", {"reason": "agreed with sales", "etag": '"0-0"'})

    assert refused.status in (403, 412)
    assert "agreed with sales" in text_of(refused)
    assert team.project.request("GET", KEY.replace("/console", "/v2")).json["version"] == "1.1"


def warnings(page: Response) -> str:
    """Return the part of a page with the warnings about a version."""
    return page.body.decode().partition("note sand")[2].partition("</section>")[0]


def test_a_deployment_of_a_file_shows_the_patch_and_is_taken_over_only_with_the_box(team: Team) -> None:
    managed = team.send("PUT", "/v2/deployments/bot?file=prompts/bot.yaml&take_ownership=true", with_text("two"))
    assert managed.status == 200
    browser = sign_in(team)
    page = browser.get(f"{KEY}/publish/1.2")

    refused = send(browser, f"{KEY}/publish/1.2")
    taken_over = send(browser, f"{KEY}/publish/1.2", take_ownership="true")

    assert "Managed by prompts/bot.yaml" in text_of(page)
    assert "--- a/prompts/bot.yaml +++ b/prompts/bot.yaml" in text_of(page)
    assert "- content: two + content: three" in re.sub(r"\s+", " ", text_of(page))
    assert form_of(page).boxes == {"take_ownership"}
    assert refused.status == 409
    assert taken_over.status == 303
    assert live(team) == "1.2"


def test_an_api_key_that_cannot_publish_gets_the_difference_and_the_scope_that_is_missing(team: Team) -> None:
    browser = sign_in(team, team.key("writer", [Scope.READ, Scope.WRITE]))
    page = browser.get(f"{KEY}/publish/1.2")

    refused = browser.post(f"{KEY}/publish/1.2", {"etag": "", "reason": "please"})

    assert "before: two → after: three" in text_of(page)
    assert "Your API key cannot publish in production" in text_of(page)
    assert "deployments:publish" in text_of(page)
    assert form_of(page).button == ""
    assert refused.status in (403, 412)
    assert live(team) == "1.1"


def test_who_was_slower_sees_both_changes_and_keeps_what_was_typed(team: Team) -> None:
    anna, bruno = sign_in(team), sign_in(team, team.key("bruno"))
    fourth = save(team, "four")
    form = form_of(anna.get(f"{KEY}/publish/1.2"))
    assert send(bruno, f"{KEY}/publish/{fourth}", reason="urgent").status == 303

    refused = anna.post(form.action, form.values | {"reason": "mine"})
    page = text_of(refused)

    assert refused.status == 412
    assert "bruno was faster: nothing was changed." in page
    assert f"bruno published {fourth}" in page
    assert "urgent" in page
    assert f"{fourth} is live now; your page showed 1.1." in page
    assert "Both changed prompt_config.messages[0].content : 1.2 replaces their text." in page
    assert "Their change : 1.1 to 1.3" in page
    assert "Your change : 1.1 to 1.2" in page
    assert form_of(refused).values["reason"] == "mine"
    assert live(team) == fourth
    assert anna.post(form.action, form_of(refused).values).status == 303
    assert live(team) == "1.2"


def test_boxes_are_not_ticked_again_after_somebody_was_faster(team: Team) -> None:
    version, browser = breaking(team), sign_in(team)
    form = form_of(browser.get(f"{KEY}/publish/{version}"))
    assert team.publish("bot", "1.2").status == 200

    refused = browser.post(form.action, form.values | {"allow_breaking": "true"})

    assert refused.status == 412
    assert "allow_breaking" not in form_of(refused).values


def test_a_reason_that_is_too_long_is_refused_and_kept(team: Team) -> None:
    refused = send(sign_in(team), f"{KEY}/publish/1.2", reason="x" * 10_001)

    assert refused.status == 400
    assert 'href="#field-reason"' in refused.body.decode()
    assert form_of(refused).values["reason"] == "x" * 10_001


def test_where_approvals_are_required_the_button_proposes(team: Team) -> None:
    team.create("production", required_approvals=1)
    browser = sign_in(team)
    page = browser.get(f"{KEY}/publish/1.2")

    response = send(browser, f"{KEY}/publish/1.2", reason="tested")

    assert form_of(page).button == "Propose 1.2"
    assert b'"button rust"' not in page.body, "it changes nothing that applications get"
    assert response.status == 303
    assert re.fullmatch(r"/console/proposals/[0-9a-f-]+\?done=proposed", response.headers["location"])
    assert team.send("GET", "/v2/proposals").json["data"][0]["reason"] == "tested"
    assert live(team) == "1.1"
    assert "This change is proposed already" in text_of(browser.get(f"{KEY}/publish/1.2"))


def test_an_emergency_needs_the_scope_the_box_and_a_reason(team: Team) -> None:
    team.create("production", required_approvals=1)
    browser = sign_in(team)

    without_reason = send(browser, f"{KEY}/publish/1.2", emergency="true")
    published = send(browser, f"{KEY}/publish/1.2", emergency="true", reason="all is down")

    assert form_of(sign_in(team, team.person).get(f"{KEY}/publish/1.2")).boxes == set()
    assert without_reason.status == 400
    assert form_of(without_reason).values["emergency"] == "true"
    assert published.status == 303
    assert team.history("bot")[0]["emergency"] is True


def test_the_first_version_in_an_environment_is_reviewed_and_published_there(team: Team) -> None:
    team.create("staging")
    team.send("PUT", "/v2/deployments/fresh?draft=true", with_text("new"))
    browser = sign_in(team)
    path = "/console/deployments/fresh/publish/1.0"

    page = browser.get(path)
    response = send(browser, path)

    assert "after: openai/my-gpt" in text_of(page)
    assert response.status == 303
    assert "1.0 is live in production." in text_of(browser.get(response.headers["location"]))


def test_a_first_publication_that_somebody_else_made_is_not_overwritten(team: Team) -> None:
    team.send("PUT", "/v2/deployments/fresh?draft=true", with_text("new"))
    browser = sign_in(team)
    form = form_of(browser.get("/console/deployments/fresh/publish/1.0"))
    assert team.put("fresh", "other").status == 200

    refused = browser.post(form.action, form.values)

    assert refused.status == 412
    assert "admin was faster" in text_of(refused)
    assert team.version("fresh") == "1.1"


def test_publishing_in_another_environment_leaves_production_alone(team: Team) -> None:
    team.create("staging")
    browser = sign_in(team)

    response = send(browser, f"{KEY}/publish/1.2?environment=staging")

    assert response.status == 303
    assert "environment=staging" in response.headers["location"]
    assert (live(team), live(team, "staging")) == ("1.1", "1.2")


def test_an_undo_shows_what_it_reverts_and_what_is_live_afterwards(team: Team) -> None:
    browser = sign_in(team)
    page = browser.get(f"{KEY}/undo")

    response = send(browser, f"{KEY}/undo", reason="complaints")

    assert "Undo: 1.0 is live again in production" in text_of(page)
    assert "This reverts: admin published 1.1" in text_of(page)
    assert form_of(page).button == "Undo to 1.0"
    assert "The last change is undone: 1.0 is live in production again." in text_of(
        browser.get(response.headers["location"])
    )
    assert (live(team), team.history("bot")[0]["reason"]) == ("1.0", "complaints")


def test_an_undo_says_what_it_breaks_and_is_not_refused(team: Team) -> None:
    version = save(team, "Dear {{name}}", variables=[{"key": "name"}])
    browser = sign_in(team)
    assert send(browser, f"{KEY}/publish/{version}", allow_breaking="true").status == 303

    page = browser.get(f"{KEY}/undo")

    assert "This is a breaking change" in text_of(page)
    assert form_of(page).boxes == set()
    assert send(browser, f"{KEY}/undo").status == 303
    assert live(team) == "1.1"


def test_the_first_version_cannot_be_undone(team: Team) -> None:
    team.put("fresh", "one")

    page = sign_in(team).get("/console/deployments/fresh/undo")

    assert "There is nothing to undo" in text_of(page)
    assert form_of(page).button == ""


def test_an_undo_after_another_change_is_refused_with_that_change(team: Team) -> None:
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/undo"))
    assert team.publish("bot", "1.2", token=team.key("bruno")).status == 200

    refused = browser.post(form.action, form.values | {"reason": "mine"})

    assert refused.status == 412
    assert "bruno was faster" in text_of(refused)
    assert (live(team), form_of(refused).values["reason"]) == ("1.2", "mine")


def test_the_first_version_of_an_environment_is_undone_to_that_of_production(team: Team) -> None:
    team.create("staging")
    assert team.publish("bot", "1.2", "staging").status == 200
    browser = sign_in(team)
    path = f"{KEY}/undo?environment=staging"

    page, response = browser.get(path), send(browser, path)

    assert "Follow production again in staging" in text_of(page)
    assert "bot follows production in staging again: 1.1 is live." in text_of(browser.get(response.headers["location"]))
    assert live(team, "staging") == "1.1 follows"


@pytest.mark.parametrize("required_approvals", [0, 1])
def test_a_deployment_follows_production_again(required_approvals: int, team: Team) -> None:
    team.create("staging", required_approvals=required_approvals)
    for version in ("1.0", "1.2"):
        path = f"/v2/deployments/bot/versions/{version}/publish?environment=staging&emergency=true"
        assert team.send("POST", path, {"reason": "all is down"}).status == 200
    browser = sign_in(team)
    path = f"{KEY}/unpublish?environment=staging"

    page, response = browser.get(path), send(browser, path)

    assert "Follow production again in staging" in text_of(page)
    assert "before: three → after: two" in text_of(page)
    assert response.status == 303
    assert live(team, "staging") == ("1.2" if required_approvals else "1.1 follows")


@pytest.mark.parametrize("kind", ["unpublish", "undo"])
def test_what_follows_production_is_what_was_seen_although_production_changed(kind: str, team: Team) -> None:
    team.create("staging")
    assert team.publish("bot", "1.0", "staging").status == 200
    browser = sign_in(team)
    form = form_of(browser.get(f"{KEY}/{kind}?environment=staging"))
    assert team.publish("bot", "1.2", token=team.key("bruno")).status == 200

    refused = browser.post(form.action, form.values | {"reason": "mine"})

    assert refused.status == 412
    assert "bruno was faster: nothing was changed." in text_of(refused)
    assert "bruno published 1.2" in text_of(refused)
    assert form_of(refused).values["reason"] == "mine"
    assert live(team, "staging") == "1.0"
    assert browser.post(form.action, form_of(refused).values).status == 303
    assert live(team, "staging") == "1.2 follows"


def test_the_name_of_an_environment_leads_to_the_number_of_its_version(team: Team) -> None:
    team.create("staging")
    assert team.publish("bot", "1.2", "staging").status == 200
    browser = sign_in(team)

    response = browser.get(f"{KEY}/publish/staging?layout=one")

    assert response.headers["location"] == f"{KEY}/publish/1.2?layout=one"


def test_production_follows_nothing(team: Team) -> None:
    page = sign_in(team).get(f"{KEY}/unpublish")

    assert form_of(page).button == ""
    assert "production" in text_of(page)


def test_a_deployment_that_follows_already_has_no_button(team: Team) -> None:
    team.create("staging")

    page = sign_in(team).get(f"{KEY}/unpublish?environment=staging")

    assert "It follows production already." in text_of(page)
    assert form_of(page).button == ""


def test_a_deleted_or_unknown_version_is_404(team: Team) -> None:
    browser = sign_in(team)
    assert team.send("DELETE", "/v2/deployments/bot/versions/1.2").status == 200

    assert browser.get(f"{KEY}/publish/1.2").status == 404
    assert browser.get(f"{KEY}/publish/9.9").status == 404
    assert browser.get("/console/deployments/missing/publish/1.0").status == 404


def test_the_review_leads_to_a_try_of_both_versions(team: Team) -> None:
    browser = sign_in(team)

    found = links(browser.get(f"{KEY}/publish/1.2"))

    assert f"{KEY}/try?version=1.2&against=live" in found
    assert browser.get(f"{KEY}/try?version=1.2&against=live").status == 200
    assert not [link for link in links(browser.get(f"{KEY}/undo")) if "against" in link]


@pytest.mark.parametrize("layout", ["split", "one"])
def test_equal_lines_are_unfolded_on_the_page_so_that_a_typed_reason_stays(team: Team, layout: str) -> None:
    lines = "\n".join(f"line {number}" for number in range(20))
    assert team.put("bot", f"{lines}\nold").status == 200
    version = save(team, f"{lines}\nnew")

    page = sign_in(team).get(f"{KEY}/publish/{version}?layout={layout}").body.decode()

    summary, _, rest = page.partition("<summary>18 equal lines</summary>")
    assert summary.endswith("<details>")
    assert "line 3" in rest.partition("</details>")[0]
    assert "equal lines</a>" not in page


def test_another_layout_keeps_the_typed_reason_and_the_boxes_and_publishes_nothing(team: Team) -> None:
    assert team.put("bot", "Hello\nold").status == 200
    version = save(team, "Hello\nnew")
    browser, path = sign_in(team), f"{KEY}/publish/{version}"
    assert '<table class="diff sbs">' in browser.get(path).body.decode()

    page = browser.post(path, {"layout": "one", "reason": "Because <it> rains", "emergency": "true"})

    assert page.status == 200
    shown = page.body.decode()
    assert "Because &lt;it&gt; rains</textarea>" in shown
    assert '<table class="diff sbs">' not in shown
    assert 'value="one" aria-current="true"' in shown
    assert f"Publish {version}" in text_of(page)
    assert team.project.request("GET", KEY.replace("/console", "/v2")).json["version"] != version
