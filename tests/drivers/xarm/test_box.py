"""What a virtual box must survive, and what it must not call done: the vendor's SDK on a plain body."""

from __future__ import annotations

import math
import socket
import threading
from typing import Any

import numpy as np
import pytest

from drivers.xarm.codec import Frame, Register, State
from drivers.xarm.virtual import StandaloneXArm, server
from tests.drivers.xarm.client import Client
from tests.drivers.xarm.test_examples import box, client
from tests.drivers.xarm.test_sdk import angles, ready, until

__all__ = ["box", "client"]


def test_notices_to_clients_while_replies_are_sent_do_not_end_the_box(box: StandaloneXArm, client: Any) -> None:
    ready(client, 0)
    assert client.set_feedback_type(2) == 0
    heard: list[int] = []
    client.register_feedback_callback(lambda data: heard.append(data[8]))
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            client.get_servo_angle()

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for _ in range(300):
        assert client.set_pause_time(0.0) == 0
    assert until(lambda: len(heard) == 300), f"{len(heard)} of 300 notices arrived"
    stop.set()
    for thread in asking:
        thread.join()


def test_a_blocking_move_that_something_is_in_the_way_of_is_an_error(box: StandaloneXArm, client: Any) -> None:
    ready(client, 0)
    q = angles(client)
    with box._lock:
        box._plain.block(0, q[0] + 0.1)
    code = client.set_servo_angle(
        angle=(q + np.array([0.3, 0, 0, 0, 0, 0])).tolist(), speed=2, mvacc=20, wait=True, timeout=5
    )
    assert code in (1, -9), "the SDK sees the error, or the stop, first"
    assert client.get_err_warn_code() == (0, [31, 0])
    assert client.get_state() == (0, 4)
    assert math.isclose(box.position()[0], q[0] + 0.1, abs_tol=0.02)


def test_a_client_that_asks_and_never_reads_is_disconnected(box: StandaloneXArm, monkeypatch: Any) -> None:
    monkeypatch.setattr(server, "UNSENT_MOST", 10_000)
    asked = Frame(1, 2, Register.VERSION).pack() * 5_000
    with Client(box.host, box.port) as good, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((box.host, box.port))
        deaf.settimeout(5.0)
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                deaf.sendall(asked)
        assert good.state() == State.STOPPED
