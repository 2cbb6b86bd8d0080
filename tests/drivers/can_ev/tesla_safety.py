"""Safety rules for commands to a Tesla: in our words, and opendbc's own code where it is installed.

Our words follow opendbc 0.3.1, `safety/modes/tesla.h`, `safety/lateral.h` and `safety/longitudinal.h` (comma.ai and
contributors, MIT). opendbc's own code is compiled from the headers that its package brings.
"""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
from collections import deque
from pathlib import Path
from typing import Protocol

from drivers.can_ev.frame import Frame

STEERING = 0x488
"""Identifier of DAS_steeringControl."""

CONTROL = 0x2B9
"""Identifier of DAS_control."""

ANGLE = 0x370
"""Identifier of EPAS3S_sysStatus."""

SPEED = 0x257
"""Identifier of DI_speed."""

PEDAL = 0x118
"""Identifier of DI_systemStatus."""

CRUISE = 0x286
"""Identifier of DI_state."""

SHIM = """
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <math.h>
static uint32_t now_us = 0;
uint32_t microsecond_timer_get(void);
uint32_t microsecond_timer_get(void) { return now_us; }
#include "opendbc/safety/can.h"
#include "opendbc/safety/safety.h"
void begin(void);
void begin(void) { now_us = 0; set_safety_hooks(10U, 1U); safety_mode_cnt = 2U; tesla_autopark = false; }
static CANPacket_t packet(uint32_t us, int addr, const uint8_t *data, int length) {
  CANPacket_t p = {0};
  now_us = us; p.addr = addr; p.data_len_code = length; memcpy(p.data, data, length);
  return p;
}
void heard(uint32_t us, int addr, const uint8_t *data, int length);
void heard(uint32_t us, int addr, const uint8_t *data, int length) {
  CANPacket_t p = packet(us, addr, data, length); (void)safety_rx_hook(&p);
}
bool allowed(uint32_t us, int addr, const uint8_t *data, int length);
bool allowed(uint32_t us, int addr, const uint8_t *data, int length) {
  CANPacket_t p = packet(us, addr, data, length); return safety_tx_hook(&p);
}
"""
"""Door to opendbc's hooks, for a Tesla with longitudinal control: a report of the car, and a command to it."""


class SafetyRules(Protocol):
    """Rules that see both directions of a bus."""

    def heard(self, at: float, frame: Frame) -> None:
        """See a report of the vehicle."""

    def allowed(self, at: float, frame: Frame) -> bool:
        """Return whether a command is let through."""


class OwnWords:
    """Rules of opendbc's Tesla mode in our words, for cars without a second speed sensor and a radar."""

    def __init__(self) -> None:
        self._angles: deque[int] = deque([0] * 6, maxlen=6)
        self._speeds: deque[float] = deque([0.0] * 6, maxlen=6)
        self._cruise = self._controls = False
        self._pedal = False
        self._last = 0
        self._count, self._since = 0, 0.0

    def heard(self, at: float, frame: Frame) -> None:
        data = frame.data
        if frame.identifier == ANGLE:
            self._angles.append(((data[4] & 0x3F) << 8 | data[5]) - 8192)
            if data[4] >> 6 >= 3:
                self._controls = False
        elif frame.identifier == SPEED:
            self._speeds.append(((data[2] << 4 | data[1] >> 4) * 0.08 - 40) / 3.6)
        elif frame.identifier == CRUISE:
            cruise = (data[1] >> 4 & 7) in (2, 3, 4, 6, 7)
            # Control is allowed by the moment in which a person, or the car, switches cruise control on.
            if cruise and not self._cruise:
                self._controls = True
            if not cruise:
                self._controls = False
            self._cruise = cruise
        elif frame.identifier == PEDAL:
            self._pedal = data[4] != 0

    def allowed(self, at: float, frame: Frame) -> bool:
        data = frame.data
        if frame.identifier == STEERING:
            return self._steering(at, ((data[0] & 0x7F) << 8 | data[1]) - 16384, data[2] >> 6)
        if frame.identifier == CONTROL:
            most = (data[6] & 0x1F) << 4 | data[5] >> 4
            least = (data[5] & 0xF) << 5 | data[4] >> 3
            # In steps of 0.04 m/s² from -15: 375 is none, 425 is 2 m/s², 288 is -3.48 m/s².
            driven = self._controls and not self._pedal
            fits = all(raw == 375 or (driven and 288 <= raw <= 425) for raw in (most, least))
            return fits and not (most < 375 and least < 375) and data[2] & 3 == 0
        return False

    def _steering(self, at: float, angle: int, kind: int) -> bool:
        """Check an angle of the wheel [0.1°]."""
        controlled = kind == 1
        right = kind in (0, 1)
        if self._controls and controlled:
            speed = max(min(self._speeds) - 1.0, 1.0)
            lateral = 3.0 + 9.81 * 0.06
            factor = 12.0 * 2.89 * (1 + 0.000580374383851451 * speed**2) * 57.29577951308232
            most = lateral / speed**2 * factor
            right &= abs(angle - self._last) <= int(most / 50 * 10 + 1) and abs(angle) <= int(most * 10 + 1)
            right &= self._count <= 16
            self._count += 1
            if at - self._since >= 0.25:
                self._count, self._since = 0, at
        self._last = angle
        if not controlled:
            low, high = (min(max(bound, -3600), 3600) for bound in (min(self._angles), max(self._angles)))
            right &= low - 1 <= angle <= high + 1
        right &= self._controls or not controlled
        if not (right and self._controls):
            self._last = min(max(self._angles[-1], -3600), 3600)
        return right


class OpendbcCode:
    """Safety code of opendbc itself, compiled.

    Args:
        folder: folder for the library.
    """

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.find_spec("opendbc")
        assert spec is not None
        assert spec.origin is not None
        source, library = folder / "shim.c", folder / "safety.so"
        source.write_text(SHIM)
        include = Path(spec.origin).parents[1]
        flags = ("-std=gnu11", "-O1", "-w", "-shared", "-fPIC", "-DALLOW_DEBUG")
        subprocess.run(["cc", *flags, f"-I{include}", source, "-o", library, "-lm"], check=True, capture_output=True)
        self._library = ctypes.CDLL(str(library))
        self._library.allowed.restype = ctypes.c_bool
        self._library.begin()

    @staticmethod
    def missing() -> str:
        """Return what is not installed here; empty if everything is."""
        lacking = [] if importlib.util.find_spec("opendbc") else ["opendbc"]
        return " and ".join([*lacking, *([] if shutil.which("cc") else ["a C compiler"])])

    def heard(self, at: float, frame: Frame) -> None:
        self._library.heard(int(at * 1e6), frame.identifier, frame.data, len(frame.data))

    def allowed(self, at: float, frame: Frame) -> bool:
        return bool(self._library.allowed(int(at * 1e6), frame.identifier, frame.data, len(frame.data)))
