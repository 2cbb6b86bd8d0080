"""Video of a run as H.264, which every browser plays. Needs PyAV, of the extra `report`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from embodied.clock import SECOND
from embodied.errors import MissingExtra
from embodied.recording.filmstrip import Film, Photographer
from embodied.runtime.episode import VERDICT_PERIOD
from embodied.runtime.lockstep import Lockstep

SIZE = (480, 360)
"""Width and height of the video, both even for H.264 [px]."""

LOOKS = 2
"""Number of looks at a run for each frame."""

RATE = SECOND // VERDICT_PERIOD // LOOKS
"""Frame rate in virtual time, so that the video runs at the speed of the robot [Hz]."""

STILL = 4
"""Duration for which the last picture stays, so that the end is seen [frames]."""


class Video(Photographer):
    """Watcher that films a run. Frames are written as they come, so a long run needs no memory.

        with Video(Path("run.mp4")) as video:
            play(graph, seed, watchers=[video])

    Args:
        file: MP4 with its index at the front, so that it plays while it loads.
        strip: filmstrip that takes over some of the pictures.

    Raises:
        MissingExtra: PyAV is not installed.
        OSError: the file cannot be written.
    """

    def __init__(self, file: Path, strip: Film | None = None) -> None:
        super().__init__(SIZE, shadows=False)
        self._strip = strip
        self._looks = 0
        av = encoder()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._frame: Any = av.VideoFrame.from_ndarray
        self._container: Any = av.open(str(file), "w", options={"movflags": "+faststart"})
        self._stream: Any = self._container.add_stream(
            "libx264", rate=RATE, options={"preset": "veryfast", "crf": "26"}
        )
        # One thread: other processors run other episodes.
        self._stream.codec_context.thread_count = 1
        self._stream.width, self._stream.height = SIZE
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, RATE)

    def look(self, run: Lockstep) -> None:
        """Film a frame of the run, if one is due."""
        if self._looks % LOOKS == 0:
            self._film(run, 1)
        self._looks += 1

    def end(self, run: Lockstep) -> None:
        """Film the last picture, for `STILL` frames."""
        self._film(run, STILL, last=True)

    def _film(self, run: Lockstep, times: int, *, last: bool = False) -> None:
        picture = self.shoot(run)
        if self._strip is not None and picture is not None:
            self._strip.take(run.now, picture, last=last)
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
    """Import PyAV, the encoder of videos.

    Raises:
        MissingExtra: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("av", "report", "a video of a run") from error
    return av


def available() -> bool:
    """Return whether PyAV is installed, so that videos can be written."""
    try:
        encoder()
    except MissingExtra:
        return False
    return True
