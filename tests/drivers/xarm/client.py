"""Another client of a control box, in plain frames: what somebody's script does while the driver is open."""

from __future__ import annotations

import socket
import time

from drivers.xarm import codec
from drivers.xarm.codec import Flag, Frame, Mode, Register, State
from embodied.messages import Vector
from embodied.testing.serving import pause

TIMEOUT = 5.0
"""Longest wait for an answer, and for a motion [s]."""


class Client:
    """Client with a connection of its own, which sends one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._channel = socket.create_connection((host, port), TIMEOUT)
        self._number = 0
        self._unread = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def ask(self, register: Register, payload: bytes = b"") -> Frame:
        """Send a request and return its reply."""
        self._number += 1
        self._channel.sendall(Frame(self._number, 2, register, payload).pack())
        while True:
            frames, self._unread = codec.split(self._unread + self._channel.recv(4096))
            for frame in frames:
                if frame.transaction == self._number and frame.register == register:
                    return frame

    def order(self, register: Register, payload: bytes = b"") -> None:
        """Send an order, which the box takes."""
        reply = self.ask(register, payload)
        assert not reply.payload[0] & Flag.INVALID, f"{register.name} was refused: {reply}"

    def take(self, mode: Mode) -> None:
        """Bring the box into a mode, ready to move."""
        self.order(Register.SET_MODE, bytes([mode]))
        self.order(Register.SET_STATE, b"\0")

    def move(self, goal: Vector) -> None:
        """Move the joints in planned mode, and wait until they are there."""
        self.order(Register.MOVE_JOINT, codec.floats([*codec.seven(goal.tolist()), 1.5, 10.0, 0.0]))
        end = time.monotonic() + TIMEOUT
        while self.state() == State.MOVING:
            assert time.monotonic() < end, "the arm does not arrive"
            pause(0.01)

    def state(self) -> int:
        """Return the state of the box."""
        return self.ask(Register.GET_STATE).payload[1]
