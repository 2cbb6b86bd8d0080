"""A virtual device on a serial line has its link as a setting, whatever else it has."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from embodied.devices.serial_port import SerialPort
from embodied.devices.virtual_serial import VirtualSerial


@dataclass
class Echo(VirtualSerial):
    """Device that repeats what it receives."""

    word: str

    def step(self) -> None:
        self.send(self.receive())


def test_the_link_of_a_device_on_a_serial_line_is_a_setting_of_it(tmp_path: Path) -> None:
    link = tmp_path / "echo"
    device = Echo("x", link=str(link))
    assert [field.name for field in fields(device) if field.init] == ["link", "word"]
    device.close()
    device.open()
    try:
        assert device.address == str(link)
        port = SerialPort(str(link))
        port.send(b"heard\n")
        device.step()
        assert port.receive(1.0) == b"heard"
        port.close()
    finally:
        device.close()
    assert not link.is_symlink()
