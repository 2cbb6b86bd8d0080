"""The command line, as `embodied` and as `python -m embodied`."""

import os
import sys

INTERRUPTED = 130


def _leave_current_folder() -> None:
    """Take the current folder from the front of the path, where `python -m` and an empty PYTHONPATH entry put it.

    A folder that PYTHONPATH names stays. Programs that are started later find the same in their environment.
    """
    # Until this is done, any import might run a file of the current folder: os and sys alone are here already.
    try:
        here = os.getcwd()  # noqa: PTH109
    except OSError:
        return
    written = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    named = [entry for entry in written if entry]
    if os.environ.get("PYTHONPATH"):
        os.environ["PYTHONPATH"] = os.pathsep.join(named)
    if here in {os.path.abspath(entry) for entry in named}:  # noqa: PTH100
        return
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    front = sys.path[: sys.path.index(library)] if library in sys.path else [*sys.path]
    behind = sys.path[len(front) :]
    # A checkout that is not installed is found through its folder alone.
    own = [here] if here == os.path.dirname(os.path.dirname(__file__)) and here not in behind else []  # noqa: PTH120
    sys.path[:] = [*(entry for entry in front if entry not in ("", here)), *behind, *own]


def main() -> None:
    """Run the command line; Ctrl-C while modules are still being imported ends it quietly."""
    _leave_current_folder()
    import signal

    before = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from embodied.cli.main import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
