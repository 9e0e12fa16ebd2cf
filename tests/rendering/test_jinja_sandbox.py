"""The sandbox and the limits of jinja templates: each escape and each bomb is rejected."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from moorage.core.errors.templates import (
    InvalidTemplate,
    OutputTooLarge,
    TemplateError,
    TemplateLimitExceeded,
    TemplateNotAllowed,
)
from moorage.rendering.jinja import Jinja
from moorage.rendering.jinja_worker import MAX_MEMORY
from tests.rendering.conftest import PATIENT, render_text
from tests.support.limited import run_limited

pytestmark = pytest.mark.system

REJECTED = TemplateNotAllowed
BROKEN = InvalidTemplate
HEAVY = TemplateLimitExceeded
LARGE = OutputTooLarge

ESCAPES = [
    ("{{ ''.__class__ }}", REJECTED),
    ("{{ ''['__class__'] }}", REJECTED),
    ("{{ ''|attr('__class__') }}", REJECTED),
    ("{{ ''|attr('__cla' ~ 'ss__') }}", REJECTED),
    ("{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}", REJECTED),
    ("{{ ().__class__.__mro__[1].__subclasses__() }}", REJECTED),
    ("{% if ''.__class__ %}x{% endif %}", REJECTED),
    ("{% set c = ''.__class__ %}", REJECTED),
    ("{{ {}.__class__.__base__ }}", REJECTED),
    ("{{ a.__init__ }}", REJECTED),
    ("{{ a['__init__']['__globals__'] }}", REJECTED),
    ("{{ [a]|map(attribute='__class__')|list }}", REJECTED),
    ("{{ [a]|sum(attribute='__class__') }}", REJECTED),
    ("{{ [a]|groupby('__class__') }}", REJECTED),
    ("{{ [a]|selectattr('__class__')|list }}", REJECTED),
    ("{{ [a]|sort(attribute='__class__') }}", REJECTED),
    ("{{ [a]|map('attr', '__class__')|list }}", REJECTED),
    ("{{ '{0.__class__}'.format(a) }}", REJECTED),
    ("{{ '{a.__class__}'.format(a=a) }}", REJECTED),
    ("{{ '{a.__class__}'.format_map({'a': a}) }}", REJECTED),
    ("{{ ('{0.__class__}'|attr('format'))(a) }}", REJECTED),
    ("{{ ['{0.__class__}']|map('format', a)|list }}", BROKEN),
    ("{% set f = '{0.__class__}'.format %}{{ f(a) }}", REJECTED),
    ("{{ '{0.__class__}'|safe|attr('format')(a) }}", REJECTED),
    ("{{ '{0[__class__]}'.format(a) }}", REJECTED),
    ("{{ '%(a.__class__)s'|format(a=a) }}", BROKEN),
    ("{{ range.__init__ }}", REJECTED),
    ("{{ cycler.__init__.__globals__ }}", REJECTED),
    ("{{ joiner.__init__.__globals__.os }}", REJECTED),
    ("{{ namespace.__init__ }}", REJECTED),
    ("{{ dict.__subclasses__() }}", REJECTED),
    ("{{ dict.mro() }}", REJECTED),
    ("{{ lipsum.__globals__ }}", None),
    ("{{ lipsum(n=10**9) }}", BROKEN),
    ("{{ self.__init__ }}", REJECTED),
    ("{{ self._TemplateReference__context }}", REJECTED),
    ("{% macro m() %}{% endmacro %}{{ m.__call__.__globals__ }}", REJECTED),
    ("{% macro m() %}{% endmacro %}{{ m._func.__code__ }}", REJECTED),
    ("{% for x in [1] %}{{ loop._iterable }}{% endfor %}", REJECTED),
    ("{{ unknown._output }}", REJECTED),
    ("{{ unknown._undefined_name }}", REJECTED),
    ("{{ unknown.output.missing }}", None),
    ("{{ ([]|map('upper')).gi_frame }}", REJECTED),
    ("{{ [].append(1) }}", REJECTED),
    ("{{ {}.update(a=1) }}", REJECTED),
    ("{{ a.clear() }}", REJECTED),
    ("{% do [].append(1) %}", BROKEN),
    ("{% include '/etc/passwd' %}", BROKEN),
    ("{% import 'os' as os %}", BROKEN),
    ("{% from 'os' import system %}", BROKEN),
    ("{% extends 'base' %}", BROKEN),
    ("{{ open('/etc/passwd') }}", BROKEN),
    ("{{ __import__('os') }}", BROKEN),
    ("{{ config }}{{ request }}{{ environment }}{{ get_flashed_messages }}", None),
    ("{% debug %}", BROKEN),
]

BOMBS = [
    ("{{ 'a' * 10**9 }}", HEAVY),
    ("{{ [0] * 10**9 }}", HEAVY),
    ("{{ 'a' * n }}", HEAVY),
    ("{{ ('a' * 10**8)|length }}{{ ('a' * 10**8)|upper|lower|title|length }}", HEAVY),
    ("{{ range(10**9)|list }}", HEAVY),
    ("{% for x in range(10**9) %}{% endfor %}", HEAVY),
    ("{{ range(100000)|list|length }}" * 9_000, HEAVY),
    ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", HEAVY),
    ("{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}", (LARGE, HEAVY)),
    ("{% for a in range(99999) %}{{ 'x' * 99 }}{% endfor %}", LARGE),
    ("{{ 'é' * 600000 }}", LARGE),
    ("{{ 10 ** (10 ** 10) }}", HEAVY),
    ("{{ 9 ** (9 ** (9 ** 9)) }}", HEAVY),
    ("{{ 2 ** n }}", HEAVY),
    ("{{ (10 ** 100000)|string|length }}", BROKEN),
    ("{{ (1).__lshift__(10**10) }}", REJECTED),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", HEAVY),
    ("{% macro m(x) %}{{ m(x + x) }}{% endmacro %}{{ m('aaaaaaaaaaaaaaaa') }}", HEAVY),
    ("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}", HEAVY),
    ("{% block b %}{{ self.b() }}{% endblock %}", HEAVY),
    ("{% for x in [[[]]] recursive %}{{ loop([x]) }}{% endfor %}", HEAVY),
    ("{% set ns = namespace(s='aaaaaaaa') %}{% for x in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", HEAVY),
    ("{% set ns = namespace(l=[1]) %}{% for x in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}", HEAVY),
    ("{% set ns = namespace(n=9) %}{% for x in range(99) %}{% set ns.n = ns.n ** 9 %}{% endfor %}", HEAVY),
    ("{% set x %}{% for a in range(99999) %}{% for b in range(99999) %}xx{% endfor %}{% endfor %}{% endset %}", HEAVY),
    ("{{ '%1000000000d'|format(1) }}", HEAVY),
    ("{{ '{:1000000000}'.format(1) }}", HEAVY),
    ("{{ '{:>{w}}'.format(1, w=1000000000) }}", HEAVY),
    ("{{ 'a'|center(10**9) }}", HEAVY),
    ("{{ 'a'.ljust(10**9) }}", HEAVY),
    ("{{ 'a'.zfill(10**9) }}", HEAVY),
    ("{{ 'a\\n'|indent(10**9) }}", HEAVY),
    ("{{ '\\t'.expandtabs(10**9) }}", HEAVY),
    ("{{ ('a ' * 10**6)|replace('a', 'b' * 10**4)|length }}", HEAVY),
    ("{{ ('a,' * 4 * 10**7).split(',')|length }}", HEAVY),
    ("{{ (['a' * 10**6] * 10**4)|join|length }}", HEAVY),
    ("{{ range(99999)|batch(1)|map('list')|list|string|length }}" * 99, HEAVY),
    ("{{ [1]|batch(10**9, 0)|list }}", HEAVY),
    ("{{ [1]|slice(10**9)|list }}", HEAVY),
    ("{{ ('a ' * 10**6)|wordwrap(1)|length }}{{ ('a' * 10**7)|wordwrap(1)|length }}", HEAVY),
    ("{{ ('< ' * 10**6)|striptags|length }}" * 500, HEAVY),
    ("{{ ('<' * 10**8)|escape|escape|escape|escape|length }}", HEAVY),
    ("{{ ('http://a.b ' * 10**6)|urlize|length }}", HEAVY),
    ("{{ range(99999)|map('string')|sort|unique|groupby(0)|list|length }}" * 99, HEAVY),
    ("{{ dict(a=range(99999)|list)|tojson(indent=9999)|length }}", HEAVY),
    ("{% for x in cycler(1) %}{% endfor %}", BROKEN),
    ("{% set c = cycler(1) %}{% for a in range(99999) %}{% for b in range(9999) %}{% set d = c.next() %}{% endfor %}"
     "{% endfor %}", HEAVY),
    ("{% set j = joiner('x' * 10**5) %}{% for a in range(9999) %}{{ j() }}{% endfor %}", LARGE),
    ("{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}", HEAVY),
    ("{{ " + "[" * 100_000 + " }}", HEAVY),
    ("{{ " + "-" * 100_000 + "1 }}", HEAVY),
    ("{{ 1" + " + 1" * 20_000 + " }}", HEAVY),
    ("{% if a %}" * 3_000 + "{% endif %}" * 3_000, (HEAVY, BROKEN)),
    ("{% for a in b %}" * 50 + "{% endfor %}" * 50, (HEAVY, BROKEN)),
    ("{{ a }}" * 150_000, HEAVY),
    ("{% set a = 1 %}" * 60_000, HEAVY),
]  # fmt: skip


@pytest.mark.parametrize(("template", "error"), ESCAPES, ids=lambda value: value[:70] if isinstance(value, str) else "")
def test_an_escape_is_rejected_and_the_next_template_is_rendered(
    jinja: Jinja, template: str, error: type[TemplateError] | None
) -> None:
    inputs = {"a": {"b": [1]}}
    if error is None:
        assert not any(word in render_text(jinja, template, inputs) for word in ("class", "object", "<"))
    else:
        with pytest.raises(TemplateError) as raised:
            render_text(jinja, template, inputs)
        assert type(raised.value) is error, raised.value
    assert render_text(jinja, "{{ a }}", inputs) == '{"b":[1]}'


@pytest.mark.parametrize(("template", "error"), BOMBS, ids=lambda value: value[:70] if isinstance(value, str) else "")
def test_a_bomb_is_stopped_and_the_next_template_is_rendered(
    strict: Jinja, jinja: Jinja, monkeypatch: pytest.MonkeyPatch, template: str, error: Any
) -> None:
    """Heavy templates exceed the limits on every machine. The others need a long limit of time on a busy machine."""
    allowed = error if isinstance(error, tuple) else (error,)
    used = strict if HEAVY in allowed else jinja
    memory = memory_of_this_process()
    with pytest.raises(error) as raised:
        render_text(used, template, {"n": 10**10})
    assert type(raised.value) in allowed, raised.value
    assert memory_of_this_process() - memory < 16 * 1_048_576
    monkeypatch.setattr(used, "_seconds", PATIENT)
    assert used.names_now(["{{ a }}"]) == [["a"]]


def memory_of_this_process() -> int:
    """Return the resident memory in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_at_least_100_escapes_and_bombs_are_tested() -> None:
    assert len(ESCAPES) + len(BOMBS) >= 100


PLAIN = """
from jinja2.sandbox import ImmutableSandboxedEnvironment
print(len(ImmutableSandboxedEnvironment().from_string({template!r}).render(n=3 * 10**8)))
print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])
"""


def test_the_sandbox_alone_does_not_limit_memory() -> None:
    """The positive control: jinja2 without the rendering process."""
    done = run_limited(PLAIN.format(template="{{ 'a' * n }}"), cpu_seconds=20, memory=4 * MAX_MEMORY)
    length, kibibytes = done.stdout.split()
    assert int(length) == 3 * 10**8
    assert int(kibibytes) * 1024 > 3 * 10**8


def test_the_sandbox_alone_does_not_limit_time() -> None:
    """The positive control: jinja2 without the rendering process."""
    bomb = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    assert run_limited(PLAIN.format(template=bomb), cpu_seconds=1, memory=4 * MAX_MEMORY).returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    "template",
    [
        "{{ range|string }}", "{{ 'a' ~ range }}", "{{ '%s' % joiner() }}", "{{ '%s'|format(joiner()) }}",
        "{{ '{}'.format(joiner()) }}", "{{ '{a}'.format(a=[joiner()]) }}", "{{ '{a}'.format_map({'a': joiner()}) }}",
        "{{ [joiner()]|join }}", "{{ [[joiner()]]|join }}", "{{ {'a': joiner()}|urlencode }}",
        "{{ {'a': joiner()}|xmlattr }}", "{{ joiner()|pprint }}", "{{ (a|map('upper'))|string }}",
        "{{ [joiner()]|map('string')|join }}", "{{ a.split ~ '' }}", "{% macro m() %}{% endmacro %}{{ m|upper }}",
        "{% for x in [1] %}{{ loop|e }}{% endfor %}", "{{ 'a'|replace('a', joiner()) }}", "{{ [joiner()]|tojson }}",
        "{% filter replace('a', joiner()) %}a{% endfilter %}", "{{ 'a'|center(9)|default(joiner)|e ~ joiner }}",
    ],
)  # fmt: skip
def test_no_object_of_python_becomes_text(jinja: Jinja, template: str) -> None:
    with pytest.raises(InvalidTemplate, match=r"is not a text|not JSON serializable"):
        render_text(jinja, template, {"a": "x"})


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% if false %}{{ a|nope }}{% endif %}", "there is no filter named 'nope', line 1"),
        ("{% if false and a is nope %}{% endif %}", "there is no test named 'nope', line 1"),
        (
            "\n{% if false %}{% include 'b' %}{% endif %}",
            "'include' is not supported: there are no other templates, line 2",
        ),
        ("{% extends 'b' %}", "'extends' is not supported"),
        ("{% import 'b' as b %}", "'import' is not supported"),
        ("{% from 'b' import c %}", "'from … import' is not supported"),
    ],
)
def test_a_template_that_needs_what_does_not_exist_is_invalid_in_any_branch(
    jinja: Jinja, template: str, reason: str
) -> None:
    for use in (lambda: jinja.names_now([template]), lambda: jinja.render_now([template], {}, "empty")):
        with pytest.raises(InvalidTemplate) as error:
            use()
        assert reason in str(error.value)


def test_filters_that_select_items_accept_generators(jinja: Jinja) -> None:
    template = "{{ a|map('upper')|select('string')|sort|join(',') }} {{ a|map('upper')|list }} {{ d.items()|list }}"
    assert render_text(jinja, template, {"a": ["b", "a"], "d": {"k": 1}}) == 'A,B ["B","A"] [["k",1]]'
