"""Renderers of simulated cameras, by the name that a launch file gives them."""

from collections.abc import Callable, Mapping

from embodied.errors import EmbodiedError, WorldFailed, nearest
from sims.rendering.egl import Egl
from sims.rendering.rasteriser import Rasteriser
from sims.rendering.renderer import Light, Renderer
from sims.rendering.tiny import Tiny

AUTO = "auto"
"""Name that stands for the first renderer that works on this machine."""

VERSIONS: Mapping[str, Callable[[], str]] = {
    "opencv": Rasteriser.version,
    "egl": Egl.version,
    "tiny": Tiny.version,
}
"""Function that returns each renderer's version, in the order of `auto`; it raises an `EmbodiedError` without one."""


def choose(name: str = AUTO) -> tuple[str, str]:
    """Return the renderer that a name stands for, and its version; `auto` is the first that works here.

    Raises:
        WorldFailed: there is none of that name, or what it needs is missing.
    """
    if name != AUTO:
        if name not in VERSIONS:
            raise WorldFailed(f"there is no renderer '{name}'; {', '.join(nearest(name, [AUTO, *VERSIONS]))}")
        return name, VERSIONS[name]()
    for candidate, version in VERSIONS.items():
        try:
            return candidate, version()
        except EmbodiedError:
            continue
    raise WorldFailed("no renderer works on this machine; `embodied doctor` says why")


__all__ = ["AUTO", "VERSIONS", "Egl", "Light", "Rasteriser", "Renderer", "Tiny", "choose"]
