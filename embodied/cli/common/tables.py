"""Tables of the command line: names are whole, and what does not fit into the terminal is left out by a stated order.

Lists of names shrink first, to `camera +3`; then columns go, by their rank: 1 goes first, and a column without a rank
stays. A last line says what is left out and what shows it. Where standard output is no terminal, all is shown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from embodied.cli.common.output import out
from embodied.untrusted.text import written_out

GAP = 2
"""Space between two columns [characters]."""

ALL = "all: --json, or | less -S"
"""What shows that which does not fit."""

Cell = str | Text | Sequence[str]
"""Content of a cell: text, coloured text, or a list of names, of which as many are shown as fit."""


@dataclass(frozen=True, slots=True)
class Column:
    """Column of a table of the command line.

    Attributes:
        title: heading.
        drop: rank among the columns that are left out where the terminal is too narrow, from 1; 0: never.
        right: whether it is aligned to the right, as numbers are.
    """

    title: str
    drop: int = 0
    right: bool = False


def numeric(title: str, drop: int = 0) -> Column:
    """Return a column of numbers."""
    return Column(title, drop, right=True)


class Table:
    """Table without lines that fits a width.

        rows = Table(Column("node"), Column("class", drop=1), numeric("steps"))
        rows.add("arm", "SimArm", "1200")
        rows.print()

    Args:
        columns: from left to right.
    """

    def __init__(self, *columns: Column) -> None:
        self.columns = columns
        self._rows: list[tuple[Cell, ...]] = []

    def add(self, *cells: Cell) -> None:
        """Add a row to the table.

        Args:
            cells: one for each column; what is missing at the end is empty.
        """
        shown = (written_out(cell) if isinstance(cell, str) else cell for cell in cells)
        self._rows.append((*shown, *[""] * (len(self.columns) - len(cells))))

    def print(self) -> None:
        """Print the table, as wide as the terminal; whole where there is none."""
        for line in self.lines(out.width if out.is_terminal else None):
            out.print(line)

    def lines(self, width: int | None, shows_all: str = ALL) -> Iterator[Text]:
        """Yield the lines of the table.

        Args:
            width: greatest length of a line [characters]; None: without limit.
            shows_all: what shows that which does not fit.
        """
        kept = self._kept(width)
        widths = self._widths(kept, width)
        yield self._line([Text(self.columns[index].title, "dim") for index in kept], kept, widths)
        hidden = 0
        for row in self._rows:
            cells = []
            for index, room in zip(kept, widths, strict=True):
                cell, left_out = _fitted(row[index], room)
                cells.append(cell)
                hidden += left_out
            yield self._line(cells, kept, widths)
        columns = [column.title for index, column in enumerate(self.columns) if index not in kept]
        if columns or hidden:
            names = [f"+{hidden} name{'s' if hidden > 1 else ''}"] if hidden else []
            parts = [f"+{len(columns)} more: {', '.join(columns)}", *names] if columns else names
            note = f"{'; '.join(parts)}; {shows_all}"
            yield from (Text(line, "dim") for line in textwrap.wrap(note, width or len(note), subsequent_indent="  "))

    def _kept(self, width: int | None) -> list[int]:
        """Return the indices of the columns that are shown."""
        kept = list(range(len(self.columns)))
        ranked = sorted((index for index in kept if self.columns[index].drop), key=lambda i: self.columns[i].drop)
        while ranked and width is not None and _total([self._least(index) for index in kept]) > width:
            kept.remove(ranked.pop(0))
        return kept

    def _widths(self, kept: Sequence[int], width: int | None) -> list[int]:
        """Distribute a width: lists of names get what the other columns leave, from left to right."""
        widths = [self._least(index) for index in kept]
        for place, index in enumerate(kept):
            most = max(cell_len(_text(cell)) for cell in self._column(index))
            spare = most if width is None else max(0, width - _total(widths))
            widths[place] = min(most, widths[place] + spare)
        return widths

    def _column(self, index: int) -> list[Cell]:
        return [self.columns[index].title, *(row[index] for row in self._rows)]

    def _least(self, index: int) -> int:
        """Return the width that a column needs: that of its longest cell, and of a list with one name and a count."""
        return max(cell_len(_shortest(cell)) for cell in self._column(index))

    def _line(self, cells: Sequence[Text], kept: Sequence[int], widths: Sequence[int]) -> Text:
        line = Text()
        for place, (cell, index, width) in enumerate(zip(cells, kept, widths, strict=True)):
            space = " " * (width - cell.cell_len)
            last = place == len(cells) - 1
            line.append_text(Text.assemble(space, cell) if self.columns[index].right else cell)
            if not last:
                line.append((" " * GAP) if self.columns[index].right else space + " " * GAP)
        line.rstrip()
        return line


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _text(cell: Cell) -> str:
    if isinstance(cell, Text):
        return cell.plain
    return cell if isinstance(cell, str) else ", ".join(cell)


def _shortest(cell: Cell) -> str:
    if isinstance(cell, str | Text) or len(cell) < 2:
        return _text(cell)
    return f"{cell[0]} +{len(cell) - 1}"


def _fitted(cell: Cell, width: int) -> tuple[Text, int]:
    """Return the content of a cell, and how many names of a list it leaves out."""
    if isinstance(cell, Text):
        return cell, 0
    if isinstance(cell, str):
        return Text(cell), 0
    shown, left_out = fitting(cell, width)
    return Text(shown), left_out


def fitting(names: Sequence[str], width: int) -> tuple[str, int]:
    """Join as many names as fit into a width, at least one, and count the others: `camera, lane +3`.

    Returns:
        the text, and how many names it leaves out.
    """
    text = ""
    for count in range(len(names), 0, -1):
        others = len(names) - count
        text = ", ".join(names[:count]) + (f" +{others}" if others else "")
        if cell_len(text) <= width or count == 1:
            return text, others
    return text, 0
