import pytest

from cli_multi_rapid.gates.cvss import base_score, severity_of
from cli_multi_rapid.gates.versions import Ecosystem, name_of, spelled, version_of
from cli_multi_rapid.model.gate import Severity

PYPI, NPM = Ecosystem.PYPI, Ecosystem.NPM


@pytest.mark.parametrize(
    "ordered",
    [
        (PYPI, "1.0.dev1", "1.0a1", "1.0a2", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "2!0.1"),
        (NPM, "1.0.0-0", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
         "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"),
    ],
)  # fmt: skip
def test_order(ordered) -> None:
    ecosystem, *texts = ordered
    versions = [version_of(ecosystem, text) for text in texts]
    assert None not in versions
    for i, low in enumerate(versions):
        for high in versions[i + 1 :]:
            assert low < high, (low.text, high.text)
            assert not high < low
            assert low != high


@pytest.mark.parametrize(
    ("ecosystem", "one", "other"),
    [
        (PYPI, "1.0", "1.0.0"),
        (PYPI, "1.0", "v1.0"),
        (PYPI, "1.0rc1", "1.0.RC-1"),
        (PYPI, "2.1.0+cu121", "2.1.0"),
        (NPM, "1.2.3", "v1.2.3"),
        (NPM, "1.2.3+build.5", "1.2.3"),
        (NPM, "1.2", "1.2.0"),
    ],
)
def test_different_spellings_of_one_version(ecosystem, one, other) -> None:
    assert version_of(ecosystem, one) == version_of(ecosystem, other)
    assert hash(version_of(ecosystem, one)) == hash(version_of(ecosystem, other))


def test_two_local_versions_are_compared_whole() -> None:
    assert version_of(PYPI, "1.0+a") < version_of(PYPI, "1.0+b")
    assert version_of(PYPI, "1.0+a") != version_of(PYPI, "1.0+b")
    assert version_of(PYPI, "1.0") != "1.0"


@pytest.mark.parametrize(
    ("ecosystem", "text"),
    [(PYPI, "2004d"), (PYPI, ""), (PYPI, "1" * 5000), (PYPI, "latest"), (NPM, "1.x"), (NPM, ""), (NPM, "1.0.0_1"),
     (NPM, "git+ssh://x/y"), (NPM, "9" * 40)],
)  # fmt: skip
def test_what_cannot_be_compared(ecosystem, text) -> None:
    assert version_of(ecosystem, text) is None


@pytest.mark.parametrize(
    ("ecosystem", "text", "expected"),
    [(PYPI, "1.0.0", "1"), (PYPI, "1.10", "1.10"), (PYPI, "10.0", "10"), (PYPI, "1.0-rc.1", "1rc1"),
     (PYPI, "1.0+cu1", "1"), (PYPI, "01.2", "1.2"), (PYPI, "2004d", "2004d"), (NPM, "v1.0.0+b", "1.0.0")],
)  # fmt: skip
def test_the_one_spelling(ecosystem, text, expected) -> None:
    assert spelled(ecosystem, text) == expected


def test_names() -> None:
    assert name_of(PYPI, "Foo_Bar.baz") == "foo-bar-baz"
    assert name_of(NPM, "JSONStream") == "JSONStream"


@pytest.mark.parametrize(
    ("vector", "score", "severity"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, Severity.HIGH),
        ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8, Severity.HIGH),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, Severity.MEDIUM),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", 5.9, Severity.MEDIUM),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, Severity.LOW),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, Severity.HIGH),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, Severity.INFO),
    ],
)
def test_scores(vector, score, severity) -> None:
    assert base_score(vector) == score
    assert severity_of(score) is severity


@pytest.mark.parametrize(
    "vector", ["", "CVSS:4.0/AV:N", "CVSS:3.1/AV:N", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]
)
def test_what_is_no_vector_has_no_score(vector) -> None:
    assert base_score(vector) is None
