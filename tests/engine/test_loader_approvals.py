"""Loading steps that wait for a person: what may stand beside `approval`, and what may not."""

import pytest

from cli_multi_rapid.engine.loader import load_phase
from cli_multi_rapid.errors import SpecInvalid
from cli_multi_rapid.model.phase import Approval

PATH = "workflows/phase_definitions/p.yaml"
HEAD = "schema: cmr/phase@v1\nname: p\n"
Said = tuple[int, int, str, str, str]


def load(text: str):
    return load_phase(HEAD + text, PATH, gates=frozenset())


def said(text: str) -> list[Said]:
    with pytest.raises(SpecInvalid) as caught:
        load(text)
    return [(one.line, one.column, one.code, one.message, one.fix) for one in caught.value.problems]


def test_an_approval_and_what_works_with_it() -> None:
    spec = load("""\
steps:
  - {id: a, run: x}
  - id: review
    title: Look
    needs: [a]
    if: "success()"
    continue-on-error: true
    approval: {by: [leads, security], not-author: true, expires: 24h}
  - {id: anybody, approval: {}}
  - {id: b, run: ["${{ steps.review.outputs.by }}", "${{ steps.anybody.outputs.reason }}"], needs: [review, anybody]}
""")
    assert spec.steps[1].approval == Approval(by=("leads", "security"), not_author=True, expires="24h")
    assert (spec.steps[2].approval, spec.steps[2].run) == (Approval(), ())


@pytest.mark.parametrize(
    ("key", "value"),
    [("env", "{A: x}"), ("shell", "sh"), ("matrix", "{v: [1]}"), ("produces", "{f: f}"), ("outputs", "{o: x}"),
     ("ok-codes", "[0]"), ("timeout", "1m"), ("retry", "{attempts: 2}"), ("writes", "[]"), ("requires", "[git]")],
)  # fmt: skip
def test_keys_that_have_no_effect(key: str, value: str) -> None:
    message = f"'{key}' has no effect on a step that waits for a person and runs nothing"
    assert said(f"steps:\n  - id: a\n    {key}: {value}\n    approval: {{}}\n") == [
        (5, 5, "SPEC-VALUE", message, "remove it")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps:\n  - {id: a, run: x, approval: {}}\n",
         (4, 21, "STEP-KIND", "a step has one action, and this one has 'run' and 'approval'", "make two steps of it")),
        ("steps:\n  - {id: a}\n",
         (4, 5, "STEP-KIND", "the step 'a' has no action", None)),
        ("steps:\n  - id: a\n    approval:\n",
         (5, 5, "SPEC-VALUE", "'approval' has no value", "write  approval: {}, or name who may decide")),
        ("steps:\n  - {id: a, approval: {for: x}}\n",
         (4, 24, "SPEC-KEY-UNKNOWN", "unknown key 'for'", "the keys here are: by, not-author, expires")),
        ("steps:\n  - {id: a, approval: {by: leads}}\n",
         (4, 24, "SPEC-VALUE", "'by': expected a list, got text", "write  [leads]")),
        ("steps:\n  - {id: a, approval: {not-author: 'yes'}}\n",
         (4, 24, "SPEC-VALUE", "'not-author': expected true or false, got text",
          "write true or false, without quotes")),
        ("steps:\n  - {id: a, approval: {expires: soon}}\n",
         (4, 24, "SPEC-VALUE", "'expires' is 'soon', which is not a duration",
          "write a whole number and a unit: 250ms, 90s, 10m, 24h or 7d")),
        ("steps:\n  - {id: a, approval: {expires: 0s}}\n",
         (4, 24, "SPEC-VALUE", "'expires' must be longer than zero", "write a longer one")),
        ("steps:\n  - {id: a, run: x}\nfinally:\n  - {id: z, approval: {}}\n",
         (6, 13, "STEP-KIND",
          "a step of 'finally' cannot wait for a person: it also runs when the run is being stopped",
          "move it to 'steps'")),
        ("steps:\n  - {id: a, approval: {}}\n  - {id: b, run: ['${{ steps.a.outputs.who }}']}\n",
         (5, 24, "EXPRESSION", "'who' is unknown in 'steps.a.outputs'", "use one of: by, reason")),
    ],
)  # fmt: skip
def test_bad_use(text: str, expected: tuple[int, int, str, str, str | None]) -> None:
    (found,) = said(text)
    assert found[:4] == expected[:4]
    assert expected[4] in (None, found[4])
