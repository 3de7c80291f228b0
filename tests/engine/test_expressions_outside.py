"""GitHub's own cross-language cases, where they are at hand."""

import json
import os
from pathlib import Path

import pytest

from cli_multi_rapid.engine.expressions import ExpressionError, evaluate

_DATA = Path(os.environ.get("CMR_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "github-expressions"
_KINDS = {
    type(None): "Null",
    bool: "Boolean",
    int: "Number",
    float: "Number",
    str: "String",
    list: "Array",
    dict: "Object",
}

Case = dict[str, object]


def _cases() -> list[tuple[str, Case]]:
    return [
        (f"{path.stem}/{group}/{number}", case)
        for path in sorted(_DATA.glob("*.json"))
        for group, cases in json.loads(path.read_text("utf-8")).items()
        for number, case in enumerate(cases)
    ]


def _outcome(case: Case) -> tuple[str, object]:
    try:
        value = evaluate(case["expr"], case.get("contexts") or {})
    except ExpressionError as error:
        return error.kind, error.message
    return _KINDS[type(value)], value


def _fits(case: Case) -> bool:
    kind, value = _outcome(case)
    if "err" in case:
        return kind == case["err"]["kind"] and case["err"]["value"] in str(value)
    return (kind, value) == (case["result"]["kind"], case["result"]["value"])


@pytest.mark.outside
def test_every_case_of_github_holds() -> None:
    cases = _cases()
    if not cases:
        pytest.skip(f"no cases in {_DATA}; set CMR_TEST_DATA to the folder that holds github-expressions/")
    wrong = {name: (case["expr"], *_outcome(case)) for name, case in cases if not _fits(case)}
    assert wrong == {}


def test_the_comparison_can_fail() -> None:
    assert not _fits({"expr": "1", "result": {"kind": "Boolean", "value": True}})
    assert not _fits({"expr": "1", "err": {"kind": "parsing", "value": ""}})
    assert not _fits({"expr": "1 +", "err": {"kind": "parsing", "value": ""}})
    assert _fits({"expr": "true", "result": {"kind": "Boolean", "value": True}})
