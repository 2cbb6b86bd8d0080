"""`embodied keys`: create and show this machine's keys, and allow or revoke other machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common.complete import Choices, safe_completion
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import err, exit_on_error, out, print_json
from embodied.links.keys import Keys, default_folder, key_of

keys = typer.Typer(
    no_args_is_help=True, help="Keys of this machine, and the machines that may exchange messages with it."
)


@safe_completion
def _names(_: str) -> Choices:
    return list(Keys(default_folder()).allowed())


FolderOption = Annotated[
    Path | None,
    typer.Option("--keys", help="folder of the keys; by default embodied/keys in your configuration"),
]
NameArgument = Annotated[
    str, typer.Argument(help="a machine, by its name in launch files", show_default=False, autocompletion=_names)
]


def _keys(folder: Path | None) -> Keys:
    return Keys(default_folder() if folder is None else folder)


def _allow_command(key: bytes) -> str:
    return f"embodied keys allow NAME {key.hex()}"


_WHERE = "on each other machine, with this one's name in launch files: "


@keys.command()
def new(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Create this machine's pair of keys."""
    with exit_on_error(as_json):
        held = _keys(folder)
        public = held.new()
        if as_json:
            print_json({"folder": str(held.folder), "public": public.hex(), "next": _allow_command(public)})
            return
        out.print(f"created keys in {held.folder}; the private key never leaves this machine", markup=False)
        out.print(f"{_WHERE}{_allow_command(public)}", markup=False)


@keys.command()
def show(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Print this machine's public key."""
    with exit_on_error(as_json):
        held = _keys(folder)
        public = held.public()
        if as_json:
            print_json({"folder": str(held.folder), "public": public.hex(), "next": _allow_command(public)})
            return
        out.print(public.hex())
        err.print(f"{_WHERE}{_allow_command(public)}", markup=False)


@keys.command()
def allow(
    name: NameArgument,
    public: Annotated[str, typer.Argument(metavar="KEY", help="its public key, from 'embodied keys show'")],
    *,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Allow a machine to exchange messages with this one."""
    with exit_on_error(as_json):
        held = _keys(folder)
        held.allow(name, key_of(public))
        paired = held.paired()
        # A link needs both machines to allow each other.
        step = f"on {name}: {_allow_command(held.public())}" if paired else "make this machine's own: embodied keys new"
        if as_json:
            print_json({"folder": str(held.folder), "allowed": name, "next": step})
            return
        out.print(f"{name} may exchange messages with this machine now", markup=False)
        out.print(step, markup=False)


@keys.command()
def revoke(name: NameArgument, *, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Revoke a machine's key; running graphs drop its links within half a second."""
    with exit_on_error(as_json):
        held = _keys(folder)
        held.revoke(name)
        if as_json:
            print_json({"folder": str(held.folder), "revoked": name})
            return
        out.print(f"{name} is revoked; running graphs drop its links within half a second", markup=False)
        out.print("revoke it on the other machines that allow it, too", markup=False)


@keys.command(name="list")
def list_(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """List the machines that are allowed, with their public keys."""
    with exit_on_error(as_json):
        held = _keys(folder)
        allowed = held.allowed()
        if as_json:
            print_json({"folder": str(held.folder), "machines": {name: key.hex() for name, key in allowed.items()}})
            return
        for name, key in allowed.items():
            out.print(f"{name} {key.hex()}", markup=False)
        if not allowed:
            err.print("no machine is allowed yet: embodied keys allow NAME KEY", markup=False)
