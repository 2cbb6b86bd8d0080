"""`embodied calibrate`: print a calibration board, and measure a camera with it, into a site file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embodied.cli.common import complete
from embodied.cli.common.number_option import finite
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import StatusLine, exit_on_error, out, print_json, usage
from embodied.errors import LaunchError, Problem
from embodied.geometry import transform
from embodied.launch.site import Site

# OpenCV takes as long to import as all the rest, so that only the commands that need it import it.
if TYPE_CHECKING:
    from embodied.calibration.board import Board, BoardDetection
    from embodied.calibration.solve import CameraFit, ImageFit
    from embodied.messages import Vector

SETTING = "calibration"
"""Setting of the camera that holds the result."""

SQUARES = "9x6"
"""Default board in columns and rows: it fits a sheet of A4 or letter paper."""

SQUARE = 0.025
"""Default side of a square [m]."""

DICTIONARY = "4X4_50"
"""Default dictionary of the markers."""

calibrate = typer.Typer(no_args_is_help=True, help="Measure a camera or an arm, and write the result into a site file.")
SquaresOption = Annotated[str, typer.Option(help="COLUMNSxROWS of the board")]
SquareOption = Annotated[float, typer.Option(callback=finite, help="side of a printed square in metres, measured")]
MarkerOption = Annotated[
    float | None,
    typer.Option(callback=finite, help="side of a marker in metres; by default three quarters of a square"),
]
DictionaryOption = Annotated[str, typer.Option(help="dictionary of the markers, OpenCV's name without DICT_")]


@calibrate.command()
def board(
    *,
    output: Annotated[Path, typer.Option(help="the PNG to write")] = Path("board.png"),
    squares: SquaresOption = SQUARES,
    square: SquareOption = SQUARE,
    marker: MarkerOption = None,
    dictionary: DictionaryOption = DICTIONARY,
    dpi: Annotated[float, typer.Option(callback=finite, help="approximate resolution in dots per inch")] = 300.0,
    as_json: JsonOption = False,
) -> None:
    """Draw the board to print: a chessboard with markers, as a PNG with its resolution."""
    with exit_on_error(as_json):
        from embodied.calibration.print_sheet import png, sheet

        chart = _board(squares, square, marker, dictionary)
        _require_png("--output", output)
        try:
            image, per_metre = sheet(chart, dpi)
        except ValueError as error:
            raise usage(f"--dpi: {error}", "300 is what printers do") from None
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(png(image, per_metre))
        wide, tall = (1000 * size / per_metre for size in image.shape[::-1])
        if as_json:
            size = {"width_m": wide / 1000, "height_m": tall / 1000}
            print_json({"output": str(output), "board": asdict(chart), **size})
            return
        out.print(f"{output}: {squares} squares of {1000 * square:g} mm, {wide:.0f}x{tall:.0f} mm in all", markup=False)
        out.print("print it at 100 %, glue it onto something flat, and measure a square:", markup=False)
        out.print(f"embodied calibrate camera FOLDER --squares {squares} --square {square:g}", markup=False)


@calibrate.command()
def camera(
    images: Annotated[list[Path], typer.Argument(help="images of the board, or folders with them", show_default=False)],
    *,
    squares: SquaresOption = SQUARES,
    square: SquareOption = SQUARE,
    marker: MarkerOption = None,
    dictionary: DictionaryOption = DICTIONARY,
    placed: Annotated[Path | None, typer.Option(help="the image in which the board lies at --board-pose")] = None,
    board_pose: Annotated[
        str | None,
        typer.Option(help="X,Y,Z,ROLL,PITCH,YAW of the board in the robot's base frame, in metres and radians"),
    ] = None,
    site: Annotated[
        Path | None, typer.Option(help="the site file to write it into", autocompletion=complete.files)
    ] = None,
    node: Annotated[str, typer.Option(help="the camera's node")] = "camera",
    replace: Annotated[bool, typer.Option("--replace", help="replace an existing calibration")] = False,
    report: Annotated[Path | None, typer.Option(help="a PNG to draw corners and residuals into")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a camera from images of the board: focal lengths, centre, distortion, and with --board-pose its pose."""
    with exit_on_error(as_json):
        from embodied.calibration.coverage import Coverage
        from embodied.calibration.images import files
        from embodied.calibration.residual_plot import drawing
        from embodied.calibration.solve import measure, place
        from embodied.cli.common.calibration_report import data, lines
        from embodied.recording.filmstrip import save

        chart = _board(squares, square, marker, dictionary)
        pose = _pose(board_pose, placed)
        _require_png("--report", report)
        held = None if site is None else Site.read(site)
        if held is not None:
            # Fail before the measurement, which takes a while.
            held.check(node, SETTING, replace=replace)
        # The image of the placed board also serves the measurement.
        found = _detect(chart, files([*images, *([] if placed is None else [placed])]))
        measured = measure(found.detections, found.width, found.height)
        calibration = measured.calibration
        if placed is not None and pose is not None:
            calibration = place(calibration, _placed_image(placed, measured), pose)
        coverage = Coverage.of((image.detection for image in measured.used), found.width, found.height)
        if report is not None:
            save(drawing(measured, coverage), report)
        if held is not None:
            held.put(node, SETTING, calibration.setting()).write()
        if as_json:
            about = {"site": None if site is None else str(site), "report": None if report is None else str(report)}
            print_json(data(measured, calibration, coverage, found.lacking) | about)
            return
        out.print("\n".join(lines(measured, calibration, coverage, found.lacking)), markup=False)
        if site is not None:
            out.print(f"site       {site}: {SETTING} of '{node}'", markup=False)
        if report is not None:
            out.print(f"report     {report}", markup=False)


@dataclass(frozen=True, slots=True)
class _Detections:
    """Detections of the board in a set of images.

    Attributes:
        detections: corners of the board, by image.
        lacking: images in which the board was not found.
        width, height: size of the images [px].
    """

    detections: list[BoardDetection]
    lacking: list[str]
    width: int
    height: int


def _board(squares: str, square: float, marker: float | None, dictionary: str) -> Board:
    from embodied.calibration.board import Board

    columns, by, rows = squares.lower().partition("x")
    if not by or not (columns + rows).isdecimal():
        raise usage(f"--squares: expected COLUMNSxROWS, got '{squares}'", f"write --squares {SQUARES}")
    try:
        return Board(int(columns), int(rows), square, 0.75 * square if marker is None else marker, dictionary.upper())
    except ValueError as error:
        raise usage(f"there is no such board: {error}", "lengths are in metres: --square 0.025") from None


def _require_png(flag: str, path: Path | None) -> None:
    if path is not None and path.suffix.lower() != ".png":
        raise usage(
            f"{flag}: expected a file name that ends in .png, got '{path}'", f"write {flag} {path.with_suffix('.png')}"
        )


def _pose(text: str | None, placed: Path | None) -> Vector | None:
    """Parse the pose of the board in the base frame, shape (4, 4) [m]."""
    if (text is None) != (placed is None):
        raise usage(
            "--placed and --board-pose belong together: the image with the board at that pose",
            "write --placed table.png --board-pose 0.4,-0.1,0,0,0,1.5708",
        )
    if text is None:
        return None
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 6 or not all(map(math.isfinite, numbers)):
        raise usage(
            f"--board-pose: expected X,Y,Z,ROLL,PITCH,YAW, got '{text}'", "metres and radians: 0.4,-0.1,0,0,0,0"
        )
    return transform(tuple(numbers[:3]), tuple(numbers[3:]))


def _detect(board: Board, paths: Sequence[Path]) -> _Detections:
    from embodied.calibration.images import images

    detections: list[BoardDetection] = []
    lacking: list[str] = []
    width = height = 0
    with StatusLine() as line:
        for number, (path, image) in enumerate(images(paths)):
            line.draw(f"looking for the board: image {number + 1} of {len(paths)}")
            height, width = image.shape
            detection = board.find(str(path), image)
            if detection is None:
                lacking.append(str(path))
            else:
                detections.append(detection)
    if not detections:
        help_ = (
            f"is it a board of {board.columns}x{board.rows} squares with markers {board.dictionary}? "
            "--squares and --dictionary say which",
            "its markers must be sharp, and some 20 pixels wide",
        )
        message = f"the board is in no image of {len(paths)}"
        raise LaunchError([Problem("E922", message, help=help_)])
    return _Detections(detections, lacking, width, height)


def _placed_image(placed: Path, measured: CameraFit) -> ImageFit:
    """Return the image that shows the board at its stated pose."""
    for image in measured.used:
        if Path(image.detection.name).resolve() == placed.resolve():
            return image
    refused = {Path(image.detection.name).resolve() for image in measured.refused}
    why = "does not agree with the other images" if placed.resolve() in refused else "does not show the board"
    raise LaunchError(
        [Problem("E922", f"{placed}, by which the camera is to be placed, {why}", help=("take it again",))]
    )
