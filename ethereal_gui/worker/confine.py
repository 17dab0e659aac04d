"""What a rendering child gives up before it touches a stranger's file, as far as the system can take it away.

Everywhere: no core dump (it would hold the song). On Linux also: a limit on memory (``RLIMIT_DATA``), the first
to be ended when the machine has none left, no new privileges by a program it starts (``PR_SET_NO_NEW_PRIVS``), and with
Landlock (Linux 5.13 and newer) no writing outside the folders of its job, no TCP (6.7), and no signals to other
processes (6.12). What a system lacks is left out without a word: the checks of the job's paths do not depend on it.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on all architectures
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1

# linux/landlock.h
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
_REMOVE_AND_MAKE: Final = sum(1 << bit for bit in range(4, 13))
_REFER: Final = 1 << 13
_TCP: Final = 0b11
_SIGNALS: Final = 1 << 1


LAST_WORDS: Final = 64 << 20
"""Bytes beyond the limit on memory, for saying that it was reached."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def confine(writable: Iterable[Path], *, memory: int = 0) -> list[str]:
    """Limit this process for good. Call it before threads are started that shall be limited too.

    Args:
        writable: folders below which it may write; those that are not there are left out.
        memory: bytes that it may allocate, 0 for no limit.

    Returns:
        What was taken away: ``core``, ``memory``, ``privileges``, ``files``, ``network``, ``signals``.
    """
    done = []
    if sys.platform == "win32":
        return done
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        done.append("core")
    if sys.platform != "linux":
        return done
    # When the machine itself runs out, the render shall be ended and not the window.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    if memory:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory + LAST_WORDS))
            done.append("memory")
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            done.append("privileges")
            done += _landlock(libc, writable)
    return done


def allow_last_words() -> None:
    """Have some more memory than ``confine`` allowed, in a process that has none left and is about to end."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _landlock(libc: ctypes.CDLL, writable: Iterable[Path]) -> list[str]:
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return []
    files = _WRITE_FILE | _REMOVE_AND_MAKE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = _Ruleset(files, _TCP if version >= 4 else 0, _SIGNALS if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return []
    try:
        for folder in writable:
            _allow(libc, ruleset, folder, files)
        # Encoders of graphics cards write to their devices and to shared memory.
        _allow(libc, ruleset, Path("/dev"), files)
        if libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
            return []
    finally:
        os.close(ruleset)
    return ["files", *(["network"] if version >= 4 else []), *(["signals"] if version >= 6 else [])]


def _allow(libc: ctypes.CDLL, ruleset: int, folder: Path, rights: int) -> None:
    try:
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(_Beneath(rights, handle)), 0)
    finally:
        os.close(handle)
