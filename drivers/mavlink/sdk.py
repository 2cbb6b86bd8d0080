"""Whether pymavlink is there."""

from __future__ import annotations

from embodied.errors import MissingExtra


def needed() -> None:
    """Import it.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pymavlink.dialects.v20.common  # noqa: F401
    except ImportError as error:
        raise MissingExtra("pymavlink", "mavlink", "a MAVLink vehicle") from error
