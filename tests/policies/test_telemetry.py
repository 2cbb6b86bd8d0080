"""Nothing is sent to anybody: ONNX Runtime's telemetry is off before it is imported, in every process of embodied.

Its wheels read ORT_DISABLE_TELEMETRY when they are loaded, so the variable has to stand in the environment before the
first import. Each process imports `embodied` first, and what a process starts inherits its environment.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from embodied.live.process_spec import ProcessSpec

ROOT = Path(__file__).parents[2]

WATCH = """\
import importlib.abc, os, sys

class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "onnxruntime":
            print("telemetry:", os.environ.get("ORT_DISABLE_TELEMETRY"))
            raise ImportError("seen")

sys.meta_path.insert(0, Watch())
"""
"""Prints the variable at the moment at which ONNX Runtime is looked for, and lets nothing be imported."""


def run(code: str, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", WATCH + code],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    return done.stdout


IMPORTS = {
    "a node": "from policies.perception import onnx_node\ntry: onnx_node._runtime()\nexcept Exception: pass",
    "doctor": "import embodied.cli.verbs.doctor as d\nlist(d._package_findings())",
    "a class of one's own": "from embodied import Node\ntry: import onnxruntime\nexcept ImportError: pass",
}


@pytest.mark.parametrize("who", IMPORTS)
def test_telemetry_is_off_at_the_moment_at_which_the_runtime_is_imported(who: str) -> None:
    assert run(IMPORTS[who]).splitlines()[:1] == ["telemetry: 1"]


def test_a_user_who_wants_to_send_may_say_so_and_an_empty_word_says_nothing() -> None:
    code = "import embodied, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert run(code, ORT_DISABLE_TELEMETRY="0") == "0\n"
    assert run(code, ORT_DISABLE_TELEMETRY="") == "1\n"


def test_no_module_imports_the_runtime_before_embodied() -> None:
    files = [file for name in ("embodied", "sims", "drivers", "policies") for file in (ROOT / name).rglob("*.py")]
    assert len(files) > 300
    for file in files:
        for statement in ast.parse(file.read_text("utf-8")).body:
            names = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else []
            names += [str(statement.module)] if isinstance(statement, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "onnxruntime" for name in names), f"{file}: import it in a function"


def test_a_session_leaves_no_trace_of_its_user(tmp_path: Path) -> None:
    """The uploader keeps a device id and what it has not sent yet in the user's cache: there is none."""
    code = (
        "from policies.perception.detector import Detector\n"
        "from pathlib import Path\n"
        "import onnxruntime, sys\n"
        "detector = Detector()\n"
        "detector.open()\n"
        "assert 'onnxruntime' in sys.modules\n"
    )
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | home
    subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True, cwd=ROOT, timeout=60)
    assert list(tmp_path.rglob("*")) == []


def test_a_process_of_a_live_run_inherits_it() -> None:
    # A worker is started by exec with the launcher's environment; nothing of it is taken away.
    assert "environ" not in ProcessSpec.__dataclass_fields__
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
