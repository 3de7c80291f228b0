"""The HTML report of a real run with hostile names and words, looked at in a real Chromium."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PHONE, DESK = 360, 1280
TRAP = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202eevil"
NAMES = ("<img src=x onerror=alert(3)>.py", "\u202egpj.py", "\x1b[31mred.py", "a" * 200 + ".py")
FOUND = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": TRAP, "version": TRAP}},
            "results": [
                {
                    "ruleId": f"rule-{number}-{TRAP}",
                    "level": level,
                    "message": {"text": f"{TRAP} {'w' * 300}"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": f"src/{'deep/' * 30}x.py"},
                                "region": {"startLine": 1},
                            }
                        }
                    ],
                }
                for number, level in enumerate(("error", "warning", "note", "none"))
            ],
        }
    ],
}
GATES = """\
schema: cmr/gates@v1
gates:
  denylist: {check: denylist, fail-on: high}
  lint: {check: command, run: [python3, tools/lint.py]}
  tests: {check: tests, reports: [none.xml]}
  fine: {check: command, run: [python3, tools/fine.py], format: json}
"""
PHASE = """\
schema: cmr/phase@v1
name: p
title: "{trap}"
steps:
  - {{id: talk, run: [python3, tools/talk.py]}}
  - {{id: allowed, run: [python3, -c, "raise SystemExit(3)"], continue-on-error: true}}
  - {{id: broken, run: [python3, -c, "raise SystemExit('{plain}')", "{trap}"], continue-on-error: true}}
gates: [lint, denylist, tests, fine]
finally:
  - {{id: bye, run: [python3, tools/talk.py]}}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    """Return the address of the report of a run that has failed in many ways."""
    root, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("home")
    files = {
        "config/workflow-config.yaml": "schema: cmr/config@v1\nproject: test\n",
        "config/compliance-gates.yaml": GATES,
        "workflows/phase_definitions/p.yaml": PHASE.format(trap=json.dumps(TRAP)[1:-1], plain="x" * 400),
        "tools/lint.py": f"print({json.dumps(json.dumps(FOUND))})\n",
        "tools/fine.py": "print('[]')\n",
        "tools/talk.py": f"print({TRAP!r} * 20)\n" * 60,
        **dict.fromkeys(NAMES, "eval(input())\n"),
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "CMR_", "XDG_"))}
    env |= {"HOME": str(home), "CMR_STATE_DIR": str(home / "state"), "CMR_TRUST": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(("git", "init", "-q", root), check=True, env=env)
    program = (sys.executable, "-m", "cli_multi_rapid", "-C", str(root))
    ran = subprocess.run((*program, "run-phase", "p"), env=env, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stderr + ran.stdout
    page = root / "report.html"
    made = subprocess.run((*program, "generate-report", "-o", str(page)), env=env, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return page.as_uri()


@pytest.mark.parametrize(("width", "dark"), [(PHONE, True), (DESK, False)], ids=["phone-dark", "desk-light"])
def test_axe_finds_nothing_wrong(chromium, report, width, dark):
    assert chromium.violations(report, width=width, dark=dark) == []


def test_axe_is_not_blind(chromium, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text("<html><body><img src='data:,'><p style='color:#ddd;background:#fff'>pale</p></body></html>")
    assert {one.rule for one in chromium.violations(page.as_uri())} >= {"image-alt", "color-contrast", "html-has-lang"}


@pytest.mark.parametrize("width", [320, PHONE, 768, DESK])
def test_nothing_is_wider_than_the_screen(chromium, report, width):
    def widths(page) -> tuple[int, int]:
        page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true })")
        return page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")

    wide, visible = chromium.look(report, widths, width=width)
    assert wide <= visible == width


def test_hostile_text_is_shown_and_nothing_else_happens(chromium, report):
    """No script runs, nothing is loaded, and no mark turns the words around; `look` fails on dialogs and requests."""

    def seen(page) -> tuple[int, int, str]:
        return page.locator("script").count(), page.locator("img").count(), page.locator("body").inner_text()

    scripts, images, text = chromium.look(report, seen)
    assert (scripts, images) == (0, 0)
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in text
    assert "<img src=x onerror=alert(3)>.py" in text
    assert "\\u202egpj.py" in text
    assert not set(text) & set("\x1b\u202e")


def test_a_phone_shows_rows_as_cards_and_text_that_can_be_read(chromium, report):
    def seen(page) -> tuple[str, float]:
        cell = page.locator("main td").first
        return cell.evaluate("one => getComputedStyle(one).display"), page.evaluate(
            "Math.min(...[...document.querySelectorAll('main td, main th[scope=row], main p, main li')]"
            ".filter(one => one.innerText.trim()).map(one => parseFloat(getComputedStyle(one).fontSize)))"
        )

    display, smallest = chromium.look(report, seen, width=PHONE)
    assert display == "block"
    assert smallest >= 11


@pytest.mark.parametrize(("width", "name"), [(PHONE, "report-phone"), (DESK, "report-desk")])
def test_a_picture_is_kept(chromium, report, width, name):
    picture = chromium.screenshot(report, name, width=width)
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == width
    assert Path(picture).stat().st_size > 20_000
