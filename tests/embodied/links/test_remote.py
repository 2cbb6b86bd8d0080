"""Links between machines, over real sockets: what arrives, and who is believed."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zmq
from zmq.utils import z85

from embodied.errors import LaunchError, LinkFailed
from embodied.graph.endpoint import Endpoint
from embodied.links.keys import Keys
from embodied.links.receiver import Receiver
from embodied.links.sender import Sender
from embodied.links.tcp import VANISHED
from tests.embodied.links.machines import Cell, believe, free_endpoint, machine


def sequences(cell: Cell, end: Receiver, topic: str = "state") -> list[int]:
    return [arrival.sequence for arrival in cell.at(end) if arrival.topic == topic]


def test_every_message_is_delivered_in_order_with_all_that_belongs_to_it(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "hits", "other")
    rx = cell.receiver(free, "arm", base, hits=64)
    cell.until(lambda: tx.subscribers("hits"))
    for n in range(50):
        tx.send("hits", n, -n, f"first {n}".encode(), b"", bytes([n]) * n)
        tx.send("other", n, n, b"not asked for")
    cell.until(lambda: len(cell.at(rx)) == 50)
    for n, arrival in enumerate(cell.at(rx)):
        assert (arrival.topic, arrival.sequence, arrival.stamp) == ("hits", n, -n)
        assert [bytes(part) for part in arrival.parts] == [f"first {n}".encode(), b"", bytes([n]) * n]
    assert rx.received == {"hits": 50}
    assert not (rx.skipped or rx.refused or tx.skipped or tx.refused or tx.denied or rx.denied)


def test_what_is_sent_is_what_it_was_when_it_was_sent(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "image")
    rx = cell.receiver(free, "arm", base, image=None)

    def arrived(size: int) -> bool:
        return sequences(cell, rx, "image")[-1:] == [size]

    for size in (100, 3_000_000):
        buffer = bytearray(os.urandom(size))
        kept = bytes(buffer)
        tx.send("image", size, 0, buffer)
        buffer[:] = bytes(size)
        cell.until(partial(arrived, size))
        assert bytes(cell.at(rx)[-1].parts[0]) == kept


def test_a_taker_that_sleeps_gets_the_newest_and_the_rest_is_counted(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "state", "once")
    rx = cell.receiver(free, "arm", base, state=None, once=None)
    cell.until(lambda: tx.subscribers("state") and tx.subscribers("once"))
    tx.send("once", 7, 0, b"said once")
    for n in range(5000):
        tx.send("state", n, 0, bytes(2_000))
    # The publisher says nothing more, and the newest is there all the same.
    cell.until(lambda: sequences(cell, rx)[-1:] == [4999])
    got = sequences(cell, rx)
    assert all(a < b for a, b in pairwise(got))
    assert rx.skipped["state"] == 5000 - len(got) >= 4990
    assert sequences(cell, rx, "once") == [7]


def test_of_a_queue_that_is_full_the_oldest_are_dropped_and_counted(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "hits")
    rx = cell.receiver(free, "arm", base, hits=8)
    cell.until(lambda: tx.subscribers("hits"))
    for n in range(200):
        tx.send("hits", n, 0, b"hit")
    cell.until(lambda: sequences(cell, rx, "hits")[-1:] == [199])
    got = sequences(cell, rx, "hits")
    assert got == [*range(len(got) - 8), *range(192, 200)]
    assert rx.skipped["hits"] == tx.skipped["hits"] == 200 - len(got)


def test_a_descriptor_says_each_time_that_there_is_more(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "hits")
    rx = cell.receiver(free, "arm", base, hits=2_000)
    cell.until(lambda: tx.subscribers("hits"))
    for n in range(2_000):
        tx.send("hits", n, 0, b"hit")
    while len(cell.at(rx)) < 2_000:
        # Nobody calls but whom the descriptors call for, and they do so at once.
        ready, _, _ = select.select(list[Any]((tx, rx)), [], [], 10)
        assert ready
        if tx in ready:
            tx.serve()
        if rx in ready:
            cell.at(rx).extend(rx.drain(0))
    assert sequences(cell, rx, "hits") == list(range(2_000))


def test_a_taker_that_sleeps_over_all_it_has_asked_for_is_not_taken_for_gone(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "hits", "other")
    rx = cell.receiver(free, "arm", base, hits=2_000)
    witness = cell.receiver(free, "arm", base, other=None)
    cell.until(lambda: tx.subscribers("hits") and tx.subscribers("other"))
    cell.ends.remove(rx)
    for n in range(2_000):
        tx.send("hits", n, 0, b"hit")
    # Another taker goes on for longer than it takes to notice that one has vanished.
    end = time.monotonic_ns() + 2 * VANISHED
    while time.monotonic_ns() < end:
        tx.send("other", 0, 0, b"still here")
        cell.turn()
    cell.ends.append(rx)
    cell.until(lambda: len(cell.at(rx)) == 2_000)
    assert sequences(cell, rx, "hits") == list(range(2_000))
    assert witness.connected
    cell.until(lambda: rx.connected)


def test_a_taker_that_comes_late_gets_what_was_said_once(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "state", "task")
    tx.send("task", 0, 0, b"red")
    rx = cell.receiver(free, "arm", base, task=4, state=None)
    cell.until(lambda: cell.at(rx))
    assert bytes(cell.at(rx)[0].parts[0]) == b"red"


def test_a_message_is_no_older_than_the_question_it_answers(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "state")
    rx = Receiver(free, "arm", base, {"state": None})
    for now in range(1000, 4000):
        rx.drain(now)
        tx.serve()
        if tx.subscribers("state"):
            break
        select.select(list[Any]((tx, rx)), [], [], 0.01)
    tx.send("state", 0, 0, b"now")
    select.select([rx], [], [], 5)
    (arrival,) = rx.drain(9000)
    rx.close()
    assert 1000 <= arrival.asked <= now


def test_a_publisher_that_begins_anew_is_followed(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "state")
    rx = cell.receiver(free, "arm", base, state=None)
    tx.send("state", 100, 0, b"before")
    cell.until(lambda: sequences(cell, rx) == [100])
    cell.close(tx)
    cell.until(lambda: not rx.connected)
    tx = cell.sender(free, arm, "state")
    tx.send("state", 0, 0, b"after")
    cell.until(lambda: sequences(cell, rx) == [100, 0])
    # What zmq says of the connection comes on another socket than its messages.
    cell.until(lambda: rx.connected)
    assert not rx.refused


def test_a_taker_that_begins_anew_leaves_nothing_behind(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "state")
    rx = cell.receiver(free, "arm", base, state=None)
    cell.until(lambda: tx.subscribers("state"))
    cell.close(rx)
    cell.until(lambda: not tx.subscribers("state"))


def test_several_machines_take_the_same_topic_each_at_its_own_pace(
    cell: Cell, arm: Keys, base: Keys, desk: Keys
) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "hits")
    quick, slow = cell.receiver(free, "arm", base, hits=256), cell.receiver(free, "arm", desk, hits=1)
    cell.until(lambda: tx.subscribers("hits") == 2)
    for n in range(200):
        tx.send("hits", n, 0, b"hit")
    cell.until(lambda: sequences(cell, quick, "hits")[-1:] == sequences(cell, slow, "hits")[-1:] == [199])
    assert sequences(cell, quick, "hits") == list(range(200))
    assert len(sequences(cell, slow, "hits")) == 2


def test_a_machine_that_is_not_allowed_gets_nothing_is_counted_and_comes_in_once_it_is(
    cell: Cell, arm: Keys, tmp_path: Path
) -> None:
    stranger = machine(tmp_path, "stranger")
    stranger.allow("arm", arm.public())
    tx = cell.sender(free := free_endpoint(), arm, "state")
    rx = cell.receiver(free, "arm", stranger, state=None)
    tx.send("state", 0, 0, b"secret")
    cell.until(lambda: tx.denied["a key that is not allowed"] and rx.denied)
    assert (cell.at(rx), rx.connected) == ([], False)
    assert "the other machine does not allow this one's key" in rx.denied
    assert tx.last_denied[0].key == stranger.public().hex()
    assert tx.last_denied[0].address == "127.0.0.1"
    arm.allow("stranger", stranger.public())
    cell.until(lambda: cell.at(rx))


def test_whoever_shows_no_key_gets_nothing_and_is_counted(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "state")
    with zmq.Context() as context, context.socket(zmq.DEALER) as naked:
        naked.linger = 0
        naked.setsockopt(zmq.PROBE_ROUTER, 1)
        naked.connect(str(free))
        # It says so itself, or hangs up before it can be told.
        cell.until(lambda: tx.denied["no CURVE, or no key"] or tx.denied["a handshake that broke off"])
        assert not naked.poll(0)
    assert not tx.subscribers("state")


def test_a_machine_that_is_not_the_one_it_is_taken_for_is_not_believed(cell: Cell, tmp_path: Path) -> None:
    arm, base, liar = (machine(tmp_path, name) for name in ("arm", "base", "liar"))
    believe(arm, base)
    liar.allow("base", base.public())
    tx = cell.sender(free := free_endpoint(), liar, "state")
    rx = cell.receiver(free, "arm", base, state=None)
    tx.send("state", 0, 0, b"go to sleep")
    cell.until(lambda: tx.denied["a handshake that was made for another machine's key"] and rx.denied)
    assert (cell.at(rx), rx.connected) == ([], False)


def test_a_machine_that_is_not_in_the_list_is_not_even_connected_to(arm: Keys, base: Keys) -> None:
    with pytest.raises(LaunchError, match="no machine 'armm' is allowed") as caught:
        Receiver(free_endpoint(), "armm", base, {"state": None})
    assert caught.value.problems[0].help[0] == "did you mean 'arm'?"


def test_a_key_that_is_revoked_gets_nothing_more_and_the_others_notice_nothing(
    cell: Cell, arm: Keys, base: Keys, desk: Keys
) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "hits")
    kept, gone = cell.receiver(free, "arm", base, hits=4096), cell.receiver(free, "arm", desk, hits=4096)
    cell.until(lambda: tx.subscribers("hits") == 2)
    tx.send("hits", 0, 0, b"both")
    cell.until(lambda: cell.at(kept) and cell.at(gone))
    arm.revoke("desk")
    cell.until(lambda: tx.subscribers("hits") == 1)
    for n in range(1, 100):
        tx.send("hits", n, 0, b"one")
    cell.until(lambda: len(cell.at(kept)) == 100)
    assert len(cell.at(gone)) == 1
    cell.close(gone)
    cell.receiver(free, "arm", desk, hits=1)
    cell.until(lambda: tx.denied["a key that is not allowed"])
    assert not (kept.skipped or kept.refused or kept.denied)


def test_a_machine_that_is_revoked_where_it_is_listened_to_is_not_believed_any_more(
    cell: Cell, arm: Keys, base: Keys
) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "hits")
    rx = cell.receiver(free, "arm", base, hits=4096)
    cell.until(lambda: tx.subscribers("hits"))
    base.revoke("arm")

    def ended() -> bool:
        tx.send("hits", len(cell.at(rx)), 0, b"hit")
        return not tx.subscribers("hits")

    cell.until(ended)
    heard = len(cell.at(rx))
    tx.send("hits", 10**6, 0, b"hit")
    cell.turn()
    assert len(cell.at(rx)) == heard
    assert not rx.connected


def test_a_list_that_cannot_be_read_allows_nobody(cell: Cell, arm: Keys, base: Keys) -> None:
    tx = cell.sender(free := free_endpoint(), arm, "state")
    rx = cell.receiver(free, "arm", base, state=None)
    cell.until(lambda: tx.subscribers("state"))
    with (arm.folder / "allowed").open("a") as file:
        file.write("base\n")
    cell.until(lambda: not tx.subscribers("state"))
    cell.close(rx)
    cell.receiver(free, "arm", base, state=None)
    cell.until(lambda: tx.denied["the list of allowed machines cannot be read"])


def test_a_machine_that_vanishes_without_a_word_is_noticed(cell: Cell, arm: Keys, base: Keys) -> None:
    code = (
        "import sys, select; from pathlib import Path\n"
        "from embodied.graph.endpoint import Endpoint; from embodied.links.keys import Keys\n"
        "from embodied.links.sender import Sender\n"
        "tx = Sender(Endpoint.of(sys.argv[1]), Keys(Path(sys.argv[2])), ['state'])\n"
        "while True:\n    select.select([tx], [], []); tx.serve()\n"
    )
    free = free_endpoint()
    other = subprocess.Popen([sys.executable, "-c", code, str(free), str(arm.folder)])
    try:
        rx = cell.receiver(free, "arm", base, state=None)
        cell.until(lambda: rx.connected)
        other.send_signal(signal.SIGSTOP)
        cell.until(lambda: not rx.connected)
        other.send_signal(signal.SIGCONT)
        cell.until(lambda: rx.connected)
    finally:
        other.kill()
        other.wait()


def test_a_place_where_nobody_can_listen_is_one_clear_error(arm: Keys) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for endpoint in (Endpoint("127.0.0.1", taken.getsockname()[1]), Endpoint("192.0.2.1", 7447)):
            with pytest.raises(LinkFailed, match="cannot listen at tcp://"):
                Sender(endpoint, arm, ["state"])


def test_an_ipv6_address_is_as_good(cell: Cell, arm: Keys, base: Keys) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        free = Endpoint("::1", probe.getsockname()[1])
    tx = cell.sender(free, arm, "state")
    rx = cell.receiver(free, "arm", base, state=None)
    tx.send("state", 3, 0, b"six")
    cell.until(lambda: sequences(cell, rx) == [3])


def test_what_no_link_carries_is_refused_where_it_is_sent(cell: Cell, arm: Keys) -> None:
    tx = cell.sender(free_endpoint(), arm, "state")
    for parts in ((), [b""] * 65, (bytes(64 * 1024 * 1024 + 1),)):
        with pytest.raises(LinkFailed, match="a link between machines carries 1 to 64 of up to"):
            tx.send("state", 0, 0, *parts)


def test_keys_that_others_may_read_open_no_link(arm: Keys, base: Keys) -> None:
    (arm.folder / "private").chmod(0o644)
    with pytest.raises(LaunchError, match="E912"):
        Sender(free_endpoint(), arm, ["state"])
    (base.folder / "allowed").chmod(0o644)
    with pytest.raises(LaunchError, match="E912"):
        Receiver(free_endpoint(), "arm", base, {"state": None})


def test_z85_of_zeromq_and_our_digits_are_one_key(arm: Keys) -> None:
    assert z85.decode(zmq.curve_public(z85.encode(arm.secret()))) == arm.public()
