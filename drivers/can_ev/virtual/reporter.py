"""Reporter of a virtual unit: its reports as frames, each at its period with its running counter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from drivers.can_ev import identity
from drivers.can_ev.codec import Codec
from drivers.can_ev.frame import Frame
from drivers.can_ev.vehicle import DriveReport, Layout, Signals
from embodied.devices.disturbance import flip_bit


@dataclass
class Reporter:
    """Reporter of one virtual drive-by-wire unit: its reports as CAN frames at their periods.

    Attributes:
        codec: codec of the vehicle.
        period: time of a cycle of the unit [s].
        parts: signals of the identity report, sent in turn.
        stuck: whether counters stand still.
        damaged: whether each frame has a bit flipped.
        muted: name of a message that is not sent; empty for none.
    """

    codec: Codec
    period: float
    parts: list[Signals]
    stuck: bool = False
    damaged: bool = False
    muted: str = ""

    def __post_init__(self) -> None:
        self._counters: dict[str, int] = {}
        self._identity_codec = Codec(identity.IDENTITY)

    def restart(self) -> None:
        """Begin all counters again, as a unit does that was switched on."""
        self._counters.clear()

    def frames(self, report: DriveReport, cycle: int) -> Iterator[Frame]:
        """Yield the frames that are due in a cycle.

        Args:
            report: state of the vehicle.
            cycle: number of the cycle.
        """
        vehicle = self.codec.vehicle
        signals = vehicle.encode_report(report)
        for layout in vehicle.reports:
            if self._due(layout, cycle) and layout.name != self.muted:
                yield self._frame(self.codec, layout.name, signals[layout.name])
        (layout,) = identity.IDENTITY.reports
        if self._due(layout, cycle):
            part = self.parts[self._counters.get(layout.name, 0) % len(self.parts)]
            yield self._frame(self._identity_codec, layout.name, part)

    def _due(self, layout: Layout, cycle: int) -> bool:
        return cycle % max(1, round(layout.period / self.period)) == 0

    def _frame(self, codec: Codec, name: str, signals: Signals) -> Frame:
        counter = self._counters.get(name, 0)
        frame = codec.encode(name, signals, counter)
        if not self.stuck:
            self._counters[name] = counter + 1
        return replace(frame, data=flip_bit(frame.data)) if self.damaged else frame
