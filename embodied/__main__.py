"""`python -m embodied` is the command line."""

from embodied.cli.main import main

main()
