"""Host that the driver connects to: the SDK prefers a socket file, whatever its host is."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.xarm import XArm
from drivers.xarm.hosts import is_loopback, local_socket
from drivers.xarm.virtual import VirtualXArm
from embodied.errors import LinkFailed
from embodied.testing.serving import Serving
from tests.drivers.kinematic import KinematicWorld
from tests.drivers.xarm.bench import address
from tests.embodied.robots import robot

ROBOT = robot("xarm7")
ROOT = Path(__file__).parents[3]

SERVE = """
import ctypes, os, struct, sys
from drivers.xarm.virtual import VirtualXArm
from embodied.testing.serving import Serving
from tests.drivers.kinematic import KinematicWorld
from tests.embodied.robots import robot
# CAP_NET_BIND_SERVICE, number 10 of capabilities(7), is given up: capset(2), version 3.
libc = ctypes.CDLL(None)
head, caps = struct.pack("Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
assert libc.capget(head, caps) == 0
words = list(struct.unpack("6I", caps.raw))
words[0] &= ~(1 << 10)
assert libc.capset(head, struct.pack("6I", *words)) == 0
arm = robot("xarm7")
far = VirtualXArm(arm, host=sys.argv[1], port=int(sys.argv[2]))
with Serving(far, KinematicWorld(far.robot)):
    print(far.address, flush=True)
    sys.stdin.read()
"""


def serve(host: str, port: int) -> subprocess.Popen[str]:
    """A virtual box in a process that has no right to ports below 1024."""
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, host, str(port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def port() -> Iterator[int]:
    """A port below 1024, with no socket file of its number."""
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) < 1024:
        pytest.skip("ports below 1024 need no right on this machine")
    found = next(p for p in random.sample(range(600, 1000), 50) if not local_socket(p).exists())
    yield found
    if os.access(local_socket(found), os.W_OK):
        local_socket(found).unlink(missing_ok=True)


def where(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_box_without_the_right_to_its_port_is_served_on_the_sdk_s_socket_file_and_removes_it(port: int) -> None:
    box = serve(address(), port)
    assert where(box) == str(local_socket(port))
    box.communicate("", timeout=20)
    assert box.returncode == 0
    assert not local_socket(port).exists()


def test_a_socket_file_that_a_killed_box_left_is_taken_over_and_one_of_a_living_box_is_not(port: int) -> None:
    killed = serve(address(), port)
    assert where(killed) == str(local_socket(port))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert local_socket(port).exists()
    second = serve(address(), port)
    try:
        assert where(second) == str(local_socket(port))
        third = serve(address(), port)
        assert where(third) == ""
        third.communicate(timeout=20)
        assert third.returncode != 0
        assert local_socket(port).exists()
    finally:
        second.communicate("", timeout=20)
    assert not local_socket(port).exists()


def test_the_driver_meets_the_host_it_was_given_though_a_socket_file_of_that_port_is_there(port: int) -> None:
    if os.getuid() != 0:
        pytest.skip("a box on a port below 1024 beside one on the socket file needs the right to both")
    decoy = serve(address(), port)
    try:
        assert where(decoy) == str(local_socket(port))
        meant = VirtualXArm(ROBOT, host=address(), port=port)
        with Serving(meant, KinematicWorld(ROBOT)):
            driver = XArm(robot=ROBOT, host=meant.host, port=port)
            driver.open()
            try:
                driver.arm()
            finally:
                driver.close()
            assert meant._box.enabled
    finally:
        decoy.communicate("", timeout=20)


def test_two_boxes_at_one_address_are_one_clear_error() -> None:
    first = VirtualXArm(ROBOT, host=address(), port=15502)
    with (
        Serving(first, KinematicWorld(ROBOT)),
        pytest.raises(LinkFailed, match=r"another virtual arm is served there: give this one another host"),
        Serving(VirtualXArm(ROBOT, host=first.host, port=15502), KinematicWorld(ROBOT)),
    ):
        pass


def test_only_addresses_of_this_machine_are_loopback() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("127.3.2.1")
    assert is_loopback("localhost")
    assert not is_loopback("192.168.1.185")
    assert not is_loopback("example")
