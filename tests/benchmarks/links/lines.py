"""A line between workers: the harness's side of processes that each hold an endpoint of a transport."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.benchmarks.links.loads import Load
from tests.benchmarks.links.seam import INSTALL, Failed, Fan, Flood

ROOT = Path(__file__).parents[3]
PATIENCE = 20.0
"""After so long beyond its measurement a transport stands still [s]."""
PAUSE = 0.05
"""A mark that was lost is sent again after this [s]."""


@dataclass(frozen=True)
class Peer:
    """A transport with an endpoint per process.

    Attributes:
        name: of the row.
        endpoint: `module:Class` of its Endpoint.
        package: what must be importable.
        in_place: messages are made where the transport wants them.
        smallest: it is measured with messages from this size on [B].
        floods: its sender can send at its own pace, and to several takers.
    """

    name: str
    endpoint: str
    package: str
    in_place: bool = False
    smallest: int = 0
    floods: bool = True

    def available(self) -> str:
        """Empty, or what is missing."""
        return "" if importlib.util.find_spec(self.package) else f"not installed: {INSTALL}"

    def carries(self, load: Load) -> bool:
        """Whether it is measured with such messages."""
        return load.size >= self.smallest

    def words(self, folder: Path, number: int, takers: int) -> list[str]:
        """The command that starts one worker."""
        place = "in-place" if self.in_place else "copied"
        module = "tests.benchmarks.links.serve"
        return [sys.executable, "-m", module, self.endpoint, str(folder), str(number), str(takers), place]

    def start(self, folder: Path, takers: int) -> list[subprocess.Popen[bytes]]:
        """Start the processes of a line, those in between included."""
        return [launch(self.words(folder, number, takers), folder) for number in range(takers + 1)]

    def open(self, folder: Path, takers: int) -> Workers:
        """Start the workers and wait for them."""
        return Workers(self, folder, takers)

    def tidy(self, folder: Path) -> None:
        """Remove what processes left that were killed."""


def launch(words: Sequence[str], folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C at the terminal does not reach: the harness ends it."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            words,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


class Workers:
    """A Line of workers; 0 is near, the others far."""

    def __init__(self, peer: Peer, folder: Path, takers: int) -> None:
        self.processes: list[int] = []
        self._peer = peer
        self._folder = folder
        self._marks = itertools.count(-2, -1)
        self._started: list[subprocess.Popen[bytes]] = []
        self._connections: list[Connection] = []
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(folder / "harness"))
                listener.listen(takers + 1)
                self._started = peer.start(folder, takers)
                self._meet(listener, takers + 1)
        except BaseException:
            self.close(orderly=False)
            raise

    def _meet(self, listener: socket.socket, count: int) -> None:
        listener.settimeout(PATIENCE)
        met: dict[int, tuple[int, Connection]] = {}
        for _ in range(count):
            try:
                end, _ = listener.accept()
                end.setblocking(True)
                connection = Connection(end.detach())
                self._connections.append(connection)
                number, process = connection.recv()
            except (TimeoutError, EOFError):
                raise Failed(f"did not start: {self._last_words()}") from None
            met[number] = process, connection
        self.processes = [met[number][0] for number in range(count)]
        self.processes += [process.pid for process in self._started if process.pid not in self.processes]
        self._connections = [met[number][1] for number in range(count)]
        for number in range(count):
            self._answer(number, PATIENCE)

    def ping(self, load: Load, seconds: float) -> Sequence[int]:
        """Round trips [ns]."""
        self._ask(0, "open", load, "sender", "receiver")
        self._ask(1, "open", load, "receiver", "sender")
        for number in (0, 1):
            self._answer(number, PATIENCE)
        self._mark(load, 0, [1])
        self._mark(load, 1, [0])
        mark = next(self._marks)
        self._ask(1, "echo", load, mark)
        times: Sequence[int] = self._call(0, "ping", load, seconds, patience=seconds + PATIENCE)
        self._post_until_heard(load, 0, [1], mark)
        return times

    def flood(self, load: Load, seconds: float) -> Flood:
        """Messages as fast as they can be sent."""
        self._open_one_way(load, [1])
        mark = next(self._marks)
        self._ask(1, "drain", load, mark)
        sent = self._call(0, "flood", load, seconds, patience=seconds + PATIENCE)
        ((received, repeated, taken),) = self._post_until_heard(load, 0, [1], mark)
        return Flood(sent, received, repeated, taken)

    def fan(self, load: Load, rate: float, seconds: float) -> Fan:
        """Messages at a rate, to all."""
        far = list(range(1, len(self._connections)))
        self._open_one_way(load, far)
        mark = next(self._marks)
        for number in far:
            self._ask(number, "watch", load, mark)
        costs = self._call(0, "pace", load, rate, seconds, patience=seconds + PATIENCE)
        ages = self._post_until_heard(load, 0, far, mark)
        return Fan([age for each in ages for age in each], costs, len(costs))

    def close(self, orderly: bool) -> None:
        """End the processes; what is killed leaves shared memory behind, which is removed here."""
        left = set() if orderly else {name for process in self.processes for name in _mapped(process)}
        for connection in self._connections:
            if orderly:
                with contextlib.suppress(OSError):
                    connection.send(None)
            else:
                connection.close()
        for process in self._started:
            try:
                process.wait(5.0 if orderly else 1.0)
            except subprocess.TimeoutExpired:
                left |= {name for each in self.processes for name in _mapped(each)}
                process.kill()
                process.wait()
        for connection in self._connections:
            connection.close()
        for name in left:
            name.unlink(missing_ok=True)
        self._peer.tidy(self._folder)

    def _open_one_way(self, load: Load, far: Sequence[int]) -> None:
        self._ask(0, "open", load, "sender")
        for number in far:
            self._ask(number, "open", load, "receiver")
        for number in (0, *far):
            self._answer(number, PATIENCE)
        self._mark(load, 0, far)

    def _mark(self, load: Load, giver: int, takers: Sequence[int]) -> None:
        """Send a mark until all have heard it: whatever was under way before has then passed."""
        mark = next(self._marks)
        for number in takers:
            self._ask(number, "hear", load, mark)
        self._post_until_heard(load, giver, takers, mark)

    def _post_until_heard(self, load: Load, giver: int, takers: Sequence[int], mark: int) -> list[Any]:
        found: dict[int, Any] = {}
        deadline = time.monotonic() + PATIENCE
        while len(found) < len(takers):
            if time.monotonic() > deadline:
                raise Failed(f"stands still: {self._last_words()}")
            self._call(giver, "post", load, mark)
            until = time.monotonic() + PAUSE
            for number in takers:
                if number not in found and self._connections[number].poll(max(0.0, until - time.monotonic())):
                    found[number] = self._answer(number, PATIENCE)
        return [found[number] for number in takers]

    def _call(self, number: int, verb: str, *arguments: Any, patience: float = PATIENCE) -> Any:
        self._ask(number, verb, *arguments)
        return self._answer(number, patience)

    def _ask(self, number: int, verb: str, *arguments: Any) -> None:
        try:
            self._connections[number].send((verb, arguments))
        except OSError:
            raise Failed(f"a process ended: {self._last_words()}") from None

    def _answer(self, number: int, patience: float) -> Any:
        connection = self._connections[number]
        try:
            if not connection.poll(patience):
                raise Failed(f"stands still: {self._last_words()}")
            answer = connection.recv()
        except (EOFError, ConnectionError):
            raise Failed(f"a process ended: {self._last_words()}") from None
        if isinstance(answer, Exception):
            raise Failed(str(answer))
        return answer

    def _last_words(self) -> str:
        log = self._folder / "log"
        lines = log.read_text(errors="replace").split("\n") if log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _mapped(process: int) -> set[Path]:
    """Named shared memory of a process that is still there."""
    with contextlib.suppress(OSError):
        return {Path(name) for name in re.findall(r"/dev/shm/\S+", Path(f"/proc/{process}/maps").read_text())}
    return set()


def pin(processes: Sequence[int], cores: set[int]) -> None:
    """Have every thread of some processes run on these cores only; threads to come inherit it.

    Raises:
        Failed: one has ended.
    """
    for process in processes:
        folder = Path(f"/proc/{process}/task")
        if not folder.exists():
            raise Failed(f"process {process} ended")
        for thread in folder.iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)


def running_on(processes: Sequence[int]) -> set[int]:
    """The cores on which the main threads of some processes ran last: proc_pid_stat(5), field 39."""
    found = set()
    for process in processes:
        with contextlib.suppress(OSError):
            found.add(int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[36]))
    return found


def beside(command: str) -> str | None:
    """A command that was installed with this Python, or that is on the path."""
    return shutil.which(command, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
