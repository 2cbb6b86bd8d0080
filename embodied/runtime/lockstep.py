"""The lockstep runner: one process, virtual time, the same bytes every time.

Nodes step in name order and see of each other only their mailboxes, so listing order cannot matter. The order of events
stands in `superdense`.
"""

from __future__ import annotations

import gc
import time
from types import TracebackType

from embodied.clock import Time, period
from embodied.errors import EmbodiedError, LaunchError, Problem, nearest
from embodied.graph.faults import Fault, resolve, streams
from embodied.graph.plan import Plan
from embodied.interrupts import is_ctrl_c
from embodied.messages.schema import Message
from embodied.node.node import generator, tune
from embodied.runtime.checked_world import CheckedWorld
from embodied.runtime.digest import Digest
from embodied.runtime.fault_injection import ScheduledFault
from embodied.runtime.health import health
from embodied.runtime.lifecycle import close_nodes, open_node
from embodied.runtime.report import NodeCount, Report
from embodied.runtime.running_node import Observer, RunningNode
from embodied.runtime.superdense import Scheduler
from embodied.runtime.wiring import Wiring
from embodied.world import Verdict


class Lockstep:
    """Lockstep runner of a plan in virtual time; the caller owns the loop.

        with Lockstep(plan, seed=7) as run:
            run.advance(Time(10 * SECOND))
            print(run.report())

    Args:
        plan: from `Graph.check()`.
        seed: everything random is drawn from it.
        trace: keep a mark of every publication.

    Raises:
        LaunchError: the graph is for the steady clock.
    """

    def __init__(self, plan: Plan, *, seed: int = 0, trace: bool = False) -> None:
        if plan.graph.clock != "lockstep":
            text = f"this graph runs on the clock '{plan.graph.clock}', and lockstep is virtual time"
            help_ = ("choose a profile with 'clock: lockstep', such as --sim", "or run it live: --live")
            raise LaunchError([Problem("E406", text, help=help_)])
        self.plan = plan
        self.seed = seed
        world = plan.graph.world
        self._world = None if world is None else CheckedWorld(world)
        self._wiring = Wiring(plan.nodes.values(), seed)
        self._wiring.encode(plan.stated())
        self._digest = Digest(trace=trace)
        self._scheduler = Scheduler(self._wiring, self._world, self._digest)
        self._faults = [ScheduledFault.drawn(fault, rng) for fault, rng in streams(plan.faults, seed)]
        for fault in self._faults:
            self._scheduler.inject(fault)
        self._about: dict[str, str] = {}
        self._opened: list[RunningNode] = []
        self._wall = 0.0

    @property
    def now(self) -> Time:
        """Virtual time since the start of the run [ns]."""
        return self._scheduler.now

    @property
    def wall(self) -> float:
        """Real time spent in steps and physics so far, without opening and whoever watches [s]."""
        return self._wall

    def observe(self, topic: str, observer: Observer) -> None:
        """Call `observer` with every delivery of a topic; it never changes the digest. Before `open`.

        Args:
            topic: `node.port`; a bare node means its first output, as in a wire.
            observer: called with each message in its envelope.

        Raises:
            ValueError: there is no such topic; the text names the nearest ones.
        """
        topics = self._wiring.topics
        if topic in self.plan.nodes and (outputs := self.plan.nodes[topic].ports.outputs):
            topic = f"{topic}.{next(iter(outputs))}"
        if topic not in topics:
            raise ValueError(f"there is no topic '{topic}'; {', '.join(nearest(topic, topics))}")
        topics[topic].observers.append(observer)

    def tune(self, node: str, name: str, value: float) -> None:
        """Change a tunable setting between steps.

        Raises:
            ValueError: there is no such node or setting, or the value is outside its bounds.
        """
        if node not in self._wiring.nodes:
            raise ValueError(f"there is no node '{node}'")
        tune(self._wiring.nodes[node].planned.node, name, value)

    def fault(self, kind: str, target: str, /, *, for_: object = None, **about: object) -> Fault:
        """Inject a fault from now on; it is counted like the faults of the graph.

        Args:
            kind: as for `Graph.fault`, like all that follows.
            target: a node, or `node.port`.
            for_: how long it lasts; None is to the end.
            about: settings of the kind; `at` counts from now.

        Returns:
            the fault, with its target spelled out and its times drawn.

        Raises:
            ValueError: there is no such fault, target or field, or a value makes no sense.
        """
        fault = resolve(
            Fault.of(kind, target, {"for": for_, **about}),
            {name: planned.ports for name, planned in self.plan.nodes.items()},
        )
        name = f"{self.now} {len(self._faults)}"
        drawn = ScheduledFault.drawn(fault, generator(self.seed, fault.node, "fault", fault.kind, name), self.now)
        self._faults.append(drawn)
        self._scheduler.inject(drawn)
        return drawn.count().fault

    def latest(self, topic: str) -> Message | None:
        """Return the last message that was published on a topic; None before the first.

        Raises:
            KeyError: there is no such topic.
        """
        return self._wiring.topics[topic].latest

    def stamp(self, topic: str) -> Time | None:
        """Return the time of the last publication on a topic [ns]; None before the first.

        Raises:
            KeyError: there is no such topic.
        """
        last = self._wiring.topics[topic].last
        return None if last is None else Time(last)

    @property
    def digest(self) -> str:
        """SHA-256 of everything published so far."""
        return self._digest.hex()

    def open(self) -> None:
        """Reset the world and open the nodes, in name order.

        Raises:
            WorldFailed: the world could not be built.
            NodeFailed: a node's `open` raised; those opened before it are closed again.
        """
        world = None if self._world is None else self._world.inner
        try:
            if self._world is not None:
                self._world.reset(self.seed)
            for node in self._wiring.nodes.values():
                self._opened.append(node)
                listened = frozenset(topic.port for topic in node.topics if topic.mailboxes or topic.observers)
                open_node(node, self.seed, listened, world)
            if self._world is not None:
                self._about = self._world.about()
        except BaseException as error:
            self._close_after(error)
            raise
        self._digest.begin(self._about)

    def close(self) -> None:
        """Close the nodes, last opened first, and the world; an error in one does not keep the others open.

        Raises:
            NodeFailed: the first `close` that raised.
            WorldFailed: the world could not be closed, and every node could.
            KeyboardInterrupt, Interrupted: Ctrl-C was pressed in the `close` of a node, which is noted.
        """
        failure = close_nodes(self._opened)
        try:
            if self._world is not None:
                self._world.close()
        finally:
            if failure is not None:
                if is_ctrl_c(failure.cause):
                    failure.cause.add_note(str(failure))
                    raise failure.cause
                raise failure

    def _close_after(self, error: BaseException) -> None:
        """Close everything after an error, which stays the one that is reported."""
        try:
            self.close()
        except EmbodiedError as other:
            error.add_note(str(other))

    def __enter__(self) -> Lockstep:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._close_after(error)

    def verdict(self) -> Verdict | None:
        """Return the world's verdict on the run so far; None while it has none, or where there is no world.

        Raises:
            WorldFailed: it cannot judge.
        """
        return None if self._world is None else self._world.verdict()

    def advance(self, to: Time) -> None:
        """Run everything up to and including `to` [ns], counted from the start of the run.

        Raises:
            ValueError: `to` lies in the past, or is not a whole number of nanoseconds.
            NodeFailed: a node raised, or its outputs do not fit.
            WorldFailed: the simulator broke.
        """
        if to < self.now or to != int(to):
            raise ValueError(f"cannot advance to {to} ns: the run is at {self.now} ns; give Time(seconds * SECOND)")
        begin = time.perf_counter()
        # A collection in the middle of a step costs more than the step.
        enabled = gc.isenabled()
        gc.disable()
        try:
            self._scheduler.run_until(to)
        finally:
            if enabled:
                gc.enable()
            self._wall += time.perf_counter() - begin

    def report(self) -> Report:
        """Collect counts, health and verdict of the run so far."""
        topics = {}
        nodes = self._wiring.nodes.values()
        for node in nodes:
            rate = node.planned.rate
            every = self.plan.periods[node.name] if rate is None else period(rate)
            for topic in node.topics:
                if topic.published or topic.digested:
                    dropped = sum(mailbox.dropped for mailbox in topic.mailboxes) + node.lost
                    # An optional output has no rate that it could miss.
                    due = None if topic.optional else every
                    topics[topic.name] = health(topic.published, dropped, topic.last, due, self.now)
        return Report(
            verdict=self.verdict(),
            digest=self.digest,
            simulated=self.now / 1e9,
            wall=self._wall,
            nodes={
                node.name: NodeCount(node.steps, node.skipped, node.starved, node.lost, node.rejected, node.rejection)
                for node in nodes
            },
            topics=topics,
            faults=tuple(fault.count() for fault in self._faults),
            about=self._about,
            marks=self._digest.marks,
        )
