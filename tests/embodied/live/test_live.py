from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from embodied.clock import SECOND
from embodied.errors import LinkFailed, ProcessLost
from embodied.graph.entry import Timing, Wire
from embodied.graph.graph import Graph
from embodied.graph.restart import Restart
from embodied.live.control import Control
from embodied.live.heartbeat import Heartbeat
from embodied.live.ipc import socket_pair
from embodied.live.process_layout import process_of, processes
from embodied.live.process_spec import process_specs
from embodied.live.run_directory import running
from embodied.live.run_places import home
from embodied.live.supervisor import STOP_TIMEOUT
from embodied.live.worker import Worker
from tests.embodied.live.nodes import (
    Agree,
    Broken,
    Chatty,
    Collect,
    Counter,
    Gate,
    Once,
    Pairs,
    Parent,
    Square,
    Stubborn,
)
from tests.embodied.live.running import Running, Seen, processes_of


def steady() -> Graph:
    return Graph(clock="steady")


@contextmanager
def live(graph: Graph, **about: Any) -> Iterator[Running]:
    with Running(graph, **about) as found:
        yield found
    assert not [p for p in found.numbers if Path(f"/proc/{p}").exists()], "a process was left behind"
    assert not found.run.directory.path.exists()
    assert found.run.not_stopped == []


def last(seen: list[Seen]) -> Any:
    return seen[-1].message if seen else None


def test_nodes_in_processes_of_their_own_step_with_each_others_messages() -> None:
    graph = steady().add("counter", Counter()).add("once", Once("blue"))
    graph.add("square", Square(), number="counter", target="once")
    with live(graph) as found:
        assert found.run.layout == {"counter": ("counter",), "once": ("once",), "square": ("square",)}
        squares = found.look("square.count")
        assert found.until(lambda: len(squares.seen) > 100, 10)
        numbers = [entry.message.number for entry in squares.seen]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > 0, "what was computed from a message that could be written is -1"
        # What is published once arrives once, at any time, and stays.
        assert found.until(lambda: squares.seen[-1].message.text == "blue", 10)
        texts = [entry.message.text for entry in squares.seen]
        assert set(texts[texts.index("blue") :]) == {"blue"}


def test_nodes_that_share_a_process_hand_over_what_they_made() -> None:
    graph = steady()
    graph.add("counter", Counter()).add("square", Square(), number="counter").add("again", Square(), number="square")
    graph.processes = (("counter", "square", "again"),)
    with live(graph) as found:
        assert list(found.run.layout) == ["again+counter+square"]
        counts = found.run.ask("again+counter+square", "counts")
        found.until(lambda: False, 0.3)
        counts = found.run.ask("again+counter+square", "counts")
        steps = {name: node["steps"] for name, node in counts["nodes"].items()}
        assert steps["counter"] == steps["square"] == steps["again"] > 20


def test_nodes_of_one_process_that_trigger_each_other_still_listen() -> None:
    graph = steady().add("one", Square(), timing=Timing.of(latency="1ms"), number="other")
    graph.add("other", Square(), number="one")
    graph.processes = (("one", "other"),)
    with live(graph) as found:
        found.run.ask("one+other", "publish", topic="one.count", fields={"number": 1, "squares": [1.0], "text": ""})
        assert found.until(lambda: found.run.ask("one+other", "counts")["nodes"]["one"]["steps"] > 1000, 10)
    assert not found.run.events, "it stopped on command"


def test_several_outputs_of_one_step_are_never_mixed_with_those_of_another_but_where_a_wire_states_its_own_age() -> (
    None
):
    graph = steady().add("pairs", Pairs())
    graph.add("agree", Agree(), one="pairs.one", two="pairs.two", image="pairs.image")
    for name in ("aged", "aged_near"):
        graph.add(name, Agree(), one="pairs.one", two=Wire("pairs.two", SECOND), image="pairs.image")
    graph.processes = (("aged_near", "pairs"),)
    with live(graph) as found:
        said = {name: found.look(f"{name}.count") for name in ("agree", "aged", "aged_near")}

        def counted(name: str) -> list[int]:
            return [*map(int, last(said[name].seen).text.split())] if said[name].seen else [0, 0]

        assert found.until(lambda: all(sum(counted(name)) > 200 for name in said), 15)
        together, alone = counted("agree")
        assert last(said["agree"].seen).number == 0, "outputs of two steps were seen together"
        assert together > alone > 50
        for name in ("aged", "aged_near"):
            mixed = last(said[name].seen).number
            assert (counted(name)[1], mixed > 20) == (0, True), "the one that is missing was taken with the others"


def test_every_message_comes_to_a_list_in_order_and_what_is_dropped_is_counted() -> None:
    graph = steady().add("counter", Counter()).add("collect", Collect(), counts="counter")
    graph.add("late", Collect(delay=0.4), counts=Wire("counter", bound=16))
    with live(graph) as found:
        told, late = found.look("collect.count"), found.look("late.count")
        assert found.until(lambda: bool(told.seen) and int(last(told.seen).text.split()[0]) > 200, 10)
        assert last(told.seen).text.split()[1] == "0", "numbers are missing"
        assert found.until(lambda: bool(late.seen) and int(last(late.seen).text.split()[1]) > 1, 10)
        posts = found.run.ask("counter", "counts")["posts"]
        counts = found.run.ask("late", "counts", timeout=2.0)
        dropped = sum(post["dropped"] for post in posts if post["to"] == "late") + counts["nodes"]["late"]["dropped"]
        assert dropped > 0


def test_a_publisher_waits_for_a_lossless_taker_and_none_is_lost() -> None:
    graph = steady().add("counter", Counter())
    graph.add("square", Square(), number="counter")
    graph.add("collect", Collect(delay=0.2), counts=Wire("square", bound=8, lossless=True))
    with live(graph) as found:
        told = found.look("collect.count")
        assert found.until(lambda: bool(told.seen) and int(last(told.seen).text.split()[0]) > 40, 15)
        numbers, _ = map(int, last(told.seen).text.split())
        counts = found.run.ask("square", "counts", timeout=2.0)
        assert counts["nodes"]["square"]["steps"] <= numbers + 60, "it goes at the pace of its subscriber"
        assert sum(post["dropped"] + post["skipped"] for post in counts["posts"] if post["to"] == "collect") == 0


def test_messages_that_outgrow_their_memory_move_everybody_to_larger_memory() -> None:
    graph = steady().add("counter", Counter(grow=20)).add("square", Square(), number="counter")
    with live(graph) as found:
        squares = found.look("square.count")
        assert found.until(lambda: bool(squares.seen) and last(squares.seen).number > 130, 15)
        assert min(entry.message.number for entry in squares.seen) > 0


REASONS = {
    "raise": r"node 'raise' failed in step\(\) at .*: ValueError: a bad day",
    "exit": r"'exit': ended with exit code 7",
    "kill": r"'kill': ended by SIGKILL",
    "hang": r"node 'hang' does not return from its step: no sign of life for 2\.\d s",
    "huge": r"'huge' needs [\d,.]+ MiB of shared memory, and [\d,.]+ MiB are free",
}


def test_a_node_that_goes_is_named_with_its_reason_and_the_others_go_on() -> None:
    graph = steady().add("counter", Counter()).add("square", Square(), number="counter")
    for how in REASONS:
        graph.add(how, Broken(how=how)).add(f"taker_{how}", Square(), number=how)
    graph.processes = (tuple(f"taker_{how}" for how in REASONS),)
    with live(graph) as found:
        squares = found.look("square.count")
        assert found.until(lambda: len(found.ended()) == len(REASONS), 15)
        for how, said in REASONS.items():
            (text,) = [event.text for event in found.run.events if (event.process, event.kind) == (how, "ended")]
            assert re.search(said, text), text
        assert [event.process for event in found.run.events if event.kind == "hangs"] == ["hang"]
        # A process that is killed soon may be gone before the others were observed once.
        assert found.until(lambda: bool(squares.seen), 5)
        before = last(squares.seen).number
        assert found.until(lambda: last(squares.seen).number > before + 50, 5)
        assert {name for name, process in found.run.processes.items() if process.state == "ended"} == {*REASONS}
        assert found.run.failure is None


def test_a_process_whose_nodes_took_long_to_open_is_alive_from_the_moment_it_says_that_it_is_ready() -> None:
    plan = steady().add("counter", Counter()).check()
    layout = processes(plan)
    (spec,) = process_specs(plan, layout, process_of(plan, layout), 0).values()
    ours, theirs = socket_pair()
    heartbeat, living = Heartbeat.create("counter")
    with ours, theirs:
        worker = Worker(spec, theirs, Heartbeat(living), heartbeat)
        worker.build()
        assert heartbeat.read().node == -1, "it is seen in open(), and counts as hanging there"
        worker.close()


def test_a_node_that_cannot_open_keeps_the_graph_from_starting() -> None:
    graph = steady().add("bad", Broken(how="open")).add("counter", Counter())
    found = Running(graph)
    with pytest.raises(
        ProcessLost, match=r"node 'bad' failed in open\(\): RuntimeError: the device is not there"
    ) as caught:
        found.run.open()
    assert caught.value.exit_code == 3
    assert all(process.state == "ended" for process in found.run.processes.values())
    assert not found.run.directory.path.exists()


def test_a_node_that_is_asked_for_what_cannot_be_ends_the_run_as_a_wrong_launch_file_does() -> None:
    with pytest.raises(ProcessLost, match="a setting is missing") as caught:
        Running(steady().add("bad", Broken(how="refuse"))).run.open()
    assert caught.value.exit_code == 2


def test_a_node_that_ends_is_started_again_as_often_as_it_may_be() -> None:
    graph = steady().add("bad", Broken(how="kill", after=3)).add("square", Square(), number="bad")
    graph.entries["bad"].restart = Restart("on-failure", 2, 10_000_000)
    with live(graph) as found:
        squares = found.look("square.count")
        assert found.until(lambda: any("is the limit" in event.text for event in found.run.events), 15)
        assert found.run.processes["bad"].starts == 3
        numbers = [entry.message.number for entry in squares.seen]
        # The newest of a life arrives, and what it outdates may not: it counted from 1 in each.
        assert any(later <= earlier for earlier, later in pairwise(numbers)), "only one life was observed"
        assert max(numbers) <= 3


def test_a_node_that_cannot_open_again_does_not_end_a_run_that_can_do_without_it(tmp_path: Path) -> None:
    graph = steady().add("bad", Broken(how="kill", after=3, mark=str(tmp_path / "mark"))).add("counter", Counter())
    graph.entries["bad"].restart = Restart("on-failure", 2, 10_000_000)
    with live(graph) as found:
        counts = found.look("counter.count")
        assert found.until(lambda: any("is the limit" in event.text for event in found.run.events), 15)
        assert any("failed in open(): RuntimeError: the device" in event.text for event in found.run.events)
        before = len(counts.seen)
        assert found.until(lambda: len(counts.seen) > before + 20, 5)
        assert found.run.failure is None


def test_a_guard_that_was_started_again_is_stopped_from_its_first_step_until_it_is_reset() -> None:
    graph = steady().add("counter", Counter()).add("gate", Gate(), number="counter")
    graph.entries["gate"].restart = Restart("on-failure", 3, 10_000_000)
    with live(graph) as found:
        assert found.until(lambda: any(event.kind == "restarted" for event in found.run.events), 40), found.run.events
        reports = found.look("gate.guard_report")
        assert found.until(lambda: len(reports.seen) > 20, 20)
        assert {entry.message.state for entry in reports.seen} == {"stopped"}
        assert reports.seen[0].sequence < 50
        found.run.ask("gate", "reset", by="a person")
        assert found.until(lambda: last(reports.seen).state == "following", 5)


def test_a_stop_ends_within_its_time_even_if_a_node_does_not() -> None:
    graph = steady().add("stubborn", Stubborn()).add("counter", Counter())
    found = Running(graph)
    found.run.open()
    begin = time.monotonic()
    found.run.close()
    assert time.monotonic() - begin < 3 * STOP_TIMEOUT + 1
    assert any("'stubborn' did not stop within 1 s, and was ended" in event.text for event in found.run.events)


def test_what_nodes_print_is_kept_with_their_names(tmp_path: Path) -> None:
    with live(steady().add("chatty", Chatty()).add("once", Once()), logs=tmp_path / "logs") as found:
        assert found.until(lambda: len(found.run.logs.last("chatty")) > 100, 10)
        lines = found.run.logs.last("chatty")
        assert [line.text for line in lines if line.node == "chatty"][:100] == [f"line {n}" for n in range(100)]
        assert any("from a library" in line.text and line.node == "" for line in lines)
        assert found.until(lambda: bool(found.run.logs.last("once")), 5)
        assert found.run.logs.last("once")[0].text == "saying red"
    assert "the end" in (tmp_path / "logs" / "chatty.log").read_text()


def test_a_run_goes_on_when_its_logs_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file is in the way")
    with live(steady().add("chatty", Chatty()).add("counter", Counter()), logs=tmp_path / "logs") as found:
        assert found.until(lambda: bool(found.run.logs.trouble), 5)
        assert "logs are no longer written" in found.run.logs.trouble
        assert found.until(lambda: len(found.run.logs.last("chatty")) > 100, 5)


def test_settings_are_changed_between_steps_and_only_within_their_bounds() -> None:
    with live(steady().add("counter", Counter())) as found:
        said = found.look("counter.count")
        assert found.run.ask("counter", "set", node="counter", name="scale", value=3.0) == 3.0
        assert found.until(
            lambda: last(said.seen) is not None and last(said.seen).squares[0] == 3 * last(said.seen).number, 5
        )
        with pytest.raises(ValueError, match=r"scale must be in \[0, 10\], got 11"):
            found.run.ask("counter", "set", node="counter", name="scale", value=11)


def test_a_process_that_does_not_answer_is_said_to_be_in_its_step() -> None:
    with live(steady().add("bad", Broken(how="hang", after=2)).add("counter", Counter())) as found:
        found.until(lambda: False, 0.2)
        with pytest.raises(LinkFailed, match="'bad' does not answer: 'bad' is in its step"):
            found.run.ask("bad", "counts", timeout=0.2)


def test_two_runs_of_one_graph_stand_beside_each_other() -> None:
    one, two = (Running(steady().add("counter", Counter())) for _ in range(2))
    with one, two:
        assert one.run.directory.name != two.run.directory.name
        seen = one.look("counter.count"), two.look("counter.count")
        assert one.until(lambda: len(seen[0].seen) > 10, 5)
        assert two.until(lambda: len(seen[1].seen) > 10, 5)


def test_a_run_whose_launcher_is_gone_is_not_listed_and_leaves_nothing() -> None:
    child = os.fork()
    if child == 0:
        try:
            graph = steady().add("counter", Counter()).add("parent", Parent()).add("apart", Parent(session=True))
            found = Running(graph)
            Control(found.run, {})
            found.run.open()
            said = found.look("apart.count")
            found.until(lambda: bool(said.seen), 10)
            pids = [process.pid for process in found.run.processes.values()] + [last(said.seen).number]
            (home() / f"pids-{os.getpid()}").write_text(json.dumps(pids))
            os.kill(os.getpid(), signal.SIGSTOP)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    note = home() / f"pids-{child}"
    pids = json.loads(note.read_text())
    note.unlink()
    folder = next(path for path in home().iterdir() if path.name.endswith(f"-{child}"))
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    end = time.monotonic() + 5

    def left() -> list[Any]:
        there: list[Any] = [pid for pid in pids if processes_of(pid)]
        return there + ([folder] if folder.exists() else [])

    while left() and time.monotonic() < end:
        os.sched_yield()
    assert not left()
    assert str(child) not in " ".join(found.name for found in running())
