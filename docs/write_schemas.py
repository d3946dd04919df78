"""Write the published documents into docs/schemas anew: `python -m docs.write_schemas`."""

from pathlib import Path

from documents.asyncapi import asyncapi
from documents.json_schemas import file_text, schema_files
from documents.openapi import openapi

FOLDER = Path(__file__).parent / "schemas"


def main() -> None:
    """Write every document that has a file."""
    FOLDER.mkdir(exist_ok=True)
    for name, document in {"openapi.json": openapi(), "asyncapi.json": asyncapi(), **schema_files()}.items():
        (FOLDER / name).write_text(file_text(document))


if __name__ == "__main__":
    main()
