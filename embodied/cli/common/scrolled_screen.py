"""Screen of a terminal whose content may be longer: keys scroll, and the last line counts what is out of sight."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Sequence
from typing import Any, Self

from rich.console import Group
from rich.live import Live
from rich.text import Text

from embodied.cli.common.output import out

KEYS = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"k": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"j": "down",
    b"\x1b[5~": "page up",
    b"b": "page up",
    b"\x1b[6~": "page down",
    b" ": "page down",
    b"\x1b[H": "home",
    b"\x1bOH": "home",
    b"\x1b[1~": "home",
    b"g": "home",
    b"\x1b[F": "end",
    b"\x1bOF": "end",
    b"\x1b[4~": "end",
    b"G": "end",
    b"q": "quit",
}
"""Keys by what a terminal sends for them."""

HELP = "↑ ↓ PgUp PgDn Home End, q ends"
"""Keys, for the last line."""

Section = Sequence[Text]
"""Lines that belong together, the first of which is their heading: it stays in sight while the others scroll."""


class ScrolledScreen:
    """Screen with a head that stays and sections that scroll, as long as the context is open.

    Attributes:
        closed: whether its person has pressed `q`.
    """

    def __init__(self) -> None:
        self.closed = False
        self._head: Sequence[Text] = ()
        self._sections: Sequence[Section] = ()
        self._top = 0
        self._typed = b""
        self._live = Live(console=out, screen=True, auto_refresh=False)
        self._mode: list[Any] | None = None

    def __enter__(self) -> Self:
        if sys.stdin is not None and sys.stdin.isatty():
            self._mode = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        if self._mode is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._mode)

    def show(self, head: Sequence[Text], sections: Sequence[Section]) -> None:
        """Replace the content; what was scrolled to stays in sight."""
        self._head, self._sections = head, sections
        self._draw()

    def wait(self, other: Any, timeout: float) -> None:
        """Follow the keys until something else can be read or a time is over.

        Args:
            other: with a descriptor.
            timeout: longest time [s].
        """
        sources = [other] if self._mode is None else [other, sys.stdin]
        ready, _, _ = select.select(sources, [], [], max(0.0, timeout))
        if sys.stdin not in ready:
            return
        typed = os.read(sys.stdin.fileno(), 1024)
        if not typed:
            # The terminal has gone.
            self.closed = True
        self._typed += typed
        self._follow_keys()

    def _follow_keys(self) -> None:
        page = max(1, self._room(len(self._head_lines())) - 2)
        steps = {"up": -1, "down": 1, "page up": -page, "page down": page, "home": -(10**9), "end": 10**9}
        while self._typed:
            code = next((code for code in KEYS if self._typed.startswith(code)), None)
            if code is None:
                if any(known.startswith(self._typed) for known in KEYS):
                    # The rest of it is still under way.
                    break
                self._typed = self._typed[1:]
                continue
            self._typed = self._typed[len(code) :]
            if KEYS[code] == "quit":
                self.closed = True
                return
            self._top += steps[KEYS[code]]
            self._draw()

    def _head_lines(self) -> list[Text]:
        return _wrapped(self._head)

    def _room(self, head: int) -> int:
        """Return the height of what scrolls below a head: all but the last line [lines]."""
        return max(1, out.height - 1 - (head if head <= out.height // 2 else 0))

    def _draw(self) -> None:
        head = self._head_lines()
        room = self._room(len(head))
        sections = [_wrapped(section) for section in self._sections]
        if len(head) > out.height // 2:
            # It would leave no space for the rest, so it scrolls as well.
            head, sections = [], [head, *sections]
        lines = [line for section in sections for line in section]
        headings = [section[0] for section in sections for _ in section]
        self._top = max(0, min(self._top, len(lines) - room))
        seen = lines[self._top : self._top + room]
        if seen and self._top:
            seen[0] = headings[self._top]
        rest = len(lines) - self._top - len(seen)
        seen += [Text()] * (room - len(seen))
        where = f"lines {self._top + 1} to {self._top + room} of {len(lines)}, +{rest} more: {HELP}"
        foot = Text(where if len(lines) > room else "q ends", "dim")
        foot.truncate(out.width)
        self._live.update(Group(*head, *seen, foot), refresh=True)


def _wrapped(texts: Sequence[Text]) -> list[Text]:
    """Return texts as lines that are no longer than the screen is wide."""
    return [line for text in texts for line in (text.wrap(out, out.width, overflow="fold") if text else [text])]
