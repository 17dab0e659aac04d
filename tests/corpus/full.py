"""Every input of the corpus, looked into and rendered as a worker does it.

    python -m tests.corpus.full [WORDS] [--parallel N]

Each file goes the whole way that a foreign producer could send it: its path in a job's data, checked, into a rendering
child of its own, confined, in draft quality and the smallest format, with its own title and cover as a caption. A file
that the intake would refuse is rendered all the same. Prints what went wrong, and the figures; exit code 1 when there
was anything. WORDS: only files whose name has them.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import av

from ethereal_gui.domain.audio_file import AudioFile, audio_id, display_name
from ethereal_gui.domain.errors import CancelledByUserError, EtherealError, RenderCrashedError
from ethereal_gui.domain.formats import FORMATS
from ethereal_gui.intake.expand import expand
from ethereal_gui.queue.connection import address_from_url
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.probing import Prober
from ethereal_gui.worker.requests import make_request, read_job_data, work_dir_of
from ethereal_gui.worker.sandbox import RenderProcess
from tests.corpus.make import make_corpus
from tests.corpus.specimen import Outcome, Specimen
from tests.corpus.test_corpus import everything
from tests.integration.rendering import worker_config

MOST_SECONDS = 180.0
SMALLEST = min(FORMATS.values(), key=lambda one: one.width * one.height).id


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file. ``memory``: the most bytes that the child ever had."""

    specimen: Specimen
    probed: str
    rendered: str
    words: str
    seconds: float
    memory: int

    @property
    def fault(self) -> str | None:
        """What is wrong with it, in a few words."""
        if self.rendered in ("crash", "hang", "bug"):
            return self.rendered
        if self.rendered == "error" and self.specimen.outcome is Outcome.VIDEO:
            return "should be a video"
        if self.rendered == "video" and self.specimen.outcome is Outcome.ERROR:
            return "should be an error"
        if "brought down" in self.probed or "no end to it" in self.probed:
            return "ended the child that looked into it"
        return None


async def main(wanted: str, parallel: int) -> int:
    """Render all; returns the exit code."""
    folder = Path(tempfile.mkdtemp(prefix="ethereal-corpus-"))
    root = folder / "corpus"
    root.mkdir()
    corpus = [one for one in make_corpus(root) if wanted in one.name]
    config = worker_config(address_from_url("redis://localhost:1"), folder, "corpus", threads=1)
    config.output_dir.mkdir()
    before = everything(root)
    places, results = asyncio.Semaphore(parallel), list[Result]()
    began = time.monotonic()

    async def take(specimen: Specimen, prober: Prober) -> None:
        async with places:
            result = await look_and_render(specimen, config, prober)
        results.append(result)
        if result.fault:
            print(f"{specimen.name}: {result.fault}: {result.words} ({result.probed})", flush=True)
        elif len(results) % 25 == 0:
            print(f"{len(results)} of {len(corpus)}", flush=True)

    with Prober(children=parallel) as prober:
        await asyncio.gather(*(take(specimen, prober) for specimen in corpus))
    faults = sum(result.fault is not None for result in results)
    faults += tell_strays(config.output_dir, results, everything(root) ^ before)
    report(results, time.monotonic() - began)
    shutil.rmtree(folder, ignore_errors=True)
    return 1 if faults else 0


async def look_and_render(specimen: Specimen, config: WorkerConfig, prober: Prober) -> Result:
    """One file all the way."""
    probed = "a folder" if specimen.path.is_dir() else ""
    for candidate in [] if probed else expand([specimen.path]):
        answer = await asyncio.to_thread(prober.examine, candidate)
        probed = "taken" if isinstance(answer, AudioFile) else answer.reason
    began = time.monotonic()
    rendered, words, memory = await render(specimen, config)
    return Result(specimen, probed, rendered, words, time.monotonic() - began, memory)


async def render(specimen: Specimen, config: WorkerConfig) -> tuple[str, str, int]:
    """``video``, ``error``, ``crash``, ``hang`` or ``bug``; the path or the reason; bytes of memory."""
    job_id = f"b-{audio_id(specimen.path)}-{SMALLEST}"
    raw = {
        "batchId": "b",
        "audioFile": {
            "id": audio_id(specimen.path),
            "path": str(specimen.path),
            "originalName": display_name(specimen.path),
        },
        "template": "flame",
        "outputFormat": SMALLEST,
        "renderDbId": None,
        "caption": "picture",
    }
    memory = 0
    try:
        request = make_request(config, job_id, read_job_data(raw))
        process = RenderProcess(request, on_progress=lambda _: None, on_log=lambda _: None, hang_seconds=MOST_SECONDS)
        running = asyncio.create_task(process.run())
        deadline = time.monotonic() + MOST_SECONDS
        while not (await asyncio.wait({running}, timeout=0.05))[0]:
            memory = max(memory, peak_memory(process.pid))
            if time.monotonic() > deadline:
                process.stop(CancelledByUserError)
        done = running.result()
        check_video(Path(done.output_path), done.frames)
        return "video", done.output_path, memory
    except CancelledByUserError:
        return "hang", f"no end within {MOST_SECONDS:.0f} s", memory
    except RenderCrashedError as error:
        return "hang" if "hung" in str(error) else "crash", str(error), memory
    except EtherealError as error:
        return "error" if not error.retryable else "bug", f"{error.code}: {error}", memory
    except Exception as error:
        return "bug", repr(error), memory
    finally:
        shutil.rmtree(work_dir_of(config, job_id), ignore_errors=True)


def peak_memory(pid: int | None) -> int:
    """Bytes that a process had at most so far; 0 where that cannot be asked."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) << 10
    return 0


def check_video(path: Path, frames: int) -> None:
    """Decode all of it."""
    with av.open(str(path)) as video:
        counted = sum(1 for _ in video.decode(video=0))
    if counted != frames:
        raise ValueError(f"{path.name} has {counted} frames and not {frames}")


def tell_strays(out: Path, results: list[Result], changed: set[bytes]) -> int:
    """Say what lies where it should not; returns how many things."""
    videos = {Path(result.words).name for result in results if result.rendered == "video"}
    strays = {os.fsencode(entry.name) for entry in out.iterdir() if entry.name not in videos} | changed
    for stray in strays:
        print(f"stray: {stray!r}")
    return len(strays)


def report(results: list[Result], seconds: float) -> None:
    """The figures."""
    ends = Counter(result.rendered for result in results)
    print(
        f"{len(results)} inputs in {seconds / 60:.1f} min: {ends['video']} videos, {ends['error']} clear errors, "
        f"{ends['crash']} crashes, {ends['hang']} hangs, {ends['bug']} other faults"
    )
    print(f"looked into: {sum(result.probed == 'taken' for result in results)} taken, the others refused with a reason")
    slowest, largest = max(results, key=lambda one: one.seconds), max(results, key=lambda one: one.memory)
    print(f"worst time {slowest.seconds:.1f} s ({slowest.specimen.name})")
    print(f"worst memory {largest.memory / 1e6:.0f} MB ({largest.specimen.name})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.full", description="Render the whole corpus.")
    parser.add_argument("wanted", nargs="?", default="", metavar="WORDS", help="only files whose name has them")
    parser.add_argument("--parallel", type=int, default=os.cpu_count() or 1, metavar="N", help="files at a time")
    options = parser.parse_args()
    sys.exit(asyncio.run(main(options.wanted, options.parallel)))
