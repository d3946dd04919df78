"""Run `python -m reelbus` as the command `reelbus`."""

from reelbus.cli import main

main()
