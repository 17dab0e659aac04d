"""What analysing a long song costs, beside decoding it alone, in one run; and how soon a render's first frame is there.

    python -m benchmarks.analysis [--minutes 60]

The song is the sample song again and again as mp3 of 192 kb/s. Each measurement is a process of its own with the
environment of a render's child. "ratio" is the analysis, decoding included, over decoding alone.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ethereal_gui.domain.paths import resource_path
from ethereal_gui.worker.sandbox import child_environment

DECODE = """
import sys
from pathlib import Path
from ethereal_gui.render.audio.decode import Decoded, decode_mono
for block in decode_mono(Path(sys.argv[1]), Decoded()):
    pass
"""

ANALYSE = """
import sys
from pathlib import Path
from ethereal_gui.render.audio.analyse import analyse
analyse(Path(sys.argv[1]), 30, Path(sys.argv[2]))
"""

FIRST_FRAME = """
import sys
from pathlib import Path
from ethereal_gui.domain.formats import get_format
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.render.stills import draw_frame
from ethereal_gui.render.spec import RenderSpec
template = TemplateLibrary(resource_path("templates")).get("flame")
draw_frame(RenderSpec(Path(sys.argv[1]), template, get_format("1080p"), 30), 300, cache_dir=Path(sys.argv[2]))
"""


def measured(code: str, arguments: Sequence[str], cache: Path) -> tuple[float, float, int]:
    """Seconds of the clock, seconds of the processors and peak memory in MB of a process that runs ``code``."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], env=child_environment(cache))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"it ended with exit code {process.returncode}")
    scale = 1 << (20 if sys.platform == "darwin" else 10)
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // scale


def write_long_song(song: Path, out: Path, minutes: int) -> None:
    """The packets of ``song`` again and again."""
    with av.open(str(song)) as source, av.open(str(out), "w", format="mp3") as target:
        stream = source.streams.audio[0]
        frames = list(source.decode(stream))
        encoder = target.add_stream("libmp3lame", rate=stream.rate, layout="stereo", bit_rate=192_000)
        position = 0
        while position < minutes * 60 * stream.rate:
            for frame in frames:
                piece = av.AudioFrame.from_ndarray(frame.to_ndarray().astype(np.float32), "fltp", "stereo")
                piece.sample_rate, piece.pts, piece.time_base = stream.rate, position, Fraction(1, stream.rate)
                position += piece.samples
                target.mux(encoder.encode(piece))
        target.mux(encoder.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args()
    sample = next(resource_path("audio").glob("*.mp3"))
    with tempfile.TemporaryDirectory(prefix="eth-") as name:
        folder = Path(name)
        song = folder / "long.mp3"
        write_long_song(sample, song, options.minutes)
        measured(ANALYSE, [str(sample), str(folder)], folder)  # compiles what is compiled
        _, decoding, _ = measured(DECODE, [str(song)], folder)
        _, analysing, memory = measured(ANALYSE, [str(song), str(folder)], folder)
        print(
            f"{options.minutes} min of mp3: decoding {decoding:.1f} CPU-s, analysing {analysing:.1f} CPU-s, "
            f"ratio {analysing / decoding:.1f}, peak memory {memory} MB"
        )
        cold, _, _ = measured(FIRST_FRAME, [str(sample), str(folder)], folder)
        warm, cpu, _ = measured(FIRST_FRAME, [str(sample), str(folder)], folder)
        print(
            f"from a child's start to its first 1080p frame: {cold:.1f} s with nothing compiled, "
            f"{warm:.2f} s afterwards ({cpu:.2f} CPU-s)"
        )


if __name__ == "__main__":
    main()
