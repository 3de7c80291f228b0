"""The commands about advisory databases, and the two checks in a run."""

import json
from datetime import UTC, datetime

import pytest

GATES = """\
schema: cmr/gates@v1
gates:
  dependencies: {check: dependencies, database: osv}
  licences: {check: licences, allow: [MIT]}
"""


@pytest.fixture
def project(sandbox):
    modified = datetime.now(UTC).isoformat()
    affected = {"package": {"ecosystem": "npm", "name": "lodash"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.21"}]}]}  # fmt: skip
    sandbox.write("osv/G-1.json", json.dumps({"id": "G-1", "modified": modified, "affected": [affected]}))
    sandbox.write("config/compliance-gates.yaml", GATES)
    lock(sandbox, "4.17.20")
    return sandbox


def lock(sandbox, version):
    packages = {"node_modules/lodash": {"version": version, "license": "MIT"}}
    sandbox.write("package-lock.json", json.dumps({"packages": packages}))


def test_a_database_becomes_a_file_that_gates_use(project):
    shown = project.cmr("advisories", "show", "osv", "--json")
    assert (shown.code, shown.data()["ecosystems"]["npm"]["advisories"]) == (0, 1)
    built = project.cmr("advisories", "build", "osv", "-o", "../all.sqlite")
    assert built.code == 0
    again = project.cmr("advisories", "show", "../all.sqlite")
    assert (again.code, again.out.startswith("npm  1 advisories, the newest of 20")) == (0, True)


def test_what_is_no_database_is_told_with_code_3(project):
    done = project.cmr("advisories", "show", "config")
    assert done.code == 3
    assert "error[ADVISORIES-UNUSABLE]" in done.err
    assert "holds no advisory" in done.err
    assert project.cmr("advisories", "build", "osv", "-o", "x.zip").code == 2


def test_both_checks_in_a_run(project):
    failed = project.cmr("validate-compliance", "--json")
    found = {gate["id"]: gate for gate in failed.data()["gates"]}
    assert (failed.code, found["dependencies"]["status"], found["licences"]["status"]) == (1, "fail", "pass")
    lock(project, "4.17.21")
    assert project.cmr("validate-compliance").code == 0
    (project.root / "osv" / "G-1.json").write_text("{")
    assert project.cmr("validate-compliance").code == 3
