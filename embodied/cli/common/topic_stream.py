"""One topic of a run as it is published, seen from outside: it is lost by nobody and slows nobody down."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embodied.cli.common.output import err
from embodied.cli.common.running import connected, named
from embodied.clock import SECOND
from embodied.errors import LaunchError, Problem
from embodied.live.client import Client, Observer, Refused
from embodied.messages.schema import Message

ANEW = 1.0
"""After so long a silence the topic is looked for again [s]: its node may have been started anew since."""

TOLD = 3.0
"""After so long without any message whoever waits is told [s]."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that was published.

    Attributes:
        message: itself.
        stamp: when it was published, since the start of the run [ns].
        sequence: number of the step that gave it.
        age: how long ago it was published when it was seen [ns].
        skipped: how many were passed over for it.
        before: it was there before anyone looked.
    """

    message: Message
    stamp: int
    sequence: int
    age: int
    skipped: int
    before: bool


def topic_of(client: Client, name: str) -> tuple[str, dict[str, Any]]:
    """A topic's full name, `node.port`, and what the run says about it; a bare node means its first output.

    Raises:
        LaunchError: there is no such topic.
    """
    topics = client.ask("topics")
    full = next((topic for topic, about in topics.items() if about["node"] == name), name)
    return full, named("topic", full, topics)


def watch(run: str | None, name: str, seconds: float | None = None) -> Iterator[Seen]:
    """Messages as they come, the newest one at once, until the run ends or the time is over.

    Args:
        run: which one.
        name: of the topic.
        seconds: how long to look [s]; without end if None.

    Raises:
        LaunchError: there is no such run or topic, or too many look at it already.
        LinkFailed: the run does not answer.
    """
    begin = time.monotonic()
    end = math.inf if seconds is None else begin + seconds
    with connected(run) as client:
        folder = client.directory
        topic, about = topic_of(client, name)
    if about["rendered"] and not about["takers"]:
        text = f"'{topic}' is rendered only for nodes that take it, and none does"
        raise LaunchError([Problem("E005", text, help=("look at another: embodied topic list",))])
    last, told, looked = -1, "", False
    while time.monotonic() < end:
        with Client(folder) as client:
            try:
                observer = client.observe(topic)
            except Refused as error:
                if not looked:
                    raise LaunchError([Problem("E005", str(error), help=error.help)]) from None
                # Its node may be started again.
                told = _tell(str(error), told)
                gone = client.gone(min(ANEW, end - time.monotonic()))
            else:
                looked = True
                for seen in _look(client, observer, end):
                    if seen.stamp > last:
                        last = seen.stamp
                        yield seen
                observer.close()
                gone = client.gone(0.0)
                if last < 0 and time.monotonic() - begin > TOLD:
                    told = _tell(f"{topic} has published nothing yet", told)
        if gone:
            _tell(f"{folder.name} has ended", "")
            return


def _tell(text: str, told: str) -> str:
    if text != told:
        err.print(text, markup=False)
    return text


def _look(client: Client, observer: Observer, end: float) -> Iterator[Seen]:
    """What one subscription gets, until it is silent for long, the time is over, or the run ends."""
    begin = heard = time.monotonic()
    skipped: int | None = None
    while True:
        left = min(end, heard + ANEW) - time.monotonic()
        watched: list[Observer | Client] = [observer, client]
        ready = select.select(watched, [], [], max(0.0, left))[0]
        if observer not in ready:
            return
        heard = time.monotonic()
        for message, stamp, sequence in observer.take():
            age = observer.age(stamp)
            # What was passed over before the first was there before anyone looked.
            passed = 0 if skipped is None else observer.skipped - skipped
            skipped = observer.skipped
            yield Seen(message, stamp, sequence, age, passed, age / SECOND > heard - begin)
        if heard >= end:
            return
