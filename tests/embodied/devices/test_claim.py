"""Claims on devices. Law: the same address twice is refused, in one process and between processes of any user."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from embodied.devices.claim import Claim
from embodied.devices.serial_port import SerialPort
from embodied.errors import DeviceInUse

HOLD = """
import sys
from embodied.devices.claim import Claim
claim = Claim(sys.argv[1])
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def device() -> str:
    """A device that no other test has."""
    return f"the arm {uuid4()}"


@pytest.fixture
def port() -> Iterator[str]:
    ends = pty.openpty()
    yield os.ttyname(ends[1])
    for end in ends:
        with suppress(OSError):
            os.close(end)


def held(device: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    return process


def test_a_device_is_claimed_once_until_it_is_released(device: str) -> None:
    first = Claim(device)
    for _ in range(3):
        with pytest.raises(DeviceInUse, match=f"{device} is in use by another driver of this run"):
            Claim(device)
    Claim(f"{device} of another name").release()
    first.release()
    first.release()
    Claim(device).release()


def test_who_has_a_device_in_another_process_is_named_and_its_end_however_sudden_frees_it(device: str) -> None:
    other = held(device)
    with pytest.raises(DeviceInUse, match=f"{device} is in use by process {other.pid}\n") as refused:
        Claim(device)
    assert refused.value.exit_code == 2
    other.send_signal(signal.SIGKILL)
    other.communicate()
    Claim(device).release()


def test_a_claim_that_hundreds_have_asked_for_still_answers_at_once(device: str) -> None:
    first = Claim(device)
    for _ in range(300):
        with pytest.raises(DeviceInUse, match="is in use"):
            Claim(device)
    first.release()


def test_a_serial_port_is_opened_once_by_whatever_link(port: str, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(port)
    first = SerialPort(port)
    for path in (port, str(link)):
        with pytest.raises(DeviceInUse, match=f"serial port {path} is in use by another driver of this run"):
            SerialPort(path)
    first.close()
    SerialPort(str(link)).close()
