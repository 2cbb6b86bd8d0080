"""One process of a run, as its launcher sees it: how it was started, what it said last, and how it ended."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from embodied.errors import FOREIGN, LaunchError, Problem, told
from embodied.live.heartbeat import Heartbeat
from embodied.live.ipc import Disconnected, send, socket_pair
from embodied.live.process_spec import ProcessSpec

State = Literal["starting", "ready", "running", "stopping", "ended"]

# Modules are found where the launcher finds them, embodied's own not excepted.
_PROGRAM = """\
import os, pickle, sys
briefing = os.fdopen(int(sys.argv[2]), "rb")
sys.path[:] = pickle.load(briefing)
from embodied.live.worker_process import main
main(briefing)
"""


@dataclass(slots=True)
class Process:
    """A process group of a graph.

    Attributes:
        spec: what it is told.
        state: how far it is.
        pid: of the process.
        handle: its pidfd, readable when it has ended.
        channel: socket to it.
        output: pipe of what its nodes print.
        heartbeat: its signs of life.
        since: when it was started, on CLOCK_MONOTONIC [ns].
        starts: how often it was started.
        failure: what it reported before it ended.
        code: its exit code, negative for a signal.
    """

    spec: ProcessSpec
    state: State = "ended"
    pid: int = 0
    handle: int = -1
    channel: socket.socket | None = None
    output: int = -1
    heartbeat: Heartbeat | None = None
    since: int = 0
    starts: int = 0
    failure: dict[str, Any] = field(default_factory=dict)
    code: int | None = None
    about: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.process

    @property
    def nodes(self) -> list[str]:
        """Names of its nodes."""
        return [node.name for node in self.spec.nodes]

    def start(self) -> None:
        """Start it, by exec: a fork of a process that has threads or sockets inherits what it cannot use."""
        ours, theirs = socket_pair()
        ours.setblocking(False)
        heartbeat, living = Heartbeat.create(self.name)
        briefing = os.memfd_create(f"{self.name}.spec", 0)
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            with os.fdopen(os.dup(briefing), "wb") as stream:
                pickle.dump(self.spec.path, stream)
                pickle.dump(self.spec, stream)
            os.lseek(briefing, 0, os.SEEK_SET)
            numbers = (theirs.fileno(), briefing, living)
            arguments = [sys.executable, "-P", "-c", _PROGRAM, *map(str, (*numbers, os.getpid()))]
            child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                pass_fds=numbers,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            os.close(reading)
            raise
        finally:
            theirs.close()
            for descriptor in (briefing, living, writing):
                os.close(descriptor)
        self.pid, self.channel, self.output, self.heartbeat = child.pid, ours, reading, heartbeat
        # It is waited for by its handle; the object would only complain when it goes.
        child.returncode = 0
        self.handle = os.pidfd_open(child.pid)
        self.since = time.monotonic_ns()
        self.starts += 1
        self.failure, self.code, self.state = {}, None, "starting"

    def send(self, verb: str, /, descriptors: list[int] | None = None, **about: Any) -> bool:
        """Tell it something; False if it is no longer there."""
        if self.channel is None:
            return False
        try:
            send(self.channel, verb, descriptors or (), **about)
        except Disconnected:
            return False
        return True

    def silence(self, now: int) -> int:
        """How long it has given no sign of life [ns]."""
        assert self.heartbeat is not None
        return now - max(self.heartbeat.read().at, self.since)

    def node(self) -> str:
        """The node that is stepping, or opening; empty while it waits."""
        number = -1 if self.heartbeat is None else self.heartbeat.read().node
        return self.nodes[number] if 0 <= number < len(self.nodes) else ""

    def terminate(self) -> None:
        """Tell it to end by a signal, when it may not listen yet."""
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, with everything that its nodes started."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Take note that it has ended."""
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        self.kill()
        os.close(self.handle)
        os.close(self.output)
        if self.channel is not None:
            self.channel.close()
        self.channel, self.handle, self.output, self.state = None, -1, -1, "ended"

    def end(self) -> str:
        """How it ended, in words."""
        if self.failure:
            return str(self.failure["error"])
        if self.code is None:
            return "still there"
        if self.code < 0:
            return f"ended by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"


def check_portable(spec: ProcessSpec) -> None:
    """Nodes and worlds cross to their process by pickle.

    Raises:
        LaunchError: one of them cannot; the problem names it.
    """
    things: list[tuple[str, object]] = [(f"node {node.name}", node) for node in spec.nodes]
    if spec.world is not None:
        things.append(("the world", spec.world))
    for what, thing in things:
        try:
            pickle.dumps(thing)
            problem = "" if _module(thing) != "__main__" else "its class stands in the program that is being run"
        except FOREIGN as error:
            problem = told(error)
        if problem:
            help_ = ("its settings are plain values, and its class stands in a module; open() makes the rest",)
            raise LaunchError([Problem("E704", f"{what} cannot go to another process: {problem}", help=help_)])


def _module(thing: object) -> str:
    return type(getattr(thing, "node", thing)).__module__
