"""The page for those who write a driver: what stands there is run, as a new user would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

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
    assert re.search(r"1[0-2] passed, [3-5] skipped", done.stdout), done.stdout
