"""State of a node and of its topics while a graph runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from embodied.devices.claim import Claim
from embodied.errors import ResultRejected, WireError
from embodied.graph.plan import Planned
from embodied.messages.encoding import Encoder, summary
from embodied.messages.schema import Message
from embodied.node.node import generator
from embodied.node.ports import Stamped
from embodied.runtime.mailboxes import Mailbox, reader

Observer = Callable[[Stamped[Any]], None]


class Topic:
    """Topic while a graph runs: one output of a node, with its subscribers.

    Attributes:
        encode: in lockstep, checks a message and returns its bytes.
        seal: live, checks a message; None where it only leaves the process, which checks it as well.
        digested: whether its bytes belong to the digest of the run.
        last: time of the last publication [ns].
        latest: message of the last publication.
    """

    __slots__ = (
        "digested", "encode", "last", "latest", "mailboxes", "name", "observers", "optional", "port", "prefix",
        "published", "seal", "triggers",
    )  # fmt: skip

    def __init__(self, name: str, *, optional: bool = False, rendered: bool = False) -> None:
        self.name = name
        self.port = name.rpartition(".")[2]
        self.optional = optional
        self.prefix = name.encode() + b"\0"
        self.encode: Encoder
        self.seal: Callable[[Any], None] | None = None
        self.mailboxes: list[Mailbox] = []
        self.triggers: list[RunningNode] = []
        self.observers: list[Observer] = []
        self.digested = not rendered
        self.published = 0
        self.last: int | None = None
        self.latest: Message | None = None

    def record(self, message: Message, stamp: int) -> None:
        """Count a publication and keep it as the latest."""
        self.last = stamp
        self.latest = message
        self.published += 1


class RunningNode:
    """Node while a graph runs: its mailboxes, topics and counters.

    Args:
        planned: the node as the plan has it.
        index: its place in name order among the nodes of the process.
        seed: of the run.

    Attributes:
        claim: claim on the device of a driver, until it is closed; None where there is none.
        arguments: reads the mailboxes for a step at a time [ns]; None while a required input is absent or stale.
        groups: mailboxes of one subscriber each, for several outputs of this node: filled from one step or emptied.
        due: whether it is to step at this time.
        prompt: in lockstep, whether its outputs are delivered at once and unchanged.
        busy_until: in lockstep, when the step that goes on ends [ns].
        pending: in lockstep, whether its trigger came while it was busy.
        steps: number of steps.
        skipped: ticks and triggers that came while it was busy or silenced.
        starved: number of times that it lacked a required input.
        lost: in lockstep, steps whose outputs a fault dropped.
        rejected: steps without a result that may be published.
        rejection: why the last of them had none.
        late: live, the longest that a tick waited for its step [ns].
    """

    __slots__ = (
        "arguments", "bundle", "busy_until", "claim", "due", "groups", "index", "jitter", "late", "latency", "lost",
        "mailboxes", "name", "pending", "planned", "prompt", "rejected", "rejection", "rng", "sequence", "skipped",
        "starved", "step", "steps", "topics",
    )  # fmt: skip

    def __init__(self, planned: Planned, index: int, seed: int) -> None:
        self.planned = planned
        self.name = planned.name
        self.index = index
        self.claim: Claim | None = None
        self.step: Callable[..., Any] = planned.node.step  # type: ignore[attr-defined]
        inputs = planned.ports.inputs
        self.mailboxes = [Mailbox(port, planned.sources.get(name)) for name, port in inputs.items()]
        now = planned.ports.now
        self.arguments = reader(
            self.mailboxes, -1 if now is None else list(inspect.signature(self.step).parameters).index(now)
        )
        self.bundle = planned.ports.bundle
        self.topics = [
            Topic(f"{self.name}.{output.name}", optional=output.optional, rendered=output.rendered)
            for output in planned.ports.outputs.values()
        ]
        self.groups: list[list[Mailbox]] = []
        self.latency = planned.timing.latency
        self.jitter = planned.timing.jitter
        self.rng = generator(seed, self.name, "jitter")
        self.prompt = not (self.latency or self.jitter)
        self.busy_until = 0
        self.pending = False
        self.due = False
        self.sequence = 0
        self.steps = self.skipped = self.starved = self.lost = self.rejected = 0
        self.rejection = ""
        self.late = 0

    def reject(self, error: ResultRejected) -> list[Any]:
        """Count a step without a result that may be published, and return its outputs: none."""
        self.rejected += 1
        self.rejection = str(error)
        return []

    def outputs(self, result: Any) -> list[tuple[Topic, Message]]:
        """Sort what a step returned by topic.

        Raises:
            WireError: it does not fit the declared outputs of `step`.
        """
        if self.bundle is None:
            if result is None:
                if self.topics and not self.topics[0].optional:
                    raise WireError(f"{self.topics[0].name}: is not declared optional, and is None")
                return []
            if not self.topics:
                raise WireError(f"step is declared to give nothing, and gave {summary(result)}")
            return [(self.topics[0], result)]
        if result.__class__ is not self.bundle:
            raise WireError(f"expected {self.bundle.__name__}, got {summary(result)}")
        outputs = []
        for topic in self.topics:
            message = getattr(result, topic.port)
            if message is not None:
                outputs.append((topic, message))
            elif not topic.optional:
                raise WireError(f"{topic.name}: is not declared optional, and is None")
        return outputs
