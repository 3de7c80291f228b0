"""Phases as text: whatever can be in a phase is read back as the same phase."""

import re

from hypothesis import given, settings
from hypothesis import strategies as some

from cli_multi_rapid.engine.loader import load_phase
from cli_multi_rapid.model.phase import (
    SCHEMA,
    Backoff,
    Defaults,
    GateUse,
    InputSpec,
    InputType,
    Permissions,
    PhaseSpec,
    Retry,
    Shell,
    Step,
)
from cli_multi_rapid.services.importing.writing import phase_text
from cli_multi_rapid.system.yaml import parse

# A NUL can be in no argument, and a surrogate in no file; `${{` would be checked as an expression.
texts = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0{")).filter(str.strip)
lines = some.lists(texts, min_size=1, max_size=4).map("\n".join)
odd = some.sampled_from([
    "no", "on", "~", "null", "true", "12:30", "010", "0x1f", "1e3", "-", "- a", "a: b", "a #b", "#", "&a", "*a", "!t",
    "|", ">", "%", "@x", "`x`", "'", '"', "\\", "''", '""', "{a}", "[a]", "a, b", " a", "a ", "\ta", "a\t", "?", ": ",
    "---", "...", "a\n", "a\n\n", "\na", " a\nb", "a\n b\n", "a\r\nb", "\u2028", "\x85", "\ufeff", "\x1b[0m", "<<",
    "=", "1_000",
    "2001-01-01", "\U0001f600", "a\n\n\nb", "a\n#b\n", "a: |\n  b\n", "\u00a0",
])  # fmt: skip
anything = odd | texts | lines
names = some.from_regex(re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,20}"), fullmatch=True)
variables = some.from_regex(re.compile(r"[A-Z_][A-Z0-9_]{0,10}"), fullmatch=True).filter(
    lambda name: not name.startswith("CMR_")
)
numbers = some.integers(-(10**15), 10**15) | some.floats(-1e6, 1e6, allow_nan=False)
scalars = anything | numbers | some.booleans() | some.none()
durations = some.sampled_from(["1s", "250ms", "10m", "24h"])


@some.composite
def steps(draw):
    number = draw(some.integers(0, 4))
    return tuple(
        Step(
            id=f"s{i}",
            run=draw(anything.filter(str.strip) | some.lists(anything.filter(str.strip), min_size=1).map(tuple)),
            title=draw(anything),
            if_=draw(some.none() | some.booleans() | some.just("always() && 'it''s' != \"".rstrip('" !='))),
            env=draw(some.dictionaries(variables, scalars, max_size=3)),
            matrix=draw(some.dictionaries(names, some.lists(scalars, min_size=1, max_size=3).map(tuple), max_size=2)),
            timeout=draw(some.none() | durations),
            retry=draw(some.none() | some.just(Retry(attempts=2, backoff=Backoff.FIXED, on=("exit:3",)))),
            writes=draw(some.none() | some.just(()) | some.just(("src/**", "a b/*"))),
            requires=draw(some.sampled_from([(), ("ruff", "python:pytest")])),
            continue_on_error=draw(some.booleans()),
        )
        for i in range(number)
    )


@settings(max_examples=50, deadline=None)
@given(
    steps=steps(),
    title=anything,
    env=some.dictionaries(variables, scalars, max_size=3),
    finish=steps(),
    default=anything,
    comment=anything,
)
def test_what_is_written_is_read_back(steps, title, env, finish, default, comment):
    spec = PhaseSpec(
        schema=SCHEMA,
        name="p",
        title=title,
        needs=("a", "b-c"),
        inputs={"x": InputSpec(type=InputType.STRING, default=default, description=title)},
        permissions=Permissions(write=("src/**",)),
        secrets=("TOKEN",),
        env=env,
        defaults=Defaults(timeout="5m", retry=Retry(attempts=3), shell=Shell.SH),
        steps=(*steps, Step(id="last", run=("echo",))),
        gates=("tests", GateUse(use="lint", from_="${{ inputs.x }}")),
        finally_=tuple(Step(id=f"f{step.id}", run=step.run) for step in finish),
    )
    text = phase_text(spec, comments=(comment,), notes={"last": (comment,), "": (comment,)})
    assert load_phase(text, "p.yaml", gates=None) == spec


@given(value=anything, key=anything)
def test_every_text_is_read_back_as_value_and_as_key(value, key):
    spec = PhaseSpec(schema=SCHEMA, name="p", env={key: value}, steps=(Step(id="a", run=value),))
    values = parse(phase_text(spec), "p.yaml").values
    assert values["env"] == {key: value}
    assert values["steps"] == [{"id": "a", "run": value}]


def test_it_looks_as_a_person_would_write_it():
    spec = PhaseSpec(
        schema=SCHEMA,
        name="tests",
        needs=("lint",),
        env={"CI": "1"},
        defaults=Defaults(timeout="10m"),
        steps=(
            Step(id="a", title="Run the tests", run="pytest -q\npytest --last\n", matrix={"py": ("3.10", "3.11")}),
            Step(id="b", run=("echo", 'it\'s "so"')),
        ),
    )
    assert phase_text(spec, comments=("from here",), notes={"b": ("left out: c",)}) == """\
# from here
schema: cmr/phase@v1
name: tests
needs: [lint]
env:
  CI: "1"
defaults:
  timeout: 10m
steps:
  - id: a
    title: Run the tests
    matrix:
      py: ["3.10", "3.11"]
    run: |
      pytest -q
      pytest --last
  # left out: c
  - id: b
    run: [echo, 'it''s "so"']
"""  # fmt: skip
