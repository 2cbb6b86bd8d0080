"""Wiring: which topic fills which mailbox, and what one delivery does. Lockstep and live runs follow the same rules.

A wire delivers the latest message, which counts up to its `max_age`, or every message since the last step, up to its
`bound`. A node that is triggered several times before it steps, steps once. Outputs of one step arrive together: a
subscriber never sees outputs of two different steps of a node side by side, unless a wire opts out.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from embodied.graph.plan import Planned
from embodied.messages.constraints import Refinement
from embodied.messages.encoding import encoder, sealer
from embodied.messages.schema import Message
from embodied.runtime.mailboxes import Mailbox
from embodied.runtime.running_node import RunningNode, Topic


class Wiring:
    """Wiring of the nodes of one process: their topics, and the wires between them.

    Args:
        planned: the nodes, in name order.
        seed: of the run.

    Attributes:
        nodes: by name.
        topics: of these nodes, by name.
        remote: topics of nodes in other processes to which nodes here subscribe, by name.
    """

    def __init__(self, planned: Iterable[Planned], seed: int) -> None:
        self.nodes = {entry.name: RunningNode(entry, index, seed) for index, entry in enumerate(planned)}
        self.topics = {topic.name: topic for node in self.nodes.values() for topic in node.topics}
        self.remote: dict[str, Topic] = {}
        self._groups: dict[str, list[list[Mailbox]]] = {}
        for node in self.nodes.values():
            self._connect(node)

    def _connect(self, node: RunningNode) -> None:
        by_source: dict[str, list[Mailbox]] = {}
        for mailbox in node.mailboxes:
            source = node.planned.sources.get(mailbox.name)
            if source is None:
                continue
            topic = self.topics.get(source.topic)
            if topic is None:
                topic = self.remote.setdefault(source.topic, Topic(source.topic))
            topic.mailboxes.append(mailbox)
            # What is rendered only on demand belongs to the digest once a node subscribes to it.
            topic.digested = True
            if mailbox.name == node.planned.trigger:
                topic.triggers.append(node)
            if mailbox.items is None and not source.apart:
                by_source.setdefault(source.node, []).append(mailbox)
        for name, group in by_source.items():
            if len(group) > 1:
                self.groups(name).append(group)

    def groups(self, name: str) -> list[list[Mailbox]]:
        """Return the groups of mailboxes that a node fills together, for a node of this process or of another."""
        node = self.nodes.get(name)
        return self._groups.setdefault(name, []) if node is None else node.groups

    def encode(self, stated: Mapping[str, Mapping[str, Refinement]]) -> None:
        """Give each topic the function that checks its messages and returns their bytes.

        Args:
            stated: by node and port, what is known of an output.
        """
        for topic, kind, refined in self._outputs(stated):
            topic.encode = encoder(kind, topic.name, refined)

    def seal(self, stated: Mapping[str, Mapping[str, Refinement]], leaving: Container[str] = ()) -> None:
        """Give each topic the function that checks its messages, whether or not anybody subscribes.

        Args:
            stated: by node and port, what is known of an output.
            leaving: nodes whose outputs leave the process, which checks them too: once is enough.
        """
        for topic, kind, refined in self._outputs(stated):
            if topic.mailboxes or topic.name.rpartition(".")[0] not in leaving:
                topic.seal = sealer(kind, topic.name, refined)

    def _outputs(
        self, stated: Mapping[str, Mapping[str, Refinement]]
    ) -> Iterable[tuple[Topic, type[Message], Refinement]]:
        for node in self.nodes.values():
            for topic, output in zip(node.topics, node.planned.ports.outputs.values(), strict=True):
                yield topic, output.message, stated[node.name][output.name]


def deliver(topic: Topic, message: Message, stamp: int, sequence: int, due: list[RunningNode]) -> None:
    """Deliver a message to the mailboxes of its subscribers, and append the nodes that it triggers to `due`.

    Args:
        topic: on which it was published.
        message: the message.
        stamp: time of the publication [ns].
        sequence: number of the step that published it.
        due: nodes that are to step, each at most once.
    """
    for mailbox in topic.mailboxes:
        mailbox.put(message, stamp, sequence, topic.name)
    for node in topic.triggers:
        if not node.due:
            node.due = True
            due.append(node)


def align(groups: Iterable[list[Mailbox]]) -> None:
    """Empty each mailbox whose value is of an older step than the newest one of its group."""
    for group in groups:
        newest = max([mailbox.sequence for mailbox in group])
        for mailbox in group:
            if mailbox.sequence != newest:
                mailbox.value = None
