"""Base of nodes that run an ONNX model, whose declared inputs and outputs are verified before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from embodied.errors import MissingExtra, nearest
from embodied.messages import Array
from embodied.node.node import Node
from embodied.ranges import at_least
from policies.perception.model_card import ModelCard, digest

_DTYPES = {"float": "float32", "double": "float64", "float16": "float16"}
"""Element types whose name in ONNX Runtime is not that of NumPy."""


@dataclass(kw_only=True)
class OnnxNode(Node):
    """Base of the nodes that run an ONNX model.

    A subclass declares the inputs and outputs of its model:

        inputs = {"image": Array("1 240 320 3", "", "uint8")}

    A letter in a shape is a size that changes from call to call; the model must leave that dimension open. A model may
    have further outputs but no further inputs. If there is a model card beside the model, its SHA-256 must be that of
    the model; a model of your own needs no card.

    Attributes:
        model: path of the ONNX file; relative to the launch file that sets it.
        provider: execution provider of ONNX Runtime; without it there is an error, no silent fallback to the CPU.
        threads: threads of one inference; with 1 results are equal on all machines of one kind.
    """

    inputs: ClassVar[Mapping[str, Array]] = {}
    outputs: ClassVar[Mapping[str, Array]] = {}

    model: Path
    provider: str = "CPUExecutionProvider"
    threads: int = 1

    def check(self) -> Iterable[str]:
        """Check that the model exists, matches its card, and has the declared inputs and outputs."""
        yield from at_least(1).problems(threads=self.threads)
        model = Path(self.model)
        if not model.is_file():
            found = nearest(model.name, (path.name for path in model.parent.glob("*.onnx")))
            yield _sentence(f"there is no model file {model}", found or (f"no .onnx file is in {model.parent}",))
            return
        if problem := _card_problem(model):
            yield problem
            return
        runtime = _runtime()
        if self.provider not in (available := runtime.get_available_providers()):
            yield _sentence(f"provider '{self.provider}' is not available", nearest(self.provider, available))
        try:
            session = _session(model, "CPUExecutionProvider", 1)
        except Exception as error:
            yield f"{model} is not a model that ONNX Runtime can load: {_first_line(error)}; export it again"
            return
        yield from _misfits(model, "input", type(self).inputs, session.get_inputs())
        yield from _misfits(model, "output", type(self).outputs, session.get_outputs())

    def open(self) -> None:
        """Load the model into an inference session.

        Raises:
            ValueError: the model does not fit, or ONNX Runtime chose another provider than the configured one.
            MissingExtra: onnxruntime is not installed.
        """
        for problem in self.check():
            raise ValueError(problem)
        session = _session(Path(self.model), self.provider, self.threads)
        if self.provider not in (got := session.get_providers()):
            raise ValueError(
                f"provider must be {self.provider}, but ONNX Runtime chose {', '.join(got)}: see its own log"
            )
        self._session = session
        self._names = list(type(self).outputs)

    def run(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run one inference of the model.

        Args:
            arrays: an array for each declared input, C-contiguous, of its dtype and shape.

        Returns:
            an array for each declared output.
        """
        return dict(zip(self._names, self._session.run(self._names, arrays), strict=True))

    def close(self) -> None:
        """Release the inference session and its memory."""
        self._session = None


def _runtime() -> Any:
    try:
        # Imported here: a graph without such a node is checked without loading ONNX Runtime.
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("onnxruntime", "", "running an ONNX model") from error
    return onnxruntime


def _session(model: Path, provider: str, threads: int) -> Any:
    runtime = _runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    # Spinning while waiting would take the core from other nodes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return runtime.InferenceSession(str(model), options, providers=[provider])


def _card_problem(model: Path) -> str | None:
    path = ModelCard.beside(model)
    if not path.exists():
        return None
    try:
        card = ModelCard.read(path)
    except ValueError as error:
        return str(error)
    if (found := digest(model)) != card.sha256:
        return (
            f"{model} is not the model its card describes: SHA-256 {found[:12]}…, {path.name} says "
            f"{str(card.sha256)[:12]}…; restore the file, or train again to write both"
        )
    return None


def _misfits(model: Path, kind: str, declared: Mapping[str, Array], found: Sequence[Any]) -> Iterator[str]:
    have = {entry.name: entry for entry in found}
    missing = [name for name in declared if name not in have]
    for name in missing:
        yield _sentence(f"{model} has no {kind} '{name}'", nearest(name, have))
    if kind == "input" and not missing:
        for name in sorted(set(have) - set(declared)):
            yield _sentence(f"{model} needs an input '{name}' that this node does not declare", nearest(name, declared))
    for name, array in declared.items():
        if name not in have:
            continue
        dtype = have[name].type.removeprefix("tensor(").removesuffix(")")
        dtype = _DTYPES.get(dtype, dtype)
        if dtype != array.dtype:
            yield f"{model}: {kind} '{name}' must be {array.dtype}, got {dtype}; export it with that element type"
        if not _fits(array.shape, have[name].shape):
            expected, got = _shape(array.shape), _shape(have[name].shape)
            yield f"{model}: {kind} '{name}' must have shape {expected}, got {got}; export it with that shape"


def _fits(declared: Sequence[int | str], found: Sequence[int | str | None]) -> bool:
    return len(declared) == len(found) and all(
        not isinstance(size, int) or size == wanted for wanted, size in zip(declared, found, strict=True)
    )


def _shape(sizes: Sequence[int | str | None]) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in sizes)})"


def _sentence(what: str, help_lines: Sequence[str]) -> str:
    return "; ".join((what, *help_lines))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
