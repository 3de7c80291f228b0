"""Running commands without a network."""

import os
import subprocess
from functools import lru_cache

from cli_multi_rapid.system.supervision import system_tool

_PATIENCE_S = 5.0


@lru_cache(maxsize=1)
def without_network() -> tuple[str, ...] | None:
    """Return what is put before a command so that it has no network, not even loopback; None where that is impossible.

    Whether it works is tried once: a system can have the program and forbid what it does.
    """
    unshare, true = system_tool("unshare"), system_tool("true")
    if not unshare or not true:
        return None
    users = () if os.geteuid() == 0 else ("--user", "--map-current-user")
    prefix = (unshare, *users, "--net", "--")
    try:
        tried = subprocess.run((*prefix, true), capture_output=True, check=False, timeout=_PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return prefix if tried.returncode == 0 else None
