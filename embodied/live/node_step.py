"""Step of a live node as one function: read the mailboxes, call the node, publish, and show which node is stepping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from embodied.errors import ResultRejected
from embodied.interrupts import foreign
from embodied.live.heartbeat import Heartbeat
from embodied.messages.arrays import Maker, made_by
from embodied.messages.schema import Message
from embodied.runtime.failures import step_failed
from embodied.runtime.running_node import RunningNode, Topic

Publication = tuple[RunningNode, int, list[tuple[Topic, Message]]]
"""A node, the number of its step, and the outputs that are to be delivered within the process."""

Publish = Callable[[RunningNode, list[tuple[Topic, Message]]], None]
"""Hands the outputs of a step to other processes, and checks them."""

Step = Callable[[int, list[Publication]], None]
"""Step at a time [ns], and append what is to be delivered within the process; raises NodeFailed."""


def stepper(node: RunningNode, heartbeat: Heartbeat, publish: Publish, maker: Maker | None = None) -> Step:
    """Build the step function of a live node.

    Args:
        node: at run time.
        heartbeat: shows that the node is stepping.
        publish: hands outputs to other processes.
        maker: of arrays in the memory that others read.
    """
    call = node.step if maker is None else _making(node.step, maker)
    read, words, index = node.arguments, heartbeat.words, node.index
    clock = time.monotonic_ns
    local = any(topic.mailboxes for topic in node.topics)

    def step(now: int, published: list[Publication]) -> None:
        arguments = read(now)
        if arguments is None:
            node.starved += 1
            return
        words[1] = index
        words[0] = clock()
        node.steps += 1
        try:
            outputs = node.outputs(call(*arguments))
            if outputs:
                publish(node, outputs)
        except ResultRejected as error:
            outputs = node.reject(error)
            if node.rejected == 1:
                print(f"result rejected, the first of those that are counted: {error}")
        except foreign() as error:
            raise step_failed(node, error, arguments, (now, 0)) from error
        if outputs:
            if local:
                published.append((node, node.sequence, outputs))
            node.sequence += 1

    return step


def _making(step: Callable[..., Any], maker: Maker) -> Callable[..., Any]:
    """Wrap a step so that its `embodied.empty` allocates arrays in the ring."""

    def making(*arguments: Any) -> Any:
        made_by(maker)
        try:
            return step(*arguments)
        finally:
            made_by(None)

    return making
