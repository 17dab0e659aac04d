"""Drawing one 1080p frame: ours beside the visualisers of the system's FFmpeg, in one run.

    python -m benchmarks.peers [--seconds 10] [--rounds 3]

Needs an ``ffmpeg`` on the PATH (Debian: apt install ffmpeg); only this benchmark does. Each peer draws the sample song
at 1920x1080, 30 frames per second, into the null muxer on one thread; what decoding the song alone takes is taken off.
Ours is every template at standard quality on one thread, each figure the median of some rounds in turn.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ethereal_gui.domain.formats import Quality, get_format
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import Template, TemplateLibrary
from ethereal_gui.render.audio.analyse import analyse
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.frames.renderer import FrameRenderer

FPS = 30
SIZE = "1920x1080"
PEERS = {
    "showwaves": f"showwaves=s={SIZE}:r={FPS}:mode=cline",
    "showcqt": f"showcqt=s={SIZE}:r={FPS}",
    "showfreqs": f"showfreqs=s={SIZE}:r={FPS}",
    "avectorscope": f"avectorscope=s={SIZE}:r={FPS}",
    "showspectrum": f"showspectrum=s={SIZE}:fps={FPS}:slide=scroll",
}


def peer(ffmpeg: str, song: Path, seconds: int, graph: str | None) -> float:
    """CPU seconds of one run; without a graph the song is only decoded."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = ["-filter_complex", f"[0:a]{graph}[v]", "-map", "[v]"] if graph else ["-map", "0:a"]
    threads = ["-filter_complex_threads", "1", "-threads", "1"]
    command = [ffmpeg, "-v", "error", "-nostdin", *threads, "-t", str(seconds), "-i", str(song), *output]
    subprocess.run([*command, "-f", "null", "-"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(template: Template, features: AudioFeatures, seconds: int) -> float:
    """CPU milliseconds per frame of a template."""
    fmt = get_format("1080p")
    renderer = FrameRenderer(template, fmt, FPS, features, quality=Quality.STANDARD, threads=1)
    buffer = np.empty((fmt.height * 3 // 2, fmt.width), np.uint8)
    renderer.draw_yuv(0, buffer)
    frames = min(features.frames, seconds * FPS)
    began = time.process_time()
    for n in range(frames):
        renderer.draw_yuv(n, buffer)
    taken = time.process_time() - began
    renderer.close()
    return 1000 * taken / frames


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        print("There is no ffmpeg on the PATH to compare with (Debian: apt install ffmpeg).", file=sys.stderr)
        return 1
    song = next(resource_path("audio").glob("*.mp3"))
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="eth-") as folder:
        features = analyse(song, FPS, Path(folder))
    frames = options.seconds * FPS
    for _ in range(options.rounds):
        decoding = peer(ffmpeg, song, options.seconds, None)
        for name, graph in PEERS.items():
            taken = peer(ffmpeg, song, options.seconds, graph) - decoding
            figures.setdefault(f"ffmpeg {name}", []).append(1000 * taken / frames)
        for template in TemplateLibrary(resource_path("templates")).all():
            figures.setdefault(f"ethereal {template.id}", []).append(ours(template, features, options.seconds))
    print(f"CPU-ms per {SIZE} frame, median of {options.rounds} rounds of {options.seconds} s")
    for name, values in sorted(figures.items(), key=lambda item: statistics.median(item[1])):
        print(f"{name:22} {statistics.median(values):7.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
