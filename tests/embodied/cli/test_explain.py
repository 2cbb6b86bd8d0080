"""Every error code has a page, and what stands on a page is what happens."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from embodied.cli.verbs.explain import PAGES, titles
from tests.embodied.conftest import Command

ROOT = Path(__file__).parents[3]
CODES = sorted(page.stem for page in PAGES.glob("*.md"))
BLOCK = re.compile(r"```(yaml|python|console)\n(.*?)```", re.DOTALL)
NAMED = re.compile(r"# ([\w/]+\.(?:yaml|py))\n")


def test_every_code_of_the_source_has_a_page_and_every_page_a_code() -> None:
    sources = [file for room in ("embodied", "sims", "policies", "drivers") for file in (ROOT / room).rglob("*.py")]
    used = {code for file in sources for code in re.findall(r'"(E\d{3})"', file.read_text("utf-8"))}
    assert sorted(used) == CODES


@pytest.mark.parametrize("code", CODES)
def test_what_a_page_shows_is_what_embodied_says(
    code: str, tmp_path: Path, embodied: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (PAGES / f"{code}.md").read_text("utf-8")
    if "sims." in page and importlib.util.find_spec("pybullet") is None:
        pytest.skip("pybullet has no wheels for this Python")
    wrong, right = page.split("\n## Right\n")
    said = play(wrong, tmp_path, embodied)
    assert said, "a page shows at least one command"
    assert f"error[{code}]" in said
    # A file that is right, and for which no command is shown, passes the check.
    if "```yaml" in right and "```console" not in right:
        right += "\n```console\n$ embodied check cell.yaml\n```\n"
    play(right, tmp_path, embodied)


def play(text: str, folder: Path, embodied: Command) -> str:
    """Write the files of a text and run its commands, each of which gives the lines below it."""
    said = ""
    for kind, block in BLOCK.findall(text):
        if kind != "console":
            name = NAMED.match(block)
            file = folder / (name[1] if name else "cell.yaml")
            file.parent.mkdir(exist_ok=True)
            file.write_text(block, encoding="utf-8")
            continue
        first, *expected = block.splitlines()
        if not first.startswith("$ embodied "):
            subprocess.run(shlex.split(first.removeprefix("$ ")), cwd=folder, check=True)
            continue
        done = embodied(*shlex.split(first.removeprefix("$ embodied ")))
        said = (done.stdout + done.stderr).replace(str(ROOT), "…")
        assert done.code == (2 if any("error[" in line for line in expected) else 0), said
        lines = iter(said.splitlines())
        for line in expected:
            assert any(actual.startswith(line) for actual in lines), (line, said)
    return said


def test_a_page_is_text_when_piped_and_a_title_in_the_list(embodied: Command) -> None:
    page = embodied("explain", "e302")
    assert page.stdout == (PAGES / "E302.md").read_text("utf-8")
    listed = embodied("explain").stdout.splitlines()
    assert listed == [f"{code}  {title}" for code, title in titles().items()]
    told = json.loads(embodied("explain", "--json").stdout)
    assert list(told["codes"]) == CODES
    one = json.loads(embodied("explain", "E302", "--json").stdout)
    assert (one["title"], one["page"]) == (told["codes"]["E302"], page.stdout)


def test_an_unknown_code_gives_the_nearest(embodied: Command) -> None:
    done = embodied("explain", "E399")
    assert done.code == 2
    assert "= help: known: E301, E302" in done.stderr
