"""Registry of the kinds of input that are fuzzed."""

from __future__ import annotations

from tests.fuzz import can_bus, can_wire, card, dbc, launch_file, mesh, onnx_model, suite_files, urdf
from tests.fuzz.harness import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        launch_file.LAUNCH,
        launch_file.SITE_FILE,
        dbc.KIND,
        urdf.KIND,
        mesh.KIND,
        card.KIND,
        onnx_model.KIND,
        suite_files.BASELINE,
        suite_files.RECORD,
        can_wire.CAN,
        can_wire.SLCAN,
        can_bus.KIND,
    )
}
"""Kinds by the name on the command line."""
