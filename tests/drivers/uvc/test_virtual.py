"""The virtual camera serves any client, and reports that it is virtual."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

from drivers.uvc.codec import Jpeg
from drivers.uvc.scan import scan
from drivers.uvc.virtual import VirtualCamera
from embodied.clock import Time
from embodied.errors import LinkFailed, WorldFailed
from embodied.launch import Overrides, load
from embodied.live.camera_replicas import CameraReplica, is_camera, with_replicas
from embodied.node.node import generator
from embodied.runtime.lifecycle import open_node
from embodied.runtime.running_node import RunningNode
from sims.airfield.world import Airfield
from sims.bodies.camera_mounts import DOWN
from sims.tabletop.world import Tabletop
from tests.embodied.robots import robot

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def world() -> Iterator[Tabletop]:
    world = Tabletop(robot("panda"))
    world.reset(3)
    yield world
    world.close()


@contextmanager
def opened(world: Tabletop) -> Iterator[VirtualCamera]:
    camera = VirtualCamera(port=0)
    camera.rng = generator(0, "camera")
    camera.open(world)
    try:
        yield camera
    finally:
        camera.close()


@contextmanager
def asked(address: str, verb: str, path: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(address.split("/")[2], timeout=20)
    connection.request(verb, path)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def test_a_client_gets_a_picture_at_once_and_the_next_as_they_are_taken(world: Tabletop) -> None:
    with opened(world) as camera, asked(camera.address, "GET", "/virtual/overhead.mjpg") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
        camera.listened = frozenset({"rgb"})
        pictures = []
        for now in (Time(0), Time(33)):
            assert response.readline() == b"--picture\r\n"
            assert response.readline() == b"Content-Type: image/jpeg\r\n"
            length = int(response.readline().removeprefix(b"Content-Length: "))
            assert response.readline() == b"\r\n"
            pictures.append(response.read(length))
            assert response.readline() == b"\r\n"
            if now == 0:
                sent = camera.step(Time(33)).rgb
        assert pictures[0] != pictures[1], "a scene that stands still has pictures that differ in their comment"
        seen = world.camera("overhead").render().rgb
        assert seen is not None
        assert sent is not None
        np.testing.assert_array_equal(sent.data, seen)
        assert np.abs(Jpeg(pictures[1]).pixels().astype(int) - seen).mean() < 3


def test_it_says_that_it_is_virtual_and_knows_one_path_alone(world: Tabletop) -> None:
    with opened(world) as camera:
        with asked(camera.address, "HEAD", "/virtual/overhead.mjpg") as response:
            assert response.status == 200
            assert response.headers["X-Embodied-Virtual"] == "yes"
            assert "virtual" in response.headers["Server"]
        for verb, path in (("GET", "/"), ("POST", "/virtual/overhead.mjpg"), ("GET", "/virtual/wrist.mjpg")):
            with asked(camera.address, verb, path) as response:
                assert response.status == 404


def test_a_scan_finds_a_virtual_camera_with_its_address(world: Tabletop) -> None:
    with opened(world) as camera:
        host = camera.address.split("/")[2]
        (found,) = (each for each in scan([host, "not a host", "127.0.0.1:1"]) if each.address == camera.address)
        assert found.what == "embodied virtual camera, serial overhead"
        assert found.settings == {"source": camera.address, "serial": "overhead"}


def test_a_port_that_is_taken_is_said_with_what_to_do(world: Tabletop) -> None:
    with opened(world) as camera:
        port = int(camera.address.split(":")[2].split("/")[0])
        with pytest.raises(LinkFailed, match=rf"at 127.0.0.1:{port}: Address already in use; give it another port"):
            VirtualCamera(port=port).open(world)


def test_settings_out_of_range_are_refused() -> None:
    assert list(VirtualCamera(quality=0, port=70000).check()) == [
        "quality must be in [1, 100], got 0",
        "port must be in [0, 65535], got 70000",
    ]


def test_the_bench_is_proven_and_its_camera_is_rendered_beside_the_physics() -> None:
    plan = load(ROOT / "drivers" / "uvc" / "bench.yaml").graph("virtual").check()
    assert is_camera(plan.nodes["camera"])


def test_a_camera_that_is_rendered_beside_the_physics_tells_its_address(world: Tabletop) -> None:
    plan = load(ROOT / "drivers" / "uvc" / "bench.yaml", Overrides(sets=("port=0",))).graph("virtual").check()
    replicated, _ = with_replicas(plan)
    camera = RunningNode(replicated.nodes["camera"], 0, 0)
    assert isinstance(camera.planned.node, CameraReplica)
    try:
        assert re.fullmatch(
            r"served at http://127\.0\.0\.1:\d+/virtual/overhead\.mjpg", open_node(camera, 0, frozenset(), world)
        )
    finally:
        camera.planned.node.close()


def test_a_launch_file_with_a_camera_is_read_without_opencv() -> None:
    code = "import sys, drivers.uvc; assert drivers.uvc.Camera().ports(); assert 'cv2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_camera_that_travels_on_a_body_tells_its_pose_in_the_frame_of_that_and_in_no_other() -> None:
    field = Airfield()
    field.reset(0)
    try:
        with pytest.raises(WorldFailed, match=r"camera 'down' is given in the frame 'drone': write 'frame: drone'"):
            VirtualCamera(view="down", port=0).open(field)
        camera = VirtualCamera(view="down", frame="drone", port=0)
        camera.open(field)
        try:
            info = camera.step(Time(0)).info
        finally:
            camera.close()
        assert info is not None
        assert info.frame == camera.ports().outputs["info"].refined.frame == "drone"
        np.testing.assert_array_equal(info.position, DOWN.optical[:3, 3])
    finally:
        field.close()
