"""Benchmarks: what reelbus costs and how fast it is, as ratios to what this machine and other stacks can do."""
