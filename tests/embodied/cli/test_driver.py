"""Which devices there are, which of them are here, and whether one keeps the contract: asked on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.xarm.bench import PORT, address
from tests.embodied.conftest import Command
from tests.processes import Child

ROOT = Path(__file__).parents[3]
PICK = str(ROOT / "launch" / "pick_place.yaml")
CODE = "from embodied.cli.main import main; main()"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Where `embodied virtual xarm` serves an arm, for as long as the test takes."""
    host = address()
    with Child(
        [sys.executable, "-c", CODE, "virtual", "xarm", "--set", f"host={host}", "--set", f"port={PORT}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        while "served at" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        assert "running as xarm-" in said, "it is named after the device"
        yield host
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130, said + err + out


def test_every_device_is_listed_with_what_it_needs(embodied: Command) -> None:
    done = embodied("driver", "list", "--json")
    assert done.code == 0
    found = {device["name"]: device for device in json.loads(done.stdout)["devices"]}
    assert found["xarm"]["driver"] == "drivers.xarm:XArm"
    assert found["xarm"]["installed"] is True
    assert "xArm 7" in embodied("driver", "list").stdout


def test_a_device_that_there_is_not_is_one_clear_error(embodied: Command) -> None:
    for verb in (("virtual", "xram"), ("driver", "scan", "xram")):
        done = embodied(*verb)
        assert done.code == 2
        assert "did you mean 'xarm'?" in done.stderr


def test_a_virtual_arm_is_found_by_a_scan_and_keeps_the_contract(served: str, embodied: Command) -> None:
    done = embodied("driver", "scan", "xarm", "--host", f"{served}:{PORT}", "--json")
    assert done.code == 0
    (found,) = [entry for entry in json.loads(done.stdout)["found"] if entry["address"] == f"{served}:{PORT}"]
    assert found["settings"] == {"host": served, "port": PORT, "serial": "XF1300VIRTUAL"}
    sets = ("--set", "robot=xarm6", "--set", f"arm.host={served}")
    asked = ("driver", "test", PICK, "--node", "arm", "--profile", "virtual", *sets, "--yes", "-k", "without a command")
    done = embodied(*asked, "--json")
    assert done.code == 0, done.stderr
    (outcome,) = json.loads(done.stdout)["truths"]
    assert outcome == {"name": "it stands still without a command", "status": "kept", "why": ""}


def test_what_is_no_driver_or_has_no_wire_is_not_held_to_the_contract(embodied: Command) -> None:
    for node, profile, said in (("policy", "virtual", "is no driver"), ("arm", "sim", "has no device")):
        done = embodied("driver", "test", PICK, "--node", node, "--profile", profile, "--yes")
        assert done.code == 2
        assert said in done.stderr
