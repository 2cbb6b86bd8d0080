"""The command line, as `embodied` and as `python -m embodied`."""

import os
import signal

INTERRUPTED = 130


def main() -> None:
    """Run the command line; Ctrl-C while modules are still being imported ends it quietly."""
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from embodied.cli.main import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
