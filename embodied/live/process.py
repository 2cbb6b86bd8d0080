"""Process of a run as its launcher handles it: start by exec, commands, heartbeat, and the way it ended."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from embodied.errors import FOREIGN, LaunchError, Problem, ProcessLost, error_text
from embodied.live.heartbeat import Heartbeat
from embodied.live.ipc import Disconnected, send, socket_pair
from embodied.live.process_spec import ProcessSpec

State = Literal["starting", "ready", "running", "stopping", "ended"]

LEFT_TO_LAUNCHER = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
"""Signals from outside that a worker leaves to its launcher, which stops all of them in order."""

END_SIGNAL = signal.SIGRTMIN
"""Signal of the launcher to a worker that does not read its socket yet; no library and no service manager sends it."""

# The search path comes first, so that even embodied itself is imported from where the launcher has it.
_PROGRAM = """\
import os, pickle, sys
stream = os.fdopen(int(sys.argv[2]), "rb")
sys.path[:], search = pickle.load(stream)
from embodied.imports.search_path import Search, restore
restore(Search(*search))
from embodied.live.worker_process import main
main(stream)
"""


@dataclass(slots=True)
class Process:
    """Process of a run as its launcher handles it, with a process group of a graph.

    Attributes:
        spec: its specification.
        state: stage of its life.
        pid: process number.
        pidfd: descriptor that becomes readable when it has ended.
        channel: socket to the worker.
        output: pipe of what its nodes print.
        heartbeat: in shared memory.
        since: time of its start, on CLOCK_MONOTONIC [ns].
        starts: number of starts.
        failure: its last report before it ended.
        code: its exit code, negative for a signal.
        signalled: whether its launcher sent it a signal to end it, for a reason that is reported where it was sent.
    """

    spec: ProcessSpec
    state: State = "ended"
    pid: int = 0
    pidfd: int = -1
    channel: socket.socket | None = None
    output: int = -1
    heartbeat: Heartbeat | None = None
    since: int = 0
    starts: int = 0
    failure: dict[str, Any] = field(default_factory=dict)
    code: int | None = None
    signalled: bool = False

    @property
    def name(self) -> str:
        """Name of the process in the layout."""
        return self.spec.process

    @property
    def nodes(self) -> list[str]:
        """Names of the nodes that run in it."""
        return [node.name for node in self.spec.nodes]

    def start(self, launcher: int, environment: Mapping[str, str]) -> None:
        """Start the worker by exec: a fork of a process with threads or sockets inherits what it cannot use.

        Args:
            launcher: descriptor of the launcher's heartbeat.
            environment: of the worker, which whatever its nodes start inherits.
        """
        ours, theirs = socket_pair()
        ours.setblocking(False)
        heartbeat, pulse = Heartbeat.create(self.name)
        specification = os.memfd_create(f"{self.name}.spec", 0)
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            with os.fdopen(os.dup(specification), "wb") as stream:
                pickle.dump((self.spec.path, (*self.spec.search,)), stream)
                pickle.dump(self.spec, stream)
            os.lseek(specification, 0, os.SEEK_SET)
            numbers = (theirs.fileno(), specification, pulse, launcher)
            arguments = [sys.executable, "-P", "-c", _PROGRAM, *map(str, numbers)]
            with blocked(LEFT_TO_LAUNCHER):
                # It starts with them blocked, and is deaf to them from its first instruction on.
                child = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=writing,
                    stderr=writing,
                    pass_fds=numbers,
                    env=environment,
                    start_new_session=True,
                )
        except BaseException:
            ours.close()
            os.close(reading)
            raise
        finally:
            theirs.close()
            for descriptor in (specification, pulse, writing):
                os.close(descriptor)
        self.pid, self.channel, self.output, self.heartbeat = child.pid, ours, reading, heartbeat
        # Its pidfd is waited for; without a return code the object would warn when it is deleted.
        child.returncode = 0
        self.pidfd = os.pidfd_open(child.pid)
        self.since = time.monotonic_ns()
        self.starts += 1
        self.failure, self.code, self.signalled, self.state = {}, None, False, "starting"

    def send(self, verb: str, /, descriptors: list[int] | None = None, **about: Any) -> bool:
        """Send a command to the worker; False if it is no longer there."""
        if self.channel is None:
            return False
        try:
            send(self.channel, verb, descriptors or (), **about)
        except Disconnected:
            return False
        return True

    def silence(self, now: int) -> int:
        """Return the time since its last heartbeat [ns]."""
        assert self.heartbeat is not None
        return now - max(self.heartbeat.read().at, self.since)

    def node(self) -> str:
        """Return the node that is stepping or opening; empty while the process waits."""
        number = -1 if self.heartbeat is None else self.heartbeat.read().node
        return self.nodes[number] if 0 <= number < len(self.nodes) else ""

    def terminate(self) -> None:
        """End a worker that does not read its socket yet."""
        self.signalled = True
        with contextlib.suppress(OSError):
            os.kill(self.pid, END_SIGNAL)

    def kill(self) -> None:
        """Kill the worker with everything that its nodes started."""
        self.signalled = True
        self._kill_group()

    def reap(self) -> None:
        """Collect the exit code of an ended worker and release its descriptors."""
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        self._kill_group()
        os.close(self.pidfd)
        os.close(self.output)
        if self.channel is not None:
            self.channel.close()
        self.channel, self.pidfd, self.output, self.state = None, -1, -1, "ended"

    def _kill_group(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def failed(self) -> bool:
        """Return whether it ended otherwise than in order, or by a signal of its launcher."""
        return bool(self.failure) or (self.code != 0 and not self.signalled)

    def loss(self) -> ProcessLost:
        """Return the error that tells which nodes ended, and how."""
        code = int(self.failure.get("code", ProcessLost.exit_code))
        return ProcessLost(self.name, tuple(self.nodes), self.end(), code)

    def end(self) -> str:
        """Describe in words how it ended."""
        if self.failure:
            return str(self.failure["error"])
        if self.code is None:
            return "still there"
        if self.code < 0:
            return f"ended by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"


@contextlib.contextmanager
def blocked(numbers: Collection[int]) -> Iterator[None]:
    """Block signals in this thread; those that come meanwhile are handled after."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def check_portable(spec: ProcessSpec) -> None:
    """Check that the nodes and the world of a process can be pickled, before it is started.

    Raises:
        LaunchError: one of them cannot be; the problem names it.
    """
    things: list[tuple[str, object]] = [(f"node {node.name}", node) for node in spec.nodes]
    if spec.world is not None:
        things.append(("the world", spec.world))
    for what, thing in things:
        try:
            pickle.dumps(thing)
            problem = "" if _module(thing) != "__main__" else "its class stands in the program that is being run"
        except FOREIGN as error:
            problem = error_text(error)
        if problem:
            help_ = ("its settings are plain values, and its class stands in a module; open() makes the rest",)
            raise LaunchError([Problem("E704", f"{what} cannot go to another process: {problem}", help=help_)])


def _module(thing: object) -> str:
    return type(getattr(thing, "node", thing)).__module__
