"""Checksums of CAN messages, over identifier and payload without the checksum byte itself."""

from __future__ import annotations

from collections.abc import Callable

Checksum = Callable[[int, bytes, int], int]
"""Function of identifier, payload and index of the checksum byte in it, to the eight bits of the checksum."""

POLYNOMIAL = 0x1D
"""Generator polynomial of CRC-8 SAE J1850."""


def _table() -> tuple[int, ...]:
    remainders = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte << 1) ^ (POLYNOMIAL if byte & 0x80 else 0)
        remainders.append(byte & 0xFF)
    return tuple(remainders)


_CRC = _table()


def crc8(identifier: int, data: bytes, place: int) -> int:
    """Return the CRC-8 SAE J1850 checksum of the identifier, high byte first, and of the payload of a CAN message.

    Args:
        identifier: arbitration identifier of the frame.
        data: payload of the frame.
        place: index of the checksum byte in the payload.
    """
    crc = 0xFF
    for byte in (identifier >> 8 & 0xFF, identifier & 0xFF, *data[:place], *data[place + 1 :]):
        crc = _CRC[crc ^ byte]
    return crc ^ 0xFF


def byte_sum(identifier: int, data: bytes, place: int) -> int:
    """Return the checksum of a message on Tesla's party bus: the sum of all bytes of identifier and payload.

    Args:
        identifier: arbitration identifier of the frame.
        data: payload of the frame.
        place: index of the checksum byte in the payload.
    """
    return ((identifier >> 8) + (identifier & 0xFF) + sum(data) - data[place]) & 0xFF
