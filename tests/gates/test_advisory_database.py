"""The database: what it may be, what is kept of it, and every way in which it can be broken."""

import json
import os
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli_multi_rapid.gates.advisory_database import build, open_database, open_source
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.versions import Ecosystem
from cli_multi_rapid.model.gate_settings import Check, GateSpec

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SPEC = GateSpec(check=Check.DEPENDENCIES)
YAML = """\
id: PYSEC-2018-28
modified: 2026-05-30T00:00:00.5Z
withdrawn:
aliases: [CVE-2018-18074]
affected:
- package: {name: requests, ecosystem: PyPI}
  ranges:
  - type: ECOSYSTEM
    events:
    - introduced: "0"
    - fixed: 2.20
  versions:
  - 0.10
"""


def opened(path: Path, cache: Path):
    return open_source(path, name=path.name, cache=cache)


def found(path: Path, cache: Path, name: str = "requests", ecosystem: Ecosystem = Ecosystem.PYPI) -> list[str]:
    database = opened(path, cache)
    try:
        return [one.id for one in database.about(ecosystem, name)]
    finally:
        database.close()


def text(name: str, *, id_: str = "X-1", ecosystem: str = "PyPI", modified: str | None = "2026-05-30T00:00:00Z") -> str:
    record = {"id": id_, "affected": [{"package": {"name": name, "ecosystem": ecosystem}}]}
    return json.dumps(record | ({"modified": modified} if modified else {}))


def test_pypa_yaml_keeps_versions_as_they_are_written(tmp_path) -> None:
    (tmp_path / "db" / "vulns" / "requests").mkdir(parents=True)
    (tmp_path / "db" / "vulns" / "requests" / "PYSEC-2018-28.yaml").write_text(YAML)
    database = opened(tmp_path / "db", tmp_path / "cache")
    (advisory,) = database.about(Ecosystem.PYPI, "requests")
    assert advisory.ranges == ((("introduced", "0"), ("fixed", "2.20")),)
    assert advisory.versions == ("0.10",)
    assert advisory.aliases == ("CVE-2018-18074",)
    assert database.holdings[Ecosystem.PYPI].newest == datetime(2026, 5, 30, 0, 0, 0, 500_000, tzinfo=UTC)
    database.close()


def test_zip_tar_and_index_hold_what_the_folder_holds(tmp_path) -> None:
    folder, cache = tmp_path / "db", tmp_path / "cache"
    folder.mkdir()
    (folder / "a.json").write_text(text("requests"))
    (folder / "npm.json").write_text(text("lodash", id_="G-1", ecosystem="npm"))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(folder / "a.json", "a.json")
        archive.write(folder / "npm.json", "npm.json")
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as tar:
        tar.add(folder, ".")
    build(folder, tmp_path / "all.sqlite", name="db")
    for name in ("db", "all.zip", "all.tar.gz", "all.sqlite"):
        assert found(tmp_path / name, cache) == ["X-1"], name
        assert found(tmp_path / name, cache, "lodash", Ecosystem.NPM) == ["G-1"], name
        assert found(tmp_path / name, cache, "lodash") == []


def test_other_files_beside_advisories_do_not_matter(tmp_path) -> None:
    db = tmp_path / "db"
    (db / ".github").mkdir(parents=True)
    (db / ".github" / "broken.yml").write_text("a: [")
    (db / "settings.json").write_text("[1]")
    (db / "package.json").write_text('{"name": "x"}')
    (db / "README.md").write_text("words")
    (db / "a.json").write_text(text("requests"))
    assert found(db, tmp_path / "cache") == ["X-1"]


def test_the_same_advisory_twice_is_kept_twice(tmp_path) -> None:
    db = tmp_path / "db"
    db.mkdir()
    (db / "a.json").write_text(text("requests"))
    (db / "b.json").write_text(text("requests"))
    assert found(db, tmp_path / "cache") == ["X-1", "X-1"]


def test_what_was_read_is_kept_until_the_source_changes(tmp_path) -> None:
    db, cache = tmp_path / "db", tmp_path / "cache"
    db.mkdir()
    (db / "a.json").write_text(text("requests"))
    assert found(db, cache) == ["X-1"]
    (kept,) = cache.iterdir()
    before = kept.stat().st_mtime_ns
    assert found(db, cache) == ["X-1"]
    assert kept.stat().st_mtime_ns == before
    state = (db / "a.json").stat()
    (db / "a.json").write_text(text("requests", id_="X-2"))
    os.utime(db / "a.json", ns=(state.st_atime_ns, state.st_mtime_ns))  # same size, same time
    assert found(db, cache) == ["X-2"]
    (db / "b.json").write_text(text("requests", id_="X-3"))
    assert found(db, cache) == ["X-2", "X-3"]
    assert len(list(cache.iterdir())) == 1


def test_a_damaged_cache_is_made_again(tmp_path) -> None:
    db, cache = tmp_path / "db", tmp_path / "cache"
    db.mkdir()
    (db / "a.json").write_text(text("requests"))
    assert found(db, cache) == ["X-1"]
    for content in (b"", b"garbage", next(cache.iterdir()).read_bytes()[:5000]):
        next(cache.iterdir()).write_bytes(content)
        assert found(db, cache) == ["X-1"]


BROKEN = {
    "garbage": b"\x00garbage",
    "not JSON": b"{",
    "empty": b"",
    "blank": b"  \n",
    "too deep": b"[" * 100_000,
    "no id": b'{"affected": []}',
    "wrong type": b'{"id": 1, "affected": []}',
    "not UTF-8": b'{"id": "\xff"}',
}


@pytest.mark.parametrize("kind", BROKEN)
def test_one_broken_file_breaks_the_database(tmp_path, kind) -> None:
    db = tmp_path / "db"
    db.mkdir()
    (db / "a.json").write_text(text("requests"))
    (db / "b.json").write_bytes(BROKEN[kind])
    with pytest.raises(EvidenceError, match=r"b\.json in db") as raised:
        opened(db, tmp_path / "cache")
    assert "CMR_ADVISORY_DB" in raised.value.fix or "download" in raised.value.fix
    assert not list((tmp_path / "cache").glob("*"))


def test_broken_yaml_breaks_the_database(tmp_path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "b.yaml").write_text("id: [")
    with pytest.raises(EvidenceError, match=r"b\.yaml in db cannot be read"):
        opened(tmp_path / "db", tmp_path / "cache")


def test_broken_archives_and_indexes(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        archive.writestr("a.json", text("requests"))
    whole = (tmp_path / "whole.zip").read_bytes()
    build(tmp_path / "whole.zip", tmp_path / "whole.sqlite", name="x")
    index = (tmp_path / "whole.sqlite").read_bytes()
    for name, data in {
        "cut.zip": whole[:-30], "empty.zip": b"", "cut.sqlite": index[:-4096], "none.sqlite": b"words",
        "x.tar.gz": whole, "list.txt": b"words",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(data)
        with pytest.raises(EvidenceError, match=name):
            opened(tmp_path / name, tmp_path / "cache")


def test_without_any_advisory_it_is_no_database(tmp_path) -> None:
    (tmp_path / "db").mkdir()
    with pytest.raises(EvidenceError, match="holds no advisory"):
        opened(tmp_path / "db", tmp_path / "cache")
    (tmp_path / "db" / "a.json").write_text(text("x", ecosystem="Go"))
    with pytest.raises(EvidenceError, match="holds no advisory"):
        opened(tmp_path / "db", tmp_path / "cache")
    with pytest.raises(EvidenceError, match="does not exist"):
        opened(tmp_path / "gone.zip", tmp_path / "cache")


def age(path: Path, cache: Path, ecosystem: Ecosystem = Ecosystem.PYPI, max_age: str = "30d") -> datetime:
    database = opened(path, cache)
    try:
        return database.check_age(ecosystem, max_age=max_age, now=NOW)
    finally:
        database.close()


def test_age(tmp_path) -> None:
    db, cache = tmp_path / "db", tmp_path / "cache"
    db.mkdir()
    limit = NOW - timedelta(days=30)
    (db / "a.json").write_text(text("requests", modified=limit.isoformat()))
    assert age(db, cache) == limit
    (db / "a.json").write_text(text("requests", modified=(limit - timedelta(seconds=1)).isoformat()))
    with pytest.raises(
        EvidenceError, match=r"too old: its newest advisory about PyPI is of 2026-05-01, `max-age` is 30d"
    ):
        age(db, cache)
    assert age(db, cache, max_age="31d")
    with pytest.raises(EvidenceError, match="no advisory about packages of npm"):
        age(db, cache, Ecosystem.NPM)


def test_a_fresh_ecosystem_does_not_hide_a_stale_one(tmp_path) -> None:
    db, cache = tmp_path / "db", tmp_path / "cache"
    db.mkdir()
    (db / "a.json").write_text(text("requests", modified="2020-01-01T00:00:00Z"))
    (db / "b.json").write_text(text("lodash", ecosystem="npm", modified="2026-05-31T00:00:00Z"))
    assert age(db, cache, Ecosystem.NPM)
    with pytest.raises(EvidenceError, match="too old"):
        age(db, cache)


def test_a_date_of_the_future_is_no_proof(tmp_path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "a.json").write_text(text("requests", modified="2026-06-03T00:00:00Z"))
    with pytest.raises(EvidenceError, match="of the future"):
        age(tmp_path / "db", tmp_path / "cache")


@pytest.mark.parametrize("modified", [None, "yesterday"])
def test_without_a_date_that_of_the_file_counts(tmp_path, modified) -> None:
    (tmp_path / "db").mkdir()
    file = tmp_path / "db" / "a.json"
    file.write_text(text("requests", modified=modified))
    at = NOW - timedelta(days=3)
    os.utime(file, (at.timestamp(), at.timestamp()))
    assert age(tmp_path / "db", tmp_path / "cache") == at
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.json", (1980, 0, 0, 0, 0, 0)), text("requests", modified=modified))
    with pytest.raises(EvidenceError, match="does not say how old"):
        age(tmp_path / "x.zip", tmp_path / "cache")


def test_where_it_is_looked_for(supply) -> None:
    def path(spec: GateSpec = SPEC) -> str:
        database = open_database(spec, supply.given())
        database.close()
        return database.path

    supply.advise("X-1", "x", {"introduced": "0"})
    inside = GateSpec(check=Check.DEPENDENCIES, database="osv/db")
    supply.project.write("osv/db/a.json", text("x"))
    assert path(inside) == str(supply.database)  # the environment comes first
    del supply.env["CMR_ADVISORY_DB"]
    assert path(inside) == "osv/db"
    with pytest.raises(EvidenceError, match="there is no advisory database"):
        path()
    supply.env["CMR_ADVISORY_DB"] = "osv/db"
    with pytest.raises(EvidenceError, match="is no absolute path"):
        path()


def test_the_folder_in_the_cache_is_the_last_place(supply, tmp_path) -> None:
    from dataclasses import replace

    del supply.env["CMR_ADVISORY_DB"]
    (tmp_path / "c" / "advisories").mkdir(parents=True)
    (tmp_path / "c" / "advisories" / "a.json").write_text(text("x"))
    database = open_database(SPEC, replace(supply.given(), cache=str(tmp_path / "c")))
    database.close()
    assert database.path == str(tmp_path / "c" / "advisories")


def test_a_link_to_a_place_outside_the_project_is_refused(supply) -> None:
    del supply.env["CMR_ADVISORY_DB"]
    supply.advise("X-1", "x", {"introduced": "0"})
    (supply.project.root / "osv").symlink_to(supply.database)
    for name in ("osv", "osv/X-1.json"):
        with pytest.raises(EvidenceError, match="leads outside the project"):
            open_database(GateSpec(check=Check.DEPENDENCIES, database=name), supply.given())


def test_an_index_with_facts_of_somebody_else_is_refused(tmp_path) -> None:
    from cli_multi_rapid.system.advisory_index import write_index

    for number, facts in enumerate(
        [{}, {"holdings": "x"}, {"holdings": "[]"}, {"holdings": '{"PyPI": {"advisories": "x"}}'}]
    ):
        write_index(tmp_path / f"{number}.sqlite", [], lambda facts=facts: facts)
        with pytest.raises(EvidenceError, match="cannot be used"):
            opened(tmp_path / f"{number}.sqlite", tmp_path / "cache")
