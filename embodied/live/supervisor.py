"""Supervisor: starts the processes of a run, watches their heartbeats, and restarts those that may be restarted.

A process that ends is seen by its pidfd, one that hangs by its heartbeat. Its nodes' `restart` rules are followed; a
process that holds a guard, a driver or the world and is not restarted ends the run: nothing safe is left to do without
it.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from embodied.clock import SECOND
from embodied.errors import EmbodiedError, LinkFailed
from embodied.graph.plan import Plan
from embodied.graph.restart import Restart
from embodied.live.event_loop import EventLoop
from embodied.live.heartbeat import Heartbeat
from embodied.live.ipc import Disconnected, Malformed, Packet, receive
from embodied.live.link_table import LinkTable
from embodied.live.logs import Logs
from embodied.live.output_reader import OutputReader
from embodied.live.process import Process
from embodied.live.reaper import Reaper
from embodied.live.run_directory import RunDirectory
from embodied.node.node import Driver, Guard

HANG_TIMEOUT = 2 * SECOND
"""Time without a heartbeat after which a process is killed [ns]; one that waits has ten beats a second."""

OPEN_TIMEOUT = 60 * SECOND
"""Longest time that a node's `open` may take [ns]."""

WATCH_PERIOD = 0.1
"""Time between two checks of the heartbeats [s]."""

STOP_TIMEOUT = 1.0
"""Time that a process has to stop before it is killed [s]; one with a driver has twice its `stops_within` beside."""

DRIVER_STOP_MOST = 8.0
"""Longest time that a process with a driver has to stop, whatever the driver states [s]."""

BACKOFF_MAX = 30 * SECOND
"""Longest wait before a process is started again, which doubles each time [ns]."""


@dataclass(frozen=True, slots=True)
class Event:
    """Event that a supervisor reports: something that happened to a process of a run.

    Attributes:
        at: time on CLOCK_MONOTONIC [ns].
        process: name of the process.
        kind: `ended`, `hangs`, `restarted`, `stopped`, `failed` for what failed while it was stopped.
        text: in one sentence.
    """

    at: int
    process: str
    kind: str
    text: str


@dataclass(slots=True)
class _Restart:
    """A process that is to be started again at a time [ns]."""

    at: int
    process: Process


class Supervisor(EventLoop, ABC):
    """Supervisor of the processes of a run, which keeps them going.

    Args:
        plan: the graph that runs.
        processes: by name.
        links: between the processes.
        logs: take what the processes print.

    Attributes:
        events: what happened, oldest first.
        failure: why the run is over, if it did not end in order.
        epoch: time 0, on CLOCK_MONOTONIC [ns]; 0 before all processes run.
        not_stopped: what failed while the run was stopped, a sentence each; empty once all has stopped in order.
    """

    def __init__(self, plan: Plan, processes: dict[str, Process], links: LinkTable, logs: Logs) -> None:
        super().__init__()
        self.plan = plan
        self.processes = processes
        self.links = links
        self.logs = logs
        self.events: list[Event] = []
        self.failure: EmbodiedError | None = None
        self.epoch = 0
        self.not_stopped: list[str] = []
        self._restarts: list[_Restart] = []
        self._stop_by: dict[str, int] = {}
        self._watched = 0
        self._closing = False
        self._output = OutputReader(self, logs)
        self._reaper: Reaper | None = None
        self._heartbeat: Heartbeat | None = None
        self._pulse = -1

    @abstractmethod
    def received(self, process: Process, packet: Packet) -> None:
        """Handle a packet of a process."""

    def lost(self, process: Process, reason: str) -> None:
        """React to the end of a process that may be started again.

        Args:
            process: that ended.
            reason: why, in a sentence.
        """

    def advance(self, timeout: float) -> None:
        """Handle events for up to `timeout` seconds; returns after the first ones."""
        self.turn(max(0.0, min(timeout, WATCH_PERIOD)))
        now = time.monotonic_ns()
        if self._heartbeat is not None:
            self._heartbeat.idle(now)
        if now - self._watched > WATCH_PERIOD * SECOND / 2:
            self._watched = now
            self._watch(now)

    def alive(self, name: str) -> bool:
        """Return whether a process runs or is to be started again."""
        return self.processes[name].state != "ended" or any(r.process.name == name for r in self._restarts)

    def start_all(self, directory: RunDirectory) -> None:
        """Start every process, and the reaper that cleans up behind a killed launcher."""
        self._reaper = Reaper(directory)
        self._heartbeat, self._pulse = Heartbeat.create("launcher")
        self._heartbeat.idle(time.monotonic_ns())
        for process in self.processes.values():
            self._start(process)

    def _restart_reaper(self) -> None:
        """Start the reaper again, as after it was killed, or for another directory."""
        assert self._reaper is not None
        self._reaper.restart(process.pid for process in self.processes.values() if process.state != "ended")

    def restart(self, name: str) -> None:
        """End a process and start it again.

        Raises:
            ValueError: it owns the world, whose simulation starts only with the whole graph.
        """
        process = self.processes[name]
        if process.spec.owns_world:
            raise ValueError(
                f"'{name}' holds the world, which begins again with the whole graph: stop it and run it again"
            )
        if process.state == "ended":
            self._start(process)
        else:
            self._stop_by[name] = time.monotonic_ns() + int(self._time_to_stop(process) * SECOND)
            process.send("stop")

    def event(self, process: Process, kind: str, text: str, at: int | None = None) -> None:
        """Record an event of a process, by default as of now."""
        self.events.append(Event(at or time.monotonic_ns(), process.name, kind, text))
        self.logs.note(process.name, text)

    def _start(self, process: Process) -> None:
        assert self._reaper is not None
        process.start(self._pulse, self._reaper.environment(process.name))
        self._reaper.add(process.pid)
        self.wait(process.pidfd, lambda: self._ended(process))
        assert process.channel is not None
        self.wait(process.channel.fileno(), lambda: self._listen(process))
        self._output.start(process)

    def _listen(self, process: Process) -> None:
        channel = process.channel
        try:
            while channel is not None:
                try:
                    packet = receive(channel)
                except Malformed:
                    continue
                if packet is None:
                    return
                self.received(process, packet)
        except (Disconnected, LinkFailed):
            # The end of the process is seen by its pidfd.
            if channel is not None:
                self.forget(channel.fileno())

    def _watch(self, now: int) -> None:
        """Kill processes that hang or do not stop in time, and start those whose backoff is over, or the reaper."""
        self._output.resume()
        if self._reaper is not None and self._reaper.gone():
            self._restart_reaper()
        for process in self.processes.values():
            if process.state not in ("ended", "stopping"):
                self._check_heartbeat(process, now)
        for name in [name for name, end in self._stop_by.items() if end <= now]:
            self.processes[name].kill()
        for restart in [restart for restart in self._restarts if restart.at <= now]:
            self._restarts.remove(restart)
            self._start(restart.process)

    def _check_heartbeat(self, process: Process, now: int) -> None:
        if process.signalled:
            return
        starting = process.state == "starting"
        if process.silence(now) <= (OPEN_TIMEOUT if starting else HANG_TIMEOUT):
            return
        node = process.node()
        where = f"node '{node}' does not return from its step" if node else f"'{process.name}' stands still"
        if starting:
            where = f"node '{node or process.name}' does not return from open"
        text = f"{where}: no sign of life for {process.silence(now) / 1e9:.1f} s; it is ended"
        self.event(process, "hangs", text)
        process.failure = process.failure or {"error": text, "node": node, "code": 3}
        process.kill()

    def _ended(self, process: Process) -> None:
        """Release what an ended process held, then start it again, go on without it, or end the run."""
        at = time.monotonic_ns()
        self._listen(process)
        self._output.finish(process)
        stopping = process.state == "stopping"
        for descriptor in (process.pidfd, -1 if process.channel is None else process.channel.fileno()):
            self.forget(descriptor)
        pid = process.pid
        # At the first start every process has to come up; a later start may fail as any step may.
        started = process.state != "starting" or self.epoch > 0
        process.reap()
        if self._reaper is not None:
            self._reaper.remove(pid)
        self.links.unlink(process)
        text = str(process.loss())
        if stopping:
            if process.failed():
                self._failed_to_stop(process, text, at)
            return
        if self._closing:
            self.event(process, "ended", text, at)
            return
        if self._reaper is not None:
            self._reaper.sweep(process.name)
        self.lost(process, text)
        if process.name in self._stop_by:
            del self._stop_by[process.name]
            if process.failed():
                self.event(process, "failed", text, at)
            self._start(process)
            return
        self.event(process, "ended", text, at)
        if started and self._schedule_restart(process, at):
            return
        if not started or self._needed(process):
            self.failure = self.failure or process.loss()

    def _failed_to_stop(self, process: Process, text: str, at: int | None = None) -> None:
        """Report that a process did not stop in order: whatever it holds may still move."""
        self.event(process, "failed", text, at)
        self.not_stopped.append(text)

    def _schedule_restart(self, process: Process, now: int) -> bool:
        """Schedule the restart of a process, if the `restart` rules of its nodes allow one."""
        rules = [self.plan.nodes[name].restart for name in process.nodes]
        if process.spec.remote is not None:
            rules = [Restart("on-failure")]
        rules = [r for r in rules if r.when == "always" or (r.when == "on-failure" and process.code != 0)]
        if not rules or process.spec.owns_world:
            return False
        rule = min(rules, key=lambda r: r.limit)
        if process.starts > rule.limit:
            self.event(process, "ended", f"'{process.name}' was started {process.starts} times, which is the limit")
            return False
        # The exponent is capped so that the product stays small; BACKOFF_MAX applies long before.
        backoff = min(rule.backoff * 2 ** min(process.starts - 1, 20), max(BACKOFF_MAX, rule.backoff))
        self._restarts.append(_Restart(now + backoff, process))
        return True

    def _drives(self, process: Process) -> bool:
        """Return whether a process holds a driver."""
        return bool(self._drivers(process))

    def _drivers(self, process: Process) -> list[Driver]:
        nodes = (self.plan.nodes[name].node for name in process.nodes)
        return [node for node in nodes if isinstance(node, Driver)]

    def _time_to_stop(self, process: Process) -> float:
        """Return how long a process may take to stop [s]: a driver reads back that its device stands."""
        slowest = max((driver.stops_within for driver in self._drivers(process)), default=0.0)
        return min(STOP_TIMEOUT + 2 * slowest, DRIVER_STOP_MOST)

    def _needed(self, process: Process) -> bool:
        """Return whether nothing safe is left to do without a process."""
        nodes = [self.plan.nodes[name].node for name in process.nodes]
        return process.spec.owns_world or any(isinstance(node, Guard | Driver) for node in nodes)

    def stop_all(self, groups: Iterable[list[Process]]) -> None:
        """Stop groups of processes one after the other, each in a stated time; nothing is restarted any more."""
        self._closing = True
        self._restarts.clear()
        self._stop_by.clear()
        for group in groups:
            self._stop(group)
        self.links.close()
        if self._reaper is not None:
            self._reaper.close()
            self._reaper = None
        if self._pulse >= 0:
            os.close(self._pulse)
            self._pulse = -1

    def _stop(self, group: list[Process]) -> None:
        alive = [process for process in group if process.state != "ended"]
        for process in alive:
            if process.state == "starting":
                # It reads no packets before its nodes are open; the signal ends it at once until they begin to.
                process.terminate()
            process.state = "stopping"
            process.send("stop")
        begin = time.monotonic()
        ends = {process.name: begin + self._time_to_stop(process) for process in alive}
        while waited := [ends[process.name] for process in alive if process.state != "ended"]:
            if time.monotonic() >= max(waited):
                break
            self.advance(max(waited) - time.monotonic())
        for process in alive:
            if process.state != "ended":
                text = f"'{process.name}' did not stop within {max(waited) - begin:g} s, and was ended"
                if self._drives(process):
                    unknown = "whether its device has stopped is not known: use the device's own emergency stop"
                    self._failed_to_stop(process, f"{text}; {unknown}")
                else:
                    self.event(process, "stopped", text)
                process.kill()
        while any(process.state != "ended" for process in alive):
            self.advance(WATCH_PERIOD)
