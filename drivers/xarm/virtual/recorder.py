"""Recorder of a virtual control box: trajectories that are taught by hand, kept, and played back."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import numpy as np

from drivers.xarm.codec import Frame, Mode, Register
from drivers.xarm.virtual.controller import Controller
from drivers.xarm.virtual.motion import joint_path
from embodied.messages import Vector

PERIOD = 0.05
"""Time between two points of a recording [s]."""

LONGEST = 6000
"""Largest number of points of a recording: five minutes."""

PLAY_SPEED = 1.0
"""Speed of the furthest joint while a recording is played back [rad/s]."""


class RecordState(IntEnum):
    """State of the recorder of an xArm's control box, as a number on its control port."""

    IDLE = 0
    LOADED = 2
    LOAD_FAILED = 3
    SAVED = 5
    SAVE_FAILED = 6


class Recorder:
    """Recorder of one virtual control box, with its handlers by register; its recordings end with the box.

    Args:
        controller: state machine of the box.

    Attributes:
        finished: called with a request that takes a while, and whether it succeeded.
    """

    def __init__(self, controller: Controller) -> None:
        self._box = controller
        self._files: dict[bytes, list[Vector]] = {}
        self._points: list[Vector] = []
        self._loaded: list[Vector] = []
        self._recording = False
        self._since = 0.0
        self._state = RecordState.IDLE
        self.finished: Callable[[Frame, bool], None] = lambda _, __: None
        self.handlers: dict[int, Callable[[Frame], bytes | None]] = {
            Register.RECORD: self._record,
            Register.SAVE_RECORD: self._save,
            Register.LOAD_RECORD: self._load,
            Register.PLAY_RECORD: self._play,
            Register.RECORD_STATE: lambda _: bytes([self._state]),
        }

    def advance(self, seconds: float) -> None:
        """Let time pass, and take a point of the recording when it is due."""
        self._since += seconds
        if self._recording and self._since >= PERIOD and len(self._points) < LONGEST:
            self._since = 0.0
            self._points.append(self._box.measured[0].copy())

    def _record(self, request: Frame) -> bytes | None:
        if not request.payload or (self._box.mode != Mode.TEACH and request.payload[0]):
            return None
        self._recording = bool(request.payload[0])
        if self._recording:
            self._points = [self._box.measured[0].copy()]
        return b""

    def _save(self, request: Frame) -> bytes | None:
        name = request.payload.partition(b"\0")[0]
        done = bool(name and self._points)
        if done:
            self._files[name] = list(self._points)
        self._state = RecordState.SAVED if done else RecordState.SAVE_FAILED
        self.finished(request, done)
        return b""

    def _load(self, request: Frame) -> bytes | None:
        self._loaded = self._files.get(request.payload.partition(b"\0")[0], [])
        self._state = RecordState.LOADED if self._loaded else RecordState.LOAD_FAILED
        self.finished(request, bool(self._loaded))
        return b""

    def _play(self, request: Frame) -> bytes | None:
        times = int.from_bytes(request.payload[:4], "little", signed=True)
        if len(request.payload) < 8 or not self._loaded or not 0 < times <= 100:
            return None
        points = np.array([self._box.start_of_next, *(self._loaded * times)])
        return b"" if self._box.drive(request, joint_path(list(points)), PLAY_SPEED, 5.0) else None
