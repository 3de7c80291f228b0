"""The HTML report: whole, harmless, self-contained, and legible."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.html import FINDINGS_SHOWN, render_html
from cli_multi_rapid.documents.reports import Log, RunView
from cli_multi_rapid.errors import EvidenceMissing
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import Finding, GateResult, GateStatus, Level, Severity
from cli_multi_rapid.model.run import Status

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b[31m\u202e\x00\n{{ 7*7 }}" + "x" * 500


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute stands twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """Return what people read, with single blanks."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]


def gate(name: str = "coverage", status: GateStatus = GateStatus.PASS, **more: object) -> GateResult:
    """Return a gate's result at level standard."""
    return GateResult(**({"id": name, "check": "coverage", "level": Level.STANDARD, "status": status} | more))  # type: ignore[arg-type]


def passed(record) -> RunView:
    """Return a run that passed."""
    record.start("phase1")
    record.step("phase1/lint", command="ruff check src")
    record.gate("phase1", gate(summary="total coverage is 91.2 %", observed=91.2, threshold=85.0))
    record.end(Status.SUCCESS)
    return view(record.events, alive=False)


def test_the_verdict_comes_first(record) -> None:
    page = Page(render_html(passed(record), generated_at=NOW))
    titles = [
        page.text.index(word) for word in ("✓ Passed", "What each gate decided", "Steps of phase1", "No gate recorded")
    ]
    assert titles == sorted(titles)
    assert "Every gate that had to pass has passed." in page.text
    assert "91.2" in page.text
    assert "generate-report" not in page.text
    assert "ruff check src" in page.text
    assert "2026-03-14 12:00:00 UTC" in page.text


def test_everything_that_was_recorded_is_shown(record, rich_run) -> None:
    run = rich_run(record, "needle")
    page = Page(
        render_html(run, generated_at=NOW, logs={"phase1/test[0]": Log(path="/runs/1.log", tail="last words\n")})
    )
    for expected in (
        "Failed", "needle:48:12", "83.9", "85", "attempt 1: failure, needle", "/runs/1.log", "last words",
        "2 left-over process(es)", "1.9 MiB", "a" * 64, "b" * 64, "name = needle", "f00d", "value = needle",
        "note = needle", "the spec allows it", "advisory: reports, never blocks", "phase1/publish",
        "cli-multi-rapid rerun " + run.run, "The worst 3 of 9 are shown.", "python=needle",
        "its waiver has expired on 2026-01-31T00:00:00Z", "waived until 2030-01-31T00:00:00Z by needle: needle",
        "known from the baseline", "needle needle, from the cache",
    ):  # fmt: skip
        assert expected in page.text, expected


def test_hostile_text_is_harmless_everywhere(record, rich_run) -> None:
    run = rich_run(record, HOSTILE)
    text = render_html(run, generated_at=NOW, logs={"phase1/test[0]": Log(path=HOSTILE, tail=HOSTILE)})
    page = Page(text)
    assert "<script" not in text
    assert "<img" not in text
    assert not [tag for tag, attributes in page.tags if any(name.startswith("on") for name in attributes)]
    assert not set(text) & set("\x00\x1b\u202e")
    assert "{{ 7*7 }}" in page.text
    assert "\\u202e\\x00\\n" in page.text


def test_the_file_needs_nothing_else(record, rich_run) -> None:
    text = render_html(rich_run(record, "https://example.org/x.png"), generated_at=NOW)
    page = Page(text)
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "img", "object", "form", "video", "base"}
    for _, attributes in page.tags:
        assert not {"src", "srcset", "style", "data", "action"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_can_be_read_by_machines_and_by_everybody(record, rich_run) -> None:
    page = Page(render_html(rich_run(record, "needle"), generated_at=NOW))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        if "href" in attributes:
            assert (attributes["href"] or "")[1:] in ids
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(one.get("scope") in ("col", "row") for one in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    first_link = page.all("a")[0]
    assert (first_link["class"], first_link["href"]) == ("skip", "#main")


def test_statuses_are_words_and_signs_not_only_colours(record, rich_run) -> None:
    page = Page(render_html(rich_run(record, "needle"), generated_at=NOW))
    assert "✗ fail" in page.text
    assert "\u2013 skipped" in page.text


@pytest.mark.parametrize(
    ("status", "gates", "title"),
    [
        (Status.SUCCESS, [], "Done, but not judged"),
        (Status.SUCCESS, [gate(status=GateStatus.WARN)], "Passed with warnings"),
        (Status.ERROR, [gate(status=GateStatus.ERROR)], "Could not be judged"),
        (Status.TIMEOUT, [], "Timed out"),
        (Status.CANCELLED, [], "Cancelled"),
        (None, [], "Interrupted"),
    ],
)
def test_other_ends_are_named_and_never_green(
    record, status: Status | None, gates: list[GateResult], title: str
) -> None:
    record.start("phase1")
    record.step("phase1/lint")
    for one in gates:
        record.gate("phase1", one)
    if status:
        record.end(status)
    page = Page(render_html(view(record.events, alive=False), generated_at=NOW))
    assert title in page.text
    (masthead,) = page.all("header")
    assert "good" not in (masthead["class"] or "")


def test_a_run_without_gates_says_so(record) -> None:
    record.start("phase1")
    record.step("phase1/lint")
    record.end(Status.SUCCESS)
    assert "No gate has judged this run" in Page(render_html(view(record.events, alive=False), generated_at=NOW)).text


def test_a_run_of_gates_only(record) -> None:
    record.add(Kind.RUN_STARTED, level="strict")
    record.gate("", gate())
    record.add(Kind.RUN_FINISHED, status="success", exit_code=0, duration_ms=5)
    assert "This run had no phases." in Page(render_html(view(record.events, alive=False), generated_at=NOW)).text


def test_without_results_there_is_no_report(record) -> None:
    record.start("phase1")
    with pytest.raises(EvidenceMissing):
        render_html(view(record.events, alive=False), generated_at=NOW)


def test_long_lists_are_capped_and_the_rest_is_counted(record) -> None:
    record.start("phase1")
    for number in range(1000):
        record.step(f"phase1/s{number}", status=Status.FAILURE if number == 999 else Status.SUCCESS)
    findings = tuple(
        Finding(
            rule="r",
            message=f"m{number}",
            path="a.py",
            line=number,
            severity=Severity.HIGH if number == 299 else Severity.LOW,
        )
        for number in range(300)
    )
    record.gate("phase1", gate(status=GateStatus.FAIL, findings=findings, findings_total=1300))
    record.end(Status.FAILURE, code=1)
    text = render_html(view(record.events, alive=False), generated_at=NOW)
    page = Page(text)
    assert "600 further steps of this phase that did not fail are not listed" in page.text
    assert "s999" in page.text
    assert f"The worst {FINDINGS_SHOWN} of 1,300 are shown." in page.text
    assert "m299" in page.text
    assert len(text) < 500_000


def test_a_long_value_is_cut_and_says_so(record) -> None:
    run = passed(record)
    phase = replace(run.phases[0], inputs={"text": "y" * 5000})
    page = Page(render_html(replace(run, phases=(phase,)), generated_at=NOW))
    assert "… and 3,000 further characters" in page.text


def test_a_time_that_is_none_is_shown_as_it_is(record) -> None:
    page = Page(render_html(replace(passed(record), started="yesterday"), generated_at=NOW))
    assert "yesterday" in page.text


def colours(scheme: str) -> dict[str, str]:
    """Return the colours of the style sheet in the light or the dark."""
    css = (files("cli_multi_rapid.documents") / "templates" / "report.css").read_text(encoding="utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)", 1)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark)) if scheme == "dark" else found


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_at_least_four_and_a_half(scheme: str) -> None:
    found = colours(scheme)
    tones = ("good", "bad", "warn", "busy", "quiet")
    pairs = [(ink, paper) for ink in ("ink", "soft", *tones) for paper in ("paper", "card", "code")]
    pairs += [(name, f"{name}-tint") for name in tones] + [("paper", name) for name in tones]
    pairs += [(ink, f"{name}-tint") for ink in ("ink", "soft") for name in tones]
    for ink, paper in pairs:
        high, low = sorted((luminance(found[ink]), luminance(found[paper])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)
