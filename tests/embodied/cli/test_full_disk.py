"""A full disk: what was found is printed, and what there is stays; a limit of file size stands in for it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from tests.embodied.cli.live_rig import CODE, ROOT
from tests.embodied.suite.waiting import launch_file


def said(folder: Path, size: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that can write no file above a size [B]."""
    text = launch_file(folder).read_text(encoding="utf-8") + "profiles: {sim: {}}\n"
    (folder / "cell.yaml").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", CODE, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


def test_a_full_disk_ends_a_suite_in_one_line_and_keeps_what_there_is(tmp_path: Path) -> None:
    done = said(tmp_path, 10_000, "test", "cell.yaml", "--seeds", "0:100")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "error: File too large" in done.stderr
    assert "go on with: embodied test --resume" in done.stderr
    (results,) = tmp_path.glob("runs/*/results.jsonl")
    assert results.read_text(encoding="utf-8").count("\n") > 10


def test_a_run_prints_its_verdict_and_that_there_is_no_picture(tmp_path: Path) -> None:
    run = said(tmp_path, 400, "run", "cell.yaml", "--sim")
    assert run.returncode == 0
    assert run.stdout.startswith("PASS  a second has passed\n")
    assert "digest     " in run.stdout
    assert run.stdout.endswith("picture    none: File too large\n")
    as_json = json.loads(said(tmp_path, 400, "run", "cell.yaml", "--sim", "--json").stdout)
    assert (as_json["passed"], as_json["picture"], as_json["picture_trouble"]) == (True, None, "File too large")


def test_a_suite_prints_its_results_and_that_there_is_no_report(tmp_path: Path) -> None:
    suite = said(tmp_path, 4000, "test", "cell.yaml", "--seeds", "0:2", "--video", "none")
    assert suite.returncode == 3
    assert suite.stdout.startswith("2 of 2 passed")
    assert "error: the report could not be written: File too large" in suite.stderr
