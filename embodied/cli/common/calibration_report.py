"""Report of a camera calibration, as data and as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from embodied.calibration import OPTICAL, Calibration
from embodied.calibration.coverage import Coverage
from embodied.calibration.solve import CameraFit
from embodied.geometry import quaternion


def data(measured: CameraFit, calibration: Calibration, coverage: Coverage, lacking: Sequence[str]) -> dict[str, Any]:
    """Describe a camera calibration and the residuals of its images as plain data, for the report.

    Args:
        measured: camera and images of the measurement.
        calibration: calibration as written into the site, with its pose.
        coverage: coverage of the image by the board.
        lacking: images in which the board was not found.
    """
    images = [(image, image in measured.used) for image in (*measured.used, *measured.refused)]
    return {
        "calibration": calibration.setting(),
        "deviations_px": measured.deviations,
        "error_px": measured.error,
        "images": [
            {
                "image": image.detection.name,
                "used": used,
                "corners": len(image.detection.points),
                "error_px": image.error,
                "board": {
                    "position": image.pose[:3, 3].tolist(),
                    "orientation": quaternion(image.pose[:3, :3]).tolist(),
                },
            }
            for image, used in sorted(images, key=lambda entry: entry[0].detection.name)
        ],
        "not_found": list(lacking),
        "coverage": {"share": coverage.share, "missing": list(coverage.missing)},
    }


def lines(measured: CameraFit, camera: Calibration, coverage: Coverage, lacking: Sequence[str]) -> Iterator[str]:
    """Format a camera calibration and its residuals as lines of text."""
    spread = measured.deviations
    found = len(measured.used) + len(measured.refused)
    worst = max(measured.used, key=lambda image: image.error)
    yield f"images     {found + len(lacking)} of {camera.width}x{camera.height} px, the board found in {found}"
    yield f"focal      {camera.fx:.2f} ± {spread['fx']:.2f} px across, {camera.fy:.2f} ± {spread['fy']:.2f} px down"
    yield f"centre     {camera.cx:.2f} ± {spread['cx']:.2f} px, {camera.cy:.2f} ± {spread['cy']:.2f} px"
    yield f"distortion {', '.join(f'{value:.4f}' for value in camera.distortion)} (k1, k2, p1, p2, k3)"
    yield f"error      {measured.error:.3f} px; at most {worst.error:.3f} px, in {worst.detection.name}"
    for image in measured.refused:
        yield f"refused    {image.detection.name}: {image.error:.2f} px, and does not agree with the others"
    for name in lacking:
        yield f"not found  {name}"
    yield f"covered    {coverage.share:.0%} of the image"
    if coverage.missing:
        yield f"warning    {', '.join(coverage.missing)}: distortion is a guess there; hold the board there too"
    if camera.frame != OPTICAL:
        position, turn = (
            ", ".join(f"{part:.4f}" for part in values) for values in (camera.position, camera.orientation)
        )
        yield f"pose       {position} m, quaternion {turn} (x, y, z, w), in '{camera.frame}'"
