"""Who uses the program, as the system knows it."""

import os


def system_user() -> str:
    """Return the name of the user whose process this is; the environment is not asked, because anybody sets that."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except ImportError:  # Windows
        import getpass

        return getpass.getuser()
    except KeyError:  # a container's number without a name
        return str(os.getuid())


def tagged_ancestors() -> frozenset[str]:
    """Return the tags of steps that this process and those above it were started with, as far as the system tells.

    What a process has taken out of its own environment still stands in that of the one above it.
    """
    from cli_multi_rapid.system.lineage import environment_tag, read

    tags: set[str] = set()
    pid = int(read("/proc/self/stat").partition(b" ")[0] or 0)  # as this /proc numbers us, be it of another namespace
    while pid > 0:
        tags.add(environment_tag(pid) or "")
        after_name = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        pid = int(after_name[1]) if len(after_name) > 1 else 0
    return frozenset(tags - {""})
