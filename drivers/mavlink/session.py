"""Session with one vehicle: filters its messages, sends heartbeats, repeats requests, and compares both clocks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink.framing import FrameParser, SequenceFilter
from drivers.mavlink.transport import Transport
from embodied.clock import SECOND

AUTOPILOT = common.MAV_COMP_ID_AUTOPILOT1
"""Component of a vehicle that is its autopilot."""

HEARTBEAT_PERIOD = 1.0
"""Time between two heartbeats, and between two comparisons of clocks [s]."""

ANSWER_TIMEOUT = 0.5
"""Time to wait for an answer before the request is repeated [s]."""

TRIES = 4
"""Number of times that a request is sent."""

AGE_MOST = 0.5
"""Greatest age of a sample by the vehicle's own clock [s]."""


class Session:
    """Session with one MAVLink vehicle over a transport: its filtered messages, heartbeats, requests and clocks.

    Args:
        transport: transport to the vehicle.
        system: id of the vehicle; messages of others are ignored, and none is sent to all.
        own: id of this end.

    Attributes:
        system: id of the vehicle.
        others: ids of other systems that send.
        newest: newest message of each type, and when it came [s].
        texts: when STATUSTEXT messages of the vehicle came, and their texts, oldest first.
    """

    def __init__(self, transport: Transport, system: int, own: int) -> None:
        self.system = system
        self.others: set[int] = set()
        self.newest: dict[str, tuple[Any, float]] = {}
        self.texts: deque[tuple[float, str]] = deque(maxlen=50)
        self._transport = transport
        self._own = own
        self._parser = FrameParser()
        self._filter = SequenceFilter()
        self._dropped = 0
        self._packer = common.MAVLink(None, own, common.MAV_COMP_ID_ONBOARD_COMPUTER)
        self._heartbeat_due = 0.0
        self._offset: tuple[int, int] | None = None  # round trip, and the vehicle's clock minus this one [ns]

    @property
    def rejected(self) -> int:
        """Number of frames that were damaged, cut short, repeated, out of order, or stale."""
        return self._parser.rejected + self._dropped

    def send(self, message: Any) -> None:
        """Send a message to the vehicle."""
        data = message.pack(self._packer)
        self._packer.seq = (self._packer.seq + 1) % 256
        self._transport.send(bytes(data))

    def poll(self) -> list[Any]:
        """Process what has come, and send a heartbeat if it is due; never wait.

        Returns:
            messages of the vehicle, oldest first.
        """
        now = time.monotonic()
        if now >= self._heartbeat_due:
            self._heartbeat_due = now + HEARTBEAT_PERIOD
            self._send_heartbeat()
        received = (
            message
            for data in self._transport.receive()
            for message in self._parser.feed(data, datagram=self._transport.datagrams)
        )
        return [message for message in received if self._accept(message)]

    def wait_for(self, matches: Callable[[Any], Any], seconds: float) -> Any:
        """Wait for the first message that satisfies a condition; return None if none comes in time.

        Args:
            matches: condition on a message.
            seconds: longest time to wait [s].
        """
        deadline = time.monotonic() + seconds
        while True:
            for message in self.poll():
                if matches(message):
                    return message
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._transport.wait(min(left, 0.05))

    def ask(self, message: Any, matches: Callable[[Any], Any]) -> Any:
        """Send a message, up to `TRIES` times, until it is answered.

        Args:
            message: request to send.
            matches: condition on a message that makes it the answer.

        Returns:
            answer of the vehicle; None if there is none.
        """
        for _ in range(TRIES):
            self.send(message)
            answer = self.wait_for(matches, ANSWER_TIMEOUT)
            if answer is not None:
                return answer
        return None

    def command(self, number: int, *parameters: float) -> int | None:
        """Send a command until it is acknowledged.

        Args:
            number: command, a MAV_CMD.
            parameters: first parameters of the command; the others are 0.

        Returns:
            result of the command, a MAV_RESULT; None if it is not acknowledged.
        """
        message = self.command_message(number, *parameters)
        answer = self.ask(message, lambda m: m.get_type() == "COMMAND_ACK" and m.command == number)
        return None if answer is None else int(answer.result)

    def command_message(self, number: int, *parameters: float) -> Any:
        """Return COMMAND_LONG of a command with its first parameters."""
        seven = [*map(float, parameters), *[0.0] * 7][:7]
        return common.MAVLink_command_long_message(self.system, AUTOPILOT, number, 0, *seven)

    def request(self, number: int, kind: str) -> Any:
        """Request a message by number and type; return None if it does not come."""
        message = self.command_message(common.MAV_CMD_REQUEST_MESSAGE, number)
        return self.ask(message, lambda answer: answer.get_type() == kind)

    def age(self, since_boot: int) -> float:
        """Return the age of a sample by the vehicle's clock [s]; 0 before the clocks are compared.

        Args:
            since_boot: time of the sample, by the vehicle [ms].
        """
        if self._offset is None:
            return 0.0
        return max(0.0, (time.monotonic_ns() + self._offset[1]) / SECOND - since_boot / 1000)

    def is_stale(self, since_boot: int) -> bool:
        """Return whether a sample is too old to be used, and count it as rejected if it is.

        Args:
            since_boot: time of the sample, by the vehicle [ms].
        """
        stale = self.age(since_boot) > AGE_MOST
        self._dropped += stale
        return stale

    def close(self) -> None:
        """Close the transport of the session."""
        self._transport.close()

    def _send_heartbeat(self) -> None:
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

    def _accept(self, message: Any) -> bool:
        """Keep a message if it is one of the vehicle's autopilot to this end, and newer than all before."""
        if message.get_srcSystem() != self.system:
            self.others.add(message.get_srcSystem())
            return False
        if message.get_srcComponent() != AUTOPILOT:
            return False
        if not self._filter.accept(message.get_seq()):
            self._dropped += 1
            return False
        if getattr(message, "target_system", 0) not in (0, self._own):
            return False
        now, kind = time.monotonic(), message.get_type()
        self.newest[kind] = (message, now)
        if kind == "STATUSTEXT":
            self.texts.append((now, str(message.text)))
        elif kind == "TIMESYNC":
            self._compare_clocks(message)
        return True

    def _compare_clocks(self, message: Any) -> None:
        now = time.monotonic_ns()
        if message.tc1 == 0:
            self.send(common.MAVLink_timesync_message(now, message.ts1))
            return
        trip = now - message.ts1
        # The shortest round trip is the most exact; one of up to 1.5 times replaces it, since clocks drift.
        if 0 <= trip < SECOND and (self._offset is None or trip <= 1.5 * self._offset[0]):
            self._offset = (trip, message.tc1 - message.ts1 - trip // 2)
