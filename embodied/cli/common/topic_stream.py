"""Stream of a topic's messages for `topic echo`, `hz`, `bw` and `delay`, by an observer that slows nobody down."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.output import err
from embodied.cli.common.running import connected, look_up
from embodied.clock import SECOND
from embodied.errors import LaunchError, Problem
from embodied.live.client import Client, Observer, Refused
from embodied.messages.schema import Message

TopicArgument = Annotated[
    str,
    typer.Argument(help="node.port; a node means its first output", autocompletion=complete.topics, show_default=False),
]

RESUBSCRIBE_AFTER = 1.0
"""Silence after which the topic is subscribed to again [s]: its node may have been restarted."""

NOTICE_AFTER = 3.0
"""Time without any message after which a notice is printed [s]."""


@dataclass(frozen=True, slots=True)
class Received:
    """Message in the stream of a topic, as the command line received it, with times and counters.

    Attributes:
        message: the message.
        stamp: time of its publication since the start of the run [ns].
        sequence: number of the step that published it.
        age: time from its publication to its reception [ns].
        skipped: number of messages that were passed over before it.
        before: whether it was published before the subscription.
    """

    message: Message
    stamp: int
    sequence: int
    age: int
    skipped: int
    before: bool


def topic_of(client: Client, name: str) -> tuple[str, dict[str, Any]]:
    """Return a topic's full name, `node.port`, and its description for the command line; a node means its first output.

    Raises:
        LaunchError: there is no such topic.
    """
    topics = client.ask("topics")
    full = next((topic for topic, about in topics.items() if about["node"] == name), name)
    return full, look_up("topic", full, topics)


def watch(run: str | None, name: str, seconds: float | None = None) -> Iterator[Received]:
    """Stream a topic's messages to the command line, the newest one at once, until the run or the time ends.

    Args:
        run: name of the run, or its beginning; None: the only one.
        name: name of the topic.
        seconds: time to watch [s]; without limit if None.

    Raises:
        LaunchError: there is no such run or topic, or it has too many observers.
        LinkFailed: the run does not answer.
    """
    begin = time.monotonic()
    end = math.inf if seconds is None else begin + seconds
    with connected(run) as client:
        folder = client.directory
        topic, about = topic_of(client, name)
    if about["rendered"] and not about["takers"]:
        text = f"'{topic}' is rendered only for nodes that subscribe to it, and none does"
        raise LaunchError([Problem("E005", text, help=("look at another: embodied topic list",))])
    last, notice, subscribed = -1, "", False
    while time.monotonic() < end:
        with Client(folder) as client:
            try:
                observer = client.observe(topic)
            except Refused as error:
                if not subscribed:
                    raise LaunchError([Problem("E005", str(error), help=error.help)]) from None
                # The node has died; it may be restarted.
                notice = _print_new(str(error), notice)
                gone = client.gone(min(RESUBSCRIBE_AFTER, end - time.monotonic()))
            else:
                subscribed = True
                for received in _receive(client, observer, end):
                    # A new subscription begins with the newest message, which may have been received before.
                    if received.stamp > last:
                        last = received.stamp
                        yield received
                observer.close()
                gone = client.gone(0.0)
                if last < 0 and time.monotonic() - begin > NOTICE_AFTER:
                    notice = _print_new(f"{topic} has published nothing yet", notice)
        if gone:
            _print_new(f"{folder.name} has ended", "")
            return


def _print_new(notice: str, before: str) -> str:
    """Print a notice unless it is the same as the one before, and return it."""
    if notice != before:
        err.print(notice, markup=False)
    return notice


def _receive(client: Client, observer: Observer, end: float) -> Iterator[Received]:
    """Yield the messages of one subscription until it falls silent, the time is over, or the run ends."""
    begin = received = time.monotonic()
    skipped: int | None = None
    while True:
        left = min(end, received + RESUBSCRIBE_AFTER) - time.monotonic()
        sources: list[Observer | Client] = [observer, client]
        ready = select.select(sources, [], [], max(0.0, left))[0]
        if observer not in ready:
            return
        received = time.monotonic()
        for message, stamp, sequence in observer.take():
            age = observer.age(stamp)
            # Messages passed over before the first one were published before the subscription.
            passed = 0 if skipped is None else observer.skipped - skipped
            skipped = observer.skipped
            yield Received(message, stamp, sequence, age, passed, age / SECOND > received - begin)
        if received >= end:
            return
