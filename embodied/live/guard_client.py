"""Client of the guards of all runs: stop or release them, and read back the state of each, past their launchers.

A request goes to every socket that a guard's own process has, and a stop to the launchers beside it: whichever gets
through first counts, and only what a guard reports is printed.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from embodied.errors import LinkFailed
from embodied.live.connections import peer
from embodied.live.ipc import OTHER_FORM, Disconnected, Packet, receive, send
from embodied.live.run_directory import RunDirectory, running
from embodied.live.run_places import GUARD, abstract_prefix, abstract_sockets, places

TIMEOUT = 3.0
"""Longest time in which guards answer and report their state [s]."""

POLL_PERIOD = 0.01
"""Time between two looks at a guard's report [s]: a period of most guards."""

LAUNCHER_PATIENCE = 0.5
"""Time that a launcher has to answer once nothing else is missing [s]."""


@dataclass(slots=True, eq=False)
class _Line:
    """Line to one socket: of a process with guards, or of a launcher.

    Attributes:
        run: name of the run.
        channel: the connection.
        launcher: whether it leads to the launcher.
        since: time in the run of the answer to the request [ns]: what is reported from after it counts.
        ask_at: time at which to ask for the reports again [s]; None while an answer is awaited.
    """

    run: str
    channel: socket.socket
    launcher: bool
    since: int = -1
    ask_at: float | None = None


@dataclass(slots=True)
class RunAnswer:
    """Answer of the guards of one run.

    Attributes:
        directory: of the run; None where it has gone.
        expected: names of its guards; None where nobody knows them yet.
        guards: last report of each that has answered, as plain data: state, why, done.
        relayed: reports that the launcher has handed on, for guards that do not answer themselves.
        refusals: why a request was refused, a sentence each.
        launcher: whether the launcher has answered; None if there was nothing to ask it.
    """

    directory: RunDirectory | None = None
    expected: set[str] | None = None
    guards: dict[str, dict[str, Any]] = field(default_factory=dict)
    relayed: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    launcher: bool | None = None

    @property
    def done(self) -> bool:
        """Whether every guard reports what was asked for."""
        return self.expected is not None and all(self.guards.get(name, _UNKNOWN)["done"] for name in self.expected)


_UNKNOWN: Mapping[str, Any] = {"state": "unknown", "why": ["it does not answer"], "done": False}


class GuardCall:
    """Call to the guards of all runs, or of some: sends at once, and then reads the answers.

    Args:
        reset: whether to release the guards, and not to stop them.
        words: reason of the stop, or who releases them.
        wanted: names of the runs; None for all.

    Attributes:
        answers: by run, what its guards have answered.
    """

    def __init__(self, reset: bool, words: str, wanted: Iterable[str] | None = None) -> None:
        self._reset = reset
        self._lines: list[_Line] = []
        self.answers: dict[str, RunAnswer] = {}
        names = None if wanted is None else set(wanted)
        about = {"by": words} if reset else {"reason": words}
        # The guards first: nothing that a directory holds or lacks may delay them.
        for run, addresses in guard_addresses().items():
            if names is None or run in names:
                self.answers[run] = RunAnswer()
                for address in addresses:
                    self._send(run, _connected(address), "reset" if reset else "stop", about)
        for directory in running():
            if names is None or directory.name in names:
                self._send_launcher(directory, about)

    def _send_launcher(self, directory: RunDirectory, about: dict[str, Any]) -> None:
        answer = self.answers.setdefault(directory.name, RunAnswer())
        answer.directory = directory
        guards = directory.read().get("guards")
        if isinstance(guards, list):
            answer.expected = (answer.expected or set()) | {str(name) for name in guards}
        if answer.expected == set():
            # Nothing can move in a run without a guard.
            return
        answer.launcher = False
        try:
            channel = directory.connect()
        except BlockingIOError:
            return
        # Released they are by their own processes only, which know whether their launcher still watches.
        self._send(directory.name, channel, "guards" if self._reset else "estop", {} if self._reset else about, True)

    def _send(
        self, run: str, channel: socket.socket | None, verb: str, about: dict[str, Any], launcher: bool = False
    ) -> None:
        if channel is None:
            return
        try:
            send(channel, verb, **about)
        except (Disconnected, LinkFailed):
            channel.close()
            return
        self._lines.append(_Line(run, channel, launcher))

    def read(self) -> None:
        """Read the answers, until all guards report what was asked for or `TIMEOUT` is over; then hang up."""
        end = time.monotonic() + TIMEOUT
        try:
            while self._lines and time.monotonic() < end and not all(answer.done for answer in self.answers.values()):
                self._turn(end)
            end = min(end, time.monotonic() + LAUNCHER_PATIENCE)
            while any(line.launcher for line in self._lines) and time.monotonic() < end:
                self._turn(end)
        finally:
            for line in self._lines:
                line.channel.close()
            self._lines.clear()
        for answer in self.answers.values():
            answer.guards = answer.relayed | answer.guards

    def _turn(self, end: float) -> None:
        now = time.monotonic()
        for line in [line for line in self._lines if line.ask_at is not None and line.ask_at <= now]:
            line.ask_at = None
            try:
                send(line.channel, "guards", since=line.since)
            except (Disconnected, LinkFailed):
                self._drop(line)
        timeout = min([end, *(line.ask_at for line in self._lines if line.ask_at is not None)]) - now
        poll = select.poll()
        lines = {line.channel.fileno(): line for line in self._lines}
        for descriptor in lines:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(max(0.0, timeout) * 1000):
            self._listen(lines[descriptor])

    def _listen(self, line: _Line) -> None:
        try:
            packet = receive(line.channel)
        except (Disconnected, LinkFailed):
            self._drop(line)
            return
        if packet is None:
            return
        for descriptor in packet.descriptors:
            os.close(descriptor)
        try:
            self._take(line, packet)
        except OTHER_FORM:
            # It is no answer of this version: the others count.
            self._drop(line)

    def _take(self, line: _Line, packet: Packet) -> None:
        answer = self.answers[line.run]
        if line.launcher:
            answer.launcher = True
        if packet.verb == "error":
            text = str(packet.about["text"])
            if text not in answer.refusals:
                answer.refusals.append(text)
            answer.expected = (answer.expected or set()) | set(packet.about.get("guards", ()))
            self._drop(line)
            return
        reports = packet.about["value"]
        if line.launcher:
            answer.expected = (answer.expected or set()) | set(reports)
            self._drop(line)
        else:
            answer.expected = (answer.expected or set()) | set(packet.about["guards"])
            if not isinstance(reports, dict):
                # The answer to the request itself lists the guards that it has reached; their reports follow.
                line.since = int(packet.about["at"])
            line.ask_at = time.monotonic() + POLL_PERIOD
        if isinstance(reports, dict):
            known = answer.relayed if line.launcher else answer.guards
            for name, report in reports.items():
                # A guard has two sockets: what the one has reported, the other may not have reported yet.
                if report is not None and not known.get(name, _UNKNOWN)["done"]:
                    known[name] = self._judged(report)

    def _judged(self, report: dict[str, Any]) -> dict[str, Any]:
        state = str(report["state"])
        done = state not in ("stopped", "unknown") if self._reset else state == "stopped"
        return {"state": state, "why": [str(why) for why in report["why"]], "done": done}

    def _drop(self, line: _Line) -> None:
        """Hang up, if that has not been done."""
        if line in self._lines:
            self._lines.remove(line)
            line.channel.close()


def guard_addresses() -> dict[str, list[str]]:
    """List the sockets of all processes with guards by run, in every place; abstract ones begin with a zero byte."""
    found: dict[str, list[str]] = {}
    for place in places():
        with contextlib.suppress(OSError):
            for path in place.glob(f"*/{GUARD}*"):
                found.setdefault(path.parent.name, []).append(str(path))
    prefix = abstract_prefix()
    for name in abstract_sockets(prefix):
        found.setdefault(name.removeprefix(prefix).partition("/")[0], []).append(f"\0{name}")
    return found


def _connected(address: str) -> socket.socket | None:
    """Return a connection to a guard's process; None where nobody listens, or it belongs to another user."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel.setblocking(False)
    try:
        channel.connect(address)
        if peer(channel) == os.getuid():
            return channel
    except OSError:
        # It has ended, or hangs with as many waiting as may wait.
        pass
    channel.close()
    return None
