"""What became of generated files, as data and as lines for people."""

from collections import Counter
from collections.abc import Sequence

from cli_multi_rapid.documents.text import printable
from cli_multi_rapid.model.contract import FileState, ModelFile


def exit_code(files: Sequence[ModelFile]) -> int:
    """Return 1 where a file is not what would be generated, else 0."""
    return 1 if any(one.state is FileState.DRIFTED for one in files) else 0


def models_data(files: Sequence[ModelFile]) -> dict[str, object]:
    """Return what `generate-models --json` prints."""
    return {
        "status": "fail" if exit_code(files) else "pass",
        "files": [
            {
                "path": one.path, "target": one.target.value, "contract": one.contract or None,
                "state": one.state.value, "reason": one.reason,
            } for one in files
        ],
    }  # fmt: skip


def models_lines(files: Sequence[ModelFile]) -> list[str]:
    """Return a line for each language, and below it one for each file that is not as it was."""
    lines = []
    for target in dict.fromkeys(one.target for one in files):
        own = [one for one in files if one.target is target]
        counts = Counter(one.state.value for one in own)
        lines.append(f"{target}  " + ", ".join(f"{number} {state}" for state, number in counts.items()))
        changed = (one for one in own if one.state is not FileState.UNCHANGED)
        lines += [
            printable(f"  {one.state}  {one.path}" + (f": {one.reason}" if one.reason else "")) for one in changed
        ]
    return lines
