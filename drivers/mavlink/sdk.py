"""Check that pymavlink, the vendor-neutral MAVLink library, is installed."""

from __future__ import annotations

from embodied.errors import MissingExtra


def require() -> None:
    """Check that pymavlink, the library of MAVLink, can be imported.

    Raises:
        MissingExtra: pymavlink is not installed.
    """
    try:
        import pymavlink.dialects.v20.common  # noqa: F401
    except ImportError as error:
        raise MissingExtra("pymavlink", "mavlink", "a MAVLink vehicle") from error
