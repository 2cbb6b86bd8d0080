"""The lockstep runner: one process, virtual time, the same bytes every time.

Time is superdense: a tag is (nanoseconds, microstep). At a tag all due nodes read their mailboxes and step, in name
order; what they give is delivered at the next microstep, or with a latency at (t + latency, 0) before any mailbox there
is read. Rated nodes step at microstep 0. So listing order cannot matter, and a hop costs no virtual time.
"""

from __future__ import annotations

import gc
import heapq
import time
from collections.abc import Iterable
from fractions import Fraction
from types import TracebackType
from typing import Any

from embodied.clock import Time, period, tick
from embodied.errors import FOREIGN, EmbodiedError, LaunchError, Problem, WorldFailed
from embodied.graph.faults import Fault, resolve, streams
from embodied.graph.plan import Plan
from embodied.messages.encoding import encoder
from embodied.messages.schema import Message
from embodied.node.node import generator, tune
from embodied.node.ports import Stamped
from embodied.runtime.digest import Digest
from embodied.runtime.failures import step_failed, world_failed
from embodied.runtime.fault_injection import FaultInjector, ScheduledFault
from embodied.runtime.health import health
from embodied.runtime.lifecycle import close_nodes, open_node
from embodied.runtime.mailboxes import Cell, Observer, Slot, Topic
from embodied.runtime.report import NodeCount, Report
from embodied.world import Verdict

_Bundle = tuple[Cell, int, list[tuple[Topic, Message, bytes]]]


class Lockstep:
    """Runs a plan in virtual time; the caller owns the loop.

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
        self.now = Time(0)
        self._world = plan.graph.world
        stated = plan.stated()
        self._cells = [Cell(planned, i, seed) for i, planned in enumerate(plan.nodes.values())]
        for cell in self._cells:
            for topic, output in zip(cell.topics, cell.planned.ports.outputs.values(), strict=True):
                topic.encode = encoder(output.message, topic.name, stated[cell.name][output.name])
        self._by_name = {cell.name: cell for cell in self._cells}
        self._topics = {topic.name: topic for cell in self._cells for topic in cell.topics}
        self._strikes = [ScheduledFault.drawn(fault, rng) for fault, rng in streams(plan.faults, seed)]
        self._digest = Digest(trace=trace)
        self._about: dict[str, str] = {}
        self._events: list[tuple[int, int, int, Any]] = []
        self._serial = 0
        self._opened: list[Cell] = []
        self._wall = 0.0
        self._wire()
        for strike in self._strikes:
            self._strike(strike)

    def _wire(self) -> None:
        for cell in self._cells:
            by_source: dict[str, list[tuple[Topic, Slot]]] = {}
            for slot in cell.slots:
                source = cell.planned.sources.get(slot.name)
                if source is None:
                    continue
                topic = self._topics[source.topic]
                topic.digested = True
                topic.slots.append(slot)
                if slot.name == cell.planned.trigger:
                    topic.triggers.append(cell)
                if slot.items is None and not source.apart:
                    by_source.setdefault(source.node, []).append((topic, slot))
            for node, group in by_source.items():
                if len(group) > 1:
                    self._by_name[node].relatives.append(group)
        groups: dict[Fraction, list[Cell]] = {}
        for cell in self._cells:
            if cell.planned.rate is not None:
                groups.setdefault(cell.planned.rate, []).append(cell)
            elif cell.planned.once:
                self._push(0, 1, [cell])
        for rate in sorted(groups):
            self._push(0, 2, [groups[rate], rate, 0])

    def _push(self, when: int, kind: int, what: Any) -> None:
        # Deliveries (0) come before steps (1, 2) at the same time; the serial keeps the order of equals.
        self._serial += 1
        heapq.heappush(self._events, (when, kind, self._serial, what))

    def observe(self, topic: str, observer: Observer) -> None:
        """Call `observer` with every delivery of a topic; it never changes the digest. Before `open`.

        Raises:
            KeyError: there is no such topic.
        """
        self._topics[topic].observers.append(observer)

    def tune(self, node: str, name: str, value: float) -> None:
        """Change a tunable setting between steps.

        Raises:
            ValueError: there is no such node or setting, or the value is outside its bounds.
        """
        if node not in self._by_name:
            raise ValueError(f"there is no node '{node}'")
        tune(self._by_name[node].planned.node, name, value)

    def fault(self, kind: str, target: str, /, *, for_: object = None, **about: object) -> Fault:
        """Let something go wrong from now on; it is counted like the faults of the graph.

        Args:
            kind: as for `Graph.fault`, like all that follows.
            target: a node, or `node.port`.
            for_: how long it lasts; None is to the end.
            about: what the kind needs; `at` counts from now.

        Returns:
            the fault, with its target spelled out and its times drawn.

        Raises:
            ValueError: there is no such fault, target or field, or a value makes no sense.
        """
        fault = resolve(
            Fault.of(kind, target, {"for": for_, **about}),
            {name: planned.ports for name, planned in self.plan.nodes.items()},
        )
        name = f"{self.now} {len(self._strikes)}"
        strike = ScheduledFault.drawn(fault, generator(self.seed, fault.node, "fault", fault.kind, name), self.now)
        self._strikes.append(strike)
        self._strike(strike)
        return strike.count().fault

    def _strike(self, strike: ScheduledFault) -> None:
        cell = self._by_name[strike.fault.node]
        if cell.faults is None:
            cell.faults = FaultInjector(cell.topics)
            cell.prompt = False
        cell.faults.add(strike)

    def latest(self, topic: str) -> Message | None:
        """What was last published on a topic; None before the first.

        Raises:
            KeyError: there is no such topic.
        """
        return self._topics[topic].latest

    def stamp(self, topic: str) -> Time | None:
        """When a topic was last published [ns]; None before the first.

        Raises:
            KeyError: there is no such topic.
        """
        last = self._topics[topic].last
        return None if last is None else Time(last)

    @property
    def digest(self) -> str:
        """SHA-256 of all that was published so far."""
        return self._digest.hex()

    def open(self) -> None:
        """Reset the world and open the nodes, in name order.

        Raises:
            WorldFailed: the world could not be built.
            NodeFailed: a node's `open` raised; those opened before it are closed again.
        """
        if self._world is not None:
            try:
                self._world.reset(self.seed)
            except FOREIGN as error:
                self._close_world()
                raise world_failed("reset", error) from error
        for cell in self._cells:
            self._opened.append(cell)
            try:
                open_node(
                    cell, self.seed, frozenset(t.port for t in cell.topics if t.slots or t.observers), self._world
                )
            except BaseException as error:
                self._close_after(error)
                raise
        if self._world is not None:
            try:
                self._about = dict(self._world.about())
            except FOREIGN as error:
                failure = world_failed("say what it depends on", error)
                self._close_after(failure)
                raise failure from error
        self._digest.begin(self._about)

    def close(self) -> None:
        """Close the nodes, last opened first, and the world; an error in one does not keep the others open.

        Raises:
            NodeFailed: the first `close` that raised.
        """
        failure = close_nodes(self._opened)
        self._close_world()
        if failure is not None:
            raise failure

    def _close_world(self) -> None:
        if self._world is not None:
            try:
                self._world.close()
            except FOREIGN as error:
                raise world_failed("close", error) from error

    def _close_after(self, error: BaseException) -> None:
        """Close everything after an error, which stays the one that is told."""
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
        """How the world judges the run so far.

        Raises:
            WorldFailed: it cannot judge.
        """
        if self._world is None:
            return None
        try:
            verdict = self._world.verdict()
        except FOREIGN as error:
            raise world_failed("judge", error) from error
        if verdict is not None and not isinstance(verdict, Verdict):
            raise WorldFailed(f"the world judged with {verdict!r}, which is not a Verdict")
        return verdict

    def advance(self, to: Time) -> None:
        """Run everything up to and including `to` [ns], counted from the start of the run.

        Raises:
            ValueError: `to` lies in the past, or is not a whole number of nanoseconds.
            NodeFailed: a node raised, or gave what it may not.
            WorldFailed: the simulator broke.
        """
        if to < self.now or to != int(to):
            raise ValueError(f"cannot advance to {to} ns: the run is at {self.now} ns; give Time(seconds * SECOND)")
        begin = time.perf_counter()
        # Collections in the middle of a step cost more than the step; what runs long-lived is set aside.
        enabled = gc.isenabled()
        gc.disable()
        try:
            events = self._events
            while events and events[0][0] <= to:
                self._instant(events[0][0])
            if to > self.now:
                self._move(to)
        finally:
            if enabled:
                gc.enable()
            self._wall += time.perf_counter() - begin

    def _move(self, to: int) -> None:
        self.now = Time(to)
        if self._world is not None:
            try:
                self._world.advance(self.now)
            except FOREIGN as error:
                raise world_failed(f"advance to {to / 1e9:.6f} s", error) from error

    def _instant(self, t: int) -> None:
        """Everything at one time: deliveries, then the due nodes, then what they trigger, microstep by microstep."""
        if t > self.now:
            self._move(t)
        events = self._events
        due: list[Cell] = []
        lists = 0
        arrivals: list[_Bundle] = []
        freed: list[Cell] = []
        while events and events[0][0] == t:
            _, kind, _, what = heapq.heappop(events)
            if kind == 0:
                cell, bundle = what
                freed.append(cell)
                if bundle is None:
                    continue
                # Who is killed while it computes does not publish what comes of it.
                if cell.faults is not None and cell.faults.silent(t):
                    cell.lost += 1
                else:
                    arrivals.append(bundle)
                continue
            lists += 1
            if kind == 1:
                due += what
                continue
            group, rate, n = what
            what[2] = n + 1
            self._push(tick(n + 1, rate), 2, what)
            due += group
        if freed:
            lists += 2
            self._arrive(arrivals, freed, t, due)
        microstep = 0
        while due:
            # A single group of rated nodes stands in name order already.
            if lists != 1:
                due.sort(key=_index)
            lists = 0
            bundles: list[_Bundle] = []
            for cell in due:
                cell.due = False
                bundle = self._step(cell, t, microstep)
                if bundle is not None:
                    bundles.append(bundle)
            microstep += 1
            due = []
            self._deliver(bundles, t, microstep, due)

    def _arrive(self, arrivals: list[_Bundle], freed: Iterable[Cell], t: int, due: list[Cell]) -> None:
        """Deliver what latencies end here, then let the nodes that were busy take what waits for them."""
        arrivals.sort(key=lambda bundle: bundle[0].index)
        self._deliver(arrivals, t, 0, due)
        for cell in freed:
            if cell.pending and not cell.due:
                cell.pending = False
                cell.due = True
                due.append(cell)

    def _step(self, cell: Cell, t: int, microstep: int) -> _Bundle | None:
        """Call one node, unless it is busy, silenced or lacks an input."""
        if cell.busy_until > t:
            if cell.planned.trigger is None:
                cell.skipped += 1
            else:
                cell.pending = True
            return None
        faults = cell.faults
        if faults is not None and faults.silent(t):
            cell.skipped += 1
            return None
        arguments = cell.arguments(t)
        if arguments is None:
            return None
        cell.steps += 1
        try:
            result = cell.step(*arguments)
            outputs = [(topic, message, topic.encode(message)) for topic, message in cell.outputs(result)]
        except FOREIGN as error:
            raise step_failed(cell, error, arguments, (t, microstep)) from error
        sequence = cell.sequence
        cell.sequence = sequence + 1
        late = 0
        if not cell.prompt:
            late = cell.latency + (int(cell.rng.integers(cell.jitter + 1)) if cell.jitter else 0)
            if faults is not None:
                given, outputs = outputs, faults.outputs(outputs, t)
                cell.lost += bool(given) and not outputs
                late += faults.late(t)
        bundle = (cell, sequence, outputs) if outputs else None
        if late:
            cell.busy_until = t + late
            self._push(t + late, 0, (cell, bundle))
            return None
        return bundle

    def _deliver(self, bundles: list[_Bundle], t: int, microstep: int, due: list[Cell]) -> None:
        """Put outputs into mailboxes; append the nodes they trigger to `due`."""
        add = self._digest.add
        for cell, sequence, outputs in bundles:
            for topic, message, payload in outputs:
                topic.last = t
                topic.latest = message
                topic.published += 1
                if topic.digested:
                    add(t, microstep, topic.name, topic.prefix, sequence, payload)
                for slot in topic.slots:
                    slot.put(message, t, sequence, topic.name)
                for taker in topic.triggers:
                    if not taker.due:
                        taker.due = True
                        due.append(taker)
                for observer in topic.observers:
                    observer(Stamped(message, Time(t), sequence, topic.name))
            for group in cell.relatives:
                given = {topic for topic, _, _ in outputs}
                if any(topic in given for topic, _ in group):
                    for topic, slot in group:
                        if topic not in given:
                            slot.value = None

    def report(self) -> Report:
        """What came of the run so far."""
        topics = {}
        for cell in self._cells:
            rate = cell.planned.rate
            every = self.plan.periods[cell.name] if rate is None else period(rate)
            for topic in cell.topics:
                if topic.published or topic.digested:
                    dropped = sum(slot.dropped for slot in topic.slots) + cell.lost
                    # Of what is given only sometimes, nobody knows how often.
                    due = None if topic.optional else every
                    topics[topic.name] = health(topic.published, dropped, topic.last, due, self.now)
        nodes = {c.name: NodeCount(c.steps, c.skipped, c.starved, c.lost) for c in self._cells}
        return Report(
            verdict=self.verdict(),
            digest=self.digest,
            simulated=self.now / 1e9,
            wall=self._wall,
            nodes=nodes,
            topics=topics,
            faults=tuple(strike.count() for strike in self._strikes),
            about=self._about,
            marks=self._digest.marks,
        )


def _index(cell: Cell) -> int:
    return cell.index
