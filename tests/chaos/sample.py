"""The sample project: a phase of twelve steps and a final one, in a git repository."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from changes import BASE, WRITERS, Writer, touched, tree_before, write_tree

PHASE = "chaos"
OWN = ("workflows", "config", ".git", ".cmr", "step.py", "changes.json")
"""What of the project is not part of what the steps change."""

_READERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("prepare", "look", ()),
    ("look-1", "look", ("edit",)),
    ("look-2", "look", ("edit",)),
    ("secret", "secret", ("edit",)),
    ("fail", "fail", ("edit",)),
    ("between", "look", ("mark",)),
    ("collect", "collect", ("rewrite", "fail", "secret", "between")),
)
_NEEDS: dict[str, tuple[str, ...]] = {
    "edit": ("prepare",),
    "move": ("look-1", "look-2"),
    "mark": ("move",),
    "daemons": ("mark",),
    "rewrite": ("daemons",),
}
_ORDER = (
    "prepare", "edit", "look-1", "look-2", "secret", "fail", "move", "mark", "between", "daemons", "rewrite", "collect",
)  # fmt: skip
FINAL = "say"
STEPS = tuple(f"{PHASE}/{name}" for name in (*_ORDER, FINAL))
"""The keys of all steps."""

FINAL_KEY = f"{PHASE}/{FINAL}"
FAILING = f"{PHASE}/fail"
WITH_DAEMONS = f"{PHASE}/daemons"
WITH_OUTPUT = f"{PHASE}/collect"
CONFIG = f"schema: cmr/config@v1\nproject: chaos\njobs: {{default: [{PHASE}]}}\nengine: {{parallel: 4}}\n"
GATES = "schema: cmr/gates@v1\ngates: {deny: {check: denylist}}\n"


def build(root: Path, *, pause_s: float, environ: Mapping[str, str]) -> None:
    """Make the project in a new folder."""
    write_tree(root, BASE)
    shutil.copyfile(Path(__file__).with_name("step.py"), root / "step.py")
    _write(root / "changes.json", json.dumps({writer.name: _plan(writer) for writer in WRITERS}))
    _write(root / "config/workflow-config.yaml", CONFIG)
    _write(root / "config/compliance-gates.yaml", GATES)
    _write(root / f"workflows/phase_definitions/{PHASE}.yaml", "\n".join(_phase(pause_s)) + "\n")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "start")):
        subprocess.run(("git", *arguments), cwd=root, env=environ, check=True, stdin=subprocess.DEVNULL)


def writer_of(key: str) -> Writer | None:
    """Return the writer of a step, if it is one."""
    return next((writer for writer in WRITERS if f"{PHASE}/{writer.name}" == key), None)


def _phase(pause_s: float) -> Iterator[str]:
    yield "schema: cmr/phase@v1"
    yield f"name: {PHASE}"
    yield "inputs: {oracle: {type: string}}"
    yield "secrets: [CHAOS_SECRET]"
    yield "defaults: {timeout: 30s}"
    yield "steps:"
    readers = {name: (kind, needs) for name, kind, needs in _READERS}
    writers = {writer.name: writer for writer in WRITERS}
    for name in _ORDER:
        kind, needs = readers.get(name) or ("daemons" if name == "daemons" else "change", _NEEDS[name])
        more = {"needs": list(needs), "writes": list(writers[name].writes) if name in writers else []}
        yield _step(name, kind, pause_s, more | _extra(name))
    yield "gates: [deny]"
    yield "finally:"
    yield _step(FINAL, "look", pause_s, {"writes": []})


def _extra(name: str) -> dict[str, object]:
    if name == "fail":
        return {"continue-on-error": True}
    if name == "secret":
        return {"env": {"TOKEN": "${{ secrets.CHAOS_SECRET }}"}}
    if name == "collect":
        return {"produces": {"result": "result.txt"}, "outputs": {"text": "${{ artifacts.result }}"}}
    return {}


def _step(name: str, kind: str, pause_s: float, more: Mapping[str, object]) -> str:
    command = [sys.executable, "-I", "-S", "step.py", kind, "${{ inputs.oracle }}", str(pause_s)]
    return f"  - {json.dumps({'id': name, 'run': command, **more}, ensure_ascii=False)}"


def _plan(writer: Writer) -> dict[str, object]:
    before = tree_before(writer.name)
    entries = {path: before.get(path) for path in touched(writer)}
    return {
        "before": {path: entry.plain() if entry else None for path, entry in entries.items()},
        "changes": writer.changes,
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
