"""Tell one history again: `python -m tests.simulation SEED`; or look for a broken one: `… FIRST LAST`."""

import sys

from tests.simulation.histories import run, story

first, last = int(sys.argv[1]), int(sys.argv[-1])
for seed in range(first, last + 1):
    world = run(seed)
    if first == last:
        print(story(world))
