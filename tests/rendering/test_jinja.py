"""Jinja templates: features, errors, and the processes that render them."""

import asyncio
import os
import re
import resource
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.core.errors.templates import (
    InvalidTemplate,
    JinjaNotInstalled,
    MissingInputs,
    OutputTooLarge,
    RendererBusy,
    TemplateError,
    TemplateLimitExceeded,
)
from moorage.core.templates.output import MAX_OUTPUT
from moorage.core.templates.template import render
from moorage.rendering import jinja as jinja_module
from moorage.rendering.jinja import Jinja
from moorage.rendering.jinja_environment import PromptEnvironment
from moorage.rendering.jinja_worker import MAX_MEMORY
from tests.rendering.conftest import PATIENT, render_text
from tests.support.json_values import NAMES, VALUES
from tests.support.limited import run_limited
from tests.support.threads import until


def processes() -> set[int]:
    """Return the child processes of this process."""
    return {
        int(child) for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()
    }


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hi {{ name }}\n", "Hi Ada\n"),
        ("{{ customer.name }} {{ customer['tags'][1] }} {{ customer.tags.0 }}", "Grace b a"),
        ("{{ order.items }}", "[1,2]"),
        ("{% for key, value in customer.items() %}{{ key }}={{ value }};{% endfor %}", 'name=Grace;tags=["a","b"];'),
        ("{% if vip %}{{ 'yes' }}{% else %}no{% endif %}", "yes"),
        ("{% for tag in customer.tags %}{{ loop.index }}{{ tag }}{{ ', ' if not loop.last }}{% endfor %}", "1a, 2b"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice(name) }}", "AdaAda"),
        ("{% set ns = namespace(n=0) %}{% for x in [1, 2] %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}", "3"),
        ("{{ name|upper }} {{ [3, 1]|sort|join(',') }} {{ 'x'|default('y') }} {{ zzz|default('y') }}", "ADA 1,3 x y"),
        ("{{ '%05.1f'|format(3.14159) }} {{ '{:,}'.format(1234567) }}", "003.1 1,234,567"),
        ("{{ true }} {{ none }} {{ 1.0 }} {{ [1, {'a': none}] }}", 'true  1.0 [1,{"a":null}]'),
        ("{{ quote }} {{ quote|e }} {{ quote|tojson }}", '<"&> &lt;&#34;&amp;&gt; "<\\"&>"'),
        ("{# nothing #}{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
        ("{{ '\\u00e9\\n' }}", "é\n"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_template_has_the_expected_output(jinja: Jinja, template: str, expected: str) -> None:
    inputs = {
        "name": "Ada", "customer": {"name": "Grace", "tags": ["a", "b"]}, "order": {"items": [1, 2]}, "vip": True,
        "quote": '<"&>',
    }  # fmt: skip
    rendered = jinja.render_now([template], inputs, "error")[0]
    assert rendered.text == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ value }}", "{{ value|string }}", "{{ '' ~ value }}", "{{ [value]|join }}", "{{ 'a'|replace('a', value) }}",
        "{{ '%s'|format(value) }}", "{{ '%s' % value }}", "{{ '%s' % (value,) }}", "{{ '%(v)s' % {'v': value} }}",
        "{{ '{}'.format(value) }}", "{{ '{v!s}'.format(v=value) }}", "{{ '{v}'.format_map({'v': value}) }}",
        "{{ value|trim }}", "{{ value|indent }}", "{{ value|safe }}", "{{ value|replace('@', '#') }}",
        "{{ [{'v': value}]|join(attribute='v') }}", "{{ [value]|map('string')|first }}", "{{ value|truncate(999) }}",
        "{% set x %}{{ value }}{% endset %}{{ x }}", "{% macro m(v) %}{{ v }}{% endmacro %}{{ m(value) }}",
        "{% filter trim %}{{ value }}{% endfilter %}", "{{ (value|safe) + '' }}", "{{ '{0[0]}'.format([value]) }}",
        "{{ {'v': value}|items|first|last }}", "{{ value|wordwrap(999) }}", "{{ value|center(0) }}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [True, False, None, {"b": 1, "a": "<é&'>"}, [True, None, 1.0, "x"], "<'&>", 3, 1.5])
def test_a_value_has_the_same_text_wherever_it_becomes_text(jinja: Jinja, template: str, value: Any) -> None:
    expected = render("text", "{{value}}", {"value": value}, "empty").text

    assert render_text(jinja, template, {"value": value}) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ v|tojson }}", '{"b":true,"a":["<é>",null]}'),
        ("{{ v.a[0]|tojson }}", '"<é>"'),
        ("{{ v|tojson(indent=1) }}", '{\n "b": true,\n "a": [\n  "<é>",\n  null\n ]\n}'),
        ("{{ v.a|pprint }}", '[\n  "<é>",\n  null\n]'),
        ("{{ '{!r}'.format(v.a) }}", '["<é>",null]'),
        ("{{ (v|tojson) + '<' }}", '{"b":true,"a":["<é>",null]}<'),
        ("{{ v.a[0]|e + '<' }}", "&lt;é&gt;<"),
        ("{{ v|string|upper }}", '{"B":TRUE,"A":["<É>",NULL]}'),
        ("{{ v.b|upper }}", "TRUE"),
        ("{{ {'x': v.b, 'y': v.a[1]}|urlencode }}", "x=true&y="),
        ("{{ {'x': v.b, 'y': 1}|xmlattr }}", ' x="true" y="1"'),
        ("{{ '%d %05.1f %x' % (3, 2.5, 255) }} {{ '{:,} {:>4}'.format(1000, true) }}", "3 002.5 ff 1,000 true"),
    ],
)
def test_json_is_not_escaped_and_in_its_order(jinja: Jinja, template: str, expected: str) -> None:
    assert render_text(jinja, template, {"v": {"b": True, "a": ["<é>", None]}}) == expected


@settings(max_examples=50, deadline=None)
@given(NAMES, VALUES, st.text("ab é.\n", max_size=5))
def test_all_engines_insert_the_same_text(jinja: Jinja, name: str, value: Any, around: str) -> None:
    template = f"{around}{{{{{name}}}}}{around}"
    expected = render("text", template, {name: value}, "empty").text
    assert render("mustache", template, {name: value}, "empty").text == expected
    assert render_text(jinja, template, {name: value}) == expected


def test_values_are_not_rendered_as_templates(jinja: Jinja) -> None:
    value = "{{ 1 + 1 }}{% raw %}{# x #}"
    assert render_text(jinja, "{{ a }}{{ b[0] }}", {"a": value, "b": [value]}) == value * 2


@pytest.mark.parametrize("name", sorted(PromptEnvironment().filters))
def test_every_filter_works_without_files(jinja: Jinja, name: str) -> None:
    errors = []
    for value in ("'one two'", "['one', 'two']", "{'one': 2}", "3", "'http://example.org two'"):
        for arguments in ("", "(2)", "('one')", "('one', 'two')"):
            try:
                render_text(jinja, f"{{{{ ({value}|{name}{arguments})|string }}}}")
            except TemplateError as error:
                errors.append(str(error))
    assert not [error for error in errors if re.search("Errno|OSError|Import|encoding|Module", error)]


def test_no_filter_and_no_function_is_random() -> None:
    environment = PromptEnvironment()
    assert "random" not in environment.filters
    assert "lipsum" not in environment.globals


def test_missing_names_are_reported(jinja: Jinja) -> None:
    template = (
        "{{ a }}{{ b.c }}{% if d %}{% endif %}{% for e in f %}{% endfor %}{{ g|default('') }}{{ h|upper }}{{ a }}"
    )
    assert jinja.render_now([template], {}, "empty")[0].missing == ["a", "b.c", "f", "h"]
    assert jinja.render_now(["{{ a }} {{b.c}}", "{{ a|upper }}"], {}, "keep")[0].text == "{{ a }} {{ b.c }}"
    with pytest.raises(MissingInputs, match=r": a, b\.c, f, h, z\."):
        jinja.render_now([template, "{{ z }}"], {}, "error")


def test_templates_do_not_share_variables(jinja: Jinja) -> None:
    found = jinja.render_now(["{% set x = 1 %}{{ a }}{{ x }}", "{{ b }}{{ x }}", "none"], {}, "empty")
    assert [(rendered.text, rendered.missing) for rendered in found] == [("1", ["a"]), ("", ["b", "x"]), ("none", [])]


def test_names_are_the_undefined_names_of_a_template(jinja: Jinja) -> None:
    templates = [
        "{% for x in rows %}{{ x.a }}{{ customer.name }}{{ range(2)|list }}{% endfor %}{% set y = z %}{{ y }}",
        "no",
    ]
    assert jinja.names_now(templates) == [["customer", "rows", "z"], []]
    with pytest.raises(InvalidTemplate):
        jinja.names_now(["{% if %}"])


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("a\n{% if %}", "line 2"),
        ("{{ a", "line 1"),
        ("{% for %}", "line 1"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ none.x.y + 1 }}", "'x.y' is undefined"),
        ("{{ unknown + 1 }}", "'unknown' is undefined"),
        ("{{ 'a'|nosuch }}", "nosuch"),
        ("{{ range }}", "a function is not a text"),
        ("{{ [1]|map('string') }}", "a generator is not a text"),
        ("{{ '\\ud800' }}", "surrogates not allowed"),
    ],
)
def test_the_error_of_a_template_has_the_reason(jinja: Jinja, template: str, reason: str) -> None:
    with pytest.raises(InvalidTemplate) as error:
        render_text(jinja, template)
    assert reason in str(error.value)
    assert error.value.code == "invalid_template"


#: A limit that no template causes, in seconds of processor time.
MARK = 10_000

ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


def test_a_process_is_killed_at_its_own_limit_of_time() -> None:
    with closing(Jinja(workers=1, seconds=PATIENT)) as jinja, pytest.raises(TemplateLimitExceeded, match="was killed"):
        render_text(jinja, ENDLESS)


def soft_limit(pid: int) -> int:
    """Return the soft limit of a process, in seconds of processor time."""
    return resource.prlimit(pid, resource.RLIMIT_CPU)[0]


def test_other_templates_are_rendered_while_a_bomb_runs() -> None:
    before = processes()

    async def all_together(jinja: Jinja) -> list[str]:
        # Start both processes first.
        await asyncio.gather(*[jinja.names(["{{ a }}"]) for _ in range(20)])
        workers = processes() - before
        assert len(workers) == 2
        hard = {pid: resource.prlimit(pid, resource.RLIMIT_CPU)[1] for pid in workers}
        for pid in workers:
            resource.prlimit(pid, resource.RLIMIT_CPU, (MARK, hard[pid]))

        bomb = asyncio.ensure_future(jinja.render([ENDLESS], {}, "empty"))
        await asyncio.to_thread(until, lambda: any(soft_limit(pid) != MARK for pid in workers))
        (bombed,) = (pid for pid in workers if soft_limit(pid) != MARK)
        resource.prlimit(bombed, resource.RLIMIT_CPU, (MARK, hard[bombed]))  # runs until the others are rendered

        rendered = [await jinja.render(["Hi {{ n }}"], {"n": number}, "empty") for number in range(20)]
        assert not bomb.done()
        os.kill(bombed, signal.SIGKILL)
        with pytest.raises(TemplateLimitExceeded):
            await bomb
        return [texts[0].text for texts in rendered]

    with closing(Jinja(workers=2, seconds=PATIENT)) as jinja:
        assert asyncio.run(all_together(jinja)) == [f"Hi {number}" for number in range(20)]


def test_a_request_that_waits_too_long_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jinja_module, "_MAX_WAIT", -1.0)
    with closing(Jinja(workers=1, seconds=PATIENT)) as jinja:
        with pytest.raises(RendererBusy, match="Retry"):
            render_text(jinja, "a")
        monkeypatch.undo()
        assert render_text(jinja, "a") == "a"


def test_a_killed_process_is_replaced_and_no_process_remains() -> None:
    before = processes()
    with closing(Jinja(workers=1, seconds=PATIENT)) as jinja:
        assert processes() == before
        render_text(jinja, "a")
        (first,) = processes() - before
        with pytest.raises(TemplateLimitExceeded):
            render_text(jinja, "{{ 'a' * 10**9 }}")
        (second,) = processes() - before
        assert second != first
        os.kill(second, signal.SIGKILL)
        os.waitid(os.P_PID, second, os.WEXITED | os.WNOWAIT)
        assert render_text(jinja, "b") == "b"
        (third,) = processes() - before
        assert third != second
    assert processes() == before


def test_the_process_has_only_its_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORAGE_SECRET", "secret")
    before = processes()
    with Path("/etc/hostname").open() as _, closing(Jinja(workers=1, seconds=PATIENT)) as jinja:
        render_text(jinja, "a")
        (pid,) = processes() - before
        process = Path(f"/proc/{pid}")
        assert "secret" not in (process / "environ").read_text()
        assert {descriptor.name for descriptor in (process / "fd").iterdir()} == {"0", "1", "2"}
        assert (process / "cwd").readlink() == Path("/")
        limits = {line[:26].strip(): line[26:].split()[:2] for line in (process / "limits").read_text().splitlines()}
        assert limits["Max address space"] == [str(MAX_MEMORY)] * 2
        for limit in ("Max open files", "Max processes", "Max file size", "Max core file size"):
            assert limits[limit] == ["0", "0"]
        assert limits["Max cpu time"][0] != "unlimited"


def test_several_templates_share_the_budget(jinja: Jinja) -> None:
    half = "x" * (MAX_OUTPUT // 2)
    assert [rendered.text for rendered in jinja.render_now(["{{ a }}", "{{ a }}"], {"a": half}, "empty")] == [half] * 2
    with pytest.raises(OutputTooLarge):
        jinja.render_now(["{{ a }}", "{{ a }}x"], {"a": half}, "empty")
    with pytest.raises(OutputTooLarge):
        jinja.render_now(["abc"], {}, "empty", budget=2)


def test_a_text_that_is_longer_as_json_is_returned(jinja: Jinja) -> None:
    assert render_text(jinja, "{{ '\\x01' * n }}", {"n": MAX_OUTPUT}) == "\x01" * MAX_OUTPUT


def test_only_the_rendering_process_imports_jinja2() -> None:
    source = Path(jinja_module.__file__).parents[1]
    users = {file.name for file in source.rglob("*.py") if re.search(r"(import|from) jinja2", file.read_text())}
    users.remove("templating.py")  # the pages of the console, which are templates of the program itself
    assert users == {"jinja_checks.py", "jinja_environment.py", "jinja_text.py", "jinja_worker.py"}
    loaded = "import moorage.rendering.jinja\nassert 'jinja2' not in sys.modules"
    assert run_limited(loaded, cpu_seconds=20, memory=4 * MAX_MEMORY).returncode == 0


def test_the_error_without_jinja2_has_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(JinjaNotInstalled, match=r"pip install 'moorage\[jinja\]'"):
        Jinja()
