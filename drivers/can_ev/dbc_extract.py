"""Extract of a DBC: the statements about some messages alone, in the lines where they stand.

Public DBCs hold much that no parser takes: names that begin with a digit, values of signals that were removed,
identifiers without their mark. What is not about the messages of a vehicle is left out, so that it cannot matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

STATEMENTS_MOST = 500_000
"""Length of all statements that are left for the parser [letters]."""

SIGNALS_MOST = 1000
"""Number of signals that no message exceeds."""

_TEXT = r'"(?:[^"\\]|\\.)*+"'
_COMMENT = re.compile(rf'^[ \t]*CM_\b[^";\n]*{_TEXT}[ \t]*;?', re.MULTILINE | re.DOTALL)
_HEADER = re.compile(r"\s*BO_\s+(\d+)\s+([^\s:]+)\s*:")
_SIGNAL = re.compile(r"\s*SG_\s+(\S+)")
_ABOUT = re.compile(
    r'^[ \t]*(?P<kind>VAL_|SIG_VALTYPE_|SG_MUL_VAL_|SIG_GROUP_|BO_TX_BU_|BA_[ \t]+"[^"\n]*"[ \t]+(?:BO_|SG_))'
    # Some files forget the semicolon: a statement ends where the next one begins, at the latest.
    rf'[ \t]+(?P<id>\d+)(?:[ \t]+(?P<signal>[^\s:";]+))?(?:[^";]|{_TEXT})*?(?:;|(?=\n\s*[A-Z]+_\b)|\Z)',
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Extract:
    """Statements of a DBC about some messages.

    Attributes:
        text: those statements, each in the line where it stands.
        names: names of all messages of the file.
    """

    text: str
    names: tuple[str, ...]


def extract(text: str, messages: Collection[str], signals: Collection[str]) -> Extract:
    """Leave out of a DBC's text what is about other messages, and all comments.

    Args:
        text: text of the file.
        messages: names of the messages to keep.
        signals: names of the signals whose values to keep.

    Raises:
        ValueError: what is left is larger than any vehicle's.
    """
    text = _COMMENT.sub(_lines, text)
    names: list[str] = []
    kept: list[str] = []
    identifiers: set[int] = set()
    keeping, count = True, 0
    for line in text.split("\n"):
        if header := _HEADER.match(line):
            names.append(header[2])
            keeping, count = header[2] in messages, 0
            if keeping:
                identifiers.add(int(header[1]))
        elif _SIGNAL.match(line):
            count += 1
            if keeping and count > SIGNALS_MOST:
                raise ValueError(f"a message has more than {SIGNALS_MOST} signals")
        else:
            # Signals belong to the message above; whatever else stands between is for the parser.
            kept.append(line)
            continue
        kept.append(line if keeping else "")

    def about(match: re.Match[str]) -> str:
        other = int(match["id"]) not in identifiers or match["kind"] in ("SIG_GROUP_", "BO_TX_BU_")
        unknown = match["kind"] == "VAL_" and match["signal"] not in signals
        return _lines(match) if other or unknown else match[0]

    text = _ABOUT.sub(about, "\n".join(kept))
    if len(text) - text.count("\n") > STATEMENTS_MOST:
        raise ValueError(f"more than {STATEMENTS_MOST} letters of it are about no other message")
    return Extract(text, tuple(names))


def _lines(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")
