"""Contact sheets: every template in every format at six moments of the sample song, as PNG files to look at.

    python benchmarks/contact_sheet.py [--out FOLDER] [--templates flame,mist] [--formats 1080p,360mono] [--width 480]

One sheet per format: a row per template, a column per moment. Prints nothing but the files' names.
"""

import argparse
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.formats import FORMATS, OutputFormat, Quality, get_format
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.render.audio.analyse import analyse
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.frames.renderer import FrameRenderer

RESOURCES = Path(__file__).parents[1] / "resources"
MOMENTS = (0.08, 0.25, 0.42, 0.58, 0.75, 0.92)  # parts of the song
FPS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--song", type=Path, default=next((RESOURCES / "audio").glob("*.mp3"), None))
    parser.add_argument("--templates", default="")
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--width", type=int, default=480, help="of one picture, in pixels")
    parser.add_argument("--moments", default=",".join(map(str, MOMENTS)), help="parts of the song, 0..1")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    library = TemplateLibrary(RESOURCES / "templates")
    names = options.templates.split(",") if options.templates else [template.id for template in library.all()]
    moments = [float(part) for part in options.moments.split(",")]
    features = analyse(options.song, FPS, options.out / "analysis")
    options.out.mkdir(parents=True, exist_ok=True)
    for format_id in options.formats.split(","):
        output_format = get_format(format_id)
        size = small_size(output_format, options.width)
        rows = [draw_row(library, name, output_format, size, features, moments, options.threads) for name in names]
        path = options.out / f"contact_{format_id}.png"
        path.write_bytes(png(np.concatenate(rows, axis=0)))
        print(path)


def small_size(output_format: OutputFormat, width: int) -> tuple[int, int]:
    """The format's size scaled to ``width``, both sides multiples of 4."""
    columns = width // 4 * 4
    return columns, max(4, round(columns * output_format.height / output_format.width / 4) * 4)


def draw_row(
    library: TemplateLibrary,
    name: str,
    output_format: OutputFormat,
    size: tuple[int, int],
    features: AudioFeatures,
    moments: list[float],
    threads: int,
) -> NDArray[np.uint8]:
    """One template's pictures side by side."""
    renderer = FrameRenderer(
        library.get(name), output_format, FPS, features, quality=Quality.STANDARD, threads=threads, size=size
    )
    pictures = [renderer.draw_rgb(int(part * features.frames)) for part in moments]
    renderer.close()
    return np.concatenate(pictures, axis=1)


def png(picture: NDArray[np.uint8]) -> bytes:
    """A PNG file of uint8 (height, width, 3)."""
    height, width, _ = picture.shape
    lines = b"".join(b"\0" + row.tobytes() for row in picture)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines, 6)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    main()
