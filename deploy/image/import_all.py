"""Import every module of ours, so that Python writes the bytecode of all that a start imports, and of nothing else."""

import sys
from importlib import import_module
from importlib.metadata import files

sys.dont_write_bytecode = False
for file in files("reelbus") or ():
    if file.suffix == ".py" and file.name != "__main__.py" and not file.parts[0].endswith(".dist-info"):
        parts = file.with_suffix("").parts
        import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
