"""The finished videos: rendered from the submitted picture when somebody asks for one, then kept.

Rendering needs ffmpeg from `imageio_ffmpeg`; without it, or if it fails, every video is the small
clip that stands beside this module.
"""

import asyncio
import os
import tempfile
from collections import OrderedDict
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

from sandbox.pictures import PictureCache, size
from sandbox.records import Submission

CLIP = Path(__file__).with_name("clip.mp4")
KEPT = 200
RENDER_SECONDS = 20.0
FRAMES = 48
MAX_PIXELS = 50_000_000

_MOVES = {
    "zoom_in": ("1+0.4*on/48", "(iw-iw/zoom)/2", "(ih-ih/zoom)/2"),
    "zoom_out": ("1.4-0.4*on/48", "(iw-iw/zoom)/2", "(ih-ih/zoom)/2"),
    "pan_right": ("1.3", "(iw-iw/zoom)*on/48", "(ih-ih/zoom)/2"),
    "pan_left": ("1.3", "(iw-iw/zoom)*(1-on/48)", "(ih-ih/zoom)/2"),
    "pan_up": ("1.3", "(iw-iw/zoom)/2", "(ih-ih/zoom)*(1-on/48)"),
    "pan_down": ("1.3", "(iw-iw/zoom)/2", "(ih-ih/zoom)*on/48"),
    "circle": ("1.3", "(iw-iw/zoom)*(0.5+0.5*cos(on/8))", "(ih-ih/zoom)*(0.5+0.5*sin(on/8))"),
    "circle_back": ("1.3", "(iw-iw/zoom)*(0.5+0.5*cos(on/8))", "(ih-ih/zoom)*(0.5-0.5*sin(on/8))"),
}
_ALIKE = {
    "camera_push_out": "zoom_out",
    "camera_pullback": "zoom_out",
    "auto_reverse": "zoom_out",
    "pan_left_right": "pan_right",
    "look_up": "pan_up",
    "look_down": "pan_down",
    "rotate_cw": "circle",
    "rotate_ccw": "circle_back",
    "combining_motions": "circle",
    "auto_effects": "circle",
}


@cache
def ffmpeg() -> str | None:
    """Find the ffmpeg that came with `imageio_ffmpeg`, if that is installed."""
    try:
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


class Clips:
    """Renders clips, one at a time, and keeps the latest in a directory of its own."""

    def __init__(self, shelf: PictureCache, *, render: bool) -> None:
        self._shelf = shelf
        self._render = render
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[tuple[str, str, bool], Path] = OrderedDict()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def clip(self, submission: Submission) -> Path:
        """Give the file with this submission's video."""
        picture = self._shelf.get(submission.picture_sha256)
        program = ffmpeg() if self._render and picture else None
        if program is None or picture is None or submission.picture_sha256 is None:
            return CLIP
        portrait = submission.format == "portrait"
        key = (submission.picture_sha256, submission.option.lower(), portrait)
        async with self._turn:
            if key not in self._kept:
                self._kept[key] = await self._make(program, picture, submission.option.lower(), portrait)
                self._forget_oldest()
            return self._kept[key]

    def close(self) -> None:
        """Remove the rendered files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        self._kept.clear()

    async def _make(self, program: str, picture: bytes, motion: str, portrait: bool) -> Path:  # noqa: FBT001  (of a key)
        measured = size(picture)
        if measured is None or measured.width * measured.height > MAX_PIXELS:
            return CLIP
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="sandbox-clips-")
        handle, name = tempfile.mkstemp(suffix=".mp4", dir=self._folder.name)
        os.close(handle)
        source = Path(name).with_suffix(".picture")
        source.write_bytes(picture)
        try:
            made = await _run(program, *_arguments(source, Path(name), motion, portrait=portrait))
        finally:
            source.unlink()
        return Path(name) if made else CLIP

    def _forget_oldest(self) -> None:
        while len(self._kept) > KEPT:
            _, path = self._kept.popitem(last=False)
            if path != CLIP:
                path.unlink(missing_ok=True)


def _arguments(source: Path, target: Path, motion: str, *, portrait: bool) -> list[str]:
    width, height = (384, 640) if portrait else (640, 384)
    zoom, x, y = _MOVES.get(_ALIKE.get(motion, motion), _MOVES["zoom_in"])
    fill = f"scale={2 * width}:{2 * height}:force_original_aspect_ratio=increase,crop={2 * width}:{2 * height}"
    pan = f"zoompan=z='{zoom}':x='{x}':y='{y}':d={FRAMES}:s={width}x{height}:fps=24"
    return [
        *("-nostdin", "-loglevel", "error", "-y", "-threads", "1", "-i", str(source)),
        *("-vf", f"{fill},{pan}", "-frames:v", str(FRAMES), "-an"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-pix_fmt", "yuv420p"),
        *("-movflags", "+faststart", "-threads", "1", str(target)),
    ]


async def _run(program: str, *arguments: str) -> bool:
    """Run a program to its end, in the background's priority. Say whether it went well."""
    devnull = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=devnull, stderr=devnull)
    try:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 10)
        async with asyncio.timeout(RENDER_SECONDS):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
