"""Import path of the packages for launch files: those of a project are merged with those that are installed.

`sys.path` stays as it is: no file of a project, or of the folder in which a command is given, takes the place of a
module of Python or of an installed package. A folder or a file that others may write to is not searched, since its code
would run with the rights of whoever gives the command.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, all_suffixes
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, overload

MERGED_PACKAGES = ("sims", "drivers", "policies")
"""Packages with classes for launch files that a project may have as well."""

_SHIPPED = Path(__file__).parents[2]


class Project(NamedTuple):
    """Project whose packages are searched.

    Attributes:
        root: its folder.
        named: whether a launch file of it was named; else it is merely the project of the current folder.
        owner: number of the user who owns that launch file; -1 if none was named.
    """

    root: str
    named: bool
    owner: int = -1


class Search(NamedTuple):
    """State of the search, as plain data that another process may be given.

    Attributes:
        projects: in the order in which they are searched.
        names: packages and modules beside the merged ones that launch files name.
    """

    projects: tuple[tuple[str, bool, int], ...] = ()
    names: tuple[str, ...] = ()


def add_project(project: Project) -> None:
    """Search the packages of a project: before those that are installed if a launch file of it was named, else behind.

    Args:
        project: the project; the one that was named last is searched first.
    """
    known = [other for other in _finder.projects if other.root == project.root]
    if any(other.named for other in known) and not project.named:
        return
    others = [other for other in _finder.projects if other not in known]
    restore(Search(tuple([project, *others] if project.named else [*others, project]), _finder.names))


def add_name(name: str) -> None:
    """Search a named project for another package or module that a launch file names, behind everything installed."""
    if name not in (*MERGED_PACKAGES, *_finder.names):
        restore(Search(_finder.projects, (*_finder.names, name)))


def current() -> Search:
    """Return the state of the search."""
    return Search(tuple((*project,) for project in _finder.projects), _finder.names)


def extend(search: Search) -> None:
    """Search the projects of another process as well, behind those of this one."""
    restore(Search((*_finder.projects, *search.projects), (*_finder.names, *search.names)))


def restore(search: Search) -> None:
    """Search these projects and names, and no others."""
    _finder.projects = tuple(dict.fromkeys(Project(*project) for project in search.projects))
    _finder.names = tuple(dict.fromkeys(search.names))
    for finder, place in ((_finder, 0), (_named_packages, len(sys.meta_path) + 1)):
        if finder not in sys.meta_path:
            sys.meta_path.insert(place, finder)
    importlib.invalidate_caches()
    for name in MERGED_PACKAGES:
        # A package that was imported before is searched in the new folders as well.
        if (package := sys.modules.get(name)) is not None and package.__spec__ is not None:
            package.__path__ = package.__spec__.submodule_search_locations = _Folders(name)  # type: ignore[assignment]


def folders(name: str) -> list[str]:
    """List the folders of a package in the order in which they are searched for its modules."""
    found = list(_of_projects(name, named=True))
    if name in MERGED_PACKAGES:
        found += [str(_SHIPPED / name), *_elsewhere(name), *_of_projects(name, named=False)]
    once = {os.path.realpath(folder): folder for folder in reversed(found) if Path(folder).is_dir()}
    return list(reversed(once.values()))


def unsearched(module: str) -> Iterator[str]:
    """Yield why a project's folder that has a module is not searched for it, a help line each."""
    for project in _finder.projects:
        path = Path(project.root, *module.split("."))
        if path.is_dir() or path.with_suffix(".py").is_file():
            yield from (f"{path.parent} is not searched: {risk}" for risk in risks(project, module))


def unnamed(module: str) -> Iterator[str]:
    """Yield where a module that was not found stands in a named project, and why it is not searched there, as help."""
    name = module.partition(".")[0]
    for project in _finder.projects:
        places = (Path(project.root, f"{name}.py"), Path(project.root, name))
        if project.named and name not in _finder.names and any(place.exists() for place in places):
            packages = ", ".join(MERGED_PACKAGES)
            yield f"move '{name}' into one of {packages}: {project.root} is searched for what a launch file names"


class _Folders(Sequence[str]):
    """Folders of a package as its `__path__`, which follows `sys.path` as that of any PEP 420 package does."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: object = None
        self._found: list[str] = []

    def _now(self) -> list[str]:
        seen = (tuple(sys.path), _finder.projects)
        if seen != self._seen:
            self._seen, self._found = seen, folders(self._name)
        return self._found

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._now()[index]

    def __len__(self) -> int:
        return len(self._now())


class _MergedPackages(MetaPathFinder):
    """Finder of the packages that are merged from several folders; others by such a name are passed over."""

    projects: tuple[Project, ...] = ()
    names: tuple[str, ...] = ()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if path is not None:
            return _safe_spec(fullname, path, target)
        if fullname not in MERGED_PACKAGES or not folders(fullname):
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = _Folders(fullname)  # type: ignore[assignment]
        return spec


class _NamedPackages(MetaPathFinder):
    """Finder of what else launch files name of their project, behind everything that is installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for project in _finder.projects if path is None and fullname in _finder.names else ():
            if project.named and not any(risks(project, fullname)):
                spec = PathFinder.find_spec(fullname, [project.root], target)
                if spec is not None and spec.origin is None:
                    spec.submodule_search_locations = _Folders(fullname)  # type: ignore[assignment]
                if spec is not None:
                    return spec
        return None


_finder = _MergedPackages()

_named_packages = _NamedPackages()


def _of_projects(name: str, *, named: bool) -> Iterator[str]:
    for project in _finder.projects:
        folder = Path(project.root, name)
        if project.named == named and folder.is_dir() and not any(risks(project, name)):
            yield str(folder)


def _elsewhere(name: str) -> Iterator[str]:
    """Yield the folders that other distributions add to a package, without an `__init__.py`, as PEP 420 has it."""
    for finder in sys.meta_path:
        spec = None if finder in (_finder, _named_packages) else finder.find_spec(name, None)
        if spec is not None and spec.origin is None:
            yield from spec.submodule_search_locations or ()
    for entry in sys.path:
        folder = Path(entry, name)
        # An empty entry is the current folder, whoever may write to it.
        if entry and folder.is_dir() and not (folder / "__init__.py").is_file():
            yield str(folder)


def _safe_spec(fullname: str, path: Sequence[str], target: ModuleType | None) -> ModuleSpec | None:
    """Find a module where none but its project's owner could have put it; None leaves it to Python.

    Raises:
        ModuleNotFoundError: it is in no other place.
    """
    parts = fullname.split(".")
    if parts[0] not in (*MERGED_PACKAGES, *_finder.names):
        return None
    skipped = {
        folder: risk
        for project in _finder.projects
        if (folder := os.path.join(project.root, *parts[:-1])) in path  # noqa: PTH118 (as importlib joins them)
        # What it lies in was judged when that was imported; only where something is unusual, all of it is again.
        and not _is_plain(project, folder, parts[-1])
        for risk in risks(project, fullname)
    }
    if not skipped:
        return None
    spec = PathFinder.find_spec(fullname, [folder for folder in path if folder not in skipped], target)
    if spec is None:
        why = "; ".join(skipped.values())
        raise ModuleNotFoundError(f"No module named '{fullname}' that may be searched: {why}", name=fullname)
    return spec


def risks(project: Project, module: str) -> Iterator[str]:
    """Yield who else could have put code into a module or package of a project, or into what it lies in."""
    root = Path(project.root)
    trusted = {os.geteuid(), 0, project.owner}
    groups = {os.getegid(), *os.getgroups()}
    inside = dict.fromkeys(path.resolve() for path in _code(root, module))
    for path, about in _existing(*inside):
        if about.st_uid not in trusted:
            yield f"{path} belongs to another user (uid {about.st_uid})"
        if about.st_mode & stat.S_IWOTH:
            yield f"every user may write to {path}; chmod o-w {path}"
        # A user's private group has the number of the user.
        if about.st_mode & stat.S_IWGRP and about.st_gid not in groups and about.st_gid != about.st_uid:
            yield f"another group may write to {path}; chmod g-w {path}"
    for folder, about in _existing(*sorted({above for path in inside for above in path.parents} - set(inside))):
        # In a folder that is sticky, as /tmp is, nobody can rename what is another's.
        if about.st_mode & stat.S_IWOTH and not about.st_mode & stat.S_ISVTX:
            yield f"every user may replace what is in {folder}; chmod o-w {folder}"


def _is_plain(project: Project, folder: str, name: str) -> bool:
    """Return whether a module's files and folders are no links, and nobody but a trusted user may write to them."""
    trusted = {os.geteuid(), 0, project.owner}
    for path in _code(Path(folder), name):
        with contextlib.suppress(OSError):
            about = path.lstat()
            if (
                stat.S_ISLNK(about.st_mode)
                or about.st_uid not in trusted
                or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            ):
                return False
    return True


def _code(root: Path, module: str) -> Iterator[Path]:
    """Yield the files and folders from which Python would take a module's code, and those that these lie in."""
    yield root
    folder = root
    for part in module.split("."):
        package = folder / part
        yield package
        for home, stem in ((folder, part), (package, "__init__")):
            files = [file for suffix in all_suffixes() if (file := home / f"{stem}{suffix}").is_file()]
            yield from files
            # What was compiled before is run in place of the source.
            yield from (home / "__pycache__",) if files else ()
        folder = package


def _existing(*paths: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in paths:
        with contextlib.suppress(OSError):
            yield path, path.stat()
