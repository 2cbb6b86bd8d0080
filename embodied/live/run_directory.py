"""Folder of a running graph: a description as JSON, and the socket at which it answers. It goes when the graph ends."""

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
GRAPH = "graph.json"

_LONGEST = 40
"""Of a run's name [B]."""

_PATH = 107
"""Longest path of a Unix socket [B]."""


def short_name(name: str, size: int) -> str:
    """Shorten the name of a launch file to a number of bytes, for the name of a folder; what is no text is left out."""
    text = os.fsencode(name)[:size].decode(errors="ignore")
    return "".join(sign if sign.isprintable() else "_" for sign in text) or "run"


def home() -> Path:
    """Return the folder in which this user's running graphs have theirs, closed to others.

    Raises:
        LinkFailed: it belongs to someone else, or others may enter it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(runtime) / "embodied" if runtime else Path(f"/tmp/embodied-{os.getuid()}")
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LinkFailed(f"{path} is not a folder of yours that is closed to others: remove it, or set XDG_RUNTIME_DIR")
    return path


@dataclass(slots=True)
class RunDirectory:
    """Folder of one running graph, with its description and its socket.

    Attributes:
        path: where it is.
    """

    path: Path

    @classmethod
    def create(cls, name: str) -> RunDirectory:
        """A new one, for a run of this process.

        Raises:
            LinkFailed: there is no safe place for it.
            OSError: it cannot be made.
        """
        stem = f"{short_name(name, _LONGEST)}-{os.getpid()}"
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
        """Say what runs here; whoever reads it meanwhile sees the old or the new."""
        fresh = self.path / f"{GRAPH}.new"
        fresh.write_text(json.dumps(about, indent=1))
        fresh.rename(self.path / GRAPH)

    def read(self) -> dict[str, Any]:
        """Read the description of the run; empty if it cannot be read."""
        try:
            found: dict[str, Any] = json.loads((self.path / GRAPH).read_text())
        except (OSError, ValueError):
            return {}
        return found

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

    def listen(self) -> socket.socket:
        """The socket at which the run answers.

        Raises:
            LinkFailed: its path is too long.
        """
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = str(self.path / CONTROL)
        if len(os.fsencode(path)) > _PATH:
            made.close()
            raise LinkFailed(f"{path} is too long for a socket: set XDG_RUNTIME_DIR to a shorter path")
        made.bind(path)
        made.listen(16)
        made.setblocking(False)
        return made

    def connect(self) -> socket.socket | None:
        """A connection to the launcher; None if nobody listens any more.

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
        """Remove the folder of the run."""
        shutil.rmtree(self.path, ignore_errors=True)


def running() -> Iterator[RunDirectory]:
    """List the folders of running graphs by name; what a crash left behind is removed."""
    for path in sorted(home().iterdir()):
        folder = RunDirectory(path)
        number = path.name.split("-")
        try:
            connection = folder.connect()
        except BlockingIOError:
            yield folder
            continue
        if connection is not None:
            connection.close()
            yield folder
        elif not any(part.isdigit() and Path(f"/proc/{part}").exists() for part in number[-2:]):
            # Its launcher is gone; a moment after its start there is a launcher and no socket yet.
            folder.remove()
