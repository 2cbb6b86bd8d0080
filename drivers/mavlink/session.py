"""One talk with one vehicle: whose frames are taken, whose heartbeat goes out, and how two clocks are compared."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink.framing import Cutter, Order
from drivers.mavlink.transport import Wire

AUTOPILOT = common.MAV_COMP_ID_AUTOPILOT1
SECOND = 1_000_000_000

BEAT = 1.0
"""A heartbeat goes out so often, and clocks are compared [s]."""

ANSWER, TRIES = 0.5, 4
"""An answer is waited for so long, and asked for so often [s]."""

STALE = 0.5
"""A sample that is older than this by the vehicle's own clock is none [s]."""


class Session:
    """A talk over a wire.

    Args:
        wire: to the vehicle.
        system: id of the vehicle that is meant; frames of others are not taken, and none is sent to all.
        own: id of this end.

    Attributes:
        others: ids of other systems that were heard.
        newest: the newest message of each kind, and when it came [s].
        texts: what the vehicle said to people, oldest first, and when.
    """

    def __init__(self, wire: Wire, system: int, own: int) -> None:
        self.system = system
        self.others: set[int] = set()
        self.newest: dict[str, tuple[Any, float]] = {}
        self.texts: deque[tuple[float, str]] = deque(maxlen=50)
        self._wire = wire
        self._own = own
        self._cutter = Cutter()
        self._order = Order()
        self._refused = 0
        self._packer = common.MAVLink(None, own, common.MAV_COMP_ID_ONBOARD_COMPUTER)
        self._due = 0.0
        self._offset: tuple[int, int] | None = None  # round trip, and the vehicle's clock before ours [ns]

    @property
    def rejected(self) -> int:
        """How many frames were bent, cut short, repeated, out of order, or stale."""
        return self._cutter.rejected + self._refused

    def send(self, message: Any) -> None:
        """Send a message."""
        data = message.pack(self._packer)
        self._packer.seq = (self._packer.seq + 1) % 256
        self._wire.send(bytes(data))

    def pump(self) -> list[Any]:
        """Take what came, and send what is due.

        Returns:
            the vehicle's messages, oldest first.
        """
        at = time.monotonic()
        if at >= self._due:
            self._due = at + BEAT
            self._beat()
        came = (message for data in self._wire.receive() for message in self._cutter.feed(data, whole=self._wire.whole))
        return [message for message in came if self._take(message)]

    def until(self, wanted: Callable[[Any], Any], seconds: float) -> Any:
        """The first message for which something is true; None if none comes in time.

        Args:
            wanted: of a message.
            seconds: how long to wait [s].
        """
        end = time.monotonic() + seconds
        while True:
            for message in self.pump():
                if wanted(message):
                    return message
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._wire.wait(min(left, 0.05))

    def ask(self, message: Any, wanted: Callable[[Any], Any], tries: int = TRIES) -> Any:
        """Send a message until it is answered.

        Returns:
            the answer; None if there is none.
        """
        for _ in range(tries):
            self.send(message)
            answer = self.until(wanted, ANSWER)
            if answer is not None:
                return answer
        return None

    def command(self, number: int, *parameters: float) -> int | None:
        """Have a command done.

        Args:
            number: MAV_CMD.
            parameters: of it; the rest is 0.

        Returns:
            MAV_RESULT; None if nobody answers.
        """
        answer = self.ask(self.order(number, *parameters), lambda m: m.get_msgId() == 77 and m.command == number)
        return None if answer is None else int(answer.result)

    def order(self, number: int, *parameters: float) -> Any:
        """A command, as it is sent."""
        seven = [*map(float, parameters), *[0.0] * 7][:7]
        return common.MAVLink_command_long_message(self.system, AUTOPILOT, number, 0, *seven)

    def request(self, number: int, kind: str) -> Any:
        """A message of a kind, asked for; None if it does not come."""
        order = self.order(common.MAV_CMD_REQUEST_MESSAGE, number)
        return self.ask(order, lambda message: message.get_type() == kind)

    def age(self, since_boot: int) -> float:
        """How old a sample is by the vehicle's clock [s]; 0 while the clocks are not compared.

        Args:
            since_boot: when it was taken, by the vehicle [ms].
        """
        if self._offset is None:
            return 0.0
        return max(0.0, (time.monotonic_ns() + self._offset[1]) / SECOND - since_boot / 1000)

    def stale(self, since_boot: int) -> bool:
        """Whether a sample is too old to be taken; it is counted."""
        old = self.age(since_boot) > STALE
        self._refused += old
        return old

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def _beat(self) -> None:
        self.send(
            common.MAVLink_heartbeat_message(
                common.MAV_TYPE_ONBOARD_CONTROLLER,
                common.MAV_AUTOPILOT_INVALID,
                *(0, 0),
                common.MAV_STATE_ACTIVE,
                3,
            )
        )
        self.send(common.MAVLink_timesync_message(0, time.monotonic_ns()))

    def _take(self, message: Any) -> bool:
        if message.get_srcSystem() != self.system:
            self.others.add(message.get_srcSystem())
            return False
        if message.get_srcComponent() != AUTOPILOT:
            return False
        if not self._order.takes(message.get_seq()):
            self._refused += 1
            return False
        if getattr(message, "target_system", 0) not in (0, self._own):
            return False
        at, kind = time.monotonic(), message.get_type()
        self.newest[kind] = (message, at)
        if kind == "STATUSTEXT":
            self.texts.append((at, str(message.text)))
        elif kind == "TIMESYNC":
            self._compare(message)
        return True

    def _compare(self, message: Any) -> None:
        now = time.monotonic_ns()
        if message.tc1 == 0:
            self.send(common.MAVLink_timesync_message(now, message.ts1))
            return
        trip = now - message.ts1
        # The quickest answer is the most exact; one that is half as good is taken later, since clocks drift.
        if 0 <= trip < SECOND and (self._offset is None or trip <= 1.5 * self._offset[0]):
            self._offset = (trip, message.tc1 - message.ts1 - trip // 2)
