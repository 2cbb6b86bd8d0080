"""List of words that docstrings, messages, comments and docs do without, each with the field's word for it."""

from __future__ import annotations

import re

WORDS = {
    "hall": "core",
    "rooms?": "package",
    "givers?": "publisher",
    "takers?": "subscriber",
    "told": "reported, set, or commanded",
    "heard": "received",
    "said": "published, reported, or stated",
    "far (side|end)s?": "virtual device",
    "whom": "a noun",
    "anew": "again",
    "none that": "no ... that",
    "so many": "n, or at most N",
    "so long": "timeout, or for N seconds",
    "so much": "a quantity with its unit",
    "whereabouts": "pose buffer",
    "sightings?": "landmark, or detection",
    "spotters?": "aerial detector",
    "puppets?": "camera replica",
    "sentinels?": "reaper",
    "switchboards?": "link table",
    "parcels?": "packed message",
    "errands?": "task",
    "consignments?": "delivery",
    "floorplans?": "scene",
    "nameplates?": "identity",
}
"""Pattern of each word, and what the field says in its place."""

PATTERN = re.compile(r"\b(" + "|".join(WORDS) + r")\b", re.IGNORECASE)
"""Any of the words, whole and in either case."""


def instead(word: str) -> str:
    """Look up the field's term for a word of the list."""
    return next(term for pattern, term in WORDS.items() if re.fullmatch(pattern, word, re.IGNORECASE))
