"""How long an example of a property takes is no property: a busy machine fails nothing."""

from __future__ import annotations

from hypothesis import settings

from tests.embodied.conftest import embodied

__all__ = ["embodied"]

settings.register_profile("embodied", deadline=None)
settings.load_profile("embodied")
