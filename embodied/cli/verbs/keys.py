"""`embodied keys`: this machine's keys, and the machines that it believes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common.complete import Choices, quiet
from embodied.cli.common.output import JsonOption, ending, err, out, print_json
from embodied.links.keys import Keys, default_folder, key_of

keys = typer.Typer(no_args_is_help=True, help="Keys: who may listen to this machine, and to whom it listens.")


@quiet
def _names(_: str) -> Choices:
    return list(Keys(default_folder()).allowed())


FolderOption = Annotated[
    Path | None,
    typer.Option("--keys", help="the folder with keys; embodied/keys in your configuration unless given"),
]
NameArgument = Annotated[
    str, typer.Argument(help="a machine, by its name in launch files", show_default=False, autocompletion=_names)
]


def _open(folder: Path | None) -> Keys:
    return Keys(default_folder() if folder is None else folder)


def _allowing(key: bytes) -> str:
    return f"embodied keys allow NAME {key.hex()}"


_WHERE = "on each other machine, with this one's name in launch files: "


@keys.command()
def new(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Make this machine's pair of keys."""
    with ending(as_json):
        held = _open(folder)
        public = held.new()
        if as_json:
            print_json({"folder": str(held.folder), "public": public.hex(), "next": _allowing(public)})
            return
        out.print(f"this machine has keys now, in {held.folder}; its private key never leaves it", markup=False)
        out.print(f"{_WHERE}{_allowing(public)}", markup=False)


@keys.command()
def show(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Print this machine's public key."""
    with ending(as_json):
        held = _open(folder)
        public = held.public()
        if as_json:
            print_json({"folder": str(held.folder), "public": public.hex(), "next": _allowing(public)})
            return
        out.print(public.hex())
        err.print(f"{_WHERE}{_allowing(public)}", markup=False)


@keys.command()
def allow(
    name: NameArgument,
    public: Annotated[str, typer.Argument(metavar="KEY", help="what 'embodied keys show' prints there")],
    *,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a machine listen to this one, and listen to it."""
    with ending(as_json):
        held = _open(folder)
        held.allow(name, key_of(public))
        paired = held.paired()
        # Who is allowed here has to allow this machine as well, or the link has one end.
        step = f"on {name}: {_allowing(held.public())}" if paired else "make this machine's own: embodied keys new"
        if as_json:
            print_json({"folder": str(held.folder), "allowed": name, "next": step})
            return
        out.print(f"{name} may listen to this machine now, and is listened to", markup=False)
        out.print(step, markup=False)


@keys.command()
def revoke(name: NameArgument, *, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Turn a machine away, and no longer listen to it; what runs notices within half a second."""
    with ending(as_json):
        held = _open(folder)
        held.revoke(name)
        if as_json:
            print_json({"folder": str(held.folder), "revoked": name})
            return
        out.print(f"{name} is turned away, by what runs within half a second", markup=False)
        out.print("on the other machines that allow it, do the same", markup=False)


@keys.command(name="list")
def list_(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """List the machines that are allowed, with their public keys."""
    with ending(as_json):
        held = _open(folder)
        allowed = held.allowed()
        if as_json:
            print_json({"folder": str(held.folder), "machines": {name: key.hex() for name, key in allowed.items()}})
            return
        for name, key in allowed.items():
            out.print(f"{name} {key.hex()}", markup=False)
        if not allowed:
            err.print("no machine is allowed yet: embodied keys allow NAME KEY", markup=False)
