"""Text of others as messages show it: cut to a length that can be read, unseen characters written out."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

VALUE_LENGTH = 80
"""Length of a value in a message [characters]."""

SENTENCE_LENGTH = 600
"""Length of a message, in which names and values of a file may stand [characters]."""

ERROR_LENGTH = 4000
"""Length of the message of an exception that foreign code raised [characters]."""

_CONTROLS = ("Cc", "Cf", "Zl", "Zp", "Cs")
"""Categories of Unicode that a terminal obeys, or does not show."""


def written_out(text: str) -> str:
    """Return text in which control characters and others that cannot be seen are written as Python escapes them."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_sign(sign) for sign in text)


def hidden(text: str) -> list[str]:
    """Return the characters of a text that cannot be seen, spaces among them unless they are plain ones."""
    return [sign for sign in text if _sign(sign) != sign]


def shown(value: object, length: int = VALUE_LENGTH) -> str:
    """Return a value as a message shows it: as Python writes it, cut to a length."""
    return cut(repr(value), length)


def cut(text: str, length: int = SENTENCE_LENGTH) -> str:
    """Return a text of at most a length, with `…` where its middle is left out."""
    if len(text) <= length:
        return text
    tail = length // 4
    return f"{text[: length - tail - 3]} … {text[-tail:]}"


@lru_cache(maxsize=1024)
def _sign(sign: str) -> str:
    category = unicodedata.category(sign)
    unseen = category in _CONTROLS or (category == "Zs" and sign != " ")
    return sign.encode("unicode_escape").decode() if unseen and sign not in "\n\t" else sign
