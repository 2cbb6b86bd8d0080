"""Directory of a running graph: a description as JSON, and the sockets at which it answers. It goes when the run ends.

A directory belongs to a run as long as its launcher holds a lock on it: process numbers come again, in a container with
each start, and a lock ends with its holder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.errors import LinkFailed
from embodied.live.run_places import CONTROL, GUARD, NAME_LONGEST, ONLY, PATH_LONGEST, home, places

GRAPH = "graph.json"
"""Name of the description in a run directory."""

BACKLOG = 64
"""Most clients that may wait at a socket until they are let in."""


def short_name(name: str, size: int) -> str:
    """Shorten the name of a launch file to a number of bytes, for the name of a folder; what is no text is left out."""
    text = os.fsencode(name)[:size].decode(errors="ignore")
    return "".join(sign if sign.isprintable() else "_" for sign in text) or "run"


@dataclass(slots=True)
class RunDirectory:
    """Directory of one running graph, with its description and its sockets.

    Attributes:
        path: of the directory.
        lock: descriptor that holds the lock of its launcher; -1 for all others.
    """

    path: Path
    lock: int = -1

    @classmethod
    def create(cls, name: str) -> RunDirectory:
        """Create and lock a directory for a run of this process.

        Raises:
            LinkFailed: there is no safe place for it.
            OSError: it cannot be made.
        """
        stem = f"{short_name(name, NAME_LONGEST)}-{os.getpid()}"
        base = home()
        for count in range(1, 1000):
            path = base / (stem if count == 1 else f"{stem}-{count}")
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                # It may be left from a launcher with the same process number: of PID 1 in a container, for example.
                if not (_ours(path) and _unlocked(path)):
                    continue
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                # Another launcher was first.
                os.close(lock)
                continue
            for left in path.iterdir():
                left.unlink()
            return cls(path, lock)
        raise LinkFailed(f"too many runs of {name} in one process")

    def restore(self) -> None:
        """Make the directory again where it has gone, at the first place that there is now; its content is to follow.

        Raises:
            LinkFailed: there is no safe place for it.
            OSError: it cannot be made.
        """
        path = home() / self.name
        path.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        here, there = os.fstat(self.lock), os.fstat(lock)
        if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
            # Only what was in it has gone, and it is still locked.
            os.close(lock)
        else:
            os.close(self.lock)
            self.lock = lock
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = path

    @property
    def name(self) -> str:
        """Name of the run on the command line."""
        return self.path.name

    def write(self, about: Mapping[str, Any]) -> None:
        """Say what runs here; whoever reads it meanwhile sees the old or the new."""
        fresh = self.path / f"{GRAPH}.new"
        fresh.write_text(json.dumps(about, indent=1), "utf-8")
        fresh.rename(self.path / GRAPH)

    def read(self) -> dict[str, Any]:
        """Read the description of the run; empty if it cannot be read."""
        try:
            found = json.loads((self.path / GRAPH).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def trouble(self) -> str:
        """Explain why its launcher may not answer, and what to do about it."""
        number = self.read().get("pid")
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "its launcher has just ended"
        ends = f"kill -9 {number} ends it, and all that it started"
        if state == "T":
            return f"its launcher is stopped; kill -CONT {number} lets it go on, and {ends}"
        return f"its launcher hangs; {ends}"

    def listen(self, name: str = CONTROL) -> socket.socket:
        """Return the socket at which the run answers, or a guard of it.

        Args:
            name: of the socket.

        Raises:
            LinkFailed: its path is too long.
        """
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = str(self.path / name)
        if len(os.fsencode(path)) > PATH_LONGEST:
            made.close()
            raise LinkFailed(f"{path} is too long for a socket: set {ONLY} to a shorter path")
        with contextlib.suppress(FileNotFoundError):
            Path(path).unlink()
        made.bind(path)
        made.listen(BACKLOG)
        made.setblocking(False)
        return made

    def intact(self) -> bool:
        """Return whether the directory is still where it was made, with its control socket."""
        try:
            here, there = os.fstat(self.lock), self.path.lstat()
        except OSError:
            return False
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino) and (self.path / CONTROL).exists()

    def connect(self) -> socket.socket | None:
        """Connect to the launcher; None if nobody listens any more.

        Raises:
            BlockingIOError: it has not taken those who came before, and so it hangs, or is stopped.
        """
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.setblocking(False)
        try:
            made.connect(str(self.path / CONTROL))
        except BlockingIOError:
            made.close()
            raise
        except OSError:
            made.close()
            return None
        return made

    def remove(self) -> None:
        """Remove the directory of the run, and release its lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


def running() -> Iterator[RunDirectory]:
    """List the directories of running graphs by name, in every place; what a crash left behind is removed."""
    for path in sorted((path for place in places() for path in _entries(place)), key=lambda path: path.name):
        if not (path / GRAPH).exists():
            # A moment after its start a launcher has a directory and no more; or it is no run at all.
            continue
        if not _unlocked(path):
            yield RunDirectory(path)
        elif _ours(path):
            shutil.rmtree(path, ignore_errors=True)


def _entries(place: Path) -> list[Path]:
    try:
        return [path for path in place.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        # It has gone since, or cannot be read.
        return []


def _ours(path: Path) -> bool:
    """Return whether a directory holds nothing but what runs put there: all else is never removed."""
    try:
        names = {entry.name.partition(".new")[0] for entry in path.iterdir()}
    except OSError:
        # Somebody else has removed it meanwhile.
        return False
    return all(name in (GRAPH, CONTROL) or name.startswith(GUARD) for name in names)


def _unlocked(path: Path) -> bool:
    """Return whether nobody holds the lock of a run directory, since its launcher is gone."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # A shared lock for a moment, so that two who look do not take each other for a launcher.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(lock)
