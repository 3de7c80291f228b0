"""The Markdown report: readable, complete, and nothing that was recorded becomes markup."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cli_multi_rapid.documents.graph import Node
from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.markdown import FINDINGS_SHOWN, NODES_DRAWN, ROWS_SHOWN, code, render_markdown
from cli_multi_rapid.documents.text import crop, printable
from cli_multi_rapid.errors import EvidenceMissing
from cli_multi_rapid.model.gate import Finding, GateStatus, Level, Severity
from cli_multi_rapid.model.run import Status

HOSTILE = (
    "```\n# h <script>alert(1)</script> | a \\| b `` c ` [x](javascript:y) ![i](//e) <!-- @user #12 w@x.org "
    "https://e.org www.e.org :tada: &lt; **b** ~~s~~ \x1b[31m\u202e\x00"
)
GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def inline(text):
    """Return the inline tokens of a text, as GitHub would find them."""
    return [child for token in GITHUB.parse(text) for child in token.children or ()]


def cells(text):
    """Return the texts of the cells of all tables, row by row."""
    rows, tokens = [], GITHUB.parse(text)
    for number, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("td_open", "th_open"):
            rows[-1].append("".join(child.content for child in tokens[number + 1].children or ()))
    return rows


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("`|\\ <>&*_[]()#@:\n")))
@example("``` a ```")
@example(" \\| ` ")
@example("`" * 400)
def test_nothing_in_a_code_span_is_markup(text):
    shown = crop(printable(text), 300)
    (token,) = inline(f"a {code(text)} b")[1:-1] or [None] if shown.strip() else [None]
    if token is not None:
        assert (token.type, token.content) == ("code_inline", shown)
    else:
        assert code(text) == ""


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("`|\\ <>&*_[]()#@:\n")))
@example("a\\|b|c\\")
def test_nothing_in_a_cell_divides_it(text):
    shown = crop(printable(text), 300).replace("\\|", "\\\\x7c")
    row = cells(f"| a | b | c |\n| --- | --- | --- |\n| x | {code(text, cell=True)} | y |")[1]
    assert row == ["x", shown if shown.strip() else "", "y"]


def test_hostile_text_is_harmless_everywhere(record, rich_run):
    nodes = [Node(name="phase1/test", group=HOSTILE, label=HOSTILE, status=Status.FAILURE)]
    text = render_markdown(rich_run(record, HOSTILE), nodes=nodes)
    assert not set(text) & set("\x00\x1b\u202e")
    kinds = {token.type for token in GITHUB.parse(text)} | {token.type for token in inline(text)}
    allowed = {"text", "softbreak", "code_inline", "strong_open", "strong_close", "paragraph_open", "paragraph_close",
               "inline", "heading_open", "heading_close", "bullet_list_open", "bullet_list_close", "list_item_open",
               "list_item_close", "fence"} | {f"{one}_{end}" for one in ("table", "thead", "tbody", "tr", "th", "td")
                                              for end in ("open", "close")}  # fmt: skip
    assert kinds <= allowed
    words = " ".join(token.content for token in inline(text) if token.type == "text")
    for trap in ("script", "javascript", "@", "e.org", "#12", ":tada:"):
        assert trap not in words
    (fence,) = [token for token in GITHUB.parse(text) if token.type == "fence"]
    assert fence.info == "mermaid"
    assert not set(fence.content) & set("`<>@|")


def test_everything_that_matters_is_told(record, rich_run):
    text = render_markdown(rich_run(record, "needle"), nodes=[Node(name="phase1/test", group="phase1")])
    assert text.startswith("# ✗ Failed: `needle`\n\n- `step phase1/test[0] failed: needle`\n")
    tables = cells(text)
    assert ["style of phase1", "✗ fail", "needle (from the cache)", "83.9", "85", "0.0s"] in tables
    assert ["types of phase1", "✗ fail (advisory)", "needle", "", "", "0.0s"] in tables
    assert ["unit of phase1/test[0]", "✗ fail", "needle", "", "", "0.0s"] in tables
    assert tables[0][:2] == ["Run", "Started (UTC)"]
    assert tables[1][:2] == [record.run, "2026-03-14 09:26:53"]
    assert "## Gates: 4 fail, 1 error, 1 skipped, 1 waived" in text
    assert "- **high** `needle:48:12` `needle` (`needle`) fix: `needle` " in text
    assert "(`waived until 2030-01-31T00:00:00Z by needle: needle`)" in text
    assert "(`its waiver has expired on 2026-01-31T00:00:00Z`)" in text
    assert "(`known from the baseline`)" in text
    assert "- and 6 further findings" in text
    assert "- gate `phase1/gate:licences` `was not reached`" in text
    assert "Next: `cli-multi-rapid rerun " in text
    assert '```mermaid\nflowchart LR\n  subgraph g1["phase1"]\n    n1["test"]\n  end\n```' in text
    assert "warning: `step phase1/notify failed: exit code 22; the spec allows it`" in text
    assert "- step `phase1/test[0]` failed: `needle`, ran `needle`" in text


def test_a_green_run_is_short(record, gate):
    record.start("phase1")
    record.step("phase1/lint")
    record.gate("phase1", gate(summary="total coverage is 91.2 %", observed=91.2, threshold=85.0))
    record.end(Status.SUCCESS)
    text = render_markdown(view(record.events, alive=False))
    assert text.startswith("# ✓ Passed: `phase1`\n\n| Run |")
    assert "Next" not in text
    assert "Not run" not in text


def test_without_gates_it_says_so(record):
    record.start("phase1")
    record.step("phase1/lint")
    record.end(Status.SUCCESS)
    text = render_markdown(view(record.events, alive=False))
    assert "# ! Done, but not judged" in text
    assert "No gate has judged this run, so nothing here counts as accepted." in text


def test_what_blocks_comes_first_and_the_worst_is_listed(record, gate):
    findings = tuple(
        Finding(rule="r", message=f"m{number}", severity=Severity.HIGH if number == 299 else Severity.LOW)
        for number in range(300)
    )
    record.start("phase1")
    record.gate("phase1", gate("a", GateStatus.FAIL, level=Level.ADVISORY, findings=findings, findings_total=300))
    record.gate("phase1", gate("b", GateStatus.FAIL, findings=findings, findings_total=1300))
    record.end(Status.FAILURE, code=1)
    text = render_markdown(view(record.events, alive=False))
    assert text.index("### `b`") < text.index("### `a`")
    assert text.index("`m299`") < text.index("`m0`")
    assert f"- and {1300 - FINDINGS_SHOWN:,} further findings" in text


def test_long_runs_fit_into_a_summary(record, gate):
    """GitHub takes at most 1 MiB, and draws nothing with more than 500 edges."""
    record.start("phase1")
    for number in range(1000):
        record.step(f"phase1/s{number}", status=Status.FAILURE, reason="é" * 5000)
    finding = Finding(rule="r" * 500, message="é" * 5000, path="p" * 500, fix="f" * 5000)
    for number in range(ROWS_SHOWN + 50):
        result = gate(f"g{number}", GateStatus.FAIL, summary="é" * 5000, findings=(finding,) * 50, findings_total=50)
        record.gate("phase1", result)
    record.end(Status.FAILURE, code=1)
    nodes = [Node(name=f"phase1/s{number}") for number in range(NODES_DRAWN + 1)]
    text = render_markdown(view(record.events, alive=False), nodes=nodes)
    assert len(text.encode()) < 1 << 20
    assert "and 50 further rows" in text
    assert "Findings of 130 further gates are in the JSON report." in text
    assert f"{NODES_DRAWN + 1} steps are too many to be drawn here: `cli-multi-rapid graph {record.run}`" in text
    assert re.search(r"^- and 1,\d\d\d more$", text, flags=re.MULTILINE)


def test_without_results_there_is_no_report(record):
    record.start("phase1")
    with pytest.raises(EvidenceMissing):
        render_markdown(view(record.events, alive=False))
