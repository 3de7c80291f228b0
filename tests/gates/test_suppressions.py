"""Comments that switch tools off. They are put together here, so that this file holds none."""

import pytest

from cli_multi_rapid.gates.suppressions import MARKERS, suppressions


def text(written: str) -> str:
    """Return what is written with a tilde in it."""
    return written.replace("~", "")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("noqa", "import os  # no~qa"),
        ("noqa", "import os  #NO~QA: F401"),
        ("noqa", "# ruff: no~qa: F401"),
        ("noqa", "# flake8: no~qa"),
        ("noqa", "- shell: x  # no~qa command-instead-of-shell"),
        ("ruff: ignore", "x = 1  # ruff: igno~re[E501]"),
        ("ruff: ignore", "# ruff: disab~le[E501]"),
        ("nosec", "call()  # nos~ec B602"),
        ("nosec", "call() // #nos~ec G104"),
        ("type: ignore", "x = f()  # type: igno~re[arg-type]"),
        ("mypy:", "# mypy: ignore-er~rors"),
        ("pyright: ignore", "x  # pyright: igno~re"),
        ("pyright: ignore", "# pyright: reportMissingImports=fal~se"),
        ("pyre-ignore", "x  # ty: igno~re[x]"),
        ("pylint: disable", "x = 1  # short, pylint: disab~le=invalid-name"),
        ("pylint: disable", "# pylint: skip-fi~le"),
        ("pragma: no cover", "if x:  # pragma: no cov~er"),
        ("pragma: no cover", "if x:  # PRAGMA: NO BRAN~CH"),
        ("nosemgrep", "eval_(x)  # no~semgrep: rule"),
        ("nosemgrep", "x(); // no~sem"),
        ("ast-grep-ignore", "// ast-grep-ig~nore"),
        ("eslint-disable", "// eslint-disab~le-next-line no-eval"),
        ("eslint-disable", "/* eslint-disab~le */"),
        ("eslint-disable", "/* esl~int no-eval: 0 */"),
        ("biome-ignore", "// biome-igno~re lint: why"),
        ("@ts-ignore", "// @ts-igno~re"),
        ("@ts-ignore", "// @ts-expect-er~ror later"),
        ("@ts-ignore", "/* @ts-noche~ck */"),
        ("$FlowFixMe", "// $FlowFix~Me"),
        ("istanbul ignore", "/* istanbul igno~re next */"),
        ("istanbul ignore", "/* c8 igno~re start */"),
        ("node:coverage", "/* node:coverage disab~le */"),
        ("NOSONAR", "int x; // why NOSO~NAR"),
        ("NOPMD", "int x; // NOP~MD"),
        ("nolint", "x() //nol~int:errcheck"),
        ("nolint", "int x;  // NOLI~NTNEXTLINE(rule)"),
        ("lint:ignore", "//lint:igno~re SA1000 why"),
        ("@SuppressWarnings", '@Suppress~Warnings("unchecked")'),
        ("@SuppressWarnings", '@Suppr~ess("MagicNumber")'),
        ("SuppressMessage", "[Diagnostics.CodeAnalysis.SuppressMessage~Attribute('PSAvoidUsingCmdletAliases', '')]"),
        ("SuppressMessage", '[SuppressMess~age("Style", "IDE0001")]'),
        ("ExcludeFromCodeCoverage", "[ExcludeFromCode~Coverage]"),
        ("#pragma warning", "#pragma warning disab~le CS0168"),
        ("#pragma warning", '#pragma GCC diagnostic igno~red "-Wall"'),
        ("#[allow]", "#[all~ow(dead_code)]"),
        ("#[allow]", "#![all~ow(unused)]"),
        ("rubocop:disable", "x # rubocop:disab~le Style/Y"),
        (":nocov:", "# :noc~ov:"),
        ("phpstan-ignore", "// @phpstan-igno~re-next-line"),
        ("swiftlint:disable", "// swiftlint:disab~le force_cast"),
        ("LCOV_EXCL", "x(); // LCOV_EX~CL_LINE"),
        ("shellcheck disable", "# shellcheck disab~le=SC2086"),
        ("shellcheck disable", "# yamllint disab~le-line"),
        ("zizmor: ignore", "uses: a/b@v1 # zizmor: igno~re[unpinned-uses]"),
        ("checkov:skip", "# checkov:sk~ip=CKV_1:why"),
        ("lgtm", "// codeql ~[js/x]".replace(" ~", "~")),
        ("allowlist secret", "x = y  # pragma: allow~list secret"),
        ("allowlist secret", "# pragma: allow~list nextline secret"),
        ("gitleaks allow", "x = y  # gitleaks:al~low"),
        ("kingfisher ignore", "x = y  # kingfisher:igno~re"),
        ("secretlint-disable", "// secretlint-disab~le-next-line"),
    ],
)
def test_what_switches_a_tool_off(name: str, line: str) -> None:
    found = [(marker.name, match.line) for marker, match in suppressions("src/a.x", f"fine\n{text(line)}\n")]
    assert (name, 2) in found


def test_every_marker_is_tried_above() -> None:
    (mark,) = (one for one in test_what_switches_a_tool_off.pytestmark if one.name == "parametrize")
    assert {name for name, _ in mark.args[1]} == {marker.name for marker in MARKERS}


@pytest.mark.parametrize(
    "line",
    [
        "noqa = 1",
        "the word noqa in a sentence",
        "nosec()",
        "type: ignore",
        "x = ignore  # the type is ignored",
        "# a pragma about what nobody covers",
        "eslint.config.js",
        "# eslint is not run here",
        "nolint = true",
        "def NOSONAR(): pass",
        "suppress(FileNotFoundError)",
        "#pragma once",
        "#[derive(Debug)]",
        "# pylint is run by CI",
        "# pylint: enable=invalid-name",
        "# shellcheck source=lib.sh",
        "# pyright: strict",
        "# mypy: disallow-any-generics",
        "// the istanbul ignored",
    ],
)
def test_what_only_looks_like_it(line: str) -> None:
    assert list(suppressions("src/a.x", line)) == []


def test_prose_may_speak_of_them_but_not_to_scanners_of_all_files() -> None:
    prose = text("use `# no~qa` and `// eslint-disab~le` with care\nx  # gitleaks:al~low\n")
    assert [(marker.name, match.line) for marker, match in suppressions("docs/a.md", prose)] == [("gitleaks allow", 2)]
    assert {marker.name for marker, _ in suppressions("src/a.py", prose)} == {
        "noqa", "eslint-disable", "gitleaks allow",
    }  # fmt: skip


def test_several_in_one_line_and_one_kind_once() -> None:
    line = text("x = 1  # no~qa  # type: igno~re  # no~qa")
    assert sorted(marker.name for marker, _ in suppressions("a.py", line)) == ["noqa", "type: ignore"]
