"""Tables on terminals of any width: names are whole, columns go in their order, and what is left out is counted."""

from __future__ import annotations

import pytest
from rich.text import Text

from embodied.cli.common.tables import Column, Table, fitting, numeric


def table(*rows: tuple[object, ...]) -> Table:
    made = Table(Column("node"), Column("class", 2), numeric("steps", 1), Column("taken by", 3))
    for name, kind, steps, takers in rows:
        made.add(str(name), Text(str(kind)), str(steps), [str(taker) for taker in takers])  # type: ignore[attr-defined]
    return made


ROWS: tuple[tuple[object, ...], ...] = (
    ("arm_guard", "ArmGuard", 12345, ["ik.joints", "arm.command", "logger.any"]),
    ("car", "SimCar", 7, []),
)

WHOLE = [
    "node       class     steps  taken by",
    "arm_guard  ArmGuard  12345  ik.joints, arm.command, logger.any",
    "car        SimCar        7",
]


def lines(width: int | None) -> list[str]:
    return [line.plain for line in table(*ROWS).lines(width)]


def test_where_there_is_no_terminal_or_a_wide_one_everything_is_shown() -> None:
    assert lines(None) == lines(62) == WHOLE


def test_lists_shrink_first_and_then_columns_go_in_their_order() -> None:
    assert lines(53)[1:] == [
        "arm_guard  ArmGuard  12345  ik.joints, arm.command +1",
        WHOLE[2],
        "+1 name; all: --json, or | less -S",
    ]
    assert lines(40)[1].endswith("12345  ik.joints +2")
    assert lines(39)[0] == "node       class     taken by"
    assert " ".join(lines(39)[3:]) == "+1 more: steps; +2 names; all: --json,   or | less -S"
    assert lines(25)[0] == "node       taken by"
    assert " ".join(lines(25)[3:]) == "+2 more: class, steps; +2   names; all: --json, or   | less -S"
    assert lines(20)[0] == "node"
    assert lines(20)[1:3] == ["arm_guard", "car"]


@pytest.mark.parametrize("width", [*range(1, 70), 200])
def test_names_are_whole_at_every_width_and_lines_fit_if_names_do(width: int) -> None:
    heading, *rows = lines(width)[:3]
    assert [row.split()[0] for row in rows] == ["arm_guard", "car"]
    assert all(len(line) <= max(width, len("arm_guard")) for line in (heading, *rows))
    assert bool(lines(width)[3:]) == (width < 62)


def test_a_cell_takes_the_width_that_a_terminal_gives_it() -> None:
    wide = Table(Column("node"), numeric("steps"))
    wide.add("机械臂", "1")
    wide.add("a\x1b[2J", "2")
    assert [line.plain for line in wide.lines(None)] == ["node      steps", "机械臂        1", "a\\x1b[2J      2"]


def test_at_least_one_name_is_shown_whole() -> None:
    assert fitting(["camera", "lane", "ik"], 12) == ("camera +2", 2)
    assert fitting(["camera", "lane", "ik"], 3) == ("camera +2", 2)
    assert fitting([], 3) == ("", 0)
