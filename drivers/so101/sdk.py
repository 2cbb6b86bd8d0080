"""Whether the vendor's SDK is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embodied.errors import MissingExtra

if TYPE_CHECKING:
    from drivers.so101.bus import Bus


def bus() -> type[Bus]:
    """The bus, whose module imports the SDK.

    Raises:
        MissingExtra: it is not installed, or another package has put its own over it.
    """
    try:
        from drivers.so101.bus import Bus
    except ImportError as error:
        raise MissingExtra("ftservo-python-sdk", "so101", "the SO-101") from error
    return Bus
