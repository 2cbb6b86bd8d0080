"""Places of the run directories of a user: where a new one is made, and everywhere that one may be.

A stop must find a run whatever the environment of the one who stops it: cron, su and `docker exec` have no
XDG_RUNTIME_DIR, and a login manager removes that folder while the run goes on. So every place is looked at, and the
kernel's list of sockets too, which has the runs of places that only their own environment named.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from embodied.errors import LinkFailed

CONTROL = "control"
"""Name of the socket in a run directory at which the launcher answers."""

GUARD = "guard."
"""Beginning of the name of a socket in a run directory at which a guard's own process answers; its number follows."""

ONLY = "EMBODIED_RUNTIME_DIR"
"""Environment variable that names the one place of all runs, for tests and sandboxes: then no other is looked at."""

SOCKETS = Path("/proc/net/unix")
"""The kernel's list of the Unix sockets of a network: unix(7)."""

PATH_LONGEST = 107
"""Longest path of a Unix socket [B]: unix(7)."""

NAME_LONGEST = 40
"""Longest name that a run gets from its launch file [B]."""

_RESERVED = NAME_LONGEST + 32
"""Length of what follows a place in the path of a socket: name, process, counts, the socket's own name [B]."""


def closed_to_others(path: Path) -> bool:
    """Return whether a path is a folder of this user that nobody else may enter."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def only_place() -> Path | None:
    """Return the place to which the environment restricts the runs; None if it does not."""
    given = os.environ.get(ONLY)
    return _absolute(given) if given else None


def home() -> Path:
    """Return the place of new run directories: the first that can be made, and is closed to others.

    Raises:
        LinkFailed: there is none.
    """
    problems = []
    for path in _for_new():
        problem = _unusable(path)
        if not problem:
            return path
        problems.append(f"{path} {problem}")
    remedy = f"set {ONLY} to a folder of yours on this machine, with a short path"
    raise LinkFailed(f"there is no place for a run: {'; '.join(problems)}: {remedy}")


def places() -> list[Path]:
    """Return the existing places in which this user's runs may be, those for new ones first."""
    only = only_place()
    candidates = [only] if only is not None else [*_known(), *_listed()]
    return [path for path in dict.fromkeys(candidates) if closed_to_others(path)]


def looked_at() -> str:
    """Return in words where runs are looked for, for the sentence that there are none."""
    only = only_place()
    if only is not None:
        return f"looked in {only}, and nowhere else since {ONLY} is set"
    listed = f" and {SOCKETS}" if os.access(SOCKETS, os.R_OK) else f"; {SOCKETS} cannot be read"
    return f"looked in {', '.join(dict.fromkeys(map(str, _named())))}{listed}"


def _named() -> list[Path]:
    """List the places with a fixed name, whether they exist or not."""
    user = os.getuid()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    given = [_absolute(runtime) / "embodied"] if runtime else []
    return [*given, Path(f"/run/user/{user}/embodied"), *(path / f"embodied-{user}" for path in _temporary())]


def _temporary() -> list[Path]:
    """List the folders for temporary files, whether they exist or not."""
    given = os.environ.get("TMPDIR")
    return list(dict.fromkeys([Path("/tmp"), *([_absolute(given)] if given else [])]))


def _absolute(path: str) -> Path:
    try:
        return Path(path).absolute()
    except OSError:
        # The current folder has been removed, and so nothing is relative to it.
        return Path("/") / path


def _for_new() -> Iterator[Path]:
    only = only_place()
    if only is not None:
        yield only
        return
    # The login manager's folder is taken only where the environment names it: it goes at the user's last logout.
    implied = Path(f"/run/user/{os.getuid()}/embodied")
    given = os.environ.get("XDG_RUNTIME_DIR")
    yield from (path for path in _named() if path != implied or given)
    # Another user may have made the folder of that name in /tmp, to keep this one out.
    for folder in _temporary():
        yield from (path for path in _numbered(folder) if closed_to_others(path))
        with contextlib.suppress(OSError):
            yield Path(tempfile.mkdtemp(prefix=f"embodied-{os.getuid()}-", dir=folder))


def _unusable(path: Path) -> str:
    """Make a place, and return why it cannot be used; empty if it can."""
    if len(os.fsencode(path)) + _RESERVED > PATH_LONGEST:
        return "is too long for the path of a socket"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        return f"cannot be made ({error.strerror})"
    if not closed_to_others(path):
        return "is not a folder of yours that is closed to others"
    return "" if os.access(path, os.W_OK | os.X_OK) else "cannot be written to"


def _numbered(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob(f"embodied-{os.getuid()}-*"))
    except OSError:
        return []


def _known() -> list[Path]:
    """List the places that can be named without a run."""
    return [*_named(), *(path for folder in _temporary() for path in _numbered(folder))]


def _listed() -> list[Path]:
    """List the places of the control sockets that the kernel knows."""
    return [path.parents[1] for path in bound_sockets() if path.name == CONTROL and len(path.parents) > 1]


def bound_sockets() -> list[Path]:
    """List the absolute paths of all bound Unix sockets of this network; empty where there is no /proc."""
    return [Path(name) for name in _socket_names() if name.startswith("/")]


def abstract_prefix() -> str:
    """Return how the names of this user's guard sockets begin in the abstract namespace; run and number follow."""
    only = only_place()
    apart = "" if only is None else f"-{zlib.crc32(os.fsencode(only)):08x}"
    return f"embodied-{os.getuid()}{apart}/"


def abstract_sockets(prefix: str) -> list[str]:
    """List the names in the abstract namespace that begin with a prefix, without their leading zero byte."""
    return [name[1:] for name in _socket_names() if name.startswith(f"@{prefix}")]


def _socket_names() -> list[str]:
    try:
        lines = SOCKETS.read_text("utf-8", errors="surrogateescape").splitlines()[1:]
    except OSError:
        return []
    # Num RefCount Protocol Flags Type St Inode Path; many sockets have no path.
    words = (line.split(None, 7) for line in lines)
    return list(dict.fromkeys(entry[7] for entry in words if len(entry) == 8))
