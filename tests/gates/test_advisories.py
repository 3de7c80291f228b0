"""Which versions an advisory is about."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.gates.advisories import advisories_of, hit, packed, unpacked
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.versions import Ecosystem, version_of
from cli_multi_rapid.model.gate import Severity


def record(*events, ecosystem="PyPI", kind="ECOSYSTEM", versions=(), **more):
    affected = {"package": {"ecosystem": ecosystem, "name": "Requests"}, "versions": list(versions)}
    if events:
        affected["ranges"] = [{"type": kind, "events": [dict([event]) for event in events]}]
    return {"id": "X-1", "affected": [affected], **more}


def found(made, version, ecosystem=Ecosystem.PYPI):
    (advisory,) = advisories_of(made, "x.json")
    return hit(advisory, version_of(ecosystem, version))


BEGIN = ("introduced", "0")


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        (
            (BEGIN, ("fixed", "2.20.0")),
            ["0.0.1", "2.19.0", "2.20.0rc1", "2.20.0.dev3"],
            ["2.20.0", "2.20", "2.20.0.post1", "3"],
        ),
        ((("introduced", "1.0"), ("fixed", "1.5")), ["1.0", "1.4.9"], ["0.9", "1.0rc1", "1.5"]),
        ((("introduced", "1.0"), ("last_affected", "1.5")), ["1.0", "1.5", "1.5.0"], ["0.9", "1.5.0.1", "2"]),
        ((BEGIN, ("last_affected", "2.1.0")), ["2.1.0", "2.1.0+cu121"], ["2.1.1"]),
        ((BEGIN, ("fixed", "1.1"), ("introduced", "2.0"), ("fixed", "2.1")), ["1.0", "2.0.5"], ["1.1", "1.9", "2.1"]),
        ((("fixed", "2.1"), ("introduced", "2.0"), ("fixed", "1.1"), BEGIN), ["1.0", "2.0.5"], ["1.1", "1.9", "2.1"]),
        ((BEGIN, ("fixed", "1.0"), ("introduced", "1.0"), ("fixed", "2.0")), ["0.5", "1.0", "1.5"], ["2.0"]),
        ((("introduced", "1.0"), ("last_affected", "1.0")), ["1.0"], ["0.9", "1.1"]),
        ((BEGIN,), ["0.1", "99"], []),
        ((("fixed", "1.0"),), ["0.1"], ["1.0"]),
        ((BEGIN, ("limit", "2.0")), ["1.9"], ["2.0", "3"]),
        ((BEGIN, ("limit", "*")), ["1.9"], []),
        ((("introduced", "1!1.0"), ("fixed", "1!2.0")), ["1!1.5"], ["1.5", "2!1.5", "2026.1"]),
    ],
)
def test_ranges(events, inside, outside) -> None:
    for version in inside:
        assert found(record(*events), version) is not None, version
    for version in outside:
        assert found(record(*events), version) is None, version


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ((BEGIN, ("fixed", "4.17.21")), ["4.17.20", "4.17.21-beta.1"], ["4.17.21", "4.17.21+b", "5.0.0-0"]),
        (
            (("introduced", "2.0.0-rc.1"), ("fixed", "2.0.3")),
            ["2.0.0-rc.1", "2.0.0-rc.10", "2.0.0"],
            ["2.0.0-beta", "1.9.9"],
        ),
        ((("introduced", "1.0.0"), ("last_affected", "1.2.0")), ["1.2.0"], ["1.2.1", "1.10.0"]),
    ],
)
def test_semantic_ranges(events, inside, outside) -> None:
    made = record(*events, ecosystem="npm", kind="SEMVER")
    for version in inside:
        assert found(made, version, Ecosystem.NPM) is not None, version
    for version in outside:
        assert found(made, version, Ecosystem.NPM) is None, version


def test_a_listed_version_is_affected_whatever_the_ranges_say() -> None:
    made = record(("introduced", "5.0"), versions=["1.0.0", "2.0rc1"])
    assert [found(made, version) is not None for version in ("1.0", "1.0+local", "2.0.rc1", "2.0", "5.0")] == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_the_next_fix_is_named() -> None:
    made = record(BEGIN, ("fixed", "1.1"), ("introduced", "2.0"), ("fixed", "2.1.0"))
    assert found(made, "1.0").fixed.text == "1.1"
    assert found(made, "2.0").fixed.text == "2.1.0"
    assert found(record(BEGIN, ("last_affected", "2.0")), "2.0").fixed is None


def test_withdrawn_and_foreign_ones_are_left_out() -> None:
    assert advisories_of(record(BEGIN, withdrawn="2024-01-01T00:00:00Z"), "x") == []
    assert advisories_of(record(BEGIN, ecosystem="Go"), "x") == []
    assert advisories_of({"id": "X", "affected": [{"ranges": []}]}, "x") == []
    assert len(advisories_of(record(BEGIN, withdrawn=None), "x")) == 1
    assert len(advisories_of(record(BEGIN, ecosystem="PyPI:some-index"), "x")) == 1


@pytest.mark.parametrize(
    "made",
    [record(), record(("introduced", "abc"), ("fixed", "2.0")), record(("introduced", "deadbeef"), kind="GIT")],
)
def test_an_advisory_that_does_not_say_which_versions_counts_for_all(made) -> None:
    one = found(made, "1.0")
    assert one is not None
    assert not one.certain


def test_a_range_that_cannot_be_compared_is_settled_by_the_list_of_versions() -> None:
    made = record(("introduced", "abc"), versions=["1.0"])
    assert found(made, "1.0").certain
    assert found(made, "1.1") is None


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({}, None),
        ({"database_specific": {"severity": "MODERATE"}}, Severity.MEDIUM),
        ({"database_specific": {"severity": "CRITICAL"}}, Severity.HIGH),
        (
            {
                "database_specific": {"severity": "LOW"},
                "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            },
            Severity.LOW,
        ),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N"}]}, Severity.LOW),
        ({"severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L"}]}, None),
    ],
)
def test_severity(more, severity) -> None:
    (advisory,) = advisories_of(record(BEGIN, **more), "x")
    assert advisory.severity is severity


@pytest.mark.parametrize(
    "made",
    [
        {"affected": []},
        {"id": 5},
        {"id": "X", "affected": {}},
        {"id": "X", "affected": ["x"]},
        {"id": "X", "affected": [{"package": {"ecosystem": "PyPI"}}]},
        {"id": "X", "affected": [{"package": {"ecosystem": 1, "name": "x"}}]},
        {"id": "X", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": "1.0"}]},
        {"id": "X", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": [1.0]}]},
        {
            "id": "X",
            "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [{"events": [{"fixed": 1}]}]}],
        },
        {"id": "X", "aliases": [1]},
        {"id": "X", "withdrawn": 1},
    ],
)
def test_what_is_not_of_the_form_of_osv_is_refused(made) -> None:
    with pytest.raises(EvidenceError, match="no advisory in the OSV format"):
        advisories_of(made, "x.json")


def test_lists_that_repeat_each_other_are_bounded() -> None:
    versions = ["1.0"] * 1000
    one = {"package": {"ecosystem": "PyPI", "name": "x"}, "versions": versions}
    with pytest.raises(EvidenceError, match="more than 100,000 values"):
        advisories_of({"id": "X", "affected": [one] * 1000}, "x.json")


def test_an_advisory_survives_being_packed() -> None:
    (advisory,) = advisories_of(record(BEGIN, ("fixed", "2"), versions=["1"], aliases=["CVE-1"], summary="s"), "x")
    assert unpacked(packed(advisory), id_="X-1", ecosystem=Ecosystem.PYPI, name="requests") == advisory


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["introduced", "fixed", "last_affected"]), st.integers(0, 8)), max_size=5),
    st.integers(0, 9),
)
def test_ranges_do_not_depend_on_the_order_in_which_they_are_written(events, number) -> None:
    written = [(kind, f"{at}.0") for kind, at in events]
    forward, backward = record(*written), record(*reversed(written))
    assert (found(forward, f"{number}") is None) == (found(backward, f"{number}") is None)
