"""A virtual device on a serial line has its link as a setting; what the system says of its path is one sentence."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from embodied.devices.serial_port import SerialPort
from embodied.devices.virtual_serial import PseudoTerminal, VirtualSerial
from embodied.errors import LinkFailed


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


def test_a_link_leads_to_the_port_and_goes_with_it(tmp_path: Path) -> None:
    link = tmp_path / "port"
    link.symlink_to("/nowhere")
    terminal = PseudoTerminal(str(link))
    assert str(link.readlink()).startswith("/dev/pts/")
    terminal.close()
    assert not link.is_symlink()


def test_a_path_that_cannot_hold_a_link_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "port", tmp_path / "none" / "port", tmp_path / ("x" * 300)):
        with pytest.raises(LinkFailed, match=r"cannot lead to the virtual device \(.*\): choose another link"):
            PseudoTerminal(str(path))
