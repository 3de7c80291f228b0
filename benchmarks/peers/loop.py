"""Run `true` N times, one after the other or W at a time, and record nothing:  loop.py N W."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def act(number: int) -> int:
    subprocess.run(["true"], check=True)
    return number


def main(steps: int, width: int) -> None:
    if width == 1:
        for number in range(steps):
            act(number)
        return
    with ThreadPoolExecutor(width) as threads:
        list(threads.map(act, range(steps)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
