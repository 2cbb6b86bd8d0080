"""The launcher: starts the processes of a graph, links them, watches over them, and stops them in order.

A process is ready by handshake: it has built its nodes, has been linked, and says so; then all begin at one time. One
that ends is seen by its pidfd, one that hangs by its signs of life. What a node's `restart` says is done; a process
that holds a guard, a driver or the world and is not restarted ends the run: nothing safe is left to do without it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from embodied.clock import SECOND
from embodied.errors import EmbodiedError, LinkFailed, ProcessLost
from embodied.graph.plan import Plan, opens_world
from embodied.graph.restart import Restart
from embodied.links.subscription import Ends
from embodied.live.camera_replicas import with_replicas
from embodied.live.event_loop import EventLoop
from embodied.live.ipc import Disconnected, Packet, receive
from embodied.live.link_table import LinkTable, Ring
from embodied.live.logs import Logs
from embodied.live.process import Process, check_portable
from embodied.live.process_layout import homes, processes
from embodied.live.process_spec import MachinesSpec, process_specs
from embodied.live.reaper import Reaper
from embodied.live.run_directory import RunDirectory
from embodied.node.node import Driver, Guard
from embodied.world import Verdict

HANG_TIMEOUT = 2 * SECOND
"""A process that gives no sign of life for so long is ended [ns]; one that waits gives ten a second."""

OPEN_TIMEOUT = 60 * SECOND
"""So long may a node's `open` take [ns]."""

WATCH_PERIOD = 0.1
"""How often signs of life are looked at [s]."""

STOP_TIMEOUT = 1.0
"""So long has each of the three groups to stop: the others, then guards, then drivers and the world [s]."""

BACKOFF_MAX = 30 * SECOND
"""The wait before a process is started again doubles each time, up to this [ns]."""

START_DELAY = 20_000_000
"""From the word to go until time 0 [ns]."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a run.

    Attributes:
        at: on CLOCK_MONOTONIC [ns].
        process: to which process.
        kind: `ended`, `hangs`, `restarted`, `stopped`.
        text: in one sentence.
    """

    at: int
    process: str
    kind: str
    text: str


@dataclass(slots=True)
class _Restart:
    """A process that is to be started again."""

    at: int
    process: Process


class Launcher(EventLoop):
    """Runs a plan on the steady clock, in processes; the caller owns the loop.

        with Launcher(plan, directory=RunDirectory.create("cell")) as run:
            while not run.over:
                run.advance(0.1)

    Args:
        plan: from `Graph.check()`.
        directory: of the run.
        seed: everything random is drawn from it.
        logs: where nodes' output is kept; None keeps what fits into memory.
        machine: whose part of the graph; None where it names no machines.
        keys: the folder of this machine's keys; None is the usual one.

    Attributes:
        events: what happened, oldest first.
        verdict: how the world judged, as soon as it did.
        pace: how fast the world's time had passed beside the clock by then.
        failure: why the run is over, if it did not end in order.
        about: what the world's pictures depend on beside the seed.
        devices: by driver, what its device says it is.
        judged: whether what the world says of the run ends it.
        began: when it was made, on CLOCK_MONOTONIC [ns].
        epoch: time 0, on the same clock; 0 before.
        cancelled: who wants it to stop; while it starts, it is stopped then.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        directory: RunDirectory,
        seed: int = 0,
        logs: Path | None = None,
        machine: str | None = None,
        keys: Path | None = None,
    ) -> None:
        super().__init__()
        self.plan, scenes = with_replicas(plan)
        self.directory = directory
        self.seed = seed
        self.logs = Logs(logs)
        self.layout = processes(self.plan, scenes, machine)
        self.events: list[Event] = []
        self.verdict: Verdict | None = None
        self.failure: EmbodiedError | None = None
        self.began = time.monotonic_ns()
        self.epoch = 0
        self.cancelled = ""
        self.about: dict[str, str] = {}
        self.devices: dict[str, str] = {}
        self.judged = True
        self.pace = 1.0
        self.processes: dict[str, Process] = {}
        self.process_of = homes(self.plan, self.layout)
        world = self.plan.graph.world
        lead = next(iter(self.layout)) if world is not None and self._bodies() else ""
        for name, spec in process_specs(self.plan, self.layout, self.process_of, seed).items():
            if name == lead or any(node in scenes for node in self.layout[name]):
                spec.world = world
            spec.owns_world = name == lead
            if machine is not None and not spec.nodes and not spec.owns_world:
                spec.remote = MachinesSpec.of(self.plan, machine, keys)
            check_portable(spec)
            self.processes[name] = Process(spec)
        self._restarts: list[_Restart] = []
        self._wanted: dict[str, int] = {}
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked = 0
        self._watched = 0
        self._closing = False
        self._board = LinkTable(self.processes, self.process_of)
        self._cleaner: Reaper | None = None

    def _bodies(self) -> bool:
        """Whether the first process is that of the world."""
        return any(opens_world(self.plan.nodes[node].node) for node in next(iter(self.layout.values()), ()))

    def advance(self, timeout: float) -> None:
        """See to what happens, for at most so long [s]; returns after anything did."""
        self.turn(max(0.0, min(timeout, WATCH_PERIOD)))
        now = time.monotonic_ns()
        if now - self._watched > WATCH_PERIOD * SECOND / 2:
            self._watched = now
            self._watch(now)

    @property
    def now(self) -> int:
        """Time since the start of the run [ns]."""
        return time.monotonic_ns() - self.epoch if self.epoch else 0

    @property
    def over(self) -> bool:
        """Whether the world has decided, or something broke that cannot be done without."""
        return self.verdict is not None or self.failure is not None

    # Starting

    def open(self) -> None:
        """Start everything, and return when all of it runs.

        Raises:
            EmbodiedError: a process did not become ready; whatever was started is stopped.
        """
        try:
            self._cleaner = Reaper(self.directory.path)
            for process in self.processes.values():
                self._start(process)
            while any(process.state == "starting" for process in self.processes.values()) and self.failure is None:
                self.advance(WATCH_PERIOD)
                if self.cancelled:
                    raise KeyboardInterrupt(self.cancelled)
            if self.failure is not None:
                raise self.failure
            for process in self.processes.values():
                for link in process.spec.incoming:
                    self._board.link(link)
            self.epoch = time.monotonic_ns() + START_DELAY
            for process in self.processes.values():
                self._go(process)
        except BaseException:
            self.close()
            raise

    def _start(self, process: Process) -> None:
        process.start()
        assert self._cleaner is not None
        self._cleaner.add(process.pid)
        self.wait(process.handle, lambda: self._ended(process))
        assert process.channel is not None
        self.wait(process.channel.fileno(), lambda: self._listen(process))
        self.wait(process.output, lambda: self._print(process))

    def _go(self, process: Process) -> None:
        if process.send("go", epoch=self.epoch):
            process.state = "running"

    # What processes say

    def _listen(self, process: Process) -> None:
        channel = process.channel
        try:
            while channel is not None:
                said = receive(channel)
                if said is None:
                    return
                self._hear(process, said)
        except (Disconnected, LinkFailed):
            # Its end is seen by its handle.
            if channel is not None:
                self.forget(channel.fileno())

    def _hear(self, process: Process, said: Packet) -> None:
        about = said.about
        if said.verb == "ring":
            self._board.announce(about["node"], about["room"], said.descriptors[0])
            if process.state == "running":
                # Messages outgrew the ring before.
                self._board.link_takers(about["node"])
        elif said.verb == "ready":
            process.state = "ready"
            process.about = about["about"]
            self.about |= about["about"]
            self.devices |= about["devices"]
            if self.epoch:
                self._rejoin(process)
        elif said.verb == "failed":
            process.failure = about
        elif said.verb == "verdict" and self.judged:
            self.verdict = self.verdict or Verdict(about["passed"], about["reason"], about["details"])
            self.pace = about["pace"]
        elif said.verb == "answer" and about["number"] > 0:
            self._answers[about["number"]] = about

    def _rejoin(self, process: Process) -> None:
        """Link a process that was started again, and let it go on."""
        self._board.link_all_of(process)
        if any(isinstance(self.plan.nodes[name].node, Guard) for name in process.nodes):
            # Whether it had been stopped died with it: a person says that it may go on. It hears so before it begins.
            reason = "its guard was started again"
            process.send("ask", number=-1, what="stop", about={"reason": reason})
        self._go(process)
        self._event(process, "restarted", f"'{process.name}' runs again")

    def _print(self, process: Process) -> None:
        try:
            data = os.read(process.output, 65536)
        except BlockingIOError:
            return
        if not data:
            self.forget(process.output)
            return
        self.logs.add(process.name, data)

    # Watching

    def _watch(self, now: int) -> None:
        for process in self.processes.values():
            if process.state == "ended":
                continue
            limit = OPEN_TIMEOUT if process.state == "starting" else HANG_TIMEOUT
            if process.state != "stopping" and process.silence(now) > limit:
                node = process.node()
                where = f"node '{node}' does not return from its step" if node else f"'{process.name}' stands still"
                if process.state == "starting":
                    where = f"node '{node or process.name}' does not return from open"
                text = f"{where}: no sign of life for {process.silence(now) / 1e9:.1f} s; it is ended"
                self._event(process, "hangs", text)
                process.failure = process.failure or {"error": text, "node": node, "code": 3}
                process.kill()
        for name in [name for name, end in self._wanted.items() if end <= now]:
            self.processes[name].kill()
        for restart in [restart for restart in self._restarts if restart.at <= now]:
            self._restarts.remove(restart)
            self._start(restart.process)

    def _ended(self, process: Process) -> None:
        at = time.monotonic_ns()
        self._listen(process)
        self._print(process)
        stopping = process.state == "stopping"
        for descriptor in (process.handle, process.output, -1 if process.channel is None else process.channel.fileno()):
            self.forget(descriptor)
        number = process.pid
        # At the first start everybody must come up; later it is as with any other end.
        started = process.state != "starting" or self.epoch > 0
        process.reap()
        if self._cleaner is not None:
            self._cleaner.remove(number)
        self._board.unlink(process)
        if stopping:
            return
        if self._closing:
            self._event(process, "ended", f"'{process.name}': {process.end()}", at)
            return
        if process.name in self._wanted:
            del self._wanted[process.name]
            self._start(process)
            return
        nodes = " and ".join(f"'{node}'" for node in process.nodes) or f"'{process.name}'"
        self._event(process, "ended", f"{nodes}: {process.end()}", at)
        if started and self._again(process, at):
            return
        if not started or self._needed(process):
            code = process.failure.get("code", ProcessLost.exit_code)
            self.failure = self.failure or ProcessLost(process.name, tuple(process.nodes), process.end(), code)

    def _again(self, process: Process, now: int) -> bool:
        """Whether the process is to be started again, as its nodes' `restart` says."""
        rules = [self.plan.nodes[name].restart for name in process.nodes]
        if process.spec.remote is not None:
            rules = [Restart("on-failure")]
        wanted = [r for r in rules if r.when == "always" or (r.when == "on-failure" and process.code != 0)]
        if not wanted or process.spec.owns_world:
            return False
        rule = min(wanted, key=lambda r: r.limit)
        if process.starts > rule.limit:
            self._event(process, "ended", f"'{process.name}' was started {process.starts} times, which is the limit")
            return False
        self._restarts.append(
            _Restart(
                now + min(rule.backoff * 2 ** min(process.starts - 1, 20), max(BACKOFF_MAX, rule.backoff)), process
            )
        )
        return True

    def _needed(self, process: Process) -> bool:
        """Whether nothing safe is left to do without a process."""
        nodes = [self.plan.nodes[name].node for name in process.nodes]
        return process.spec.owns_world or any(isinstance(node, Guard | Driver) for node in nodes)

    def _event(self, process: Process, kind: str, text: str, at: int | None = None) -> None:
        self.events.append(Event(at or time.monotonic_ns(), process.name, kind, text))

    def observe(self, node: str, name: str) -> tuple[Ring, Ends]:
        """A subscription for someone outside the graph, who gets the newest at once; the caller closes its ends.

        Args:
            node: whose outputs.
            name: of the subscription.

        Raises:
            ValueError: too many look already, or the node does not run.
            LinkFailed: its process does not answer.
        """
        giver, rings = self._board.giver(node), self._board.rings
        if giver.state != "running":
            raise ValueError(f"'{node}' does not run: {giver.end()}")
        end = time.monotonic() + STOP_TIMEOUT
        if node not in rings:
            giver.send("export", node=node)
            while node not in rings and time.monotonic() < end:
                self.advance(end - time.monotonic())
        if node not in rings:
            raise LinkFailed(f"'{giver.name}' does not answer")
        return self._board.observe(node, name)

    def unobserve(self, node: str, name: str) -> None:
        """End a subscription."""
        self._board.unobserve(node, name)

    def alive(self, name: str) -> bool:
        """Whether a process is there, or will be again."""
        return self.processes[name].state != "ended" or any(r.process.name == name for r in self._restarts)

    def guards(self) -> list[str]:
        """Names of the guards that run here."""
        here = {node for process in self.processes.values() for node in process.nodes}
        return [name for name in sorted(here) if isinstance(self.plan.nodes[name].node, Guard)]

    def restart(self, name: str) -> None:
        """End a process and start it again.

        Raises:
            ValueError: it is the world's, whose simulation would begin anew.
        """
        process = self.processes[name]
        if process.spec.owns_world:
            raise ValueError(
                f"'{name}' holds the world, which begins anew with the whole graph: stop it and run it again"
            )
        if process.state == "ended":
            self._start(process)
        else:
            self._wanted[name] = time.monotonic_ns() + int(STOP_TIMEOUT * SECOND)
            process.send("stop")

    # Asking

    def ask(self, process: str, what: str, /, timeout: float = 0.5, **about: Any) -> Any:
        """Ask a process something, and see to what happens meanwhile.

        Args:
            process: its name.
            what: the question.
            timeout: how long to wait for the answer [s].
            about: its arguments.

        Raises:
            LinkFailed: it does not answer.
            ValueError: it refuses; the sentence says why.
        """
        found = self.ask_all([process], what, timeout, **about)[process]
        if found is None:
            node = self.processes[process].node()
            raise LinkFailed(f"'{process}' does not answer" + (f": '{node}' is in its step" if node else ""))
        if "error" in found:
            raise ValueError(found["error"])
        return found["value"]

    def ask_all(
        self, names: Iterable[str], what: str, timeout: float = 0.5, **about: Any
    ) -> dict[str, dict[str, Any] | None]:
        """Ask several processes at once; None for one that does not answer."""
        asked: dict[str, int] = {}
        for name in names:
            self._asked += 1
            if self.processes[name].state == "running" and self.processes[name].send(
                "ask", number=self._asked, what=what, about=about
            ):
                asked[name] = self._asked
        end = time.monotonic() + timeout
        while any(number not in self._answers for number in asked.values()) and time.monotonic() < end:
            self.advance(end - time.monotonic())
        return {name: self._answers.pop(asked[name], None) if name in asked else None for name in names}

    # Stopping

    def close(self) -> None:
        """Stop everything in order, within a time that is stated: those who ask for motion, guards, then drivers.

        Before all of it runs nothing has moved, and nobody waits for anybody.
        """
        self._closing = True
        self._restarts.clear()
        self._wanted.clear()
        for group in self._groups() if self.epoch else [list(self.processes.values())]:
            alive = [process for process in group if process.state != "ended"]
            for process in alive:
                if process.state == "starting":
                    # It does not listen before its nodes are open; this ends it at once until they begin to.
                    process.terminate()
                process.state = "stopping"
                process.send("stop")
            end = time.monotonic() + STOP_TIMEOUT
            while any(process.state != "ended" for process in alive) and time.monotonic() < end:
                self.advance(end - time.monotonic())
            for process in alive:
                if process.state != "ended":
                    self._event(
                        process, "stopped", f"'{process.name}' did not stop within {STOP_TIMEOUT:g} s, and was ended"
                    )
                    process.kill()
            while any(process.state != "ended" for process in alive):
                self.advance(WATCH_PERIOD)
        self._board.close()
        if self._cleaner is not None:
            self._cleaner.close()
            self._cleaner = None
        self.logs.close()
        super().close()
        self.directory.remove()

    def _groups(self) -> Iterable[list[Process]]:
        def rank(process: Process) -> int:
            nodes = [self.plan.nodes[name].node for name in process.nodes]
            if process.spec.owns_world or any(isinstance(node, Driver) for node in nodes):
                return 2
            return 1 if any(isinstance(node, Guard) for node in nodes) else 0

        found: Mapping[int, list[Process]] = {0: [], 1: [], 2: []}
        for process in self.processes.values():
            found[rank(process)].append(process)
        return found.values()

    def __enter__(self) -> Launcher:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
