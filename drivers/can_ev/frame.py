"""Classic CAN frame, as the bus, the adapter and the codec exchange it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """Classic CAN frame with an 11-bit identifier and its payload.

    Attributes:
        identifier: arbitration identifier of the message.
        data: payload, up to 8 bytes.
    """

    identifier: int
    data: bytes
