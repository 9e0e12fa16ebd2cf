"""The snippets of "Use it" run as they are: in a shell, and with the installed SDKs."""

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.console import Browser, text_of
from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.server import Project, Server, SharedServer, clean_environment
from tests.support.vendors import all_vendors
from tests.support.vendors.server import VendorServer

pytestmark = pytest.mark.system

#: Quotes, backslashes, commands and braces of every language of the snippets.
HOSTILE = 'it\'s "$(touch owned)" `touch owned` \\ $HOME {x} %s \u202e é'


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return a project that can call the fakes of all vendors."""
    folder = tmp_path_factory.mktemp("use-it")
    with VendorServer(all_vendors()) as vendors, SharedServer(folder, prefix=ALLOW_LOOPBACK) as server:
        yield Gateway(server, vendors)


@pytest.fixture
def browser(gateway: Gateway) -> Browser:
    return Browser(gateway.project).sign_in()


def config(gateway: Gateway, text: str) -> dict[str, Any]:
    model = gateway.vendors.vendors["openai"].model("chat")
    messages = [{"role": "system", "content": text}]
    return {"model": f"openai/{model}", "model_type": "chat", "provider": "openai", "messages": messages}


def deploy(gateway: Gateway, key: str, **fields: Any) -> None:
    """Create a deployment that needs an input, and has a rule whose context has hostile texts."""
    body = {
        "prompt_config": config(gateway, "For {{customer}}"), "variables": [{"key": "customer"}],
        "variants": [{"name": "other", "prompt_config": config(gateway, "Other {{name}}")}],
        "routing": [
            {"when": {HOSTILE: {"eq": HOSTILE}, "visits": {"gt": 3}}, "variant": "other"},
            {"split": {"by": "user_id", "percent": 10}, "variant": "other"},
        ],
    }  # fmt: skip
    response = gateway.project.put(key, body | fields)
    assert response.status == 201, response.body


def snippet(browser: Browser, path: str, name: str) -> str:
    """Return the text of a snippet, as its copy button does."""
    page = browser.get(path).body.decode()
    found = re.search(rf'<pre id="{name}-text"[^>]*>\n(.*?)</pre>', page, re.DOTALL)
    assert found is not None, page
    return html.unescape(found[1])


def run(text: str, project: Project, folder: Path, *, is_python: bool) -> str:
    """Run a snippet with the API key of the project, and return its output."""
    command = [sys.executable, "-W", "ignore", "-c", text] if is_python else ["sh", "-ec", text]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = clean_environment(MOORAGE_API_KEY=project.token, PATH=path)
    done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    assert [file.name for file in folder.iterdir() if file.name == "owned"] == [], "a text ran as a command"
    return done.stdout


PROGRAMS = {"get-config": False, "invoke": False, "orq": True, "openai": True, "client": True}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("rule", ["", "1", "2"])
def test_a_program_runs_as_it_is_and_gets_the_variant_of_the_rule(
    name: str, rule: str, gateway: Gateway, browser: Browser, tmp_path: Path
) -> None:
    key = f"{name}-{rule or 0}".replace("-", "_")
    deploy(gateway, key)

    text = snippet(browser, f"/console/deployments/{key}/use?rule={rule}", name)
    output = run(text, gateway.project, tmp_path, is_python=PROGRAMS[name])

    if name in ("get-config", "orq", "client"):
        assert ("Other <name>" if rule else "For <customer>") in output
    else:
        assert "You said: Hello" in output
        used = gateway.project.request("GET", f"/v2/deployments/{key}/callers").json["data"]
        assert used[0]["inputs"] == (["name"] if rule else ["customer"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_an_environment_names_it(name: str, gateway: Gateway, browser: Browser, tmp_path: Path) -> None:
    project, key = gateway.project, f"in_qa_{name}".replace("-", "_")
    admin = {"Authorization": f"Bearer {project.key(*Scope)[1]}"}
    project.request("PUT", "/v2/environments/qa", b"{}", admin)
    deploy(gateway, key)
    body = {"prompt_config": config(gateway, "In QA"), "variables": [], "variants": [], "routing": []}
    response = project.put(key, body, "?environment=qa&allow_breaking=true")
    assert response.status in (200, 201), response.body

    text = snippet(browser, f"/console/deployments/{key}/use?environment=qa", name)
    output = run(text, gateway.project, tmp_path, is_python=PROGRAMS[name])

    assert ("In QA" if name in ("get-config", "orq", "client") else "You said: Hello") in output
    used = project.request("GET", f"/v2/deployments/{key}/callers?environment=qa").json["data"]
    assert [caller["versions"] for caller in used] == [["1.1"]]


def test_the_lockfile_command_writes_a_lockfile(gateway: Gateway, browser: Browser, tmp_path: Path) -> None:
    deploy(gateway, "locked")

    text = snippet(browser, "/console/deployments/locked/use", "lock")
    run(text, gateway.project, tmp_path, is_python=False)

    lockfile = json.loads((tmp_path / "deployments.lock.json").read_text())
    assert "locked" in [each["key"] for each in lockfile["deployments"]]


def test_no_snippet_has_an_api_key(gateway: Gateway, browser: Browser) -> None:
    deploy(gateway, "secretless")

    page = browser.get("/console/deployments/secretless/use").body.decode()

    assert page.count("$MOORAGE_API_KEY") == 2
    assert "mrg_" not in page


@pytest.mark.parametrize("host", ["moorage.example", "10.0.0.7:8080", "[fe80::1]:8700"])
def test_the_address_is_that_of_the_browser(host: str, gateway: Gateway, browser: Browser) -> None:
    text = _with_host(gateway, browser, "hosted", host)

    assert f"http://{host}/v2/deployments/get_config" in text


def test_behind_a_proxy_that_ends_tls_the_address_begins_with_https(gateway: Gateway) -> None:
    browser = Browser(gateway.project)
    browser.post("/console/sign-in", {"token": gateway.project.token}, Origin="https://moorage.example")

    assert "https://moorage.example/v2/" in _with_host(gateway, browser, "proxied", "moorage.example")


def _with_host(gateway: Gateway, browser: Browser, key: str, host: str) -> str:
    if gateway.project.get(key).status == 404:
        deploy(gateway, key)
    return text_of(browser.get(f"/console/deployments/{key}/use", Host=host))


def test_a_rule_that_no_request_reaches_has_no_example(gateway: Gateway, browser: Browser) -> None:
    routing = [
        {"when": {"country": {"exists": True}}, "variant": "other"},
        {"when": {"country": {"eq": "NLD"}}, "variant": "other"},
    ]
    deploy(gateway, "unreached", routing=routing)

    assert "No example of a context was found for rule 2." in text_of(
        browser.get("/console/deployments/unreached/use?rule=2")
    )


def test_a_model_that_takes_no_messages_has_no_program_that_sends_some(gateway: Gateway, browser: Browser) -> None:
    prompt = {"model": "openai/text-embedding-3-small", "model_type": "embedding", "provider": "openai", "messages": []}
    deploy(gateway, "embedding", prompt_config=prompt)

    page = browser.get("/console/deployments/embedding/use").body.decode()
    of_rule = browser.get("/console/deployments/embedding/use?rule=1").body.decode()

    assert 'id="get-config-text"' in page
    assert 'id="invoke-text"' not in page
    assert 'id="openai-text"' not in page
    assert 'id="openai-text"' in of_rule, "its variant is a chat"


def test_the_client_of_jinja_templates_enables_them(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    with Server(tmp_path_factory.mktemp("jinja"), "--jinja", "true") as server:
        project = server.new_project()
        messages = [{"role": "system", "content": "{% if customer %}For {{ customer }}{% endif %}"}]
        prompt = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai", "messages": messages}
        body = {"prompt_config": prompt, "variables": [{"key": "customer"}], "settings": {"engine": "jinja"}}
        assert project.put("jinja", body).status == 201

        text = snippet(Browser(project).sign_in(), "/console/deployments/jinja/use", "client")

        assert "For <customer>" in run(text, project, tmp_path, is_python=True)


@pytest.mark.parametrize("rule", ["99", "-1", "x", "٣", "1e9"])
def test_a_rule_that_does_not_exist_is_the_default(rule: str, gateway: Gateway, browser: Browser) -> None:
    if gateway.project.get("of_rules").status == 404:
        deploy(gateway, "of_rules")

    assert "Variant default" in text_of(browser.get(f"/console/deployments/of_rules/use?rule={rule}"))


def test_the_page_is_no_use_of_the_deployment(gateway: Gateway, browser: Browser) -> None:
    deploy(gateway, "unused")

    browser.get("/console/deployments/unused/use?rule=1")

    assert gateway.project.request("GET", "/v2/deployments/unused/callers").json["data"] == []
