"""Looks for arms at the serial ports of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from drivers.so101 import control_table, sdk
from drivers.so101.servos import IDS
from embodied.devices.registry import Found
from embodied.errors import DeviceLost

ADAPTERS = {
    (0x1A86, 0x55D3): "CH343, on Waveshare's and the maker's board",
    (0x1A86, 0x7523): "CH340, on Feetech's FE-URT-1",
    (0x1A86, 0x7522): "CH340",
    (0x10C4, 0xEA60): "CP2102",
    (0x0403, 0x6001): "FT232R",
    (0x0403, 0x6014): "FT232H",
}
"""USB numbers of adapters that such servos are sold with; at others nobody is asked, they may be anything."""

TRIES = 3
"""So often a servo is asked whether it is there."""


def scan(hosts: Sequence[str]) -> Iterator[Found]:
    """Ask at each port with a known adapter, and at those that are named.

    Args:
        hosts: of these the paths of ports, where is asked whatever adapter they have.

    Returns:
        where at least one servo of an arm answers, and which do.

    Raises:
        MissingExtra: the SDK is not installed.
    """
    bus = sdk.bus()
    known = {port: serial for port, ids, serial in bus.ports() if ids in ADAPTERS}
    for port in dict.fromkeys((*filter(_is_port, hosts), *known)):
        found, serial = at(port), known.get(port, "")
        if found:
            what = "SO-101" if len(found) == len(IDS) else f"servos {', '.join(map(str, found))} of an SO-101"
            yield Found(
                address=port,
                what=f"{what}, adapter {serial}" if serial else what,
                settings={"port": port, "serial": serial} if serial else {"port": port},
            )


def at(port: str) -> list[int]:
    """Which of an arm's servos answer at a port; none where it cannot be opened."""
    try:
        line = sdk.bus()(port, control_table.BAUDS[0])
    except DeviceLost:
        return []
    try:
        return [servo for servo in IDS if any(line.ping(servo) == control_table.MODEL_STS3215 for _ in range(TRIES))]
    except DeviceLost:
        return []
    finally:
        line.close()


def _is_port(name: str) -> bool:
    return Path(name).is_char_device()
