"""How a live run ends. A stop that failed is told as that: what did not stop in order is named, and the run has failed.

A driver that ended is armed again only while its guard is stopped: it takes a person before it moves.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.errors import ProcessLost
from embodied.graph.graph import Graph
from embodied.graph.restart import Restart
from tests.embodied.cli.live_rig import ask, runtime, start
from tests.embodied.conftest import Command
from tests.embodied.live.ending import Device, Ends, Raises
from tests.embodied.live.nodes import Broken, Counter, Parent
from tests.embodied.live.running import Running, processes_of
from tests.embodied.nodes import LatchGuard, Liar, Motor, Ramp

__all__ = ["ask", "runtime"]

CELL = """\
embodied: 1
nodes:
  arm: {use: "tests.embodied.live.ending:Device", with: {how: not stopped}}
"""

SAID = "node 'arm' failed in close(): NotStopped: the arm does not confirm that it has stopped"


def test_whatever_does_not_stop_in_order_is_named_and_what_does_is_not() -> None:
    graph = Graph(clock="steady").add("fine", Ends())
    for how in ("raise", "exit", "interrupt", "gone", "crash"):
        graph.add(how, Ends(how))
    graph.add("arm", Device("not stopped")).add("deaf", Device("hang"))
    with Running(graph) as found:
        assert found.run.not_stopped == []
    expected = {
        "raise": "node 'raise' failed in close(): ValueError: a bad day",
        "exit": "node 'exit' failed in close(): SystemExit: 0",
        "interrupt": "node 'interrupt' failed in close(): KeyboardInterrupt",
        "gone": "'gone': ended with exit code 7",
        "crash": "'crash': ended by SIGSEGV",
        "arm": SAID,
        "deaf": "'deaf' did not stop within 1 s, and was ended; whether its device has stopped is not known: "
        "use the device's own emergency stop",
    }
    said = {name: text for name in expected for text in found.run.not_stopped if f"'{name}'" in text}
    assert {name: text.partition("\n")[0] for name, text in said.items()} == expected
    assert len(found.run.not_stopped) == len(expected)
    assert [event.text for event in found.run.events if event.kind == "failed"] == found.run.not_stopped


def test_a_device_that_does_not_stop_is_told_beside_what_kept_the_others_from_starting() -> None:
    graph = Graph(clock="steady").add("arm", Device("not stopped")).add("gone", Device(opens=False))
    graph.processes = (("arm", "gone"),)
    with pytest.raises(ProcessLost, match=r"node 'gone' failed in identify\(\)"):
        Running(graph).run.open()
    graph = Graph(clock="steady").add("arm", Device("not stopped")).add("gone", Broken(how="open"))
    with pytest.raises(ProcessLost, match=r"node 'gone' failed in open\(\)") as caught:
        Running(graph).run.open()
    # Whether the arm had been opened before the other failed, only it knows; then it is told.
    assert all(note.startswith(SAID) for note in getattr(caught.value, "__notes__", ()))


def test_the_other_nodes_of_a_process_are_closed_whatever_one_of_them_raises(tmp_path: Path) -> None:
    graph = Graph(clock="steady").add("bad", Raises(str(tmp_path / "bad"))).add("kind", Raises(str(tmp_path / "kind")))
    graph.processes = (("bad", "kind"),)
    with Running(graph) as found:
        assert found.until(lambda: any(event.kind == "ended" for event in found.run.events), 10)
    assert [(tmp_path / name).read_text() for name in ("bad", "kind")] == ["closed", "closed"]


def test_a_wrong_type_ends_a_node_whether_or_not_anybody_takes_it() -> None:
    with Running(Graph(clock="steady").add("liar", Liar())) as found:
        assert found.until(lambda: bool(found.run.events), 10)
        assert "liar.joint_state: expected JointState, got str" in found.run.events[0].text


@pytest.mark.parametrize("words", [("--live",), ("--profile", "dry")])
def test_a_run_whose_device_did_not_stop_exits_with_3_and_says_so_live_as_in_lockstep(
    words: tuple[str, ...], tmp_path: Path, runtime: Path, embodied: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CELL + "profiles:\n  dry: {clock: lockstep}\n  real: {clock: steady}\n"
    (tmp_path / "cell.yaml").write_text(text, encoding="utf-8")
    done = embodied("run", "cell.yaml", *(words if "--profile" in words else ("--profile", "real")), "--for", "100ms")
    assert done.code == 3
    assert SAID in done.stdout + done.stderr


def test_stop_says_what_did_not_stop_and_exits_with_3(tmp_path: Path, runtime: Path, embodied: Command) -> None:
    live = start(tmp_path, "stubborn", text=CELL)
    try:
        done = embodied("stop", "stubborn")
        assert done.code == 3
        assert f"has ended, and did not stop in order: {SAID}" in done.stderr
        assert "has stopped" not in done.stdout
        said, _ = live.process.communicate(timeout=10)
        assert live.process.returncode == 3
        assert said.startswith("BROKEN")
        assert SAID in said
    finally:
        live.end()


def test_a_driver_that_was_started_again_moves_only_after_a_person_has_reset_its_guard() -> None:
    graph = Graph(clock="steady").add("counter", Counter())
    for name in ("left", "right"):
        graph.add(f"{name}_ramp", Ramp(), joints=f"{name}.state")
        graph.add(f"{name}_guard", LatchGuard(), command=f"{name}_ramp")
        graph.add(name, Motor(), command=f"{name}_guard.command")
    graph.processes = (("left_guard", "right_guard"), ("left_ramp", "right_ramp", "counter"))
    graph.entries["left"].restart = Restart("on-failure", 3, 10_000_000)

    def state(side: str) -> str:
        report = found.run.ask("left_guard+right_guard", "guards")[f"{side}_guard"]
        return "" if report is None else str(report["state"])

    with Running(graph) as found:
        assert found.until(lambda: state("left") == state("right") == "following", 10)
        found.kill("left")
        assert found.until(lambda: any(event.kind == "ended" for event in found.run.events), 10)
        # It is stopped while the driver is not there yet, so that no command can be before the stop.
        assert found.until(lambda: state("left") == "stopped", 5)
        assert found.until(lambda: any(event.kind == "restarted" for event in found.run.events), 20)
        moved = found.look("left.state")
        assert found.until(lambda: len(moved.seen) > 20, 10)
        assert {float(entry.message.position[0]) for entry in moved.seen} == {0.0}
        assert (state("left"), state("right")) == ("stopped", "following")
        found.run.ask("left_guard+right_guard", "reset", by="a person")
        assert found.until(lambda: moved.seen[-1].message.position[0] > 0, 10)


def test_what_a_node_started_itself_goes_with_it() -> None:
    graph = Graph(clock="steady").add("parent", Parent()).add("apart", Parent(session=True))
    with Running(graph) as found:
        said = {name: found.look(f"{name}.count") for name in ("parent", "apart")}
        assert found.until(lambda: all(view.seen for view in said.values()), 5)
        children = {name: view.seen[-1].message.number for name, view in said.items()}
        session = found.run.processes["parent"].pid
        assert children["parent"] in processes_of(session)
        assert children["apart"] in processes_of(children["apart"])
    assert not processes_of(session)
    assert not processes_of(children["apart"])


def test_what_a_node_started_in_a_session_of_its_own_goes_when_its_process_is_killed() -> None:
    with Running(Graph(clock="steady").add("apart", Parent(session=True)).add("counter", Counter())) as found:
        said = found.look("apart.count")
        assert found.until(lambda: bool(said.seen), 5)
        child = said.seen[-1].message.number
        found.kill("apart")
        assert found.until(lambda: any(event.kind == "ended" for event in found.run.events), 5)
        assert not processes_of(child)
        assert found.process("counter").state == "running"
