"""Pages of the documentation: the site builds with every link checked, and the tutorial runs as it is written."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embodied.cli.test_cli import ROOT, simulated
from tests.embodied.conftest import Command

BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def page(name: str) -> list[tuple[str, str]]:
    """Read language and text of each block of a page."""
    return BLOCK.findall((ROOT / "docs" / name).read_text("utf-8"))


def write(blocks: list[tuple[str, str]], folder: Path) -> None:
    """Write each block that names its file in its first line."""
    for _, text in blocks:
        name = re.match(r"# (\S+\.(?:py|yaml))\n", text)
        if name is not None:
            (folder / name[1]).parent.mkdir(exist_ok=True)
            (folder / name[1]).write_text(text, encoding="utf-8")


@pytest.mark.skipif(importlib.util.find_spec("mkdocstrings") is None, reason="needs mkdocs, of the extra `docs`")
def test_the_site_builds_and_every_link_and_anchor_leads_somewhere(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    made = {str(file.relative_to(tmp_path).parent) for file in tmp_path.rglob("index.html")}
    assert {"first_node", "architecture", "reference/command_line", "reference/nodes", "errors/E302"} <= made
    text = (tmp_path / "reference" / "command_line" / "index.html").read_text("utf-8")
    assert "embodied topic echo" in text
    assert "class</" in (tmp_path / "reference" / "messages" / "index.html").read_text("utf-8")


@simulated
def test_the_tutorial_runs_as_it_is_written(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "pyproject.toml").touch()
    node, launch = page("first_node.md"), page("first_launch_file.md")
    write(node, tmp_path)
    write(launch, tmp_path)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    words = [sys.executable, "-m", "pytest", "-q", "tests/test_slow_goal.py", "--rootdir", "."]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    for line in next(text for language, text in launch if language == "sh").splitlines():
        ran = embodied(*line.partition("#")[0].split()[1:])
        assert ran.code == 0, ran.stderr + ran.stdout
    wrong = tmp_path / "launch" / "slow_pick.yaml"
    wrong.write_text(wrong.read_text("utf-8").replace("goal: policy,", "goal: polcy,"), encoding="utf-8")
    shown = next(text for language, text in launch if not language)
    assert shown in embodied("check", "launch/slow_pick.yaml").stderr


def test_the_glossary_is_in_order_and_says_each_term_once() -> None:
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(terms) >= 50
    assert terms == sorted(set(terms), key=lambda term: term.lower().replace("_", " "))
