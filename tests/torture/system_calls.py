"""A process whose system calls are watched: each one that touches a folder can be counted, refused, or be its last.

The kernel tells a listener of every call that a seccomp filter names (Linux 5.5 and later, see seccomp_unotify(2)),
also of those that a library makes in C, in threads and in child processes. The calls that touch nothing in the folder
go on uncounted.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# name: (number on x86_64, what tells the file: a descriptor or a path, and which arguments they are)
CALLS: dict[str, tuple[int, str, tuple[int, ...]]] = {
    "read": (0, "fd", (0,)),
    "write": (1, "fd", (0,)),
    "fstat": (5, "fd", (0,)),
    "pread64": (17, "fd", (0,)),
    "pwrite64": (18, "fd", (0,)),
    "writev": (20, "fd", (0,)),
    "sendfile": (40, "fd", (0,)),
    "flock": (73, "fd", (0,)),
    "fsync": (74, "fd", (0,)),
    "fdatasync": (75, "fd", (0,)),
    "truncate": (76, "path", (0,)),
    "ftruncate": (77, "fd", (0,)),
    "getdents64": (217, "fd", (0,)),
    "rename": (82, "path", (0, 1)),
    "mkdir": (83, "path", (0,)),
    "rmdir": (84, "path", (0,)),
    "link": (86, "path", (0, 1)),
    "unlink": (87, "path", (0,)),
    "symlink": (88, "path", (1,)),
    "chmod": (90, "path", (0,)),
    "fchmod": (91, "fd", (0,)),
    "openat": (257, "path", (1,)),
    "mkdirat": (258, "path", (1,)),
    "newfstatat": (262, "path", (1,)),
    "unlinkat": (263, "at", (1,)),
    "renameat": (264, "path", (1, 3)),
    "fallocate": (285, "fd", (0,)),
    "renameat2": (316, "path", (1, 3)),
    "copy_file_range": (326, "fd", (2,)),
}
CHANGES = tuple(
    name for name in CALLS if name not in ("read", "pread64", "fstat", "newfstatat", "getdents64")
)  # fmt: skip
"""The calls that change something on disk, or take or give a lock: a kill between two others finds the same disk."""
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_NO_NEW_PRIVS = 38
_SYS_SECCOMP = 317
_SECCOMP_SET_MODE_FILTER, _FLAG_NEW_LISTENER = 1, 1 << 3
_RET_ALLOW, _RET_USER_NOTIF = 0x7FFF0000, 0x7FC00000
_IOCTL_RECEIVE, _IOCTL_SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1
_AT_FDCWD = 0xFFFFFF9C


def why_not() -> str:
    """Why calls cannot be watched on this machine; empty where they can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "needs Linux on x86_64"
    try:
        return "" if watch(lambda: 0, Path("/nowhere")).code == 0 else "the kernel does not tell of system calls"
    except OSError as error:
        return f"the kernel does not tell of system calls: {error}"


@dataclass(frozen=True)
class Watched:
    """How a process ended (-9: killed), how many of its calls counted, and the last one of them."""

    code: int
    calls: int
    last: str


@dataclass(frozen=True)
class Fault:
    """What becomes of the call number `at` (from 1): the process is killed before it, or, with an errno, the call fails
    with it; `lasting`: all later ones fail as well."""

    at: int
    errno: int | None = None
    lasting: bool = False


def watch(
    act: Callable[[], int],
    folder: Path,
    fault: Fault | None = None,
    *,
    calls: Sequence[str] = CHANGES,
) -> Watched:
    """Run `act` in a process of its own, with `fault` at one of its `calls` that touch something below `folder`. Raises
    OSError where calls cannot be watched."""
    numbers = [CALLS[name][0] for name in calls]
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _be_watched(act, numbers, theirs)
    theirs.close()
    try:
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        if not descriptors:
            raise OSError(os.waitpid(pid, 0)[1], "no listener")
        ours.send(b"g")
        listener = _Listener(descriptors[0], pid, folder, fault)
        return listener.run()
    finally:
        ours.close()


def _be_watched(act: Callable[[], int], numbers: Sequence[int], to_parent: socket.socket) -> None:
    code = 70
    try:
        os.setpgid(0, 0)
        listener = _install(numbers)
        socket.send_fds(to_parent, [b"l"], [listener])
        os.close(listener)
        to_parent.recv(1)
        to_parent.close()
        code = act()
        sys.stdout.flush()
    except OSError as error:
        code = error.errno or 70
    except BaseException:  # noqa: BLE001 - whatever it is, this copy of the test must not go on
        code = 71
    finally:
        os._exit(code)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def _install(numbers: Sequence[int]) -> int:
    """Put the filter in place; the descriptor of its listener."""

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("HBBI", code, then, otherwise, value)

    load_word, jump_if_equal, end = 0x20, 0x15, 0x06
    steps = [step(load_word, 0)]
    steps += [step(jump_if_equal, number, len(numbers) - place) for place, number in enumerate(numbers)]
    steps += [step(end, _RET_ALLOW), step(end, _RET_USER_NOTIF)]
    code = ctypes.create_string_buffer(b"".join(steps))
    program = _Program(len(steps), ctypes.addressof(code))
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    listener = _LIBC.syscall(_SYS_SECCOMP, _SECCOMP_SET_MODE_FILTER, _FLAG_NEW_LISTENER, ctypes.byref(program))
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(listener)


class _Listener:
    def __init__(self, descriptor: int, pid: int, folder: Path, fault: Fault | None) -> None:
        self._descriptor = descriptor
        self._pid = pid
        self._folder = os.fsencode(folder)
        self._fault = fault
        self._names = {number: name for name, (number, _, _) in CALLS.items()}
        self._counted = 0
        self._last = ""

    def run(self) -> Watched:
        """Answer every call until the process has ended; processes that it left behind are let go on."""
        status: int | None = None
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        end = time.monotonic() + 120
        while True:
            events = poll.poll(50)
            if events and events[0][1] & select.POLLIN:
                self._answer()
            elif events:
                break
            if status is None:
                ended, raw = os.waitpid(self._pid, os.WNOHANG)
                status = os.waitstatus_to_exitcode(raw) if ended else None
            if status is not None and not events:
                break
            if time.monotonic() > end:
                os.killpg(self._pid, signal.SIGKILL)
        os.close(self._descriptor)
        if status is None:
            status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return Watched(status, self._counted, self._last)

    def _answer(self) -> None:
        asked = bytearray(80)
        try:
            fcntl.ioctl(self._descriptor, _IOCTL_RECEIVE, asked)
        except OSError:
            return  # the process was killed meanwhile
        identity, pid, _, number, _, _, *arguments = struct.unpack("QIIiIQ6Q", asked)
        refusal = self._refusal(pid, self._names[number], arguments)
        with _gone_is_fine():
            answer = struct.pack("QqiI", identity, 0, -(refusal or 0), 0 if refusal else _CONTINUE)
            fcntl.ioctl(self._descriptor, _IOCTL_SEND, bytearray(answer))

    def _refusal(self, pid: int, name: str, arguments: Sequence[int]) -> int | None:
        """The errno that a call fails with, or None where it may go on; a kill is done here."""
        if not self._counts(pid, name, arguments):
            return None
        self._counted += 1
        fault = self._fault
        if fault is None or not (self._counted == fault.at or (fault.lasting and self._counted > fault.at)):
            return None
        if self._counted == fault.at:
            self._last = f"{name} {' '.join(os.fsdecode(path) for path in self._paths(pid, name, arguments))}"
        if fault.errno is not None:
            return fault.errno
        with _gone_is_fine():
            os.killpg(self._pid, signal.SIGKILL)
        return errno.EINTR

    def _counts(self, pid: int, name: str, arguments: Sequence[int]) -> bool:
        if name == "openat" and not arguments[2] & WRITING_FLAGS and self._fault is not None and not self._fault.errno:
            return False
        return any(path.startswith(self._folder) for path in self._paths(pid, name, arguments))

    def _paths(self, pid: int, name: str, arguments: Sequence[int]) -> list[bytes]:
        _, kind, places = CALLS[name]
        try:
            if kind == "fd":
                return [os.readlink(f"/proc/{pid}/fd/{arguments[place]}".encode()) for place in places]
            found = [_text(pid, arguments[place]) for place in places]
            base = os.readlink(f"/proc/{pid}/cwd".encode())
            if kind == "at" and arguments[0] & 0xFFFFFFFF != _AT_FDCWD:
                base = os.readlink(f"/proc/{pid}/fd/{arguments[0]}".encode())
            return [os.path.join(base, path) for path in found]
        except OSError:
            return []


def _text(pid: int, address: int) -> bytes:
    """The C string at an address of another process."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        # To the end of the page first: the next one may not be there.
        part = memory.read(4096 - address % 4096)
        if b"\0" not in part:
            part += memory.read(4096)
    return part.partition(b"\0")[0]


class _gone_is_fine:  # noqa: N801
    """The process may have ended between a question and its answer."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, (ProcessLookupError, FileNotFoundError))
