"""Specs that want too much of something, as the files of projects; each must be refused soon."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

Files = Mapping[str, str | int]
"""What is in each file; a number means as many bytes of nothing."""

_TEXT: Final = '{% set a = "a" * 60000 %}'
_LIST: Final = "{% set l = range(9999)|list %}"
_MANY: Final = "{% for i in range(9999) %}{% for j in range(99) %}"
_ENDS: Final = "{% endfor %}{% endfor %}"


def _prompt(template: str) -> Files:
    """A spec of one prompt; what it wants is wrong even if the template is not."""
    return {"assets.toml": f"[asset.a]\nprompt = {json.dumps(template)}\n"}


def _loop(body: str, before: str = "") -> Files:
    return _prompt(before + _MANY + body + _ENDS)


def _kept(step: str, start: str = "'xxxx'") -> Files:
    """A value that grows with each turn of a loop."""
    return _prompt(
        f"{{% set n = namespace(a={start}) %}}{{% for i in range(9000) %}}{step}{{% endfor %}}{{{{ n.a }}}}"
    )


def _many(prompt: str, count: int = 10_000, more: Files | None = None) -> Files:
    """A family whose members each take a part of the work, and then one that is wrong."""
    family = f"[asset.a]\nmatrix = {{ i = {list(range(count))} }}\nprompt = {json.dumps(prompt)}\n"
    return {"assets.toml": family + '[asset.z]\nprompt = "{{ nope }}"\n', **(more or {})}


def _distinct(prompt: str, count: int) -> Files:
    """As many assets, each with a template of its own."""
    tables = [
        f"[asset.a{number}]\nprompt = {json.dumps(prompt.replace('@', str(number)))}\n"
        for number in range(count)
    ]
    return {"assets.toml": "".join(tables) + '[asset.z]\nprompt = "{{ nope }}"\n'}


def _chain(statement: str, count: int, last: str) -> Files:
    """Template files, each of which leads to the next."""
    files = {f"templates/{n}.j2": statement.replace("@", str(n + 1)) for n in range(count)}
    return _named("0.j2") | files | {f"templates/{count}.j2": last}


def _named(template: str) -> dict[str, str | int]:
    return {"assets.toml": f'[asset.a]\ntemplate = "{template}"\n'}


_DOUBLE: Final = "{% include '@.j2' %}{% include '@.j2' %}"

TEMPLATES: Final[Mapping[str, Callable[[], Files]]] = {
    # one operation
    "join": lambda: _prompt('{{ ("a" * 60000).join("b" * 60000) }}'),
    "join of a list": lambda: _prompt("{{ ('b' * 60000).join(range(10000)|map('string')|list) }}"),
    "join filter": lambda: _prompt('{{ ("b" * 60000)|join("a" * 60000) }}'),
    "replace": lambda: _prompt("{{ ('a' * 60000).replace('a', 'b' * 60000) }}"),
    "replace filter": lambda: _prompt("{{ ('a' * 60000)|replace('a', 'b' * 60000) }}"),
    "replace nothing": lambda: _prompt("{{ ('a' * 60000).replace('', 'b' * 60000) }}"),
    "replace nothing filter": lambda: _prompt("{{ ('a' * 60000)|replace('', 'b' * 60000) }}"),
    "ljust": lambda: _prompt("{{ 'a'.ljust(10**9) }}"),
    "center": lambda: _prompt("{{ 'a'|center(10**9) }}"),
    "zfill": lambda: _prompt("{{ '1'.zfill(10**9) }}"),
    "expandtabs": lambda: _prompt("{{ ('\\t' * 60000).expandtabs(9999) }}"),
    "format": lambda: _prompt("{{ '{:>999999999}'.format(1) }}"),
    "format of a field": lambda: _prompt("{{ ('{0}' * 20000).format('a' * 60000) }}"),
    "format of a width": lambda: _prompt("{{ '{:{w}}'.format(1, w=10**9) }}"),
    "percent": lambda: _prompt("{{ '%999999999d' % 1 }}"),
    "percent star": lambda: _prompt("{{ '%*d' % (10**9, 1) }}"),
    "percent mapping": lambda: _prompt('{{ ("%(x)s" * 13000) % {"x": "a" * 60000} }}'),
    "format filter": lambda: _prompt('{{ ("%(x)s" * 13000)|format(x="a" * 60000) }}'),
    "times": lambda: _prompt("{{ 'a' * 10**9 }}"),
    "times of a list": lambda: _prompt("{{ ([[1] * 99] * 10**7)|length }}"),
    "power": lambda: _prompt("{{ 9**(9**9) }}"),
    "power of a power": lambda: _prompt("{{ (2**1000)**(2**20) }}"),
    "indent": lambda: _prompt("{{ ('\\n' * 60000)|indent(9999) }}"),
    "indent with text": lambda: _prompt("{{ ('\\n' * 60000)|indent('x' * 60000) }}"),
    "wordwrap": lambda: _prompt("{{ ('a ' * 30000)|wordwrap(1, wrapstring='x' * 60000) }}"),
    "wordwrap letters": lambda: _prompt("{{ ('a' * 60000)|wordwrap(1, true, 'x' * 60000) }}"),
    "urlize": lambda: _prompt("{{ ('http://a.aa ' * 5000)|urlize }}"),
    "urlize attributes": lambda: _prompt("{{ ('a.com ' * 9000)|urlize(target='x' * 60000) }}"),
    "xmlattr": lambda: _prompt("{{ {'a': 'x' * 60000}|xmlattr }}{{ nope }}"),
    "truncate": lambda: _prompt("{{ ('a' * 60000)|truncate(3, end='x' * 10**9) }}"),
    "batch": lambda: _prompt("{{ [1]|batch(10**9, 'x')|list }}"),
    "slice": lambda: _prompt("{{ [1]|slice(10**9)|list }}"),
    "round": lambda: _prompt("{{ 3|round(-10**9) }}"),
    "sum": lambda: _prompt("{{ (range(9000)|batch(1)|list)|sum(start=[])|length }}"),
    "range": lambda: _prompt("{{ range(10**9)|list }}"),
    "big literal": lambda: _prompt("{{ " + "9" * 4000 + "**9 }}"),
    "bigger literal": lambda: _prompt("{{ " + "9" * 100_000 + " }}"),
    "brackets": lambda: _prompt("{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}"),
    "blocks": lambda: _prompt("{% if 1 %}" * 9_000 + "{% endif %}" * 9_000),
    "parts": lambda: _prompt("{% if 1 %}{{ 1 }}{% endif %}" * 9_000),
    "sums": lambda: _prompt("{{ 1" + " + 1" * 60_000 + " }}"),
    "filters chained": lambda: _prompt("{{ 'a'" + "|upper" * 30_000 + " }}"),
    "attributes chained": lambda: _prompt("{{ a" + ".a" * 100_000 + " }}"),
    "conditions": lambda: _prompt("{{ 1" + " if 1 else 1" * 20_000 + " }}"),
    "comparisons": lambda: _prompt("{{ 1" + " < 2" * 60_000 + " }}"),
    "concatenations": lambda: _prompt("{{ 'a'" + " ~ 'a'" * 60_000 + " }}"),
    "comments": lambda: _prompt("{# x #}" * 36_000 + "{{ nope }}"),
    "marks": lambda: _prompt("{" * 250_000 + "{{ nope }}"),
    # loops
    "nested loops": lambda: _loop(""),
    "nested loops that filter": lambda: _prompt(
        "{% for i in range(9999) %}{% for j in range(9999) if 0 %}{% endfor %}{% endfor %}"
    ),
    "set in loops": lambda: _loop("{% set x = 'a' * 60000 %}"),
    "set blocks": lambda: _loop("{% set x %}" + "y" * 1000 + "{% endset %}"),
    "tojson": lambda: _loop("{% set x = l|tojson|length %}", _LIST),
    "map": lambda: _loop("{% set x = l|map('string')|list %}", _LIST),
    "map of an attribute": lambda: _loop("{% set x = l|map(attribute='real')|list %}", _LIST),
    "select": lambda: _loop("{% set x = l|select('odd')|list %}", _LIST),
    "groupby": lambda: _loop("{% set x = l|groupby('real') %}", _LIST),
    "unique": lambda: _loop("{% set x = l|unique|list %}", _LIST),
    "sort": lambda: _loop("{% set x = l|sort(reverse=true)|first %}", _LIST),
    "dictsort": lambda: _loop(
        "{% set x = d|dictsort %}", "{% set d = dict(l|zip(l)) if 0 else {1: 2} %}"
    ),
    "reverse": lambda: _loop("{% set x = l|reverse|list %}", _LIST),
    "min": lambda: _loop("{% set x = l|min %}", _LIST),
    "string": lambda: _loop("{% set x = l|string|length %}", _LIST),
    "pprint": lambda: _loop("{% set x = l|pprint %}", _LIST),
    "random": lambda: _loop("{% set x = l|random %}", _LIST),
    "slices": lambda: _loop("{% set x = l[1:] %}", _LIST),
    "texts sliced": lambda: _loop("{% set x = a[::-1] %}", _TEXT),
    "membership": lambda: _loop("{% if -1 in l %}x{% endif %}", _LIST),
    "searching": lambda: _loop("{% set x = a.count('b') %}", _TEXT),
    "splitting": lambda: _loop("{% set x = a.split('a') %}", _TEXT),
    "lines": lambda: _loop("{% set x = a.splitlines() %}", "{% set a = '\\n' * 60000 %}"),
    "partition": lambda: _loop("{% set x = a.partition('b') %}", _TEXT),
    "upper": lambda: _loop("{% set x = a|upper %}", _TEXT),
    "title": lambda: _loop("{% set x = a|title %}", _TEXT),
    "wordcount": lambda: _loop("{% set x = a|wordcount %}", _TEXT),
    "striptags": lambda: _loop("{% set x = a|striptags %}", "{% set a = '<' * 60000 %}"),
    "escape": lambda: _loop("{% set x = a|e %}", "{% set a = '&' * 10000 %}"),
    "urlencode": lambda: _loop("{% set x = a|urlencode %}", "{% set a = '&' * 20000 %}"),
    "trim": lambda: _loop("{% set x = a|trim %}", "{% set a = ' ' * 60000 %}"),
    "equality": lambda: _loop(
        "{% if l == m %}x{% endif %}", _LIST + "{% set m = range(9999)|list %}"
    ),
    "arguments": lambda: _loop(
        "{% set x = m(*l) %}",
        _LIST + "{% macro m() %}{{ varargs|length }}{% endmacro %}",
    ),
    "cycler": lambda: _loop("{% set x = c.next() %}", "{% set c = cycler(1, 2) %}"),
    "joiner": lambda: _loop("{% set x = j() %}", "{% set j = joiner(',') %}"),
    "unpacking": lambda: _loop("{% for a, b in l|batch(2) %}{% endfor %}", _LIST),
    "undefined": lambda: _loop("{% if q is defined %}x{% endif %}"),
    "namespaces": lambda: _loop("{% set x = namespace(a=1) %}"),
    "mappings": lambda: _loop("{% set x = dict(a=l) %}", _LIST),
    "dates": lambda: _loop("{% set x = '%d' % 1 %}"),
    # values that grow
    "doubling": lambda: _kept("{% set n.a = n.a ~ n.a %}"),
    "adding": lambda: _kept("{% set n.a = n.a + n.a %}"),
    "lists of lists": lambda: _kept("{% set n.a = [n.a, n.a] %}", "[1]"),
    "mappings of mappings": lambda: _kept("{% set n.a = {1: n.a, 2: n.a} %}", "{}"),
    "a list longer by one": lambda: _kept("{% set n.a = n.a + [i] %}", "[]"),
    "a text longer by one": lambda: _kept("{% set n.a = n.a ~ 'xxxxxxxxxx' %}"),
    "nested once more": lambda: _kept("{% set n.a = [n.a] %}", "[1]"),
    # recursion
    "a macro that calls itself": lambda: _prompt(
        "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}"
    ),
    "a tree of calls": lambda: _prompt(
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}"
    ),
    "callers": lambda: _prompt(
        "{% macro f(n) %}{% if n %}{% call f(n - 1) %}{{ caller() }}{{ caller() }}{% endcall %}"
        "{% endif %}{{ caller() }}{% endmacro %}{% call f(50) %}x{% endcall %}"
    ),
    "a recursive loop": lambda: _prompt(
        "{% for x in [[1]] recursive %}{{ loop([x, x]) }}{% endfor %}"
    ),
    "an include of itself": lambda: _named("a.j2") | {"templates/a.j2": "{% include 'a.j2' %}"},
    "two includes of itself": lambda: (
        _named("a.j2") | {"templates/a.j2": "{% include 'a.j2' %}{% include 'a.j2' %}"}
    ),
    "an import of itself": lambda: _named("a.j2") | {"templates/a.j2": "{% import 'a.j2' as a %}"},
    "a parent of itself": lambda: _named("a.j2") | {"templates/a.j2": "{% extends 'a.j2' %}"},
    "two parents": lambda: (
        _named("a.j2")
        | {"templates/a.j2": "{% extends 'b.j2' %}", "templates/b.j2": "{% extends 'a.j2' %}"}
    ),
    # chains of files
    "doubled includes": lambda: _chain(_DOUBLE, 40, "x"),
    "a chain of includes": lambda: _chain("{% include '@.j2' %}", 3_000, "{{ nope }}"),
    "a chain of imports": lambda: _chain("{% import '@.j2' as m %}", 3_000, "{{ nope }}"),
    "a chain of parents": lambda: _chain("{% extends '@.j2' %}", 3_000, "{{ nope }}"),
    "doubled imports": lambda: _chain(
        "{% import '@.j2' as m %}{% import '@.j2' as n with context %}", 40, "x"
    ),
    "supers": lambda: _chain(
        "{% extends '@.j2' %}{% block b %}{{ super() }}{{ super() }}{% endblock %}",
        40,
        "{% block b %}x{% endblock %}",
    ),
    "large files": lambda: (
        _named("0.j2")
        | {"templates/0.j2": "".join(f"{{% include '{n}.j2' %}}" for n in range(1, 60))}
        | {f"templates/{n}.j2": "{{ 1 }}" * 6_000 for n in range(1, 60)}
    ),
    "a large file": lambda: _named("a.j2") | {"templates/a.j2": "x" * 150_000_000},
    "missing files": lambda: _loop("{% include 'x' ~ i ~ j ignore missing %}"),
    # many members
    "members that work": lambda: _many("{% for j in range(900) %}{% endfor %}"),
    "members that write": lambda: _many("{{ 'x' * 60000 }}"),
    "members that include": lambda: _many(
        "{% include 'a.j2' %}", more={"templates/a.j2": "{% for j in range(900) %}{% endfor %}"}
    ),
    "members that look for files": lambda: _many("{% include 'x' ~ i ignore missing %}" * 9),
    "members that divide": lambda: _many("{% set x = ('a' * 60000).split('a') %}"),
    "members whose lists are long": lambda: _many("{% set x = range(7000)|list|tojson %}"),
    "templates of their own": lambda: _distinct("{{ 1 }}" * 160 + "@", 8_000),
    "templates that are wrong": lambda: _distinct("{{ 1" + " + 1" * 20_000 + " }}@", 100),
    "members whose template is wrong": lambda: _many("{{ 1" + " + 1" * 20_000 + " }}"),
    "members that write plainly": lambda: _many("x" * 60_000),
    "members that write numbers": lambda: {
        "assets.toml": f"[asset.a]\nmatrix = {{ i = {list(range(10_000))} }}\n"
        f"prompt = {{ scene = {list(range(10_000))} }}\n"
    },
    "templates that nest": lambda: _distinct("{% if 1 %}" * 60 + "@" + "{% endif %}" * 60, 8_000),
}
"""Templates."""


def _ids(count: int) -> str:
    return ", ".join(f'"{number}"' for number in range(count))


def _family(matrix: Mapping[str, int], rest: str = "") -> Files:
    axes = ", ".join(f"{axis} = [{_ids(count)}]" for axis, count in matrix.items())
    spec = f'[project]\noutput = "o"\n[asset.a]\nprompt = "x {{{{ {next(iter(matrix))} }}}}"\n'
    return {
        "assets.toml": f'{spec}matrix = {{ {axes} }}\n{rest}[asset.z]\nprompt = "{{{{ nope }}}}"\n'
    }


_SIDES: Final = ", ".join(map(str, range(1, 300)))
_FORMATS: Final = '["png", "webp", "jpeg", "avif"]'
_CROP: Final = '{ op = "crop", ratio = "1:1" }'
_EXCLUDES: Final = ", ".join(f'{{ a = "{n % 300}", b = "{n // 300}" }}' for n in range(9_000))

SPECS: Final[Mapping[str, Callable[[], Files]]] = {
    # families
    "members": lambda: _family({"a": 400, "b": 400}),
    "members beyond counting": lambda: _family(dict.fromkeys("abcdefgh", 1000)),
    "files": lambda: _family(
        {"a": 100, "b": 100}, f"deliver = [{{ widths = [{_SIDES}], formats = {_FORMATS} }}]\n"
    ),
    "files of a matrix": lambda: _family(
        {"a": 100},
        f'deliver = [{{ matrix = {{ c = [{_ids(400)}], d = [{_ids(400)}] }}, path = "{{{{ c }}}}.png" }}]\n',
    ),
    "files of cells": lambda: _family(
        {"a": 3},
        "deliver = [" + '{ ops = [{ op = "slice", columns = 64, rows = 64 }] },' * 200 + "]\n",
    ),
    "operations": lambda: _family(
        {"a": 100, "b": 100}, f"deliver = [{{ ops = [{(_CROP + ',') * 5_000}] }}]\n"
    ),
    "operations with templates": lambda: _family(
        {"a": 100, "b": 20},
        "deliver = [{ ops = [" + '{ op = "crop", ratio = "{{ 1 }}:1" },' * 1_000 + "] }]\n",
    ),
    "references": lambda: _family(
        {"a": 100, "b": 100}, "refs = [" + '{ asset = "z" },' * 5_000 + "]\n"
    ),
    "tags": lambda: _family({"a": 100, "b": 100}, f"tags = [{_ids(20_000)}]\n"),
    "excludes": lambda: _family({"a": 300, "b": 300}, f"exclude = [{_EXCLUDES}]\n"),
    "wrong excludes": lambda: _family(
        {"a": 300, "b": 300}, f"exclude = [{_EXCLUDES.replace('300', 'y')}]\n"
    ),
    "documents": lambda: _family(
        {"a": 100, "b": 100},
        "deliver = [{ documents = ["
        + "".join(f'{{ document = "frames", path = "{n}.json" }},' for n in range(500))
        + "] }]\n",
    ),
    "rows and a matrix": lambda: {
        "d.csv": "sku\n" + "\n".join(map(str, range(100_000))),
        "assets.toml": f'[asset.a]\nprompt = "x"\nrows = {{ file = "d.csv", key = "sku" }}\nmatrix = {{ a = [{_ids(5_000)}] }}\n',
    },
    # words that are not there
    "unknown assets": lambda: {
        "assets.toml": "".join(
            f'[asset.a{n}]\nprompt = "x"\nrefs = [{{ asset = "b{n}" }}]\n' for n in range(20_000)
        )
    },
    "unknown names": lambda: {
        "assets.toml": "[vars]\n"
        + "".join(f"name{n} = 1\n" for n in range(50_000))
        + "".join(f'[asset.a{n}]\nprompt = "{{{{ nam{n}x }}}}"\n' for n in range(5_000))
    },
    "unknown styles": lambda: {
        "assets.toml": "".join(f"[style.s{n}]\nseed = 1\n" for n in range(20_000))
        + "".join(f'[asset.a{n}]\nprompt = "x"\nstyle = ["t{n}"]\n' for n in range(5_000))
    },
    # text
    "a long key": lambda: {"assets.toml": ".".join("a" * 60_000) + " = 1\n"},
    "wrong values": lambda: {
        "assets.toml": '[asset.a]\nprompt = "x"\ndeliver = [{ widths = ['
        + ",".join(map(str, range(100_000)))
        + "] }]\n"
    },
    "wrong values of a matrix": lambda: {
        "assets.toml": '[asset.a]\nprompt = "x"\nmatrix = { x = [' + "1.5," * 95_000 + "] }\n"
    },
    "nesting": lambda: {"assets.toml": "x = " + "[" * 1_000_000},
    "digits": lambda: {"assets.toml": "x = " + "9" * 10_000_000},
}
"""Specs."""
