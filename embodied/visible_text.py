"""Visible text: control characters and lone surrogates written as escapes, for text that reaches a terminal or a log.

What nodes, files and devices say is data. A terminal would obey the escape sequences in it: clear lines, change its
title, write elsewhere on the screen; so would the page of a CI server.
"""

from __future__ import annotations

import re

# C0 without newline and tab, DEL, C1; controls of writing direction, which reorder what is shown; lone surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Write each control character as an escape, such as `\x1b`; newlines and tabs stay as they are."""
    return _CONTROL.sub(_escape, text) if _CONTROL.search(text) else text


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
