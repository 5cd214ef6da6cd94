"""What a child process does to itself before it runs other people's code."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel end this process with the one it was started from. Does nothing on other systems than Linux."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent or parent == 1:
        os._exit(1)


def limit_memory(memory: int) -> None:
    """Refuse this process (and what it starts, each by itself) more than ``memory`` bytes of data, and core files.

    What is resident is watched from outside; this stops a single demand that is far too large at once.
    """
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
