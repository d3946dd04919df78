"""Print the published documents."""

import json
import sys

from documents.asyncapi import asyncapi
from documents.openapi import events_schema, openapi
from reelbus.errors import BAD_USAGE, stop_with

_DOCUMENTS = {"openapi": openapi, "asyncapi": asyncapi, "events": events_schema}


def print_document(name: str) -> int:
    """Print a document on stdout as JSON; give the exit status."""
    if name not in _DOCUMENTS:
        stop_with(f"there is no document {name!r}; choose from {', '.join(_DOCUMENTS)}", BAD_USAGE)
    sys.stdout.write(json.dumps(_DOCUMENTS[name](), indent=2, ensure_ascii=False) + "\n")
    return 0
