"""The page for those who write a driver: what stands there is run, as a new user would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.processes import Child

PAGE = Path(__file__).parents[2] / "drivers" / "README.md"
FILE = re.compile(r"\*\*`([\w/.]+)`\*\*\n\n```python\n(.*?)```", re.DOTALL)


def test_the_device_of_the_page_keeps_the_contract_in_under_120_lines(tmp_path: Path) -> None:
    files = dict(FILE.findall(PAGE.read_text("utf-8")))
    assert len(files) == 4
    assert sum(bool(line.strip()) for text in files.values() for line in text.splitlines()) < 120
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTEST_XDIST_WORKER": "gw0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"1[0-2] passed, (8|9|10) skipped", done.stdout), done.stdout


def test_with_the_last_two_files_of_the_page_the_command_line_knows_the_device(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    files = dict(FILE.findall(text))
    (init,) = re.findall(r"```python\n(from embodied.devices.registry .*?)```", text, re.DOTALL)
    (bench,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    files |= {"drivers/turntable/__init__.py": init, "drivers/turntable/bench.yaml": bench, "pyproject.toml": ""}
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "embodied"]
    listed = subprocess.run([*command, "driver", "list", "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert "turntable" in [device["name"] for device in json.loads(listed.stdout)["devices"]]
    with Child([*command, "virtual", "turntable"], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as served:
        assert served.stderr is not None
        try:
            assert any("table: served at /dev/pts/" in line for line in served.stderr)
        finally:
            served.send_signal(signal.SIGINT)
            assert served.wait(20) == 130
