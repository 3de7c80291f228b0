"""The work of every step of the sample project. It runs alone, with a bare interpreter.

Usage: step.py KIND ORACLE PAUSE. It notes in the file ORACLE what it does: one line for each fact, in one write.
"""

# ruff: noqa: PTH101, PTH103, PTH104, PTH106, PTH108, PTH112, PTH114, PTH115, PTH118, PTH120, PTH123, PTH208, PTH211
# pathlib would take longer to import than a step shall take

import base64
import contextlib
import json
import os
import signal
import sys
import time

KIND, ORACLE, PAUSE_S = sys.argv[1], sys.argv[2], float(sys.argv[3])
CHILD_LIFE_S = 60


def note(what, detail=""):
    """Note one fact: what, step, attempt, process, namespace, run, detail."""
    words = [what, os.environ["CMR_STEP"], os.environ["CMR_ATTEMPT"], str(os.getpid())]
    line = " ".join([*words, os.readlink("/proc/self/ns/pid"), os.environ["CMR_RUN"], json.dumps(detail)])
    descriptor = os.open(ORACLE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, line.encode() + b"\n")
    os.close(descriptor)


def look():
    """Change nothing for a while."""
    for _ in range(4):
        time.sleep(PAUSE_S)


def fail():
    """Fail, after a while."""
    look()
    note("end")
    sys.exit(1)


def change():
    """Check that the files are as they should be at the beginning, then change them one after the other."""
    name = os.environ["CMR_STEP"].rpartition("/")[2]
    with open("changes.json", encoding="utf-8") as file:
        plan = json.load(file)[name]
    dirty = [path for path, wanted in plan["before"].items() if entry(path) != wanted]
    if dirty:
        note("dirty", dirty)
    for number, one in enumerate(plan["changes"]):
        note("do", number)
        with contextlib.suppress(OSError):  # after half-done changes: the end differs then, and that is what counts
            apply(*one)
        time.sleep(PAUSE_S)


def entry(path):
    """Return mode and content of a file, 0 and target of a link, or nothing."""
    try:
        if os.path.islink(path):
            return [0, os.fsencode(os.readlink(path)).hex()]
        with open(path, "rb") as file:
            return [os.fstat(file.fileno()).st_mode & 0o7777, file.read().hex()]
    except OSError:
        return None


def apply(verb, path, text=""):
    """Make one change."""
    if verb in ("append", "create", "link", "move"):
        os.makedirs(os.path.dirname(text if verb == "move" else path), exist_ok=True)
    if verb == "append":
        with open(path, "ab") as file:
            file.write(text.encode())
    elif verb == "delete":
        os.unlink(path)
    elif verb == "move":
        os.rename(path, text)
    elif verb == "mode":
        os.chmod(path, int(text, 8))
    elif verb == "link":
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.symlink(text, path)
    else:
        if os.path.isdir(path):
            for inner in os.listdir(path):
                os.unlink(os.path.join(path, inner))
            os.rmdir(path)
            time.sleep(PAUSE_S)
        with open(path, "wb") as file:
            file.write(text.encode())


def daemons():
    """Start two processes that leave session and parent and ignore all requests to end, then change files."""
    for hold in (True, False):
        middle = os.fork()
        if middle == 0:
            os.setsid()
            if os.fork() == 0:
                be_a_daemon(hold)
            os._exit(0)
        os.waitpid(middle, 0)
    change()


def be_a_daemon(hold):
    """Live for long. With `hold` the pipe of the step stays open."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not hold:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    note("child")
    time.sleep(CHILD_LIFE_S)
    os._exit(0)


def secret():
    """Print the secret in many forms, and once in two halves."""
    import urllib.parse

    token = os.environ["TOKEN"]
    for offset in range(3):
        print("base64", base64.b64encode(b"x" * offset + token.encode() + b"yy").decode())
    print("url", urllib.parse.quote(token, safe=""), urllib.parse.quote_plus(token))
    print("json", json.dumps({"token": token}), json.dumps(token, ensure_ascii=False))
    print("hex", token.encode().hex(), token.encode().hex().upper())
    print("error:", token, file=sys.stderr, flush=True)
    half = len(token) // 2
    print("halves", token[:half], end="", flush=True)
    time.sleep(PAUSE_S)
    print(token[half:], flush=True)


def collect():
    """Produce an artifact. A full disk is noted: then it is this step that fails."""
    look()
    try:
        with open(os.path.join(os.environ["CMR_OUT"], "result.txt"), "w", encoding="utf-8") as file:
            file.write("collected")
    except OSError as failed:
        note("nospace", failed.strerror)
        raise


if __name__ == "__main__":
    os.umask(0o022)
    note("start")
    globals()[KIND]()
    note("end")
