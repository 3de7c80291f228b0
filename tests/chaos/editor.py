"""A person at work: edits files again and again, each time with a version that was never there before.

Usage: editor.py ORACLE STEP LAST NOTES SCRATCH LEAST_S MOST_S SEED FILE... Each version is one more line at the end of
a file. It is put in the place of the file at once, so that no half-written version is ever seen, and noted in NOTES.

Files are edited while the newest fact in ORACLE says that STEP is at work before its change number LAST, or was when it
was killed. So nothing is edited while another step runs, which could be blamed for it.
"""

import random
import sys
import time
from pathlib import Path

_PAUSE_S = 0.002


def main() -> None:
    oracle, step, last, notes, scratch, least_s, most_s, seed, *files = sys.argv[1:]
    chance = random.Random(seed)
    number = 0
    Path(notes).touch()
    while True:
        if not is_at_work(Path(oracle), step, int(last)):
            time.sleep(_PAUSE_S)
            continue
        file = Path(files[number % len(files)])
        number += 1
        try:
            edit(file, Path(scratch), f"version {number} of a person\n")
        except FileNotFoundError:
            continue
        with Path(notes).open("a", encoding="utf-8") as record:
            record.write(f"{number} {file}\n")
        time.sleep(chance.uniform(float(least_s), float(most_s)))


def is_at_work(oracle: Path, step: str, last: int) -> bool:
    """Tell whether the newest fact is that the step has begun, or is at a change before that number."""
    try:
        newest = oracle.read_text(encoding="utf-8").splitlines()[-1].split()
    except (FileNotFoundError, IndexError):
        return False
    what, key, *_, detail = newest
    return key == step and (what == "start" or (what == "do" and int(detail) < last))


def edit(file: Path, scratch: Path, line: str) -> None:
    """Add a line to a file, by a new file in its place."""
    mode = file.stat().st_mode
    scratch.write_bytes(file.read_bytes() + line.encode())
    scratch.chmod(mode & 0o777)
    scratch.replace(file)


if __name__ == "__main__":
    main()
