"""The command line: the only place that builds things and wires the rooms together."""

__version__ = "0.1.0"
