"""A run as H.264 video, which every browser plays. Needs PyAV, of the extra `report`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from embodied.clock import SECOND
from embodied.errors import MissingExtra
from embodied.recording.filmstrip import Photographer
from embodied.runtime.episode import VERDICT_PERIOD
from embodied.runtime.lockstep import Lockstep

SIZE = (480, 360)
"""Width and height [px]; H.264 takes even ones."""

RATE = SECOND // VERDICT_PERIOD
"""Pictures a second of virtual time [Hz]: one each look, so that the video runs as fast as the robot."""

STILL = 8
"""The last picture stands still for this many frames, so that the end is seen."""


class Video(Photographer):
    """Watches a run and films it. Frames are written as they come: a long run needs no memory.

        with Video(Path("run.mp4")) as video:
            play(graph, seed, watchers=[video])

    Args:
        file: an MP4, whose index stands at its front: it plays while it loads.

    Raises:
        MissingExtra: PyAV is not installed.
        OSError: the file cannot be written.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(SIZE)
        av = encoder()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._frame: Any = av.VideoFrame.from_ndarray
        self._container: Any = av.open(str(file), "w", options={"movflags": "+faststart"})
        self._stream: Any = self._container.add_stream(
            "libx264", rate=RATE, options={"preset": "veryfast", "crf": "26"}
        )
        # One thread: the other processor has an episode to run.
        self._stream.codec_context.thread_count = 1
        self._stream.width, self._stream.height = SIZE
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, RATE)

    def look(self, run: Lockstep) -> None:
        """Film one frame."""
        self._film(run, 1)

    def end(self, run: Lockstep) -> None:
        """Film the last one, and let it stand."""
        self._film(run, STILL)

    def _film(self, run: Lockstep, times: int) -> None:
        picture = self.shoot(run)
        for _ in range(0 if picture is None else times):
            for packet in self._stream.encode(self._frame(picture, format="rgb24")):
                self._container.mux(packet)

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for packet in self._stream.encode():
                self._container.mux(packet)
        finally:
            self._container.close()


def encoder() -> Any:
    """PyAV.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("av", "report", "a video of a run") from error
    return av


def available() -> bool:
    """Whether videos can be made here."""
    try:
        encoder()
    except MissingExtra:
        return False
    return True
