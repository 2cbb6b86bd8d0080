"""`embodied keys`: two people at two machines, who copy one line each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.embodied.conftest import Command


def test_two_machines_come_to_allow_each_other_by_what_the_commands_say(embodied: Command) -> None:
    step = embodied("keys", "new", "--keys", "arm").stdout.splitlines()[-1]
    shown = embodied("keys", "show", "--keys", "arm")
    key = shown.stdout.strip()
    assert step.endswith(f"embodied keys allow NAME {key}")
    assert shown.stderr.endswith(f"embodied keys allow NAME {key}\n")
    first = embodied("keys", "allow", "arm", key, "--keys", "base")
    assert "make this machine's own: embodied keys new" in first.stdout
    embodied("keys", "new", "--keys", "base")
    again = embodied("keys", "allow", "arm", key, "--keys", "base").stdout
    other = embodied("keys", "show", "--keys", "base").stdout.strip()
    assert f"on arm: embodied keys allow NAME {other}" in again
    assert embodied("keys", "allow", "base", other, "--keys", "arm").code == 0
    assert embodied("keys", "list", "--keys", "arm").stdout == f"base {other}\n"
    assert embodied("keys", "revoke", "base", "--keys", "arm").code == 0
    gone = embodied("keys", "list", "--keys", "arm")
    assert (gone.code, gone.stdout) == (0, "")
    assert "no machine is allowed yet" in gone.stderr


def test_each_of_them_speaks_json(embodied: Command) -> None:
    def told(*words: str) -> dict[str, object]:
        done = embodied("keys", *words, "--keys", "arm", "--json")
        assert done.code == 0
        found: dict[str, object] = json.loads(done.stdout)
        assert found["folder"] == "arm"
        return found

    made = told("new")
    assert told("show") == made
    assert told("allow", "base", "ab" * 32)["next"] == f"on base: {made['next']}"
    assert told("list")["machines"] == {"base": "ab" * 32}
    assert told("revoke", "base")["revoked"] == "base"
    wrong = embodied("keys", "revoke", "base", "--keys", "arm", "--json")
    assert (wrong.code, json.loads(wrong.stdout)["problems"][0]["code"]) == (2, "E914")


def test_keys_are_kept_in_the_configuration_and_never_printed(
    embodied: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    said = [embodied("keys", *words) for words in (["new"], ["show"], ["list"], ["new"], ["show", "--json"])]
    private = (tmp_path / "config" / "embodied" / "keys" / "private").read_text("ascii").splitlines()[-1]
    assert len(private) == 64
    assert private not in "".join(done.stdout + done.stderr for done in said)


def test_what_cannot_be_written_is_one_line(embodied: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = embodied("keys", "new", "--keys", "file")
    assert (done.code, "error[E913]: expected a folder" in done.stderr) == (2, True)
    assert embodied("keys", "new", "--keys", "file/below").code == 3
