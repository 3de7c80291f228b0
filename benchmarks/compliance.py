"""The same tools on the same files: our gates beside hooks of pre-commit, cold, unchanged, and with one file changed.

Both run kingfisher's rules, the patterns of a deny-list and ruff on a generated repository. The hooks get every file by
name, as `pre-commit run --all-files` gives them; both keep what they keep from one run to the next. A third contender
has the hook for secrets that people use most, detect-secrets, in place of kingfisher's rules.
"""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

OURS = "cli-multi-rapid"
SAME = "pre-commit, same tools"
USUAL = "pre-commit with detect-secrets"
SITUATIONS = ("cold", "unchanged", "one changed")
_PATTERNS = {"no-eval": r"\beval\(", "no-exec": r"\bexec\(", "no-system": r"os\.system\("}
_MODULES = {SAME: ("pre_commit",), USUAL: ("pre_commit", "detect_secrets")}
_SCAN = """\
import sys
from kingfisher_sdk import Rules, Scanner
scanner = Scanner(Rules(cache_dir=sys.argv[1]), redact=True)
found = [(name, one.rule_id) for name in sys.argv[2:] for one in scanner.scan(open(name, "rb").read()) if one.visible]
print(*found, sep="\\n")
sys.exit(bool(found))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Wall times in milliseconds by contender and situation, and who was not there."""

    files: int
    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def share(self, other: str, situation: str) -> float | None:
        """Return what part of another one's time ours takes, by the medians."""
        ours, others = self.times.get((OURS, situation)), self.times.get((other, situation))
        return median(ours) / median(others) if ours and others else None


def compared(scratch: Path, environ: Mapping[str, str], *, files: int, rounds: int, usual: bool) -> Compared:
    """Measure all on one repository, taking turns; without `usual` the slowest one is left out."""
    root = scratch / "compliance"
    _write(root, files, scratch)
    environ = {**environ, "CMR_TRUST": "1", "PRE_COMMIT_HOME": str(scratch / "hooks")}
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "start")):
        subprocess.run(("git", *arguments), cwd=root, env=environ, check=True, stdout=subprocess.DEVNULL)
    hooks = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--config"]
    contenders = {
        OURS: [sys.executable, "-m", "cli_multi_rapid", "validate-compliance"],
        SAME: [*hooks, ".pre-commit-same.yaml"],
        USUAL: [*hooks, ".pre-commit-usual.yaml"],
    }
    found = Compared(files=files)
    for name, modules in _MODULES.items():
        if absent := [module for module in modules if not _has(module, environ)]:
            found.missing[name] = f"{', '.join(absent)} not installed"
    if not usual:
        found.missing[USUAL] = "left out to be quick"
    present = {name: command for name, command in contenders.items() if name not in found.missing}
    for command in present.values():
        _run(command, root, environ)  # compiled rules and the hooks' environments are no part of a cold run
    for number in range(rounds):
        for situation, prepare in _situations(root, environ, number).items():
            prepare()
            for name, command in present.items():
                if name == USUAL and number:
                    continue  # it takes so long that one round tells enough
                found.times.setdefault((name, situation), []).append(_run(command, root, environ))
    return found


def table(found: Compared) -> list[str]:
    """Return the table that people read."""
    heads = "".join(f"{situation:>14}" for situation in SITUATIONS)
    lines = [f"{f'compliance of {found.files:,} files (ms, median)':<44}{heads}"]
    for name in (OURS, SAME, USUAL):
        cells = [found.times.get((name, situation)) for situation in SITUATIONS]
        lines.append(f"{name:<44}" + "".join(f"{median(cell):>14.0f}" if cell else f"{'-':>14}" for cell in cells))
    return lines


def _situations(root: Path, environ: Mapping[str, str], number: int) -> dict[str, Callable[[], None]]:
    def cold() -> None:
        for kept in Path(environ["CMR_STATE_DIR"]).rglob("findings.db*"):
            kept.unlink()
        shutil.rmtree(root / ".ruff_cache", ignore_errors=True)

    def change() -> None:
        with (root / "src/p0/m0.py").open("a") as file:
            file.write(f"# {number} {time.monotonic_ns()}\n")

    return dict(zip(SITUATIONS, (cold, lambda: None, change), strict=True))


def _run(command: list[str], root: Path, environ: Mapping[str, str]) -> float:
    before = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return (time.perf_counter() - before) * 1000


def _has(module: str, environ: Mapping[str, str]) -> bool:
    asked = [sys.executable, "-c", f"import {module}"]
    return subprocess.run(asked, env=environ, capture_output=True, check=False).returncode == 0


def _write(root: Path, files: int, scratch: Path) -> None:
    chance = random.Random(20)
    for number in range(files):
        path = root / "src" / f"p{number % 40}" / f"m{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        functions = (
            f"\n\ndef f{at}(a: int) -> int:\n    value = a * {chance.randrange(999)}\n    return value + {at}\n"
            for at in range(60)
        )
        path.write_text("".join(functions).lstrip())
    (root / "workflows/phase_definitions").mkdir(parents=True)
    (root / "config").mkdir()
    (root / "config/workflow-config.yaml").write_text("schema: cmr/config@v1\n")
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--exit-zero", "--output-format", "sarif", "."]
    patterns = ", ".join(
        f"{{id: {name}, pattern: '{text}', paths: ['**/*.py'], severity: high}}" for name, text in _PATTERNS.items()
    )
    (root / "config/compliance-gates.yaml").write_text(
        "schema: cmr/gates@v1\ngates:\n  secrets: {check: secrets}\n"
        f"  denylist: {{check: denylist, default-set: false, patterns: [{patterns}]}}\n"
        f"  lint: {{check: command, run: {ruff}, format: sarif, cache: true}}\n"
    )
    scan = scratch / "scan.py"
    scan.write_text(_SCAN)
    same = _hook("secrets", f"{sys.executable} {scan} {scratch / 'rules'}", "system")
    usual = _hook("secrets", f"{sys.executable} -m detect_secrets.pre_commit_hook", "system")
    others = _hook("denylist", f"'{'|'.join(_PATTERNS.values())}'", "pygrep") + _hook(
        "lint", f"{ruff[0]} check", "system"
    )
    head = "repos:\n  - repo: local\n    hooks:\n"
    (root / ".pre-commit-same.yaml").write_text(head + same + others)
    (root / ".pre-commit-usual.yaml").write_text(head + usual + others)
    (root / ".gitignore").write_text(".ruff_cache\n.cmr\n")


def _hook(name: str, entry: str, language: str) -> str:
    return (
        f"      - id: {name}\n        name: {name}\n        entry: {entry}\n        language: {language}\n"
        "        types: [python]\n"
    )
