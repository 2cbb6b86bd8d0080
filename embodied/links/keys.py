"""Keys of a machine: its own CURVE key pair, and the public keys of the machines that it allows.

    ~/.config/embodied/keys/         only the owner may read it
        private                      this machine's private key, which never leaves it
        allowed                      one machine a line: its name in launch files, and its public key

A key is 64 hexadecimal digits. Machines that are not in `allowed` can neither send nor receive.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import zmq
from zmq.utils import z85

from embodied.errors import LaunchError, Problem, nearest
from embodied.graph.endpoint import MACHINE_NAME

MAX_SIZE = 64 * 1024
"""Largest file of keys [B]."""

_KEY = re.compile(r"[0-9a-f]{64}")
_PRIME = 2**255 - 19

_LOW_ORDER = frozenset(
    {
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        _PRIME - 1,
        _PRIME,
        _PRIME + 1,
    }
)
"""Points of Curve25519 of low order (cr.yp.to/ecdh.html): with one of them all secret keys agree on one secret."""

_ABOUT_PRIVATE = "# The private key of this machine, made by 'embodied keys new'. It never leaves it.\n"
_ABOUT_ALLOWED = "# Machines that this one allows, by their names in launch files: 'embodied keys allow NAME KEY'.\n"


def wrong(code: str, message: str, *help_: str, where: object = "") -> LaunchError:
    """Build an error about a machine's keys.

    Args:
        code: of the error page.
        message: what is wrong.
        help_: what to do next.
        where: file or folder.
    """
    return LaunchError([Problem(code, message, help=help_, where=str(where))])


def default_folder() -> Path:
    """Return the folder of this machine's keys that is used without --keys."""
    config = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification has relative paths ignored.
    base = Path(config) if Path(config).is_absolute() else Path.home() / ".config"
    return base / "embodied" / "keys"


def key_of(text: str) -> bytes:
    """Parse a machine's CURVE key [32 B] from its text.

    Raises:
        LaunchError: the text is not a key.
    """
    if not _KEY.fullmatch(text):
        raise wrong(
            "E913", f"expected a key of 64 hexadecimal digits, got '{text[:80]}'", "copy it from 'embodied keys show'"
        )
    key = bytes.fromhex(text)
    if _has_low_order(key):
        raise wrong("E913", _NO_SECRET, "copy it from 'embodied keys show'")
    return key


_NO_SECRET = "no machine has this key: what it agrees on with any other is known to everybody"


def _has_low_order(key: bytes) -> bool:
    # The highest bit is not looked at (RFC 7748, section 5).
    return int.from_bytes(key, "little") % (1 << 255) in _LOW_ORDER


@dataclass(frozen=True, slots=True)
class Keys:
    """Folder with the keys of this machine and of those that it allows.

    Attributes:
        folder: path of the folder.
    """

    folder: Path

    @property
    def _private(self) -> Path:
        return self.folder / "private"

    @property
    def _allowed(self) -> Path:
        return self.folder / "allowed"

    def new(self) -> bytes:
        """Create the key pair of this machine.

        Returns:
            the public key.

        Raises:
            LaunchError: there is a pair already, or other users can read the folder.
        """
        self._ready()
        public, secret = zmq.curve_keypair()
        text = _ABOUT_PRIVATE + _plain(secret).hex() + "\n"
        if not self._write(self._private, text, exclusive=True):
            fix = "'embodied keys show' shows its public key; remove the file to make another"
            raise wrong("E915", "this machine has a key pair", fix, where=self._private)
        return _plain(public)

    def paired(self) -> bool:
        """Return whether this machine has a key pair."""
        return self._private.exists()

    def secret(self) -> bytes:
        """Read the private key of this machine [32 B].

        Raises:
            LaunchError: there is none, it is malformed, or other users can read it.
        """
        if not self.paired():
            raise wrong("E911", "this machine has no key pair yet", "make one: embodied keys new", where=self.folder)
        self._check_owner(self.folder, folder=True)
        lines = self._lines(self._private)
        if len(lines) != 1 or not _KEY.fullmatch(lines[0][1]):
            fix = "remove the file, make another pair with 'embodied keys new', and have the other machines allow it"
            raise wrong("E913", "expected one key of 64 hexadecimal digits", fix, where=self._private)
        return bytes.fromhex(lines[0][1])

    def public(self) -> bytes:
        """Compute the public key of this machine [32 B].

        Raises:
            LaunchError: as for `secret`.
        """
        return _plain(zmq.curve_public(_text(self.secret())))

    def allowed(self) -> Mapping[str, bytes]:
        """Read the allowed public keys [32 B], by machine.

        Raises:
            LaunchError: the list is malformed, or other users can read or write it.
        """
        if not self._allowed.exists():
            return MappingProxyType({})
        self._check_owner(self.folder, folder=True)
        keys: dict[str, bytes] = {}
        for number, line in self._lines(self._allowed):
            name, key = line.split() if line.count(" ") == 1 else ("", "")
            where = f"{self._allowed}:{number}"
            if not MACHINE_NAME.fullmatch(name) or not _KEY.fullmatch(key):
                raise wrong(
                    "E913", f"expected a name and a key, got '{line[:80]}'", "a line is 'NAME KEY'", where=where
                )
            known = bytes.fromhex(key)
            if _has_low_order(known):
                raise wrong("E913", _NO_SECRET, f"remove it: embodied keys revoke {name}", where=where)
            if name in keys or known in keys.values():
                raise wrong("E915", f"the name or the key of '{name}' stands here twice", "remove one", where=where)
            keys[name] = known
        return MappingProxyType(keys)

    def allow(self, name: str, key: bytes) -> None:
        """Add a machine to the list of allowed ones.

        Args:
            name: of the machine in launch files.
            key: public key of the machine [32 B].

        Raises:
            LaunchError: the name is malformed, or the name or the key is taken.
        """
        if not MACHINE_NAME.fullmatch(name):
            raise wrong("E103", f"'{name}' is not a name for a machine", "use a-z, 0-9 and _, and begin with a letter")
        known = dict(self.allowed())
        if known.get(name, key) != key:
            raise wrong("E915", f"'{name}' has another key", f"forget it first: embodied keys revoke {name}")
        taken = [other for other, held in known.items() if held == key and other != name]
        if taken:
            raise wrong("E915", f"this key is that of '{taken[0]}'", "each machine has a key of its own")
        self._store({**known, name: key})

    def revoke(self, name: str) -> None:
        """Remove a machine from the list of allowed ones.

        Raises:
            LaunchError: the machine is not in the list.
        """
        known = dict(self.allowed())
        if known.pop(name, None) is None:
            raise wrong("E914", f"no machine '{name}' is allowed", *nearest(name, known), where=self._allowed)
        self._store(known)

    def stamp(self) -> tuple[int, ...]:
        """Return a value that changes whenever the list of allowed machines does."""
        try:
            status = self._allowed.stat()
        except OSError:
            return ()
        return (status.st_mtime_ns, status.st_ino, status.st_size, status.st_mode)

    def _store(self, known: Mapping[str, bytes]) -> None:
        self._ready()
        lines = [f"{name} {key.hex()}\n" for name, key in sorted(known.items())]
        self._write(self._allowed, _ABOUT_ALLOWED + "".join(lines))

    def _ready(self) -> None:
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True)
            # A umask that forbids even its owner to read leaves a folder that nobody can use.
            self.folder.chmod(0o700)
        self._check_owner(self.folder, folder=True)

    def _lines(self, path: Path) -> list[tuple[int, str]]:
        """Read the lines of a file, without comments and empty ones, numbered from 1."""
        self._check_owner(path)
        try:
            with path.open("rb") as file:
                text = file.read(MAX_SIZE + 1).decode("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise wrong("E913", f"cannot read it: {error}", where=path) from None
        if len(text) > MAX_SIZE:
            raise wrong("E913", f"a file of keys has at most {MAX_SIZE} B", where=path)
        numbered = enumerate((line.strip() for line in text.splitlines()), 1)
        return [(number, line) for number, line in numbered if line and not line.startswith("#")]

    @staticmethod
    def _check_owner(path: Path, *, folder: bool = False) -> None:
        """Refuse a file that other users can read, or that belongs to one."""
        status = path.stat()
        if not (stat.S_ISDIR if folder else stat.S_ISREG)(status.st_mode):
            raise wrong("E913", f"expected a {'folder' if folder else 'file'}", where=path)
        if status.st_uid != os.geteuid():
            raise wrong("E912", "it belongs to another user", f"take it: chown {os.geteuid()} {path}", where=path)
        if status.st_mode & 0o077:
            fix = f"chmod {'700' if folder else '600'} {path}"
            raise wrong("E912", "others than its owner may look into it", fix, where=path)

    @staticmethod
    def _write(path: Path, text: str, *, exclusive: bool = False) -> bool:
        """Write a file whole or not at all; return False if an exclusive one exists already."""
        part = path.with_name(f".{path.name}.{os.getpid()}")
        with suppress(FileNotFoundError):
            part.unlink()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.fchmod(descriptor, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if exclusive:
                os.link(part, path)
                part.unlink()
            else:
                part.replace(path)
        except FileExistsError:
            part.unlink()
            return False
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return True


def _plain(text: bytes) -> bytes:
    """Decode a key [32 B] from ZeroMQ's Z85 text."""
    return z85.decode(text)


def _text(key: bytes) -> bytes:
    return z85.encode(key)
