"""Session with one vehicle: filters its messages, sends heartbeats, and repeats requests."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.clock import VehicleClock
from drivers.mavlink.framing import FrameParser, SequenceFilter
from drivers.mavlink.target_watch import KINDS
from drivers.mavlink.transport import Transport
from embodied.untrusted.text import written_out

AUTOPILOT = common.MAV_COMP_ID_AUTOPILOT1
"""Component of a vehicle that is its autopilot."""

HEARTBEAT_PERIOD = 1.0
"""Time between two heartbeats, and between two comparisons of clocks [s]."""

ANSWER_TIMEOUT = 0.5
"""Time to wait for an answer before the request is repeated, on a fast link [s]."""

ANSWER_TIMEOUT_MOST = 3.0
"""The same on a slow link, where it is two round trips [s]."""

PROGRESS_TIMEOUT = 10.0
"""Time to wait for the result of a command that is in progress [s]."""

TRIES = 4
"""Number of times that a request is sent."""

AGE_MOST = 0.5
"""Greatest age of a sample by the vehicle's own clock [s]."""

SAMPLES = ("LOCAL_POSITION_NED", "ATTITUDE_QUATERNION")
"""Messages that are samples of the vehicle's motion, with the time at which each was taken."""


class Session:
    """Session with one MAVLink vehicle over a transport: its filtered messages, heartbeats, requests and clocks.

    Args:
        transport: transport to the vehicle.
        system: id of the vehicle; messages of others are ignored, and none is sent to all.
        own: id of this end.

    Attributes:
        system: id of the vehicle.
        others: ids of other systems that send.
        foreign: which of them sends set-points to the vehicle, as far as a router lets this end see it; empty if none.
        newest: newest message of each type, and when it came [s].
        batteries: newest BATTERY_STATUS of each battery by its id, and when it came [s].
        heartbeats: newest heartbeats of the vehicle, oldest first, which whoever reads them removes.
        texts: when STATUSTEXT messages of the vehicle came, and their texts, oldest first.
        clock: clock of the vehicle.
    """

    def __init__(self, transport: Transport, system: int, own: int) -> None:
        self.system = system
        self.others: set[int] = set()
        self.foreign = ""
        self.newest: dict[str, tuple[Any, float]] = {}
        self.batteries: dict[int, tuple[Any, float]] = {}
        self.heartbeats: deque[Any] = deque(maxlen=50)
        self.texts: deque[tuple[float, str]] = deque(maxlen=50)
        self.clock = VehicleClock()
        self._sampled: dict[str, int] = {}
        self._transport = transport
        self._own = own
        self._parser = FrameParser()
        self._filter = SequenceFilter()
        self._dropped = 0
        self._packer = common.MAVLink(None, own, common.MAV_COMP_ID_ONBOARD_COMPUTER)
        self._heartbeat_due = 0.0

    @property
    def rejected(self) -> int:
        """Number of frames that were damaged, cut short, repeated, out of order, stale, or not finite."""
        return self._parser.rejected + self._dropped

    @property
    def answer_timeout(self) -> float:
        """Time to wait for an answer before the request is repeated [s]: longer on a slow link."""
        return min(max(ANSWER_TIMEOUT, 2 * self.clock.round_trip), ANSWER_TIMEOUT_MOST)

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
            answer = self.wait_for(matches, self.answer_timeout)
            if answer is not None:
                return answer
        return None

    def command(self, number: int, *parameters: float) -> int | None:
        """Send a command until it is acknowledged.

        Args:
            number: command, a MAV_CMD.
            parameters: first parameters of the command; the others are 0.

        Returns:
            result of the command, a MAV_RESULT; None if there is none. It may have been executed nevertheless.
        """
        in_progress = False

        def is_final(message: Any) -> bool:
            nonlocal in_progress
            if message.get_type() != "COMMAND_ACK" or message.command != number:
                return False
            in_progress = message.result == common.MAV_RESULT_IN_PROGRESS
            return not in_progress

        for _ in range(TRIES):
            self.send(self.command_message(number, *parameters))
            answer = self.wait_for(is_final, self.answer_timeout)
            if in_progress:
                # It has begun, and would begin again if it were sent again.
                answer = self.wait_for(is_final, PROGRESS_TIMEOUT)
            if answer is not None or in_progress:
                return None if answer is None else int(answer.result)
        return None

    def command_message(self, number: int, *parameters: float) -> Any:
        """Return COMMAND_LONG of a command with its first parameters."""
        seven = [*map(float, parameters), *[0.0] * 7][:7]
        return common.MAVLink_command_long_message(self.system, AUTOPILOT, number, 0, *seven)

    def request(self, number: int, kind: str) -> Any:
        """Request a message by number and type; return None if it does not come."""
        message = self.command_message(common.MAV_CMD_REQUEST_MESSAGE, number)
        return self.ask(message, lambda answer: answer.get_type() == kind)

    def flush(self) -> bool:
        """Wait until everything has come that the vehicle sent before it received this; return whether it answered.

        An answer that comes afterwards is none to an earlier request.
        """
        begin = time.monotonic_ns()
        for _ in range(TRIES):
            self._send_timesync()
            if self.wait_for(lambda m: m.get_type() == "TIMESYNC" and m.tc1 and m.ts1 >= begin, self.answer_timeout):
                return True
        return False

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
        self._send_timesync()

    def _send_timesync(self) -> None:
        self.send(common.MAVLink_timesync_message(0, time.monotonic_ns()))

    def _accept(self, message: Any) -> bool:
        """Keep a message if it is one of the vehicle's autopilot to this end, and newer than all before."""
        if message.get_srcSystem() != self.system:
            self._note_other(message)
            return False
        if message.get_srcComponent() != AUTOPILOT:
            return False
        if not self._filter.accept(message.get_seq()):
            self._dropped += 1
            return False
        if getattr(message, "target_system", 0) not in (0, self._own):
            return False
        now, kind = time.monotonic(), message.get_type()
        if kind in SAMPLES and not self._accept_sample(kind, message):
            return False
        self.newest[kind] = (message, now)
        if kind == "BATTERY_STATUS":
            self.batteries[message.id] = (message, now)
        elif kind == "HEARTBEAT":
            self.heartbeats.append(message)
        elif kind == "STATUSTEXT":
            self.texts.append((now, " ".join(written_out(str(message.text)).split())))
        elif kind == "TIMESYNC" and message.tc1 == 0:
            self.send(common.MAVLink_timesync_message(time.monotonic_ns(), message.ts1))
        elif kind == "TIMESYNC":
            self.clock.compare(message.ts1, message.tc1)
        return True

    def _note_other(self, message: Any) -> None:
        """Take note of another system, and of the orders to the vehicle that a router passes on to this end as well."""
        source = message.get_srcSystem()
        self.others.add(source)
        target = getattr(message, "target_system", getattr(message, "target", 0))
        if message.get_type() in KINDS and target == self.system and source != self._own:
            self.foreign = f"the system {source} sends it {message.get_type()}"

    def _accept_sample(self, kind: str, message: Any) -> bool:
        """Return whether a sample is newer than all before of its kind, finite, and not stale."""
        since_boot = message.time_boot_ms
        if self.clock.observe(since_boot):
            # Nothing that was known before is known of the one that answers now.
            self._sampled.clear()
            self.newest.clear()
            self.batteries.clear()
            self._heartbeat_due = 0.0
        if since_boot <= self._sampled.get(kind, -1):
            return False
        self._sampled[kind] = since_boot
        good = codec.is_finite(message) and self.clock.age(since_boot) <= AGE_MOST
        self._dropped += not good
        return good
