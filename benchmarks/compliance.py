"""The same tools on the same files: our gates beside hooks of pre-commit, cold, unchanged, and with one file changed.

Both run kingfisher's rules, the patterns of a deny-list and ruff on a generated repository. The hooks get every file by
name, as `pre-commit run --all-files` gives them; both tools keep what they keep from one run to the next.
"""

import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PATTERNS = {"no-eval": r"\beval\(", "no-exec": r"\bexec\(", "no-system": r"os\.system\("}
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
    """Wall times in milliseconds by situation (cold, unchanged, one changed), and who was not there."""

    files: int
    ours_ms: dict[str, list[float]] = field(default_factory=dict)
    hooks_ms: dict[str, list[float]] = field(default_factory=dict)
    missing: str = ""

    def ratio(self, situation: str) -> float | None:
        """Return how many times as long the hooks take, by the medians."""
        ours, hooks = self.ours_ms.get(situation), self.hooks_ms.get(situation)
        return statistics.median(hooks) / statistics.median(ours) if ours and hooks else None


def compared(scratch: Path, environ: dict[str, str], *, files: int, rounds: int) -> Compared:
    """Measure both on one repository, taking turns."""
    root = scratch / "compliance"
    root.mkdir()
    _write(root, files, scratch)
    environ = {
        **environ,
        "CMR_TRUST": "1",
        "CMR_CACHE_DIR": str(scratch / "cache"),
        "PRE_COMMIT_HOME": str(scratch / "pc"),
    }
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "start")):
        subprocess.run(("git", *arguments), cwd=root, env=environ, check=True, stdout=subprocess.DEVNULL)
    ours = [sys.executable, "-m", "cli_multi_rapid", "validate-compliance"]
    found = Compared(files=files, missing="" if _has_hooks(environ) else "pre-commit is not installed")
    contenders = [(ours, found.ours_ms)]
    if not found.missing:
        contenders.append(([sys.executable, "-m", "pre_commit", "run", "--all-files"], found.hooks_ms))
    for command, times in contenders:
        _run(command, root, environ)  # compiled rules and hook environments are no part of a cold run
        del times
    for number in range(rounds):
        for situation, prepare in _situations(root, environ, number):
            prepare()
            for command, times in contenders:
                times.setdefault(situation, []).append(_run(command, root, environ))
    return found


def _situations(root: Path, environ: dict[str, str], number: int) -> list[tuple[str, Callable[[], None]]]:
    def cold() -> None:
        for kept in Path(environ["CMR_STATE_DIR"]).rglob("findings.db*"):
            kept.unlink()
        shutil.rmtree(root / ".ruff_cache", ignore_errors=True)

    def change() -> None:
        with (root / "src/p0/m0.py").open("a") as file:
            file.write(f"# {number} {time.monotonic_ns()}\n")

    return [("cold", cold), ("unchanged", lambda: None), ("one changed", change)]


def _run(command: list[str], root: Path, environ: dict[str, str]) -> float:
    before = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return (time.perf_counter() - before) * 1000


def _has_hooks(environ: dict[str, str]) -> bool:
    asked = [sys.executable, "-m", "pre_commit", "--version"]
    return subprocess.run(asked, env=environ, capture_output=True, check=False).returncode == 0


def _write(root: Path, files: int, scratch: Path) -> None:
    chance = random.Random(20)
    for number in range(files):
        path = root / "src" / f"p{number % 40}" / f"m{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        functions = (
            f"\n\ndef f{at}(a: int) -> int:\n    value = a * {chance.randrange(999)}\n    return value + {at}\n"
            for at in range(75)
        )
        path.write_text("".join(functions).lstrip())
    (root / "workflows/phase_definitions").mkdir(parents=True)
    (root / "config").mkdir()
    (root / "config/workflow-config.yaml").write_text("schema: cmr/config@v1\n")
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--exit-zero", "--output-format", "sarif", "."]
    patterns = [
        f"{{id: {name}, pattern: '{text}', paths: ['**/*.py'], severity: high}}" for name, text in PATTERNS.items()
    ]
    (root / "config/compliance-gates.yaml").write_text(
        "schema: cmr/gates@v1\ngates:\n  secrets: {check: secrets}\n"
        f"  denylist: {{check: denylist, default-set: false, patterns: [{', '.join(patterns)}]}}\n"
        f"  lint: {{check: command, run: {ruff}, format: sarif}}\n"
    )
    scan = scratch / "scan.py"
    scan.write_text(_SCAN)
    (root / ".pre-commit-config.yaml").write_text(
        "repos:\n  - repo: local\n    hooks:\n"
        + _hook("secrets", f"{sys.executable} {scan} {scratch / 'rules'}", "system")
        + _hook("denylist", "'" + "|".join(PATTERNS.values()) + "'", "pygrep", more="        types: [python]\n")
        + _hook("lint", f"{ruff[0]} check", "system", more="        types: [python]\n")
    )
    (root / ".gitignore").write_text(".ruff_cache\n.cmr\n")


def _hook(name: str, entry: str, language: str, *, more: str = "") -> str:
    return f"      - id: {name}\n        name: {name}\n        entry: {entry}\n        language: {language}\n{more}"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        environment = {**os.environ, "CMR_STATE_DIR": str(here / "state")}
        for name in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{name}_NAME": "b", f"GIT_{name}_EMAIL": "b@example.org"}
        result = compared(here, environment, files=2000, rounds=5)
        for situation_, found_ms in result.ours_ms.items():
            hooks_ms = result.hooks_ms.get(situation_, [])
            print(situation_, sorted(map(round, found_ms)), sorted(map(round, hooks_ms)), result.ratio(situation_))
