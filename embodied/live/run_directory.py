"""Directory of a run, while it lasts: a JSON description of the run, and the socket at which it answers."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.errors import LinkFailed

CONTROL = "control"
"""Name of the control socket."""

GRAPH = "graph.json"
"""Name of the description."""

_NAME_MAX = 40
"""Length to which the name of a run is cut [characters]."""

_PATH_MAX = 107
"""Longest path of a Unix socket: unix(7) [B]."""


def home() -> Path:
    """Return the directory of this user's runs, created with no access for others.

    Raises:
        LinkFailed: it belongs to another user, or others have access.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(runtime) / "embodied" if runtime else Path(f"/tmp/embodied-{os.getuid()}")
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise LinkFailed(
            f"{path} is not a directory of yours that is closed to others: remove it, or set XDG_RUNTIME_DIR"
        )
    return path


@dataclass(slots=True)
class RunDirectory:
    """Directory of one run, with its description and control socket.

    Attributes:
        path: of the directory.
    """

    path: Path

    @classmethod
    def create(cls, name: str) -> RunDirectory:
        """Create the directory of a run of this process.

        Raises:
            LinkFailed: there is no safe place for it.
            OSError: it cannot be created.
        """
        stem = f"{name[:_NAME_MAX]}-{os.getpid()}"
        base = home()
        for count in range(1, 1000):
            path = base / (stem if count == 1 else f"{stem}-{count}")
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return cls(path)
        raise LinkFailed(f"too many runs of {name} in one process")

    @property
    def name(self) -> str:
        """Name of the run on the command line."""
        return self.path.name

    def write(self, about: Mapping[str, Any]) -> None:
        """Replace the description of the run; a reader sees the old or the new one, never a part."""
        fresh = self.path / f"{GRAPH}.new"
        fresh.write_text(json.dumps(about, indent=1))
        fresh.rename(self.path / GRAPH)

    def read(self) -> dict[str, Any]:
        """Read the description of the run; empty if that fails."""
        try:
            description: dict[str, Any] = json.loads((self.path / GRAPH).read_text())
        except (OSError, ValueError):
            return {}
        return description

    def trouble(self) -> str:
        """Explain why the launcher may not answer, and what can be done about it."""
        number = self.read().get("pid")
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "its launcher has just ended"
        ends = f"kill -9 {number} ends it, and all that it started"
        if state == "T":
            return f"its launcher is stopped; kill -CONT {number} lets it go on, and {ends}"
        return f"its launcher hangs; {ends}"

    def listen(self) -> socket.socket:
        """Open the control socket of the run.

        Raises:
            LinkFailed: the path of the socket is too long.
        """
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = str(self.path / CONTROL)
        if len(os.fsencode(path)) > _PATH_MAX:
            channel.close()
            raise LinkFailed(f"{path} is too long for a socket: set XDG_RUNTIME_DIR to a shorter path")
        channel.bind(path)
        channel.listen(16)
        channel.setblocking(False)
        return channel

    def connect(self) -> socket.socket | None:
        """Connect to the launcher; None if it listens no more.

        Raises:
            BlockingIOError: its queue of connections is full, so that it hangs or is stopped.
        """
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel.setblocking(False)
        try:
            channel.connect(str(self.path / CONTROL))
        except BlockingIOError:
            channel.close()
            raise
        except OSError:
            channel.close()
            return None
        return channel

    def remove(self) -> None:
        """Remove the directory with its contents."""
        shutil.rmtree(self.path, ignore_errors=True)


def running() -> Iterator[RunDirectory]:
    """Yield the directories of running graphs, in the order of their names; those of dead launchers are removed."""
    for path in sorted(home().iterdir()):
        directory = RunDirectory(path)
        parts = path.name.split("-")
        try:
            connection = directory.connect()
        except BlockingIOError:
            yield directory
            continue
        if connection is not None:
            connection.close()
            yield directory
        elif not any(part.isdigit() and Path(f"/proc/{part}").exists() for part in parts[-2:]):
            # Removed only if no process of that number is left: a launcher that starts has no socket yet.
            directory.remove()
