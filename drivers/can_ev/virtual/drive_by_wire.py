"""A drive-by-wire unit, as `generic.dbc` states it: when it takes over, what it latches, how it stops."""

from __future__ import annotations

from drivers.can_ev.vehicle import BRAKING, CREEP, STILL, Order
from embodied.bodies import CarSensors

TURNING = 0.8
"""How fast it turns the front wheels at the road [rad/s]."""

GAIN, ACCELERATION = 4.0, 2.0
"""Acceleration for each metre a second that it is too slow [1/s]; and the most where none is asked for [m/s²]."""

EMPTY = 0.1
"""A battery with less charge ends the ride."""

INVALID, SILENT, LOW = "invalid commands", "command time-out", "low battery"


class Ecu:
    """The unit; whoever drives it calls `obey` for each order, and `advance` once a cycle.

    Args:
        period: of a cycle [s].

    Attributes:
        engaged: whether it follows orders.
        stopping: whether it makes a controlled stop.
        overridden: whether a person took over, latched.
        faults: latched, by name.
        present: faults whose cause is there.
        pressed: whether its emergency stop is.
        person: whether somebody brakes, accelerates or steers.
        deaf: says that it has left, and drives on.
        gear: one of P, R, N, D.
    """

    def __init__(self, period: float) -> None:
        self.engaged = self.stopping = self.overridden = self.pressed = self.person = self.deaf = False
        self.faults: set[str] = set()
        self.present: set[str] = set()
        self.gear = "P"
        self._period = period
        # An edge has to be seen: whoever asked before its power came on has to cease first.
        self._asked = True
        self._order = Order()
        self._distrust = ""
        self._steering = 0.0

    def obey(self, order: Order) -> None:
        """An order that came whole."""
        rising, self._asked = order.enable and not self._asked, order.enable
        if order.clear and not order.enable:
            self.faults &= self.present
            self.overridden = self.person
        if rising and abs(order.speed) <= CREEP and not self._hindered and not self._distrust:
            self.engaged, self.stopping = True, False
        if self.engaged and not order.enable:
            self._stop()
        if self.engaged:
            self._order = order

    def advance(self, distrust: str, motions: CarSensors) -> tuple[float, float]:
        """A cycle.

        Args:
            distrust: why orders are not to be trusted any more; empty if they are.
            motions: what the vehicle measures.

        Returns:
            the angle of the front wheels [rad], and the acceleration [m/s²].
        """
        if motions.charge < EMPTY:
            self.faults.add(LOW)
        self._distrust = distrust
        if distrust and self.engaged:
            self.faults.add(INVALID if "wrong" in distrust else SILENT)
        self.faults |= self.present
        if self.person:
            self.overridden, self.engaged, self.stopping = True, False, False
        if self.engaged and self._hindered:
            self._stop()
        if self.stopping and (self.deaf or abs(motions.speed) <= STILL):
            self.stopping = False
        return self._act(motions)

    @property
    def _hindered(self) -> bool:
        return bool(self.faults) or self.overridden or self.pressed

    def _stop(self) -> None:
        self.engaged, self.stopping = False, True

    def _act(self, motions: CarSensors) -> tuple[float, float]:
        if not (self.engaged or self.deaf):
            # The wheels stay where they are; where nobody drives, the brakes hold it once it stands.
            return self._steering, -BRAKING
        order, still = self._order, abs(motions.speed) <= STILL
        # What is here has no reverse gear, and none changes while it moves.
        if still and order.gear != "R":
            self.gear = order.gear
        reach = TURNING * self._period
        self._steering += min(max(order.steering - self._steering, -reach), reach)
        most = order.acceleration or ACCELERATION
        wanted = order.speed if self.gear == "D" and order.gear == "D" else 0.0
        if wanted <= 0.0 and still:
            return self._steering, -BRAKING
        return self._steering, min(max(GAIN * (wanted - motions.speed), -most), most)
