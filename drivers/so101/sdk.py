"""Import of the SO-101 vendor's SDK, with an error that says how to install it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embodied.errors import MissingExtra

if TYPE_CHECKING:
    from drivers.so101.bus import Bus


def bus() -> type[Bus]:
    """Import and return the SO-101's bus, whose module imports the SDK; raise an error if the SDK is missing.

    Raises:
        MissingExtra: the SDK is not installed, or another package has overwritten it.
    """
    try:
        from drivers.so101.bus import Bus
    except ImportError as error:
        raise MissingExtra("ftservo-python-sdk", "so101", "the SO-101") from error
    return Bus
