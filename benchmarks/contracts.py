"""Contracts: a document is validated, code of many contracts is generated, and drift is looked for; beside peers.

Peers that generate are command lines for one file each, so that many contracts take many calls. Some are made, and the
time of all is computed from them; the table says so. Aims are about processor time, which a busy machine spoils least.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from measuring import Contender, Sample, measure

OURS = "cli-multi-rapid"
DRIFT = "cli-multi-rapid validate-contracts --drift"
JSONSCHEMA = "jsonschema"
CODEGEN = "datamodel-codegen command line"
QUICKTYPE = "quicktype command line"
LIMITS = {"validate": 2.0, "generate": 2000.0, "drift": 50.0}
"""Microseconds a document; milliseconds of a whole process, and within one."""

_AIMED = 50
_SECONDS = 0.05
_EVENTS = "contracts/events"
_PART = "parts/money.json"


@dataclass(slots=True, kw_only=True)
class Found:
    """What was measured: microseconds a document, whole processes by name, drift within one, and who was not there.

    `calls` tells how many calls of a peer were made in a round; its samples are those of one call each.
    """

    contracts: int
    calls: int
    targets: tuple[str, ...] = ()
    document_us: dict[str, list[float]] = field(default_factory=dict)
    processes: dict[str, list[Sample]] = field(default_factory=dict)
    drift_ms: list[float] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def validated(self, name: str) -> float | None:
        """Return the least time of a document in microseconds."""
        times = self.document_us.get(name)
        return min(times) if times else None

    def generated(self, name: str) -> tuple[float, float] | None:
        """Return the time in milliseconds to generate code of all contracts: least processor time, median wall time."""
        samples = self.processes.get(name)
        if not samples:
            return None
        times = 1 if name.startswith(OURS) else self.contracts
        return min(one.cpu_ms for one in samples) * times, median(one.wall_ms for one in samples) * times

    def drift(self) -> float | None:
        """Return the least processor time in milliseconds of reading all contracts and looking for drift."""
        return min(self.drift_ms) if self.drift_ms else None


def measured(scratch: Path, environ: Mapping[str, str], *, contracts: int, rounds: int, calls: int) -> Found:
    """Measure everything on so many contracts, taking turns; peers get `calls` calls a round."""
    from cli_multi_rapid.model.contract import ModelTarget

    root = scratch / "contracts-project"
    _write(root, contracts)
    found = Found(contracts=contracts, calls=calls)
    _documents(root, found, rounds)
    ours = [sys.executable, "-m", "cli_multi_rapid"]
    found.targets = tuple(one.value for one in ModelTarget)
    every = [argument for one in found.targets for argument in ("--target", one)]
    peers = _peers(root, scratch, found)
    if reason := _unable([*ours, "generate-models", *every], root, environ):
        found.missing[f"{OURS}: generate"] = reason
        return found
    for number in range(0 if rounds > 1 else 1, rounds + 1):  # the first of several rounds fills caches
        shutil.rmtree(root / "contracts/models", ignore_errors=True)
        turns: list[tuple[str, list[list[str]]]] = [
            (f"{OURS} generate-models, {len(found.targets)} languages", [[*ours, "generate-models", *every]]),
            (DRIFT, [[*ours, "validate-contracts", "--drift"]]),
            *peers.items(),
        ]
        for name, commands in turns:
            samples = [_run(name, command, root, environ) for command in commands]
            if number:
                found.processes.setdefault(name, []).extend(samples)
        found.drift_ms.append(_drift(root))
    return found


def table(found: Found) -> list[str]:
    """Return the tables that people read."""
    lines = [f"{'a document is validated (us)':<46}{'least':>10}{'ratio':>8}{'n':>5}"]
    base = found.validated(f"{OURS}: schema only")
    for name, times in found.document_us.items():
        lines.append(f"  {name:<44}{min(times):>10.2f}{min(times) / (base or 1):>8.1f}{len(times):>5}")
    head = f"code of {found.contracts} contracts (ms)"
    lines += ["", f"{head:<46}{'cpu min':>10}{'wall med':>10}{'cpu ratio':>11}{'n':>5}"]
    least = found.generated(next(iter(found.processes), ""))
    for name, samples in found.processes.items():
        cpu, wall = found.generated(name) or (0.0, 0.0)
        calls = "" if name.startswith(OURS) else f"  {found.contracts} calls, computed from {found.calls} a round"
        ratio = cpu / least[0] if least else 0.0
        lines.append(f"  {name:<44}{cpu:>10.0f}{wall:>10.0f}{ratio:>11.1f}{len(samples):>5}{calls}")
    if found.drift_ms:
        lines.append(f"  {'reading and drift, within a process':<44}{min(found.drift_ms):>10.0f}")
    return [*lines, *(f"not run: {name}: {why}" for name, why in found.missing.items())]


def aims(found: Found | None) -> dict[str, tuple[float | None, float, str]]:
    """Return what is aimed at: what was found, the limit and the unit."""
    own = next(iter(found.processes), "") if found else ""
    validated = found.validated(f"{OURS}: schema only") if found else None
    generated = found.generated(own) if found and own else None
    whole = generated[0] if generated and found and found.contracts == _AIMED else None
    return {
        "validating a document": (validated, LIMITS["validate"], "us"),
        f"code of {_AIMED} contracts, one process": (whole, LIMITS["generate"], "ms"),
        "drift of the contracts, beyond start-up": (found.drift() if found else None, LIMITS["drift"], "ms"),
    }


def data(found: Found) -> dict[str, object]:
    """Return what was measured as plain data."""
    return {
        "contracts": found.contracts, "targets": found.targets, "calls": found.calls,
        "document_us": found.document_us, "drift_ms": found.drift_ms,
        "processes": {name: [asdict(one) for one in samples] for name, samples in found.processes.items()},
        "not_run": found.missing,
    }  # fmt: skip


def _documents(root: Path, found: Found, rounds: int) -> None:
    """Measure validation of one document in this process."""
    from cli_multi_rapid.contracts.strict_json import read_json
    from cli_multi_rapid.services.contracts import opened_contracts
    from cli_multi_rapid.services.wiring import open_project

    opened = opened_contracts(open_project(root))
    contract = opened.found.contracts[0]
    validator = opened.validators[contract.path]
    schema = opened.found.documents[contract.path]
    text = json.dumps(_document())
    value = json.loads(text)
    assert validator.is_valid(value)
    ways: dict[str, Callable[[], object]] = {
        f"{OURS}: schema only": lambda: validator.is_valid(value),
        f"{OURS}: strict reading and schema": lambda: validator.is_valid(read_json(text.encode(), "document")),
    }
    if find_spec("jsonschema") is None:
        found.missing[JSONSCHEMA] = "not installed"
    else:
        from jsonschema import Draft202012Validator
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        part = json.loads((root / _EVENTS / _PART).read_text("utf-8"))
        registry: Registry = Registry().with_resource(_PART, DRAFT202012.create_resource(part))
        checker = Draft202012Validator.FORMAT_CHECKER
        peer = Draft202012Validator(schema, format_checker=checker, registry=registry)
        assert peer.is_valid(value)
        ways[JSONSCHEMA] = lambda: peer.is_valid(value)
    for _ in range(max(rounds, 1)):
        for name, way in ways.items():
            found.document_us.setdefault(name, []).append(_microseconds(way, _SECONDS))


def _drift(root: Path) -> float:
    from cli_multi_rapid.services.contracts import opened_contracts
    from cli_multi_rapid.services.models import drift_checks
    from cli_multi_rapid.services.wiring import open_project

    start = time.process_time()
    checks = drift_checks(opened_contracts(open_project(root)))
    took = (time.process_time() - start) * 1000
    assert all(check.status == "pass" for one in checks.values() for check in one)
    return took


def _microseconds(way: Callable[[], object], seconds: float) -> float:
    end, count = time.perf_counter() + seconds, 0
    start = time.perf_counter()
    while time.perf_counter() < end:
        for _ in range(20):
            way()
        count += 20
    return (time.perf_counter() - start) / count * 1e6


def _peers(root: Path, scratch: Path, found: Found) -> dict[str, list[list[str]]]:
    """Return the commands that peers get in a round, each for one contract."""
    files = sorted((root / _EVENTS).glob("*@*.json"))[: found.calls]
    codegen = shutil.which("datamodel-codegen", path=str(Path(sys.executable).parent)) or ""
    prefix = Path(__file__).resolve().parent.parent / ".benchmarks/node_modules/.bin"
    quicktype = shutil.which("quicktype", path=os.pathsep.join([str(prefix), os.environ.get("PATH", "")])) or ""
    options = [
        "--input-file-type", "jsonschema", "--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin",
        "--disable-timestamp",
    ]  # fmt: skip
    kind = ["--src-lang", "schema", "--lang", "typescript"]
    commands = {
        CODEGEN: [[codegen, "--input", str(one), *options, "--output", str(scratch / "out.py")] for one in files],
        QUICKTYPE: [[quicktype, *kind, str(one), "-o", str(scratch / "out.ts")] for one in files],
    }
    for name, program in ((CODEGEN, codegen), (QUICKTYPE, quicktype)):
        if not program:
            found.missing[name] = "not installed"
            del commands[name]
    return commands


def _unable(command: list[str], root: Path, environ: Mapping[str, str]) -> str:
    """Return the first line of what a command complains of; empty where it does its work."""
    done = subprocess.run(command, cwd=root, env=dict(environ), capture_output=True, text=True, check=False)
    return done.stderr.partition("\n")[0] if done.returncode else ""


def _run(name: str, command: list[str], root: Path, environ: Mapping[str, str]) -> Sample:
    contender = Contender(group="contracts", name=name, argv=tuple(command), cwd=root, env=environ)
    return measure(contender, root.parent / "contracts-output")


def _write(root: Path, contracts: int) -> None:
    (root / _EVENTS / "parts").mkdir(parents=True)
    (root / "config").mkdir()
    (root / "config/workflow-config.yaml").write_text("schema: cmr/config@v1\nproject: contracts\n", "utf-8")
    money = {"type": "string", "pattern": "^-?[0-9]{1,15}([.][0-9]{1,8})?$"}
    (root / _EVENTS / _PART).write_text(json.dumps(money), "utf-8")
    for number in range(contracts):
        name = f"Order{number}"
        (root / _EVENTS / f"{name}@1.0.json").write_text(json.dumps(_contract(name), indent=1), "utf-8")


def _contract(name: str) -> dict[str, object]:
    """Return a contract of the size that orders have: 14 keys, an inner object, a list and a shared part."""
    whole = {"type": "integer", "minimum": 0, "maximum": 2**53}
    word = {"type": "string", "minLength": 1, "maxLength": 40}
    when = {"type": "string", "format": "date-time"}
    leg = {
        "type": "object", "additionalProperties": False, "required": ["symbol", "units"],
        "properties": {"symbol": word, "units": whole, "note": {"type": ["string", "null"], "maxLength": 80}},
    }  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:cmr:contract:{name}:1.0",
        "title": name, "type": "object", "additionalProperties": False,
        "required": ["id", "at", "side", "symbol", "units", "legs"],
        "properties": {
            "id": {"type": "string", "format": "uuid"}, "at": when, "side": {"enum": ["BUY", "SELL"], "type": "string"},
            "symbol": {"type": "string", "pattern": "^[A-Z]{3,12}$"}, "units": whole,
            "limit": {"$ref": _PART},
            "stop": {"$ref": _PART}, "expires": when, "comment": {"type": ["string", "null"],
            "maxLength": 80},
            "ratio": {"type": "number", "minimum": 0, "maximum": 1}, "urgent": {"type": "boolean"}, "account": word,
            "strategy": word, "legs": {"type": "array", "items": {"$ref": "#/$defs/Leg"}, "maxItems": 20},
        },
        "$defs": {"Leg": leg},
    }  # fmt: skip


def _document() -> dict[str, object]:
    return {
        "id": "0b7b5d0c-6f1e-4f0e-9a55-3c1d2b4a5f60", "at": "2026-11-22T09:00:00.123Z", "side": "BUY",
        "symbol": "EURUSD",
        "units": 100000, "limit": "1.08410", "comment": None, "ratio": 0.25, "urgent": False, "account": "main",
        "strategy": "breakout", "legs": [{"symbol": "EURUSD", "units": 60000}, {"symbol": "EURUSD", "units": 40000}],
    }  # fmt: skip


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(table(measured(Path(folder), os.environ, contracts=50, rounds=5, calls=5))))
