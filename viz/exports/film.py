"""A run as a film: one frame a step, as GIF (Pillow) or MP4 (H.264 by the ffmpeg that imageio-ffmpeg carries)."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image

from dawn.errors import DawnError
from dawn.trace import Trace
from viz.exports.drawing import GROUND, SIZE, Pictures
from viz.exports.raster import Raster

FILM = 40.0  # seconds that a film lasts, if its frames are then neither slower nor faster than
SLOWEST, FASTEST = 0.8, 0.1  # seconds a frame
HELD = 2.5  # seconds that the last frame of a GIF stays before it begins anew
PALETTE, UNCHANGED = 250, 255  # colours of a GIF, and the one that stands for what stays as it was
H264 = ["-preset", "veryfast", "-crf", "20", "-movflags", "+faststart"]


def frames(trace: Trace, palette: Image.Image | None = None) -> Iterator[Image.Image]:
    """The picture of every step, in the colours of a palette if one is given; each is drawn over by the next."""
    pictures, raster = Pictures(trace), Raster(SIZE, GROUND, palette=palette)
    for index in range(trace.forwards):
        yield raster.draw(pictures.cells(index))


def pace(steps: int) -> float:
    """Seconds a frame."""
    return min(SLOWEST, max(FASTEST, FILM / steps))


def gif(trace: Trace) -> bytes:
    """The film as a GIF that repeats. A frame holds what differs from the one before, written as it is drawn."""
    file, before = io.BytesIO(), None
    for index, frame in enumerate(frames(trace, palette(trace))):
        last = index + 1 == trace.forwards
        timing = {"duration": round(1000 * (HELD if last else pace(trace.forwards)))}
        if before is None:
            file.writelines(GifImagePlugin.getheader(frame, info={"loop": 0})[0])
            file.writelines(GifImagePlugin.getdata(frame.copy(), **timing))
        else:
            part, corner = changed(before, frame)
            file.writelines(GifImagePlugin.getdata(part, corner, transparency=UNCHANGED, disposal=1, **timing))
        before = frame.copy()
    file.write(b";")
    return file.getvalue()


def changed(before: Image.Image, frame: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The rectangle of a frame that is not as before, transparent where it is, and its upper left corner."""
    old, new = np.asarray(before), np.asarray(frame)
    differs = old != new
    rows, columns = (np.flatnonzero(differs.any(axis=axis)) for axis in (1, 0))
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    part = Image.fromarray(np.where(differs, new, UNCHANGED)[cut].astype(np.uint8), "P")
    part.putpalette(frame.getpalette())
    return part, (int(columns[0]), int(rows[0]))


def palette(trace: Trace) -> Image.Image:
    """The colours of the first, the middle and the last frame."""
    pictures, raster = Pictures(trace), Raster(SIZE, GROUND)
    sheet = Image.new("RGB", (SIZE[0], SIZE[1] * 3))
    for place, index in enumerate((0, trace.forwards // 2, trace.forwards - 1)):
        sheet.paste(raster.draw(pictures.cells(index)), (0, place * SIZE[1]))
    return sheet.quantize(PALETTE, Image.Quantize.FASTOCTREE)


def mp4(trace: Trace) -> bytes:
    """The film as an MP4; DawnError where no ffmpeg runs."""
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        path, rate = Path(folder) / "film.mp4", 1 / pace(trace.forwards)
        try:
            writer = imageio_ffmpeg.write_frames(
                str(path), SIZE, fps=rate, codec="libx264", output_params=H264, quality=None, ffmpeg_log_level="error"
            )
            writer.send(None)
            for frame in frames(trace):
                writer.send(frame.tobytes())
            writer.close()
        except (OSError, RuntimeError) as error:
            raise DawnError(f"no MP4 could be made: ffmpeg does not run here ({type(error).__name__})") from None
        return path.read_bytes()
