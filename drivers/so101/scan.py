"""Scan for SO-101 arms at the serial ports of this machine."""

from __future__ import annotations

import os
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
    """Scan for SO-101 arms: query each port with a known adapter, each given port, and virtual arms of this machine.

    Args:
        hosts: paths of ports that are queried whatever their adapter; other entries are ignored.

    Returns:
        ports where at least one servo of an arm answers.

    Raises:
        MissingExtra: the SDK is not installed.
    """
    bus = sdk.bus()
    known = {port: serial for port, ids, serial in bus.ports() if ids in ADAPTERS}
    for port in dict.fromkeys((*filter(_is_port, hosts), *known, *filter(_is_port, virtual_ports()))):
        servos, adapter = servos_at(port), known.get(port, "")
        if servos:
            what = "SO-101" if len(servos) == len(IDS) else f"servos {', '.join(map(str, servos))} of an SO-101"
            yield Found(
                address=port,
                what=f"{what}, adapter {adapter}" if adapter else what,
                settings={"port": port, "serial": adapter} if adapter else {"port": port},
            )


def virtual_ports() -> list[str]:
    """Return the links at which `embodied virtual so101` and the profile `virtual` serve an arm of this user."""
    places = (os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{os.getuid()}", "/tmp")
    return [str(Path(place) / "embodied-so101") for place in dict.fromkeys(filter(None, places))]


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
