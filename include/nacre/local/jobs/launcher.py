"""Start one host of a job in namespaces of its own. Run as a program; it imports nothing of ours.

It reads a Plan (JSON) from stdin and becomes three processes: this one (it only waits, so that the
end of one known process means that all is over), the namespace's init (process 1: when it ends the
kernel kills whatever the job left behind), and the job's command. Each dies with its parent.

What the command sees of the machine differs in this: `/opt` has the entries of the real one and
`/opt/ml` besides, which needs no folder on the machine; `/tmp`, `/dev/shm`, the host's name and the
process table are its own. All of it is gone with the last process.

Exit status: the command's, as a container's (128 + n for signal n, 127 not found, 126 not
executable). If the namespaces cannot be had, the reason goes to the plan's status descriptor.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
from typing import NoReturn, TypedDict

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUTS = 0x04000000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_PR_SET_PDEATHSIG = 1
_FORWARDED = (signal.SIGTERM, signal.SIGINT)
KILL = signal.SIGUSR1  # sent to the launcher: end everything now, and exit when it has ended


class Plan(TypedDict):
    """`binds` are (source on the machine, path for the job), `keep` machine paths that stay."""

    parent: int
    status_fd: int
    hostname: str
    binds: list[tuple[str, str]]
    keep: list[str]
    argv: list[str]
    env: dict[str, str]
    cwd: str


def main() -> NoReturn:
    """Read the plan, take the namespaces, run the command, exit with its status."""
    plan: Plan = json.load(sys.stdin)
    os.set_inheritable(plan["status_fd"], False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _die_with_parent()
    if os.getppid() != plan["parent"]:  # it died before we asked to be told
        os._exit(128 + signal.SIGKILL)
    try:
        _unshare()
        _mount_views(plan)
        _libc("sethostname", plan["hostname"].encode(), len(plan["hostname"].encode()))
    except OSError as fault:
        _refuse(plan, fault)
    os._exit(_run_init(plan))


def _run_init(plan: Plan) -> int:
    alive_read, alive_write = os.pipe()
    # Held back until there is somebody to forward them to: process 1 would never see them.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_FORWARDED, KILL))
    init = os.fork()  # the first child after unshare is process 1 of the new process table
    if init == 0:
        os.close(alive_write)
        _die_with_parent()
        if select.select([alive_read], [], [], 0)[0]:  # readable: the other end is gone
            os._exit(128 + signal.SIGKILL)
        _init(plan)
    signal.signal(KILL, lambda _number, _frame: _send(init, signal.SIGKILL))
    _forward_to(init)
    return _exit_status(os.waitpid(init, 0)[1])


def _init(plan: Plan) -> NoReturn:
    try:
        _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    except OSError as fault:
        _refuse(plan, fault)
    command = os.fork()
    if command == 0:
        _exec(plan)
    _forward_to(command)
    while True:
        ended, status = os.wait()  # orphans of the job are ours to bury
        if ended == command:
            os._exit(_exit_status(status))


def _exec(plan: Plan) -> NoReturn:
    for number in (signal.SIGPIPE, signal.SIGXFSZ, *_FORWARDED):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.setsid()
    try:
        os.chdir(plan["cwd"])
        os.execvpe(plan["argv"][0], plan["argv"], plan["env"])  # noqa: S606 - no shell is meant
    except OSError as fault:
        print(f"{plan['argv'][0]}: {fault.strerror}", file=sys.stderr, flush=True)
        os._exit(127 if isinstance(fault, FileNotFoundError) else 126)


def _forward_to(process: int) -> None:
    for number in _FORWARDED:
        signal.signal(number, lambda received, _frame: _send(process, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_FORWARDED, KILL))


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(process, number)


def _unshare() -> None:
    own = _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWUTS | _CLONE_NEWIPC
    uid, gid = os.geteuid(), os.getegid()
    try:
        _libc("unshare", own)
    except PermissionError:  # not root, or root without its powers: a user namespace has them
        _libc("unshare", own | _CLONE_NEWUSER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"0 {uid} 1")
        _write("/proc/self/gid_map", f"0 {gid} 1")


def _mount_views(plan: Plan) -> None:
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    # Held open from here on: the paths may be hidden by what is mounted next.
    binds = [(_held(source), target) for source, target in plan["binds"]]
    keep = [(_held(path), path) for path in plan["keep"]]
    _mirror("/opt")
    _mount("tmpfs", "/dev/shm", "tmpfs", _MS_NOSUID | _MS_NODEV)  # noqa: S108 - the mount point
    for source, target in binds + keep:
        _bind(source, target)


def _mirror(folder: str) -> None:
    """Make a folder writable to the job: an empty one, all its old entries bound into it."""
    held = _held(folder)
    with os.scandir(folder) as entries:
        kinds = {e.name: (e.is_symlink(), e.is_dir(follow_symlinks=False)) for e in entries}
    _mount("tmpfs", folder, "tmpfs", 0)
    for name, (is_link, is_folder) in kinds.items():
        old, new = f"{held}/{name}", f"{folder}/{name}"
        if is_link:
            os.symlink(os.readlink(old), new)  # noqa: PTH115, PTH211 - pathlib starts slowly
        elif new != "/opt/ml":
            _bind(old, new, is_folder=is_folder)


def _bind(source: str, target: str, *, is_folder: bool | None = None) -> None:
    if os.path.isdir(source) if is_folder is None else is_folder:  # noqa: PTH112
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
    elif not os.path.lexists(target):
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(source, target, None, _MS_BIND | _MS_REC)


def _held(path: str) -> str:
    return f"/proc/self/fd/{os.open(path, os.O_PATH)}"


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    kind_bytes = kind.encode() if kind else None
    _libc("mount", os.fsencode(source), os.fsencode(target), kind_bytes, flags, None, what=target)


def _die_with_parent() -> None:
    _libc("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _libc(name: str, *arguments: object, what: str = "") -> None:
    converted = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*converted) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"{name} {what}".strip())


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(text)


def _refuse(plan: Plan, fault: OSError) -> NoReturn:
    os.write(plan["status_fd"], f"{fault.filename}: {fault.strerror}".encode())
    os._exit(125)


def _exit_status(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    main()
