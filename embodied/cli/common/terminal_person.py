"""Person at the terminal who carries out instructions and confirms each with Enter."""

from __future__ import annotations

import os
import select
import sys
import termios

from embodied.cli.common.output import StatusLine, err, usage


class TerminalPerson:
    """Person at the terminal: prints instructions to standard error, and takes a line on standard input to confirm.

    Args:
        line: status line for what is measured meanwhile.
    """

    def __init__(self, line: StatusLine) -> None:
        self._line = line
        self._input = sys.stdin.fileno()
        self._received = b""

    def tell(self, text: str) -> None:
        """Print a line of text to standard error."""
        err.print(text, markup=False)

    def ask(self, text: str) -> None:
        """Print an instruction and wait for Enter.

        Raises:
            LaunchError: standard input has ended.
        """
        if os.isatty(self._input):
            # Keys that were pressed before the question are no answer to it.
            termios.tcflush(self._input, termios.TCIFLUSH)
        self.tell(f"{text} [Enter]")
        self._line.draw("waiting for Enter")
        while not self._confirmed(None):
            pass

    def waits(self, line: str, seconds: float) -> bool:
        """Show a status line and return whether Enter was pressed within a time.

        Raises:
            LaunchError: standard input has ended.
        """
        self._line.draw(line)
        return self._confirmed(seconds)

    def _confirmed(self, seconds: float | None) -> bool:
        if b"\n" not in self._received and select.select([self._input], [], [], seconds)[0]:
            data = os.read(self._input, 4096)
            if not data:
                raise usage("nobody answers: standard input has ended", "run it in a terminal")
            self._received += data
        _, newline, rest = self._received.partition(b"\n")
        self._received = rest if newline else self._received
        return bool(newline)
