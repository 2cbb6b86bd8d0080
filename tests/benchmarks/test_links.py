from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.links import rounds
from tests.benchmarks.links.flat import Flat
from tests.benchmarks.links.lines import Peer, pin, running_on
from tests.benchmarks.links.loads import LOADS, SMALL, Load
from tests.benchmarks.links.peers import zeromq
from tests.benchmarks.links.report import report


@pytest.mark.parametrize("load", LOADS[:4], ids=lambda load: load.name)
def test_what_peers_carry_as_flat_bytes_is_the_message(load: Load) -> None:
    message, flat = load.make(), Flat(load)
    load.stamper()(message, -7)
    memory = bytearray(flat.size)
    flat.write(message, memory)
    for data in (memory, flat.encoded(message)):
        read = flat.read(data)
        assert read.acquired == -7
        for name in load.fields:
            np.testing.assert_array_equal(getattr(read, name), getattr(message, name))


def test_a_line_counts_each_message_once_and_its_processes_end_with_it(tmp_path: Path) -> None:
    line = zeromq.PEER.open(tmp_path, 1)
    orderly = False
    try:
        core = max(os.sched_getaffinity(0))
        pin(line.processes, {core})
        assert len(line.ping(SMALL, 0.001)) >= 5
        assert running_on(line.processes) == {core}
        flood = line.flood(SMALL, 0.001)
        assert 0 < flood.received <= flood.sent
        assert flood.repeated == 0
        orderly = True
    finally:
        line.close(orderly)
    assert not any(Path(f"/proc/{process}").exists() for process in line.processes)


def test_a_peer_that_is_not_installed_is_a_row_that_says_how_to(capsys: pytest.CaptureFixture[str]) -> None:
    peer = Peer("Peer", "", "no_such_package")
    pace = rounds.Pace(rounds=0, loads=(SMALL,))
    report(rounds.run((peer,), pace), (peer,), pace)
    assert "Peer" in (shown := capsys.readouterr().out)
    assert "pip install 'embodied-robotics[peers]'" in shown
