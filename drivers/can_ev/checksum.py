"""Checksums over a frame's identifier and its bytes, but for the byte in which the checksum itself stands."""

from __future__ import annotations

from collections.abc import Callable

Checksum = Callable[[int, bytes, int], int]
"""Of an identifier, the data, and the place of the checksum in it: a number of eight bits."""

POLYNOMIAL = 0x1D


def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte << 1) ^ (POLYNOMIAL if byte & 0x80 else 0)
        found.append(byte & 0xFF)
    return tuple(found)


_CRC = _table()


def crc8(identifier: int, data: bytes, place: int) -> int:
    """CRC-8 SAE J1850 of the identifier, high byte first, and of the data."""
    crc = 0xFF
    for byte in (identifier >> 8 & 0xFF, identifier & 0xFF, *data[:place], *data[place + 1 :]):
        crc = _CRC[crc ^ byte]
    return crc ^ 0xFF


def total(identifier: int, data: bytes, place: int) -> int:
    """The sum of both bytes of the identifier and of the data, as on Tesla's party bus."""
    return ((identifier >> 8) + (identifier & 0xFF) + sum(data) - data[place]) & 0xFF
