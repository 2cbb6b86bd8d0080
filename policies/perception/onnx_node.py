"""Base of nodes that run an ONNX model, whose declared inputs and outputs are verified before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from embodied.errors import MissingExtra, ResultRejected, error_text, nearest
from embodied.messages import Array
from embodied.node.node import Node
from embodied.ranges import at_least
from policies.perception import model_file
from policies.perception.model_card import ModelCard
from policies.perception.model_fit import misfits, number_problem, output_problem, probe
from policies.perception.model_memory import bounded_memory, memory_problem

_FAILURES = ("Fail", "RuntimeException")
"""Errors of ONNX Runtime from computing a model; others are from how it was called."""


@dataclass(kw_only=True)
class OnnxNode(Node):
    """Base of the nodes that run an ONNX model.

    A subclass declares the inputs and outputs of its model:

        inputs = {"image": Array("1 240 320 3", "", "uint8")}

    A letter in a shape is a size that changes from call to call; the model must leave that dimension of an input open.
    A model may have further outputs but no further inputs. What an output's shape leaves open is looked at in one
    inference of zeros when it is checked, and in every one later. If there is a model card beside the model, its
    SHA-256 must be that of the model and the files of its weights; a model of your own needs no card.

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
        if problems := list(self._file_problems()):
            yield from problems
            return
        # Loading the library takes no part of what the model may take.
        _ = _runtime()
        with bounded_memory(Path(self.model)):
            problems = list(self._problems())
        yield from problems

    def _problems(self) -> Iterator[str]:
        """Load the model, and look at its inputs and outputs."""
        model = Path(self.model)
        try:
            # As it stands in the file: what optimising it takes is not known before it has been looked at.
            session = _session(model, "CPUExecutionProvider", 1, optimise=False)
        except Exception as error:
            yield memory_problem(model, error) or _load_problem(model, error)
            return
        if problems := list(self._misfits(session)):
            yield from problems
            return
        yield from probe(model, session, type(self).inputs, type(self).outputs)

    def files(self) -> Iterable[Path]:
        """Return the files in which the model keeps weights, beside the model itself."""
        try:
            return list(model_file.weights(Path(self.model)).values())
        except (OSError, ValueError):
            return ()

    def open(self) -> None:
        """Load the model into an inference session.

        Raises:
            ValueError: the model does not fit, or ONNX Runtime chose another provider than the configured one.
            MissingExtra: onnxruntime is not installed.
        """
        for problem in self._file_problems():
            raise ValueError(problem)
        try:
            session = _session(Path(self.model), self.provider, self.threads)
        except Exception as error:
            raise ValueError(_load_problem(Path(self.model), error)) from error
        if self.provider not in (got := session.get_providers()):
            raise ValueError(
                f"provider must be {self.provider}, but ONNX Runtime chose {', '.join(got)}: see its own log"
            )
        for problem in self._misfits(session):
            raise ValueError(problem)
        self._session = session
        self._names = list(type(self).outputs)

    def _file_problems(self) -> Iterator[str]:
        """Check settings, file and card, without loading the model."""
        yield from at_least(1).problems(threads=self.threads)
        model = Path(self.model)
        if not model.is_file():
            found = nearest(model.name, (path.name for path in model.parent.glob("*.onnx")))
            yield _sentence(f"there is no model file {model}", found or (f"no .onnx file is in {model.parent}",))
            return
        try:
            problem = model_file.problem(model)
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
        if problem:
            yield f"{model} {problem}"
            return
        if wrong := _card_problem(model):
            yield wrong
            return
        if self.provider not in (available := _runtime().get_available_providers()):
            yield _sentence(f"provider '{self.provider}' is not available", nearest(self.provider, available))

    def _misfits(self, session: Any) -> Iterator[str]:
        model = Path(self.model)
        yield from misfits(model, "input", type(self).inputs, session.get_inputs())
        yield from misfits(model, "output", type(self).outputs, session.get_outputs())

    def run(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run one inference of the model, and verify its outputs: shape and type as declared, every number finite.

        Args:
            arrays: an array for each declared input, C-contiguous, of its dtype and shape.

        Returns:
            an array for each declared output.

        Raises:
            ResultRejected: an output is not what was declared, or the model failed to compute it.
        """
        model = Path(self.model).name
        try:
            outputs = dict(zip(self._names, self._session.run(self._names, arrays), strict=True))
        except Exception as error:
            if type(error).__name__ not in _FAILURES:
                raise
            raise ResultRejected(f"{model} failed: {error_text(error).splitlines()[0]}") from error
        if problem := output_problem(type(self).outputs, outputs) or number_problem(outputs):
            raise ResultRejected(f"{model}: {problem}")
        return outputs

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


def _session(model: Path, provider: str, threads: int, *, optimise: bool = True) -> Any:
    runtime = _runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    if not optimise:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Spinning while waiting would take the core from other nodes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return runtime.InferenceSession(str(model), options, providers=[provider])


def _card_problem(model: Path) -> str | None:
    try:
        card = ModelCard.find(model)
    except ValueError as error:
        return str(error)
    if card is not None and (found := model_file.digest(model)) != card.sha256:
        return (
            f"{model} is not the model its card describes: SHA-256 {found[:12]}…, {ModelCard.beside(model).name} says "
            f"{card.sha256[:12]}…; restore the file, or train again to write both"
        )
    return None


def _load_problem(model: Path, error: Exception) -> str:
    reason = _in_one_line(error)
    if "IR version" in reason or "opset" in reason.lower():
        return (
            f"{model} was exported for another ONNX Runtime than {_runtime().__version__}, which is installed: update "
            f"onnxruntime, or export it with an older opset ({reason})"
        )
    return f"{model} is not a model that ONNX Runtime can load: {reason}; export it again"


def _sentence(what: str, help_lines: Sequence[str]) -> str:
    return "; ".join((what, *help_lines))


def _in_one_line(error: Exception, most: int = 400) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"
