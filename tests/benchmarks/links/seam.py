"""The seam: what a transport is to the benchmark. A further one is one file, and one line in `__init__`.

A transport that can be had as an endpoint per process, with a `send` and a blocking `recv`, gives an `Endpoint` to
`lines.Peer`; one that owns its loop, as a runner of nodes does, is a `Transport` of its own and opens its own `Line`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.benchmarks.links.loads import Load

INSTALL = "pip install 'embodied-robotics[peers]'"


class Failed(Exception):
    """A transport cannot be opened, broke, or stands still; the text says which."""


@dataclass(frozen=True)
class Flood:
    """As many messages as the sender can.

    Attributes:
        sent: by the sender.
        received: each counted once.
        repeated: arrived a second time, or behind a newer one.
        seconds: from the first that arrived being sent to the last having arrived [s].
    """

    sent: int
    received: int
    repeated: int
    seconds: float


@dataclass(frozen=True)
class Fan:
    """Messages at a rate to many subscribers.

    Attributes:
        latencies: one way, of all that arrived anywhere [ns].
        costs: how long the publisher was in `send` [ns].
        sent: to each subscriber.
    """

    latencies: Sequence[int]
    costs: Sequence[int]
    sent: int


class Line(Protocol):
    """A transport that stands, between a near process and one far process or more.

    Attributes:
        processes: whose threads are pinned: the near one, the first far one, and all others, those in between included.
    """

    @property
    def processes(self) -> Sequence[int]: ...

    def ping(self, load: Load, seconds: float) -> Sequence[int]:
        """Messages there and back, one at a time, the whole payload both ways: round trips [ns]."""

    def flood(self, load: Load, seconds: float) -> Flood:
        """Messages as fast as they can be sent, to the first far process."""

    def fan(self, load: Load, rate: float, seconds: float) -> Fan:
        """Messages at a rate [Hz], to all far processes."""

    def close(self, orderly: bool) -> None:
        """End the processes and remove what they left; not orderly: at once, whatever they are doing."""


class Transport(Protocol):
    """Something that carries messages between processes.

    Attributes:
        name: of the row.
        in_place: the sender makes its arrays where the transport wants them, and nothing is copied.
        floods: whether its sender can send at its own pace, and to several takers.
    """

    @property
    def name(self) -> str: ...

    @property
    def in_place(self) -> bool: ...

    @property
    def floods(self) -> bool: ...

    def available(self) -> str:
        """Empty, or why it cannot be measured here and what to do about it."""

    def carries(self, load: Load) -> bool:
        """Whether it is measured with such messages."""

    def open(self, folder: Path, takers: int) -> Line:
        """Start the processes.

        Args:
            folder: for sockets and files; it is removed afterwards.
            takers: how many far processes.

        Raises:
            Failed: they did not come up.
        """


class Sender(Protocol):
    """Where messages of one kind leave a process."""

    def send(self, message: Any) -> None:
        """Send one. The caller owns its arrays, unless the message came from `fresh`."""

    def fresh(self) -> Any:
        """A message whose arrays lie where the transport wants them; only asked of a transport that is `in_place`."""


class Receiver(Protocol):
    """Where messages of one kind arrive."""

    def recv(self) -> Any:
        """Wait for the next, typed, its arrays as numpy's; a view is valid until the next call."""


class Endpoint(Protocol):
    """A transport in one process. It is made as `Kind(folder, number, takers)`: 0 is near, from 1 on they are far.

    Messages go from near to all far processes, and from the first far one back. All processes open the same kinds of
    message in the same order and at the same time: near its sender first, far its receiver first, so that one may wait
    for the other (`handover`).
    """

    def sender(self, load: Load) -> Sender:
        """Where messages of this kind leave this process."""

    def receiver(self, load: Load) -> Receiver:
        """Where messages of this kind arrive in this process."""

    def close(self) -> None:
        """Give everything back."""
