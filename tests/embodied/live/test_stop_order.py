"""The order in which a live run stops, whoever ends it and however many of its processes the signal reaches.

Guards hold before anything ends; then what asks for motion ends, then guards, then drivers, each of which reads back
that its device stands; what it needs for that, the world and virtual devices, ends last. A service manager sends
SIGTERM to every process of a run at once (systemd's `KillMode=control-group`): they leave it to the launcher.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.embodied.cli.live_rig import ask, runtime, spawn, started
from tests.embodied.live.order import lines
from tests.embodied.live.running import PARENT, processes

__all__ = ["ask", "runtime"]

CELL = """\
embodied: 1
clock: steady
world: {{use: "tests.embodied.live.order:Ground", with: {{path: {path}}}}}
nodes:
  policy: {{use: "tests.embodied.live.order:Policy", with: {{path: {path}}}, in: {{joints: arm.state}}}}
  guard: {{use: "tests.embodied.live.order:Holding", with: {{path: {path}}}, in: {{command: policy}}}}
  arm: {{use: "tests.embodied.live.order:Device", with: {{path: {path}}}, in: {{command: guard.command}}}}
  body: {{use: "tests.embodied.live.order:Body", with: {{path: {path}}}}}
  a_device: {{use: "tests.embodied.live.order:Far", with: {{path: {path}}}}}
"""


def descendants(number: int) -> list[int]:
    """List a process and everything below it, which is what a control group holds."""
    below = [child for child in processes(PARENT, number) if child != number]
    return [number, *(one for child in below for one in descendants(child))]


def test_a_signal_to_every_process_at_once_has_guards_hold_first_and_the_world_and_virtual_devices_end_last(
    runtime: Path, tmp_path: Path
) -> None:
    noted = tmp_path / "noted"
    live = started(spawn(tmp_path, "order", CELL.format(path=noted)))
    try:
        group = descendants(live.process.pid)
        # The world with its body, policy, guard, driver, virtual device; launcher and reaper.
        assert len(group) >= 7
        # Children first: none of them may take it for its own.
        for number in reversed(group):
            os.kill(number, signal.SIGTERM)
        said, _ = live.process.communicate(timeout=15)
        assert live.process.returncode == 0, said
        assert said.startswith("DONE  stopped by SIGTERM after")
        found = lines(noted)
        assert found[:4] == ["guard holds", "policy closed", "guard closed", "driver read back"]
        assert sorted(found[4:]) == ["body closed", "virtual device closed", "world closed"]
        assert found.index("body closed") < found.index("world closed")
    finally:
        live.end()
