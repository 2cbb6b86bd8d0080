"""Code is imported from where its user chose, and from nowhere else.

The law: a command runs code of the launch file that it names, of that file's project, and of what is installed. The
current folder's project comes behind all of these. Nothing of either takes the place of a module of Python. A folder in
which others than its owner could have put code is not searched, nor is a subfolder of it, or a file that others may
write to.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from embodied.imports import search_path
from tests.embodied.cli.test_cli import commands

ROOT = Path(__file__).parents[3]

PRINT = "import pathlib; pathlib.Path({mark!r}).write_text('ran')\n"

NODE = """\
from embodied import Node
from embodied.messages import JointState


class Mine(Node):
    rate = 10.0

    def step(self) -> JointState | None:
        return None
"""

CELL = 'embodied: 1\nclock: lockstep\nnodes: {mine: {use: "policies.mine:Mine"}}\nprofiles: {plain: {}}\n'

LIBRARY = ("bisect", "socket", "select", "signal", "pickle", "random", "numpy", "os", "json", "multiprocessing")
"""Modules that a process of embodied imports at its start, or later."""


def command(
    *words: object, cwd: Path, module: bool = False, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    start = [sys.executable, "-m", "embodied"] if module else [str(Path(sys.executable).with_name("embodied"))]
    return subprocess.run(
        [*start, *map(str, words)],
        cwd=cwd,
        env=os.environ if path is None else {**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder that everybody may write to, as /tmp, with code of somebody else's in it."""
    folder = tmp_path / "shared"
    (folder / "policies").mkdir(parents=True)
    mark = PRINT.format(mark=str(tmp_path / "mark"))
    for name in LIBRARY:
        (folder / f"{name}.py").write_text(mark)
    for file in ("policies/__init__.py", "policies/evil.py", "sims.py", "drivers/__init__.py", "embodied.py"):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(mark)
    folder.chmod(0o1777)
    return folder


def own(folder: Path) -> Path:
    """A launch file in a project of one's own."""
    cell = project(folder / "own") / "cell.yaml"
    cell.write_text(CELL)
    return cell


@pytest.mark.parametrize("module", [False, True], ids=["embodied", "python -m embodied"])
def test_no_file_of_the_current_folder_is_executed(module: bool, foreign: Path) -> None:
    if module:
        # What `python -m embodied` takes for embodied, Python itself decides.
        (foreign / "embodied.py").unlink()
    done = command("check", own(foreign.parent), cwd=foreign, module=module)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (foreign.parent / "mark").exists()


def test_no_process_of_a_suite_or_of_a_live_run_executes_one_either(foreign: Path) -> None:
    path = f"{ROOT}:"
    cell = own(foreign.parent)
    tested = command("test", cell, "--profile", "plain", "--seeds", "0", "--for", "50ms", cwd=foreign, path=path)
    assert "not decided" in tested.stdout, tested.stderr
    run = command("run", cell, "--live", "--for", "100ms", cwd=foreign, path=path)
    assert run.returncode == 0, run.stderr
    assert not (foreign.parent / "mark").exists()


def test_a_file_named_like_a_module_of_python_beside_the_launch_file_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "mine.py").write_text(NODE)
    (tmp_path / "cell.yaml").write_text(CELL)
    (tmp_path / "pyproject.toml").touch()
    for name in LIBRARY:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hidden')\n")
    lockstep = command("run", "cell.yaml", "--for", "1s", cwd=tmp_path)
    live = command("run", "cell.yaml", "--live", "--for", "100ms", cwd=tmp_path)
    assert (lockstep.returncode, live.returncode) == (0, 0), lockstep.stderr + live.stderr


def test_the_project_of_the_file_comes_first_and_that_of_the_folder_last(tmp_path: Path) -> None:
    before = search_path.current()
    try:
        for name in ("here", "file"):
            (tmp_path / name / "policies").mkdir(parents=True)
            search_path.add_project(search_path.Project(str(tmp_path / name), named=name == "file"))
        found = search_path.folders("policies")
        assert found[0] == str(tmp_path / "file" / "policies")
        assert found[-1] == str(tmp_path / "here" / "policies")
        assert str(ROOT / "policies") in found[1:-1]
        assert not any(str(tmp_path) in entry for entry in sys.path)
        # The same project by its launch file: first, and once.
        search_path.add_project(search_path.Project(str(tmp_path / "here"), named=True))
        search_path.add_project(search_path.Project(str(tmp_path / "here"), named=False))
        assert search_path.folders("policies")[:2] == [f"{tmp_path}/{name}/policies" for name in ("here", "file")]
    finally:
        search_path.restore(before)


def project(folder: Path) -> Path:
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "mine.py").write_text(NODE)
    return folder


def by_everyone(folder: Path) -> None:
    folder.chmod(0o777)


def package_by_everyone(folder: Path) -> None:
    (folder / "policies").chmod(0o777)


def sticky(folder: Path) -> None:
    folder.chmod(0o1777)


def above(folder: Path) -> None:
    folder.parent.chmod(0o777)


def of_another(folder: Path) -> None:
    os.chown(folder / "policies", 4242, 4242)


def of_another_group(folder: Path) -> None:
    os.chown(folder, -1, 4242)
    folder.chmod(0o775)


def through_a_link(folder: Path) -> None:
    (folder / "policies").rename(folder.parent / "elsewhere")
    (folder.parent / "elsewhere").chmod(0o777)
    (folder / "policies").symlink_to(folder.parent / "elsewhere")


RISKS = {
    by_everyone: "every user may write to",
    package_by_everyone: "every user may write to",
    sticky: "every user may write to",
    above: "every user may replace what is in",
    of_another: "belongs to another user (uid 4242)",
    of_another_group: "another group may write to",
    through_a_link: "every user may write to",
}


@pytest.mark.parametrize("change", RISKS)
@pytest.mark.parametrize("named", [True, False])
def test_a_folder_in_which_others_could_have_put_code_is_not_searched(
    change: object, named: bool, tmp_path: Path
) -> None:
    if change in (of_another, of_another_group) and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    folder = project(tmp_path / "above" / "cell")
    before = search_path.current()
    try:
        search_path.add_project(search_path.Project(str(folder), named=named, owner=os.geteuid()))
        assert str(folder / "policies") in search_path.folders("policies")
        assert callable(change)
        change(folder)
        search_path.restore(search_path.current())
        assert str(folder / "policies") not in search_path.folders("policies")
        (why,) = search_path.unsearched("policies.mine")
        assert RISKS[change] in why
    finally:
        (tmp_path / "above").chmod(0o700)
        search_path.restore(before)


PARTS = ("", "inner", "inner/__init__.py", "inner/__pycache__", "inner/leaf.py", "inner/leaf", "inner/leaf/deep.py")
"""Folders and files of a package that lead to `inner.leaf` or `inner.leaf.deep`, relative to the package."""


@pytest.mark.parametrize("package", ["policies", "mylib"])
@pytest.mark.parametrize("part", PARTS)
def test_a_subfolder_or_a_file_of_a_package_that_others_may_write_to_is_not_searched_either(
    package: str, part: str, tmp_path: Path
) -> None:
    (tmp_path / package / "inner" / "__pycache__").mkdir(parents=True)
    (tmp_path / package / "inner" / "__init__.py").touch()
    module = f"{package}.inner.leaf"
    if part.startswith("inner/leaf/") or part == "inner/leaf":
        (tmp_path / package / "inner" / "leaf").mkdir()
        (tmp_path / package / "inner" / "leaf" / "deep.py").write_text("X = 1\n")
        module += ".deep"
    else:
        (tmp_path / package / "inner" / "leaf.py").write_text("X = 1\n")
    before, loaded = search_path.current(), set(sys.modules)
    changed = tmp_path / package / part
    mode = changed.stat().st_mode
    try:
        search_path.add_project(search_path.Project(str(tmp_path), named=True, owner=os.geteuid()))
        search_path.add_name(package)
        changed.chmod(mode | 0o002)
        search_path.restore(search_path.current())
        with pytest.raises(ModuleNotFoundError) as caught:
            importlib.import_module(module)
        assert module == caught.value.name or module.startswith(f"{caught.value.name}.")
        (why,) = search_path.unsearched(module)
        assert f"every user may write to {changed}; chmod o-w {changed}" in why
        changed.chmod(mode)
        search_path.restore(search_path.current())
        assert importlib.import_module(module).X == 1
    finally:
        changed.chmod(mode)
        for name in set(sys.modules) - loaded:
            if name.startswith(f"{package}."):
                del sys.modules[name]
        sys.modules.pop("mylib", None)
        search_path.restore(before)


def test_a_check_names_the_subfolder_that_is_not_searched_and_the_remedy(tmp_path: Path) -> None:
    folder = project(tmp_path / "cell")
    (folder / "policies" / "inner").mkdir()
    (folder / "policies" / "inner" / "mine.py").write_text(NODE)
    (folder / "cell.yaml").write_text(CELL.replace("policies.mine", "policies.inner.mine"))
    assert command("check", "cell.yaml", cwd=folder).returncode == 0
    (folder / "policies" / "inner").chmod(0o777)
    done = command("check", "cell.yaml", cwd=folder)
    assert done.returncode == 2
    assert "there is no module 'policies.inner.mine'" in done.stderr
    assert f"every user may write to {folder}/policies/inner; chmod o-w {folder}/policies/inner" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_project_of_another_user_is_searched_when_a_launch_file_of_that_user_is_named(tmp_path: Path) -> None:
    """As in a container that runs as root on the folder of a user."""
    folder = project(tmp_path / "cell")
    (folder / "cell.yaml").write_text(CELL)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 4242, 4242)
    assert command("check", folder / "cell.yaml", cwd=tmp_path).returncode == 0
    # From its folder, and by a file of another, its code does not run.
    own = tmp_path / "own.yaml"
    own.write_text(CELL)
    done = command("check", own, cwd=folder)
    assert done.returncode == 2
    assert "there is no module 'policies.mine'" in done.stderr
    assert "belongs to another user (uid 4242)" in done.stderr


def test_what_a_launch_file_names_beside_the_merged_packages_is_found_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("X = 1\n")
    (tmp_path / "mylib").mkdir()
    (tmp_path / "mylib" / "nodes.py").write_text("from mylib.base import Node\n" + NODE.partition("\n")[2])
    (tmp_path / "mylib" / "base.py").write_text("from embodied import Node\n")
    (tmp_path / "single.py").write_text(NODE)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "mine.py").write_text("import helper\n" + NODE)
    uses = {"mylib.nodes:Mine": 0, "single:Mine": 0, "policies.mine:Mine": 2}
    for number, use in enumerate(uses):
        (tmp_path / f"cell{number}.yaml").write_text(CELL.replace("policies.mine:Mine", use))
    checked = commands(*(["check", f"cell{number}.yaml"] for number in range(len(uses))), at=tmp_path)
    assert [done.code for done in checked] == [*uses.values()], checked
    done = checked[-1]
    assert "'policies.mine' needs the package 'helper'" in done.stderr
    assert "move 'helper' into one of sims, drivers, policies" in done.stderr


def test_a_package_of_another_by_the_name_of_a_merged_one_is_passed_over(tmp_path: Path) -> None:
    """Earlier on the path, as another distribution's `drivers`: ours and a project's are found all the same."""
    (tmp_path / "other" / "drivers").mkdir(parents=True)
    (tmp_path / "other" / "drivers" / "__init__.py").write_text("raise RuntimeError\n")
    (tmp_path / "cell").mkdir()
    done = command("driver", "list", cwd=tmp_path / "cell", path=str(tmp_path / "other"))
    assert done.returncode == 0
    assert "xarm:" in done.stdout
    assert done.stderr == ""
