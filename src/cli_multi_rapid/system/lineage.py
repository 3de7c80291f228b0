"""Which processes run below this one, and to which step each of them belongs, as /proc tells.

Steps that run beside each other are told apart by what their processes inherit: the session, the tag in the
environment, and a mark. The mark is a limit that Linux still keeps but has not used since 2.4.25, the one on the number
of file locks; each step gets a number of its own. Nobody loses it by leaving the session, by emptying the environment
or by writing a title over it. A process that has none of these and has lost its parent belongs to the step that ends
first: nothing outlives its step by hiding.

A part of the supervisor: it imports as little as possible.
"""

# ruff: noqa: PTH123, PTH208 - pathlib would take a third of the start-up time, and paths are bytes here

import os

TAG_NAME = "CMR_TAG"
_LIMIT_OF_LOCKS = 10  # RLIMIT_LOCKS, which the module `resource` does not name


class Owner:
    """What the processes of one step inherit. `pid` is that of its own process, which leads a session."""

    __slots__ = ("mark", "pid", "tag")

    def __init__(self, *, tag: str, mark: int, pid: int) -> None:
        self.tag = tag
        self.mark = mark
        self.pid = pid


class Process:
    """One running process as /proc shows it; `pid` and `session` are numbers of our own namespace."""

    __slots__ = ("parent", "pid", "session", "shown")

    def __init__(self, *, shown: int, parent: int, pid: int, session: int) -> None:
        self.shown = shown
        self.parent = parent
        self.pid = pid
        self.session = session


def descendants(*, step: Owner | None = None, others: tuple[Owner, ...] = ()) -> dict[int, Process]:
    """Return the running processes below this one by their pid here, parents first; of one step only if given.

    `others` are the steps that run beside it.
    """
    children, me = _process_table()
    spared = {other.pid for other in others}
    found: dict[int, Process] = {}
    queue = [(child, step is None) for child in children.get(me, [])]
    for process, inherited in queue:
        if process.pid in spared:
            continue
        belongs = inherited or (step is not None and _belongs(process, step, others, lost=process.parent == me))
        if belongs:
            found[process.pid] = process
        queue.extend((child, belongs) for child in children.get(process.shown, []))
    return found


def environment_tag(pid: int) -> str | None:
    """Return the tag in the environment that a process was started with; None without one or if it is unreadable."""
    mark = b"\0" + TAG_NAME.encode() + b"="
    _, found, rest = (b"\0" + read(f"/proc/{pid}/environ")).partition(mark)
    return os.fsdecode(rest.partition(b"\0")[0]) if found else None


def mark_children(mark: int) -> None:
    """Have the processes that are started from now on carry a mark."""
    import resource  # there is none on Windows

    try:
        resource.setrlimit(_LIMIT_OF_LOCKS, (mark, resource.getrlimit(_LIMIT_OF_LOCKS)[1]))
    except (ValueError, OSError):
        return  # somebody has limited it, or the system does not know it: session and tag have to do


def read(path: str | bytes) -> bytes:
    """Return the content of a file, or nothing if it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return b""  # the process has just ended, or belongs to somebody else


def _belongs(process: Process, step: Owner, others: tuple[Owner, ...], *, lost: bool) -> bool:
    """Tell whether a process belongs to a step rather than to one of the others. `lost` is one without a parent."""
    mark = _mark(process.shown)
    for owner in (step, *others):
        if process.session == owner.pid or mark == owner.mark:
            return owner is step
    tag = environment_tag(process.shown)
    return tag == step.tag or (lost and all(tag != other.tag for other in others))


def _mark(pid: int) -> int | None:
    """Return the mark that a process has inherited, or None without one; `pid` as /proc shows it."""
    _, found, rest = read(f"/proc/{pid}/limits").partition(b"\nMax file locks ")
    soft = rest.split(maxsplit=1)[0] if found else b""
    return int(soft) if soft.isdigit() else None


def _process_table() -> tuple[dict[int, list[Process]], int]:
    """Return running processes by the number of their parent, and our own number, both as /proc shows them.

    Without a /proc of our own, it shows the numbers of an outer namespace; NSpid maps them to ours.
    """
    own = _status(b"self")
    level = len(own.get(b"NSpid", [])) - 1
    children: dict[int, list[Process]] = {}
    for name in os.listdir(b"/proc") if own else []:
        status = _status(name) if name.isdigit() else {}
        pids, sessions = status.get(b"NSpid", []), status.get(b"NSsid", [])
        if len(pids) <= level or len(sessions) <= level or status[b"State"][0] in (b"Z", b"X"):
            continue
        parent = int(status[b"PPid"][0])
        process = Process(shown=int(name), parent=parent, pid=int(pids[level]), session=int(sessions[level]))
        children.setdefault(parent, []).append(process)
    return children, int(own[b"Pid"][0]) if own else 0


def _status(name: bytes) -> dict[bytes, list[bytes]]:
    lines = read(b"/proc/" + name + b"/status").splitlines()
    return {key: rest.split() for key, _, rest in (line.partition(b":") for line in lines)}
