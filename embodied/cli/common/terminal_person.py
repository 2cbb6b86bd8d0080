"""Somebody at the terminal, who is asked, and answers with Enter."""

from __future__ import annotations

import os
import select
import sys
import termios

from embodied.cli.common.output import StatusLine, err, usage


class Person:
    """Asks on standard error; a line on standard input says that it is done.

    Args:
        line: where it is shown how things are.
    """

    def __init__(self, line: StatusLine) -> None:
        self._line = line
        self._input = sys.stdin.fileno()
        self._said = b""

    def tell(self, text: str) -> None:
        """Print a line."""
        err.print(text, markup=False)

    def ask(self, text: str) -> None:
        """Print what is to be done, and wait for a line.

        Raises:
            LaunchError: nobody is there any more.
        """
        if os.isatty(self._input):
            # What was typed before it was asked for is no answer.
            termios.tcflush(self._input, termios.TCIFLUSH)
        self.tell(f"{text} [Enter]")
        self._line.draw("waiting for Enter")
        while not self._answered(None):
            pass

    def waits(self, line: str, seconds: float) -> bool:
        """Whether a line came; waited for no longer than so many seconds.

        Raises:
            LaunchError: nobody is there any more.
        """
        self._line.draw(line)
        return self._answered(seconds)

    def _answered(self, seconds: float | None) -> bool:
        if b"\n" not in self._said and select.select([self._input], [], [], seconds)[0]:
            heard = os.read(self._input, 4096)
            if not heard:
                raise usage("nobody answers: standard input has ended", "run it in a terminal")
            self._said += heard
        _, ended, rest = self._said.partition(b"\n")
        self._said = rest if ended else self._said
        return bool(ended)
