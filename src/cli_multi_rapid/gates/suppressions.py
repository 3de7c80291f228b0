"""Comments with which a file switches off what looks at it: one expression for each family of tools.

They are looked for where a comment can begin, so that prose which only speaks of them is passed over; text in a string
that looks like a comment is not told apart. What scans all files for secrets also obeys a marker in prose.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cli_multi_rapid.gates.lines import LineSearch, Match
from cli_multi_rapid.system.globs import matches

_PROSE = ("**/*.md", "**/*.markdown", "**/*.mdx", "**/*.rst", "**/*.adoc", "**/*.txt")


@dataclass(frozen=True, slots=True)
class Marker:
    """How tools are told to look away: `name` is how people call it, `expression` (RE2) what it looks like.

    One that counts in `prose`, too, also does so in documents.
    """

    name: str
    expression: str
    prose: bool = False


# Where a comment begins, in nearly all languages, and anything in it.
_IN_COMMENT = r"(?:#|//|/\*|\*|<!--|--|;|%|\(\*|\{-).*"
_HASH = r"#\s*"
_SLASH = r"(?://|/\*+|<!--)\s*"

MARKERS: tuple[Marker, ...] = (
    Marker("noqa", rf"(?i){_HASH}(?:(?:ruff|flake8)\s*:\s*)?noqa\b"),
    Marker("ruff: ignore", rf"{_HASH}ruff\s*:\s*(?:ignore|file-ignore|disable)\b"),
    Marker("nosec", r"(?i)(?:#|//)\s*#?nosec\b"),
    Marker("type: ignore", rf"{_HASH}type:\s*ignore\b"),
    Marker("mypy:", rf"{_HASH}mypy:\s*(?:ignore-errors|disable-error-code|allow-|no-)"),
    Marker("pyright: ignore", rf"{_HASH}pyright:\s*(?:ignore|basic|standard|report\w+\s*=\s*(?:false|none))\b"),
    Marker("pyre-ignore", rf"{_HASH}(?:pyre-(?:ignore|fixme|unsafe)|pyrefly:\s*ignore|ty:\s*ignore|pytype:\s*disable)"),
    Marker("pylint: disable", r"#.*\bpylint:\s*(?:disable|skip-file)"),
    Marker("pragma: no cover", rf"(?i){_HASH}pragma[:\s]?\s*no\s*(?:cover|branch)\b"),
    Marker("nosemgrep", rf"{_IN_COMMENT}\bnosem(?:grep)?\b"),
    Marker("ast-grep-ignore", rf"{_IN_COMMENT}\bast-grep-ignore\b"),
    Marker(
        "eslint-disable",
        rf"{_SLASH}(?:eslint-disable|eslint\s+['\"@a-z]|oxlint-disable|tslint:disable|jshint\s+ignore)",
    ),
    Marker(
        "biome-ignore", rf"{_SLASH}(?:biome-ignore|deno-lint-ignore|rome-ignore|stylelint-disable|standard-disable)"
    ),
    Marker("@ts-ignore", rf"{_SLASH}@ts-(?:ignore|expect-error|nocheck)\b"),
    Marker("$FlowFixMe", rf"{_SLASH}\$Flow(?:FixMe|Issue|Ignore|ExpectedError)"),
    Marker("istanbul ignore", rf"{_SLASH}(?:istanbul|c8|v8)\s+ignore\b"),
    Marker("node:coverage", rf"{_SLASH}node:coverage\s+(?:ignore|disable)\b"),
    Marker("NOSONAR", rf"{_IN_COMMENT}\bNOSONAR\b"),
    Marker("NOPMD", rf"{_IN_COMMENT}\bNOPMD\b"),
    Marker("nolint", r"(?i)(?:#|//|/\*)\s*nolint(?:nextline|begin)?\b"),
    Marker("lint:ignore", r"//\s*lint:(?:file-)?ignore\b"),
    Marker("@SuppressWarnings", r"@(?:file:)?Suppress(?:Warnings|Lint|FBWarnings)?\s*\("),
    Marker("SuppressMessage", r"(?i)\bSuppressMessage(?:Attribute)?\s*\("),
    Marker("ExcludeFromCodeCoverage", r"\[(?:\w+\.)*ExcludeFromCodeCoverage(?:Attribute)?\b"),
    Marker(
        "#pragma warning",
        r"#\s*pragma\s+(?:warning\s*(?:disable|\(\s*(?:disable|suppress))|(?:GCC|clang)\s+diagnostic\s+ignored)",
    ),
    Marker("#[allow]", r"#!?\[\s*(?:allow|expect)\s*\("),
    Marker("rubocop:disable", rf"{_HASH}(?:rubocop|standard):(?:disable|todo)\b"),
    Marker(":nocov:", rf"{_HASH}:nocov:"),
    Marker("phpstan-ignore", rf"{_IN_COMMENT}(?:@phpstan-ignore|@psalm-suppress|phpcs:(?:ignore|disable))"),
    Marker("swiftlint:disable", rf"{_SLASH}(?:swiftlint:disable|ktlint-disable|scalastyle:off|checkstyle:off)"),
    Marker("LCOV_EXCL", rf"{_IN_COMMENT}\b[LG]COVR?_EXCL_(?:LINE|START|BR_)"),
    Marker(
        "shellcheck disable", rf"{_HASH}(?:shellcheck\s+disable=|hadolint\s+(?:global\s+)?ignore=|yamllint\s+disable)"
    ),
    Marker("zizmor: ignore", rf"{_HASH}zizmor:\s*ignore\b"),
    Marker(
        "checkov:skip",
        rf"{_IN_COMMENT}\b(?:checkov:skip|tfsec:ignore|trivy:ignore|kics-scan\s+(?:ignore|disable))",
    ),
    Marker("lgtm", r"(?:#|//)\s*(?:lgtm|codeql)\s*\["),
    Marker("allowlist secret", r"(?i)pragma:\s*(?:allow|white)list(?:[-\s]*next[-\s]?line)?[-\s]*secret", prose=True),
    Marker("gitleaks allow", r"\b(?:gitleaks|betterleaks):allow\b", prose=True),
    Marker("kingfisher ignore", r"\b(?:kingfisher|trufflehog|gitguardian):ignore\b|\bggignore\b", prose=True),
    Marker("secretlint-disable", rf"{_IN_COMMENT}\bsecretlint-disable", prose=True),
)
"""What counts as a suppression."""


def suppressions(path: str, text: str) -> Iterator[tuple[Marker, Match]]:
    """Yield the first suppression of each kind in every line of a file, kind by kind."""
    prose = matches(path, _PROSE)
    for match in _search().first(text, lambda number: MARKERS[number].prose or not prose):
        yield MARKERS[match.expression], match


@lru_cache(maxsize=1)
def _search() -> LineSearch:
    return LineSearch([marker.expression for marker in MARKERS])
