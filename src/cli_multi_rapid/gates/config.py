"""Load `config/compliance-gates.yaml`, with every problem at once."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from cli_multi_rapid.gates.expression_names import check_expressions
from cli_multi_rapid.gates.registry import settings_of
from cli_multi_rapid.model.gate_settings import COMPAT, VALIDATORS, Check, GateFile, GateSpec
from cli_multi_rapid.system.checks import check_duration, check_exit_codes, check_globs, check_name, leads_outside
from cli_multi_rapid.system.document import Findings, Loaded, load_document
from cli_multi_rapid.system.globs import matches
from cli_multi_rapid.system.positions import Trail

if TYPE_CHECKING:
    from cli_multi_rapid.model.ports import Expressions


def load_gates(text: str | bytes, path: str, *, expressions: "Expressions | None" = None) -> GateFile:
    """Load the gates of a project; without what reads them, expressions are not looked at.

    Raises:
        SpecInvalid: with every problem of the file.
    """
    loaded: Loaded[GateFile] = load_document(text, path, shape=GateFile, schema="gates")
    findings = Findings(loaded)
    gates = loaded.draft.gates if loaded.draft else {}
    for name, gate in gates.items():
        check_name(("gates", name), findings)
        _keys(("gates", name), gate, findings)
        _gate(("gates", name), gate, findings)
    if expressions is not None:
        check_expressions(gates, findings, expressions)
    findings.check()
    assert loaded.draft is not None
    return loaded.draft


def _keys(trail: Trail, gate: GateSpec, findings: Findings) -> None:
    """Note keys that the gate's kind of check would ignore. Where the kind is wrong, nothing can be said."""
    if findings.refused((*trail, "check")):
        return
    for field in fields(GateSpec):
        key = str(field.metadata.get("alias", field.name))
        here = (*trail, key)
        if field.name != "check" and field.name not in settings_of(gate.check) and here in findings.document.keys:
            message = f"'{key}' has no effect on a gate of the kind {gate.check.value}"
            findings.add("SPEC-VALUE", here, message, fix="remove it", key=True)


def _gate(trail: Trail, gate: GateSpec, findings: Findings) -> None:
    check_globs((*trail, "reports"), gate.reports, findings)
    check_globs((*trail, "exclude"), gate.exclude, findings)
    check_exit_codes((*trail, "ok-codes"), gate.ok_codes, findings)
    check_duration((*trail, "timeout"), gate.timeout, findings)
    check_duration((*trail, "max-age"), gate.max_age, findings)
    check_globs((*trail, "lock-files"), gate.lock_files, findings)
    if gate.database and leads_outside(gate.database):
        message = f"'{gate.database}' is not a path inside the project"
        fix = "write it relative to the project's root, or set CMR_ADVISORY_DB to a place outside of it"
        findings.add("PATH-OUTSIDE", (*trail, "database"), message, fix=fix)
    for key, percent in (("min", gate.min), ("changed-min", gate.changed_min)):
        if percent is not None and not 0 <= percent <= 100:
            message = f"'{key}' is {percent:g}, which is not a percentage"
            findings.add("SPEC-VALUE", (*trail, key), message, fix="use a number from 0 to 100", key=True)
    if gate.check is Check.COMMAND and not gate.reports and (not gate.run or not gate.run[0]):
        message = "a gate of the kind command needs a command or the reports of one"
        findings.add("SPEC-KEY-MISSING", (*trail, "run"), message, fix="add 'run' or 'reports'", key=True)
    _FURTHER.get(gate.check, _nothing)(trail, gate, findings)


def _nothing(_trail: Trail, _gate: GateSpec, _findings: Findings) -> None:
    """Note nothing: some kinds of check have no values that only fit together."""


def _diff(trail: Trail, gate: GateSpec, findings: Findings) -> None:
    for key, globs in (("allow", gate.allow), ("deny", gate.deny)):
        check_globs((*trail, key), globs, findings)
        if not globs and (*trail, key) in findings.document.keys:
            message = f"'{key}' is empty, which says nothing"
            findings.add("SPEC-VALUE", (*trail, key), message, fix="name paths, or remove it", key=True)
    for key, limit in (("max-files", gate.max_files), ("max-lines", gate.max_lines)):
        if limit is not None and limit < 0:
            message = f"'{key}' is {limit}, which nothing can keep to"
            findings.add("SPEC-VALUE", (*trail, key), message, fix="use 0 or more", key=True)


def _expression(trail: Trail, gate: GateSpec, findings: Findings) -> None:
    if not gate.assert_.strip():
        message = "a gate of the kind expression needs something that must be true"
        fix = 'add  assert: "${{ gates.NAME.findings == 0 }}"'
        findings.add("SPEC-KEY-MISSING", (*trail, "assert"), message, fix=fix, key=True)


def _project(trail: Trail, gate: GateSpec, findings: Findings) -> None:
    if gate.file and (leads_outside(gate.file) or not matches(gate.file, (f"{VALIDATORS}/**/*.py",))):
        message = f"'{gate.file}' is no Python file below {VALIDATORS}/"
        fix = f"move it to {VALIDATORS}/, which has to be trusted before anything runs"
        findings.add("PATH-OUTSIDE", (*trail, "file"), message, fix=fix)


def _contracts(trail: Trail, gate: GateSpec, findings: Findings) -> None:
    if (*trail, "mode") in findings.document.keys and not gate.compat:
        message = "'mode' has no effect where nothing is compared"
        findings.add("SPEC-VALUE", (*trail, "mode"), message, fix="add  compat: last-release", key=True)
    for i, name in enumerate(gate.require):
        if name == COMPAT and not gate.compat:
            message = "nothing is compared, so nothing can be required of it"
            findings.add("SPEC-VALUE", (*trail, "require", i), message, fix="add  compat: last-release")
        elif name != COMPAT and not gate.roundtrip:
            message = f"there is no round trip, so '{name}' cannot be required"
            findings.add("SPEC-VALUE", (*trail, "require", i), message, fix="add  roundtrip: true")


def _licences(trail: Trail, gate: GateSpec, findings: Findings) -> None:
    from cli_multi_rapid.gates.licence_terms import known_entry

    if not gate.allow and not gate.deny:
        message = "without 'allow' and 'deny' every licence would do"
        findings.add("SPEC-KEY-MISSING", (*trail, "check"), message, fix="add 'allow' or 'deny'", key=True)
    for key, entries in (("allow", gate.allow), ("deny", gate.deny)):
        for i, entry in enumerate(entries):
            if not known_entry(entry):
                fix = "use an id of the SPDX list such as MIT or Apache-2.0, or unknown"
                findings.add("SPEC-VALUE", (*trail, key, i), f"'{entry}' is no SPDX id", fix=fix)
    for i, entry in enumerate(gate.deny):
        if entry in gate.allow:
            findings.add(
                "SPEC-VALUE", (*trail, "deny", i), f"'{entry}' is also in 'allow'", fix="remove one of the two"
            )


def _denylist(trail: Trail, gate: GateSpec, findings: Findings) -> None:
    from cli_multi_rapid.gates.lines import problem_of

    if not gate.default_set and not gate.patterns:
        message = "without the built-in set and without patterns nothing would be looked for"
        findings.add("SPEC-VALUE", (*trail, "default-set"), message, fix="add 'patterns'", key=True)
    seen: set[str] = set()
    for i, pattern in enumerate(gate.patterns):
        here = (*trail, "patterns", i)
        check_globs((*here, "paths"), pattern.paths, findings)
        check_globs((*here, "exclude"), pattern.exclude, findings)
        if pattern.id in seen:
            message = f"there is already a pattern '{pattern.id}'"
            findings.add("SPEC-VALUE", (*here, "id"), message, fix="give one of the two another id")
        seen.add(pattern.id)
        if not pattern.pattern:
            findings.add("PATTERN", (*here, "pattern"), "an empty pattern matches every line", fix="write what to find")
        elif wrong := problem_of(pattern.pattern):
            fix = "use RE2 syntax: no look-around, no back-references"
            findings.add("PATTERN", (*here, "pattern"), f"'{pattern.pattern}': {wrong}", fix=fix)


_FURTHER: Mapping[Check, Callable[[Trail, GateSpec, Findings], None]] = {
    Check.CONTRACTS: _contracts,
    Check.DENYLIST: _denylist,
    Check.DIFF: _diff,
    Check.EXPRESSION: _expression,
    Check.LICENCES: _licences,
    Check.PROJECT: _project,
}
