"""Scan for SO-101 arms at the serial ports of this machine."""

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
"""USB vendor and product ids of adapters that such servos are sold with; other ports are not queried."""

TRIES = 3
"""Number of pings to each servo."""


def scan(hosts: Sequence[str]) -> Iterator[Found]:
    """Scan for SO-101 arms: query each port with a known adapter, and each given port.

    Args:
        hosts: paths of ports that are queried whatever their adapter; other entries are ignored.

    Returns:
        ports where at least one servo of an arm answers.

    Raises:
        MissingExtra: the SDK is not installed.
    """
    bus = sdk.bus()
    known = {port: serial for port, ids, serial in bus.ports() if ids in ADAPTERS}
    for port in dict.fromkeys((*filter(_is_port, hosts), *known)):
        servos, serial = servos_at(port), known.get(port, "")
        if servos:
            what = "SO-101" if len(servos) == len(IDS) else f"servos {', '.join(map(str, servos))} of an SO-101"
            yield Found(
                address=port,
                what=f"{what}, adapter {serial}" if serial else what,
                settings={"port": port, "serial": serial} if serial else {"port": port},
            )


def servos_at(port: str) -> list[int]:
    """Return the ids of the SO-101 servos that answer a scan of a port; none where it cannot be opened."""
    try:
        bus = sdk.bus()(port, control_table.BAUDS[0])
    except DeviceLost:
        return []
    try:
        return [servo for servo in IDS if any(bus.ping(servo) == control_table.MODEL_STS3215 for _ in range(TRIES))]
    except DeviceLost:
        return []
    finally:
        bus.close()


def _is_port(name: str) -> bool:
    return Path(name).is_char_device()
