"""Launcher: lays out a graph in processes, starts and links them, answers for them, and stops them in order.

A process is ready by handshake: it has built its nodes, has been linked, and reports so; then all begin at one time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from embodied.clock import SECOND
from embodied.devices.virtual import VirtualDevice
from embodied.errors import LinkFailed
from embodied.graph.plan import Plan
from embodied.links.subscription import Ends
from embodied.live.camera_replicas import with_replicas
from embodied.live.ipc import Packet
from embodied.live.link_table import LinkTable, SharedRing
from embodied.live.logs import Logs
from embodied.live.process import Process, check_portable
from embodied.live.process_layout import process_of, processes
from embodied.live.process_spec import GuardsSpec, process_specs
from embodied.live.run_directory import RunDirectory
from embodied.live.supervisor import STOP_TIMEOUT, WATCH_PERIOD, Supervisor
from embodied.node.node import Driver, Guard
from embodied.world import Verdict

HOLD_TIMEOUT = 0.3
"""Longest wait for guards to report that they are stopped, before the run ends [s]."""

HOLD_PERIOD = 0.005
"""Pause between two looks at their reports [s]."""

START_DELAY = 20_000_000
"""Time from the command to start until time 0 [ns]."""


class Launcher(Supervisor):
    """Launcher of a plan on the steady clock, in processes; the caller owns the loop.

        with Launcher(plan, directory=RunDirectory.create("cell")) as run:
            while not run.over:
                run.advance(0.1)

    It has to be called at least once in 2 s: guards whose launcher is silent for longer stop until a person resets.

    Args:
        plan: from `Graph.check()`.
        directory: of the run.
        seed: everything random is drawn from it.
        logs: folder for the output of the nodes; None keeps the last lines in memory.
        machine: part of the graph to run; None where the graph names no machines.
        keys: the folder of this machine's keys; None is the usual one.

    Attributes:
        layout: by process, its nodes.
        process_of: by node, its process.
        verdict: of the world, as soon as there is one.
        pace: time of the world over time of the clock, up to the verdict.
        about: what the world's pictures depend on beside the seed.
        devices: by driver, identity of its device.
        judged: whether the world's verdict is taken.
        keep: whether the run goes on beyond the verdict.
        began: when it was made, on CLOCK_MONOTONIC [ns].
        cancelled: who wants the run to stop; empty if nobody does.
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
        plan, replicas = with_replicas(plan)
        self.directory = directory
        self.seed = seed
        self.layout = processes(plan, replicas, machine)
        self.process_of = process_of(plan, self.layout)
        self.verdict: Verdict | None = None
        self.began = time.monotonic_ns()
        self.cancelled = ""
        self.about: dict[str, str] = {}
        self.devices: dict[str, str] = {}
        self.judged = True
        self.keep = False
        self.pace = 1.0
        self._answers: dict[int, dict[str, Any]] = {}
        self._requests = 0
        members: dict[str, Process] = {}
        for name, spec in process_specs(plan, self.layout, self.process_of, seed, replicas, machine, keys).items():
            check_portable(spec)
            members[name] = Process(spec)
        super().__init__(plan, members, LinkTable(members, self.process_of), Logs(logs))
        guards = tuple(self.guards())
        for number, process in enumerate(members.values()):
            if any(name in guards for name in process.nodes):
                process.spec.guards = GuardsSpec(directory.path, number, guards)

    @property
    def now(self) -> int:
        """Time since the start of the run [ns]."""
        return time.monotonic_ns() - self.epoch if self.epoch else 0

    @property
    def over(self) -> bool:
        """Whether there is a verdict that ends the run, or a failure that it cannot go on with."""
        return (self.verdict is not None and not self.keep) or self.failure is not None

    def open(self) -> None:
        """Start every process, and return when all of them run.

        Raises:
            EmbodiedError: a process did not become ready; whatever was started is stopped.
        """
        try:
            self.start_all(self.directory)
            while any(process.state == "starting" for process in self.processes.values()) and self.failure is None:
                self.advance(WATCH_PERIOD)
                if self.cancelled:
                    raise KeyboardInterrupt(self.cancelled)
            if self.failure is not None:
                raise self.failure
            for process in self.processes.values():
                for link in process.spec.incoming:
                    self.links.link(link)
            self.epoch = time.monotonic_ns() + START_DELAY
            for process in self.processes.values():
                self._go(process)
        except BaseException as error:
            self._close_after(error)
            raise

    def _go(self, process: Process) -> None:
        if process.send("go", epoch=self.epoch):
            process.state = "running"

    def received(self, process: Process, packet: Packet) -> None:
        """Handle a packet of a process."""
        about = packet.about
        if packet.verb == "ring":
            self.links.announce(about["node"], about["open_size"], packet.descriptors[0])
            if process.state == "running":
                # Its messages outgrew the ring before.
                self.links.link_subscribers(about["node"])
        elif packet.verb == "ready":
            process.state = "ready"
            self.about |= about["about"]
            self.devices |= about["devices"]
            if self.epoch:
                self._rejoin(process)
        elif packet.verb == "failed":
            process.failure = about
        elif packet.verb == "verdict" and self.judged:
            self.verdict = self.verdict or Verdict(about["passed"], about["reason"], about["details"])
            self.pace = about["pace"]
        elif packet.verb == "answer" and about["number"] > 0:
            self._answers[about["number"]] = about

    def _rejoin(self, process: Process) -> None:
        """Link a process that was started again, and let it run."""
        self.links.link_all_of(process)
        if any(isinstance(self.plan.nodes[name].node, Guard) for name in process.nodes):
            # Whether the guard had been stopped died with it, so it starts stopped until a person resets it.
            reason = "its guard was started again"
            process.send("ask", number=-1, what="stop", about={"reason": reason})
        self._hold(process, f"'{process.name}' was started again")
        self._go(process)
        self.event(process, "restarted", f"'{process.name}' runs again")

    def lost(self, process: Process, reason: str) -> None:
        """Stop the guards of the drivers that a process held, so that it takes a person before they move again."""
        self._hold(process, reason)

    def _hold(self, process: Process, reason: str) -> None:
        for name in process.nodes:
            planned = self.plan.nodes[name]
            if not isinstance(planned.node, Driver):
                continue
            for source in planned.sources.values():
                home = self.process_of.get(source.node, process.name)
                if isinstance(self.plan.nodes[source.node].node, Guard) and home != process.name:
                    about = {"reason": reason, "guard": source.node}
                    # One that does not read stands still, and is killed for it.
                    with contextlib.suppress(LinkFailed):
                        self.processes[home].send("ask", number=-1, what="stop", about=about)

    def observe(self, node: str, name: str) -> tuple[SharedRing, Ends]:
        """Subscribe from outside the graph, with the newest message at once; the caller closes the ends.

        Args:
            node: whose outputs are observed.
            name: of the subscription.

        Raises:
            ValueError: the node has its most observers already, or does not run.
            LinkFailed: its process does not answer.
        """
        publisher, rings = self.links.publisher(node), self.links.rings
        if publisher.state != "running":
            raise ValueError(f"'{node}' does not run: {publisher.end()}")
        end = time.monotonic() + STOP_TIMEOUT
        if node not in rings:
            publisher.send("export", node=node)
            while node not in rings and time.monotonic() < end:
                self.advance(end - time.monotonic())
        if node not in rings:
            raise LinkFailed(f"'{publisher.name}' does not answer")
        return self.links.observe(node, name)

    def unobserve(self, node: str, name: str) -> None:
        """End a subscription from outside the graph."""
        self.links.unobserve(node, name)

    def moved(self) -> None:
        """Take note that the directory of the run was made again, perhaps elsewhere."""
        self._restart_reaper()
        for process in self.processes.values():
            if process.spec.guards is not None:
                # For a process that is started again; the one that runs keeps the socket that needs no directory.
                process.spec.guards = replace(process.spec.guards, directory=self.directory.path)

    def guards(self) -> list[str]:
        """List the guards that run on this machine."""
        here = {node for process in self.processes.values() for node in process.nodes}
        return [name for name in sorted(here) if isinstance(self.plan.nodes[name].node, Guard)]

    def ask(self, process: str, what: str, /, timeout: float = 0.5, **about: Any) -> Any:
        """Send a request to a process and wait for the answer, handling events meanwhile.

        Args:
            process: name of the process.
            what: name of the request.
            timeout: longest wait for the answer [s].
            about: arguments of the request.

        Raises:
            LinkFailed: it does not answer.
            ValueError: it refuses; the sentence says why.
        """
        answer = self.ask_all([process], what, timeout, **about)[process]
        if answer is None:
            node = self.processes[process].node()
            raise LinkFailed(f"'{process}' does not answer" + (f": '{node}' is in its step" if node else ""))
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]

    def ask_all(
        self, names: Iterable[str], what: str, timeout: float = 0.5, **about: Any
    ) -> dict[str, dict[str, Any] | None]:
        """Send a request to several processes at once; None for one that does not answer."""
        numbers: dict[str, int] = {}
        answers: dict[str, dict[str, Any] | None] = dict.fromkeys(names)
        end = time.monotonic() + timeout
        # A process that stood still must not carry out later what has failed for its client.
        until = None if what == "stop" else round(end * SECOND)
        for name in answers:
            self._requests += 1
            try:
                sent = self.processes[name].state == "running" and self.processes[name].send(
                    "ask", number=self._requests, what=what, about=about, until=until
                )
            except LinkFailed as error:
                # It is one process that does not read; the others are asked all the same.
                answers[name] = {"error": str(error)}
                continue
            if sent:
                numbers[name] = self._requests
        while any(number not in self._answers for number in numbers.values()) and time.monotonic() < end:
            self.advance(end - time.monotonic())
        return answers | {name: self._answers.pop(number, None) for name, number in numbers.items()}

    def close(self) -> None:
        """Stop every process in order, each within a stated time: requests of motion, guards, drivers, then the world.

        Guards hold before any of them ends. Before all of them run nothing has moved, and they stop together.
        """
        if self.epoch:
            self._hold_all("the run ends")
        self.stop_all(self._groups() if self.epoch else [list(self.processes.values())])
        self.logs.close()
        super().close()
        self.directory.remove()

    def _hold_all(self, reason: str) -> None:
        """Have every guard stop whatever still commands it, and wait up to `HOLD_TIMEOUT` until they report it."""
        homes = {self.process_of[name] for name in self.guards()}
        end = time.monotonic() + HOLD_TIMEOUT
        self.ask_all(homes, "stop", HOLD_TIMEOUT, reason=reason)
        while homes and time.monotonic() < end:
            answers = self.ask_all(homes, "guards", end - time.monotonic())
            reports = [report for answer in answers.values() if answer for report in answer.get("value", {}).values()]
            if all(report is None or report["state"] == "stopped" for report in reports):
                return
            self.advance(HOLD_PERIOD)

    def _groups(self) -> Iterable[list[Process]]:
        def rank(process: Process) -> int:
            nodes = [self.plan.nodes[name].node for name in process.nodes]
            if process.spec.owns_world or any(isinstance(node, VirtualDevice) for node in nodes):
                # A virtual device answers until its driver has read back that it has stopped.
                return 3
            if any(isinstance(node, Driver) for node in nodes):
                return 2
            return 1 if any(isinstance(node, Guard) for node in nodes) else 0

        groups: list[list[Process]] = [[], [], [], []]
        for process in self.processes.values():
            groups[rank(process)].append(process)
        return groups

    def __enter__(self) -> Launcher:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._close_after(error)

    def _close_after(self, error: BaseException) -> None:
        """Stop everything after an error, which stays the one that is reported."""
        self.close()
        for text in self.not_stopped:
            error.add_note(text)
