"""Keys: files that a person can read, and that nobody else can."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.errors import LaunchError
from embodied.links.keys import Keys, default_folder, key_of


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "config" / "keys")


def code(caught: pytest.ExceptionInfo[LaunchError]) -> str:
    return caught.value.problems[0].code


def test_a_pair_is_made_once_and_only_its_owner_may_read_it(keys: Keys) -> None:
    public = keys.new()
    assert keys.public() == public
    assert keys.secret() != public
    assert keys.folder.stat().st_mode & 0o777 == 0o700
    assert [(file.name, file.stat().st_mode & 0o777) for file in keys.folder.iterdir()] == [("private", 0o600)]
    with pytest.raises(LaunchError, match="this machine has a key pair") as caught:
        keys.new()
    assert code(caught) == "E915"
    assert keys.public() == public


def test_the_list_is_text_one_machine_a_line(keys: Keys) -> None:
    assert keys.allowed() == {}
    keys.allow("base", bytes(range(32)))
    keys.allow("arm_pc", bytes([9] * 32))
    lines = (keys.folder / "allowed").read_text("ascii").splitlines()
    assert lines[1:] == [f"arm_pc {'09' * 32}", f"base {bytes(range(32)).hex()}"]
    assert lines[0].startswith("# ")
    assert (keys.folder / "allowed").stat().st_mode & 0o777 == 0o600
    assert keys.allowed() == {"arm_pc": bytes([9] * 32), "base": bytes(range(32))}
    keys.allow("base", bytes(range(32)))
    keys.revoke("arm_pc")
    assert list(keys.allowed()) == ["base"]


def test_a_name_and_a_key_stand_for_each_other(keys: Keys) -> None:
    keys.allow("base", bytes([9] * 32))
    for name, key, says, expected in (
        ("base", b"1" * 32, "'base' has another key", "E915"),
        ("other", bytes([9] * 32), "this key is that of 'base'", "E915"),
        ("Base", b"2" * 32, "'Base' is not a name for a machine", "E103"),
        ("a/b", b"2" * 32, "not a name", "E103"),
    ):
        with pytest.raises(LaunchError, match=says) as caught:
            keys.allow(name, key)
        assert code(caught) == expected
    with pytest.raises(LaunchError, match="no machine 'bse' is allowed") as caught:
        keys.revoke("bse")
    assert (code(caught), caught.value.problems[0].help[0]) == ("E914", "did you mean 'base'?")


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o702])
def test_a_folder_that_others_may_look_into_is_refused_with_the_command_that_shuts_it(keys: Keys, mode: int) -> None:
    keys.new()
    keys.folder.chmod(mode)
    for use in (keys.secret, keys.public, keys.new, lambda: keys.allow("base", bytes([9] * 32))):
        with pytest.raises(LaunchError) as caught:
            use()
        assert code(caught) == "E912"
        assert caught.value.problems[0].help == (f"chmod 700 {keys.folder}",)


@pytest.mark.parametrize("name", ["private", "allowed"])
def test_a_file_that_others_may_read_is_refused(keys: Keys, name: str) -> None:
    keys.new()
    keys.allow("base", bytes([9] * 32))
    (keys.folder / name).chmod(0o640)
    with pytest.raises(LaunchError, match="others than its owner") as caught:
        keys.secret() if name == "private" else keys.allowed()
    assert code(caught) == "E912"


@pytest.mark.parametrize("text", ["", "zz\n", "00" * 31, "00" * 33, ("09" * 32 + "\n") * 2, "\xe9", "x" * 70_000])
def test_a_private_key_that_is_none_is_one_clear_error(keys: Keys, text: str) -> None:
    keys.new()
    (keys.folder / "private").write_text(text, encoding="utf-8")
    with pytest.raises(LaunchError) as caught:
        keys.secret()
    assert code(caught) == "E913"


def test_a_missing_pair_says_how_to_make_one(keys: Keys) -> None:
    with pytest.raises(LaunchError, match="make one: embodied keys new") as caught:
        keys.public()
    assert code(caught) == "E911"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("base\n", "E913"),
        (f"base {'00' * 31}\n", "E913"),
        (f"Base {'09' * 32}\n", "E913"),
        (f"base {'09' * 32} more\n", "E913"),
        (f"base {'09' * 32}\nbase {'11' * 32}\n", "E915"),
        (f"base {'09' * 32}\nother {'09' * 32}\n", "E915"),
        ("\x00\x01\n", "E913"),
    ],
)
def test_a_list_that_is_wrong_says_in_which_line(keys: Keys, text: str, expected: str) -> None:
    keys.allow("base", bytes([9] * 32))
    (keys.folder / "allowed").write_text(f"# a comment\n\n{text}", encoding="utf-8")
    with pytest.raises(LaunchError) as caught:
        keys.allowed()
    assert code(caught) == expected
    assert str(keys.folder / "allowed") + ":" in caught.value.problems[0].where


def test_a_write_that_is_cut_short_leaves_what_was_there(keys: Keys) -> None:
    keys.allow("base", bytes([9] * 32))
    # What a process that died in the middle leaves behind stands in nobody's way.
    for left in keys.folder.parent.glob("**/.allowed*"):
        left.unlink()
    keys.allow("other", b"1" * 32)
    assert [file.name for file in keys.folder.iterdir()] == ["allowed"]
    before = keys.stamp()
    keys.revoke("other")
    assert keys.stamp() != before


def test_keys_are_kept_where_the_desktop_keeps_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "embodied" / "keys"
    monkeypatch.setenv("XDG_CONFIG_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".config" / "embodied" / "keys"


@given(st.binary(min_size=32, max_size=32).filter(lambda key: any(key[1:31])))
def test_a_key_is_read_as_it_is_written(key: bytes) -> None:
    assert key_of(key.hex()) == key


PRIME = 2**255 - 19


@pytest.mark.parametrize(
    "point",
    [
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        PRIME - 1,
        PRIME,
        PRIME + 1,
    ],
)
@pytest.mark.parametrize("sign", [0, 1 << 255])
def test_a_key_with_which_everybody_knows_what_is_agreed_on_is_refused(point: int, sign: int, keys: Keys) -> None:
    key = (point + sign).to_bytes(32, "little")
    with pytest.raises(LaunchError, match="known to everybody"):
        key_of(key.hex())
    # Nor may one be written into the list by hand.
    keys.allow("base", bytes([9] * 32))
    file = keys.folder / "allowed"
    file.write_text(file.read_text() + f"other {key.hex()}\n")
    with pytest.raises(LaunchError, match=r"known to everybody\n.*allowed:3"):
        keys.allowed()


def test_keys_are_usable_whatever_the_umask_is(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    before = os.umask(0o777)
    try:
        keys.new()
        keys.allow("base", bytes([9] * 32))
    finally:
        os.umask(before)
    assert keys.folder.stat().st_mode & 0o777 == 0o700
    assert (keys.folder / "private").stat().st_mode & 0o777 == 0o600
    assert keys.allowed() == {"base": bytes([9] * 32)}


@given(st.text(max_size=70))
def test_any_other_text_is_no_key(text: str) -> None:
    with pytest.raises(LaunchError, match="expected a key of 64 hexadecimal digits"):
        key_of(text)
