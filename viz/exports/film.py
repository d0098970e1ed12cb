"""A run as a film: one frame a step, as GIF (Pillow) or MP4 (H.264 by the ffmpeg that imageio-ffmpeg carries)."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image

from dawn.errors import DawnError
from dawn.trace import Trace
from viz.exports.drawing import GROUND, SIZE, Pictures
from viz.exports.raster import Raster, Recolour

FILM = 40.0  # seconds that a film lasts, if its frames are then neither slower nor faster than
SLOWEST, FASTEST = 0.8, 0.1  # seconds a frame
HELD = 2.5  # seconds that the last frame of a GIF stays before it begins anew
PALETTE, UNCHANGED = 254, 255  # colours of a GIF, and the one that stands for what stays as it was
H264 = ["-preset", "veryfast", "-crf", "20", "-movflags", "+faststart"]


def frames(trace: Trace, coloured: Recolour = lambda image: image) -> Iterator[Image.Image]:
    """The picture of every step, its colours as given or as `coloured` makes them; each is drawn over by the next."""
    pictures, raster = Pictures(trace), Raster(SIZE, GROUND, coloured=coloured)
    for index in range(trace.forwards):
        yield raster.draw(pictures.cells(index))


def pace(steps: int) -> float:
    """Seconds a frame."""
    return min(SLOWEST, max(FASTEST, FILM / steps))


def gif(trace: Trace) -> bytes:
    """The film as a GIF that repeats. A frame holds what differs from the one before, written as it is drawn."""
    file, before, palette = io.BytesIO(), None, Palette(trace)
    for index, frame in enumerate(frames(trace, palette)):
        timing = {"duration": round(1000 * (HELD if index + 1 == trace.forwards else pace(trace.forwards)))}
        numbers = np.array(frame)
        if before is None:
            file.writelines(GifImagePlugin.getheader(palette.painted(numbers), info={"loop": 0})[0])
            file.writelines(GifImagePlugin.getdata(palette.painted(numbers), **timing))
        else:
            part, corner = changed(before, numbers)
            kept = {"transparency": UNCHANGED, "disposal": 1}
            file.writelines(GifImagePlugin.getdata(palette.painted(part), corner, **kept, **timing))
        before = numbers
    file.write(b";")
    return file.getvalue()


def changed(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The rectangle that is not as before, UNCHANGED where it is, and its upper left corner (x, y)."""
    differs = now != before
    rows, columns = (np.flatnonzero(differs.any(axis=axis)) for axis in (1, 0))
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return np.where(differs, now, UNCHANGED)[cut].astype(np.uint8), (int(columns[0]), int(rows[0]))


class Palette:
    """The commonest colours of the first, the middle and the last frame: what is drawn flat keeps its colour, exactly."""

    def __init__(self, trace: Trace):
        pictures, raster = Pictures(trace), Raster(SIZE, GROUND)
        counts: Counter[tuple[int, ...]] = Counter()
        for index in {0, trace.forwards // 2, trace.forwards - 1}:
            frame = raster.draw(pictures.cells(index))
            counts.update({colour: count for count, colour in frame.getcolors(SIZE[0] * SIZE[1])})
        self.colours = np.array([colour for colour, _ in counts.most_common(PALETTE)])  # [n, 3]
        self.table = np.full(2**24, UNCHANGED, np.uint8)  # of every colour, its number once it is known
        self.table[codes(self.colours)] = np.arange(len(self.colours))

    def __call__(self, image: Image.Image) -> Image.Image:
        """The image in these colours, each pixel in the nearest."""
        wanted = codes(np.asarray(image))
        unknown = np.unique(wanted[self.table[wanted] == UNCHANGED])
        for code in unknown.tolist():
            channels = np.array([code >> 16, code >> 8 & 255, code & 255])
            self.table[code] = ((self.colours - channels) ** 2).sum(axis=1).argmin()
        return self.painted(self.table[wanted])

    def painted(self, numbers: np.ndarray) -> Image.Image:
        """An image of the palette's colours by their numbers."""
        image = Image.fromarray(numbers, "P")
        image.putpalette(self.colours.astype(np.uint8).tobytes())
        return image


def codes(pixels: np.ndarray) -> np.ndarray:
    """[…, 3] channels → […] one number each."""
    return pixels.astype(np.int32) @ [1 << 16, 1 << 8, 1]


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
