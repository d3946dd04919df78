"""Pictures that are accepted."""

import io
from typing import Any

from PIL import Image


def picture(width: int = 512, height: int = 512, *, kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    """Draw a picture that compresses well."""
    written = io.BytesIO()
    Image.new(mode, (width, height)).save(written, kind, **options)
    return written.getvalue()
