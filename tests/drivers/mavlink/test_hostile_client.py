"""Nothing that a client sends ends the virtual autopilot, or makes a number of its flight that is none."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import Origin
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.aircraft import Aircraft
from embodied.clock import SECOND, Time
from tests.drivers.mavlink.bench import port
from tests.drivers.multirotor import Sky

SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1.0, 3.4e38, -3.4e38, 1e-38)
"""Numbers that find faults."""

COMMANDS = sorted(common.enums["MAV_CMD"])
"""All commands that there are."""

KINDS = [
    kind
    for kind in common.mavlink_map.values()
    if kind.msgname.startswith(("SET_", "COMMAND_", "MISSION_", "PARAM_", "LOG_", "FILE_", "SERIAL_", "TIMESYNC"))
    or kind.msgname in ("HEARTBEAT", "PING", "MANUAL_CONTROL", "FOLLOW_TARGET", "PLAY_TUNE_V2")
]
"""Messages that clients send."""


class Hostile:
    """Client that fills the fields of messages with anything."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def message(self) -> Any:
        kind = self._random.choice(KINDS)
        fields = [self._field(kind, index) for index in range(len(kind.fieldnames))]
        message = kind(*fields)
        # As it arrives: packed, with what the wire makes of its numbers.
        packer = common.MAVLink(None, 255, 190)
        return common.MAVLink(None).decode(bytearray(message.pack(packer)))

    def _field(self, kind: Any, index: int) -> Any:
        name, draw = kind.fieldnames[index], self._random
        letter, length = kind.fieldtypes[index], kind.array_lengths[kind.orders[index]]
        if name in ("target_system", "target_component"):
            return draw.choice((0, 1))
        if name == "command" and kind.msgname != "COMMAND_ACK":
            return draw.choice(COMMANDS)
        if name == "param_id":
            return draw.choice((b"MPC_XY_VEL_MAX", b"MPC_THR_HOVER", b"MIS_TAKEOFF_ALT", b"NAV_DLL_ACT", b"?"))
        if letter == "char":
            return bytes(draw.randrange(256) for _ in range(length or 1))
        values = [self._number(letter) for _ in range(length or 1)]
        return values if length else values[0]

    def _number(self, letter: str) -> float:
        draw = self._random
        if letter in ("float", "double"):
            return draw.choice((*SPECIAL, draw.uniform(-10.0, 10.0)))
        size = {"8": 8, "1": 16, "3": 32, "6": 64}[letter.removeprefix("u").removeprefix("int")[0]]
        low, high = (0, 2**size - 1) if letter.startswith("u") else (-(2 ** (size - 1)), 2 ** (size - 1) - 1)
        return draw.choice((low, high, draw.randint(low, high), min(draw.randrange(12), high)))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_a_client_sends_ends_it(seed: int) -> None:
    sky = Sky()
    sky.reset(0)
    aircraft = Aircraft(sky.body, 1 / 150, 1, Origin(47.4, 8.5, 488.0), {})
    hostile, draw, packer = Hostile(seed), random.Random(seed), common.MAVLink(None, 1, 1)
    aircraft.radio.open(0, port())
    try:
        for step in range(400):
            now = Time(step * SECOND // 150)
            sky.advance(now)
            with aircraft.lock:
                for _ in range(4):
                    for answer in aircraft._answer(hostile.message()):
                        assert answer.pack(packer)
                autopilot = aircraft.autopilot
                if step % 20 == 0:
                    # It is in the air again, in any mode, whatever was done to it.
                    autopilot.armed, autopilot.landed, autopilot.home = True, False, np.zeros(3)
                    autopilot.mode = draw.choice(list(Mode))
            aircraft.step(now)
            assert np.isfinite(sky.body.position).all()
            assert np.isfinite(sky.body.commanded).all()
    finally:
        aircraft.radio.close()
