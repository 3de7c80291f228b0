"""What is said about steps that wait for a person, in every place."""

import io

import pytest

from cli_multi_rapid.cli.live import LiveRenderer
from cli_multi_rapid.cli.plain import PlainRenderer
from cli_multi_rapid.cli.status import status_lines, status_run
from cli_multi_rapid.cli.summary import summary
from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.text import Symbols
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.run import Status

LINES = [
    "phase1 review  waits for anybody's approval",
    "phase1 review  approved by Eve\\x07: yes\\nand no",
    "phase1 review  waits for approval by a or b; anew, because since it was approved these files changed: x",
    "waits for a person",
]


@pytest.fixture
def waiting(record):
    wait = {"by": [], "not_author": False, "expires_at": "", "fingerprint": "f" * 64, "tree": "t" * 40,
            "ref": "refs/cmr/R/0001.x", "warnings": []}  # fmt: skip
    record.start("phase1")
    record.step("phase1/make")
    record.add(Kind.STEP_WAITING, "phase1/review", attempt=1, **wait)
    record.add(
        Kind.STEP_APPROVED, "phase1/review", attempt=1, decision="approved", by={"name": "Eve\x07"},
        reason="yes\nand no", fingerprint="f", tree="t", key="", signature="",
    )  # fmt: skip
    more = {"by": ["a", "b"], "changed": ["x"], "changed_total": 1, "voided": True}
    record.add(Kind.STEP_WAITING, "phase1/review", attempt=2, **(wait | more))
    record.add(Kind.RUN_WAITING, attempt=1, steps=["phase1/review"])
    return record


@pytest.mark.parametrize("kind", [PlainRenderer, LiveRenderer])
def test_as_it_happens(waiting, kind) -> None:
    out = io.StringIO()
    more = {"width": 200} if kind is LiveRenderer else {}
    renderer = kind(out, symbols=Symbols(), **more)
    for event in waiting.events:
        renderer.event(event)
    renderer.close()
    for line in LINES:
        assert line in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_in_the_summary(waiting) -> None:
    lines = summary(view(waiting.events, alive=False)).split("\n")
    assert lines[0].startswith(
        "… Waiting  phase1 · step phase1/review waits for approval by a or b; anew, because since"
    )
    assert lines[1:3] == [
        "  about    phase1/review: fingerprint ffffffffffff, tree tttttttttttt",
        "  look     git diff HEAD refs/cmr/R/0001.x",
    ]
    assert lines[-2:] == [
        f"  next     cli-multi-rapid approve {waiting.run} phase1/review",
        f"           cli-multi-rapid resume {waiting.run}",
    ]


def test_in_the_status(waiting) -> None:
    from datetime import UTC, datetime

    found = view(waiting.events, alive=False)
    told = status_run(found)
    assert "  … review  waiting             waits for approval by a or b" in told
    assert "  look     git diff HEAD refs/cmr/R/0001.x" in told
    listed = status_lines([found], now=datetime.now(UTC)).split("\n")
    assert listed[-1] == f"waiting:  cli-multi-rapid approve {waiting.run} phase1/review"


def test_in_a_run_that_has_ended(waiting) -> None:
    waiting.finish("phase1/review", status=Status.FAILURE, attempt=0, reason="rejected by Eve: no")
    waiting.end(Status.FAILURE, code=1)
    found = view(waiting.events, alive=False)
    assert summary(found).startswith("✗ Failed  phase1 · step phase1/review failed: rejected by Eve: no")
    assert "look" not in status_run(found)
