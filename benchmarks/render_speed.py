"""What a video costs: drawing and encoding apart and together, per format, in one run.

    python -m benchmarks.render_speed [--formats 1080p,4k,360stereo] [--templates flame] [--rounds 3]

For each format some seconds of the sample song are drawn into memory, encoded from there, and made end to end (drawn
while they are encoded, as a render does it). Each round does all three in turn; medians are printed. Drawing is in
CPU-milliseconds per frame of one thread; "ratio" is end-to-end speed over the speed of the encoder alone.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.formats import OutputFormat, Quality, get_format
from ethereal_gui.domain.machine import usable_cores
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import Template, TemplateLibrary
from ethereal_gui.render.audio.analyse import analyse
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.drawing import DrawingPool
from ethereal_gui.render.frames.renderer import FrameRenderer
from ethereal_gui.render.spec import RenderSpec
from ethereal_gui.render.video.encoders import software_setup
from ethereal_gui.render.video.segments import SegmentWriter

FPS = 30
MEMORY_FOR_FRAMES = 500_000_000
MOST_FRAMES = 120
FIRST_FRAME = 300  # ten seconds in: everything is moving

UInt8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Cost:
    """Of one stage, per frame: seconds of the clock and of the processors."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Case:
    """What is measured: a template in a format, over frames of the sample song."""

    spec: RenderSpec
    features: AudioFeatures
    frames: int
    folder: Path

    def draw(self, buffers: list[UInt8]) -> Cost:
        """Draw into memory, on one thread."""
        spec = self.spec
        renderer = FrameRenderer(spec.template, spec.output_format, FPS, self.features, quality=spec.quality, threads=1)
        renderer.draw_yuv(FIRST_FRAME, buffers[0])

        def work() -> None:
            for n, buffer in enumerate(buffers):
                renderer.draw_yuv(FIRST_FRAME + n, buffer)

        cost = measured(work, len(buffers))
        renderer.close()
        return cost

    def encode(self, buffers: list[UInt8]) -> Cost:
        """Encode from memory."""
        writer = self._writer()

        def work() -> None:
            for buffer in buffers:
                writer.add(buffer)
            writer.finish()

        return measured(work, len(buffers))

    def both(self) -> Cost:
        """Draw and encode at the same time, as a render does."""
        pool = DrawingPool(self.spec, self.features, None, threads=usable_cores())
        writer = self._writer()

        def work() -> None:
            for picture in pool.frames(iter(range(FIRST_FRAME, FIRST_FRAME + self.frames))):
                writer.add(picture)
            writer.finish()

        cost = measured(work, self.frames)
        pool.close()
        return cost

    def _writer(self) -> SegmentWriter:
        setup = software_setup(self.spec.output_format, FPS, self.spec.quality)
        return SegmentWriter(self.folder / "segment.mp4", setup, self.frames)


def measured(work: Callable[[], None], frames: int) -> Cost:
    """What ``work`` takes, per frame."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost((time.perf_counter() - wall) / frames, (time.process_time() - cpu) / frames)


def frames_in_memory(output_format: OutputFormat) -> int:
    """How many frames are measured: as many as fit the memory set aside for them."""
    return max(4, min(MOST_FRAMES, int(MEMORY_FOR_FRAMES / (output_format.pixels * 1.5))))


def report(case: Case, rounds: int) -> None:
    """Measure and print one row."""
    fmt = case.spec.output_format
    buffers = [np.zeros((fmt.height * 3 // 2, fmt.width), np.uint8) for _ in range(case.frames)]
    draw, encode, both = [], [], []
    for _ in range(rounds):
        draw.append(case.draw(buffers))
        encode.append(case.encode(buffers))
        both.append(case.both())
    drawing = 1000 * statistics.median(cost.cpu for cost in draw)
    encoding = 1000 * statistics.median(cost.cpu for cost in encode)
    encoder_fps = 1 / statistics.median(cost.wall for cost in encode)
    fps = 1 / statistics.median(cost.wall for cost in both)
    ratio = statistics.median(b.wall / t.wall for b, t in zip(encode, both, strict=True))
    name = f"{case.spec.template.id:8} {fmt.id:15}"
    print(f"{name} {drawing:8.1f} {encoding:8.1f} {encoder_fps:8.2f} {fps:8.2f} {ratio:6.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--formats", default="1080p,4k,360mono,360stereo")
    parser.add_argument("--templates", default="flame")
    parser.add_argument("--quality", type=Quality, default=Quality.STANDARD)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    library = TemplateLibrary(resource_path("templates"))
    song = next(resource_path("audio").glob("*.mp3"))
    print(f"{usable_cores()} processors, {options.quality} quality, {options.rounds} rounds, medians")
    print(f"{'template':8} {'format':15} {'draw':>8} {'encode':>8} {'encoder':>8} {'together':>8} {'ratio':>6}")
    print(f"{'':8} {'':15} {'CPU-ms':>8} {'CPU-ms':>8} {'fps':>8} {'fps':>8}")
    with tempfile.TemporaryDirectory(prefix="eth-") as name:
        folder = Path(name)
        features = analyse(song, FPS, folder)
        for format_id in options.formats.split(","):
            for template_id in options.templates.split(","):
                template: Template = library.get(template_id)
                spec = RenderSpec(song, template, get_format(format_id), FPS, options.quality)
                report(Case(spec, features, frames_in_memory(spec.output_format), folder), options.rounds)


if __name__ == "__main__":
    main()
