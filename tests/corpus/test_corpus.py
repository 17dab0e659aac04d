"""Every bad or odd input is answered, and a chosen part of them really rendered: a good video or a clear error.

``python -m tests.corpus.full`` renders all of them through the worker's own children (see there).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from ethereal_gui.domain.audio_file import AudioFile, display_name
from ethereal_gui.intake.expand import expand
from ethereal_gui.worker.probing import MEMORY, Prober
from ethereal_gui.worker.sandbox import child_environment
from tests.corpus.make import make_corpus
from tests.corpus.specimen import Outcome, Specimen
from tests.integration.rendering import probe_children, shared_cache

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="devices, memory limits and odd names are Linux's")

SAMPLE = (
    "damaged/cut-0.5.mp3",
    "damaged/flipped-50.flac",
    "damaged/flipped-500.ogg",
    "damaged/hole.m4a",
    "damaged/head.opus",
    "damaged/misnamed-aiff.wav",
    "lying/day-long.wav",
    "lying/megahertz.wav",
    "lying/channels-64.wav",
    "lying/kind-unknown.wav",
    "lying/day-long.flac",
    "lying/day-long-mdhd.m4a",
    "sampled/nan.wav",
    "sampled/10ms.mp3",
    "sampled/silence.ogg",
    "shaped/layout-8.m4a",
    "shaped/rate-192000.wav",
    "contained/chained.ogg",
    "covered/enormous.flac",
    "named/--help.wav",
    "named/concat:a.wav|b.wav",
    "odd/zero.wav",
    "odd/pipe.wav",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture(scope="module")
def corpus(root: Path) -> list[Specimen]:
    return make_corpus(root)


def everything(root: Path) -> set[bytes]:
    """Every path below a folder, as the bytes that it is."""
    return {
        parent + b"/" + name for parent, folders, files in os.walk(os.fsencode(root)) for name in (*folders, *files)
    }


def test_every_file_is_answered_and_none_costs_a_child(root: Path, corpus: list[Specimen]) -> None:
    assert len(corpus) > 300
    before, wrong = everything(root.parent), []
    with Prober(children=1) as prober:
        for specimen in corpus:
            if specimen.path.is_dir():
                continue  # what is in it is looked into, and is here already
            (candidate,) = expand([specimen.path])
            answer = prober.examine(candidate)
            is_song = isinstance(answer, AudioFile)
            if (specimen.outcome, is_song) in ((Outcome.ERROR, True), (Outcome.VIDEO, False)):
                wrong.append(f"{specimen.name}: {answer}")
            if not isinstance(answer, AudioFile):
                assert display_name(specimen.path) in answer.reason
            assert prober.lost == 0, answer
        (child,) = probe_children()
        peak = int(Path(f"/proc/{child.pid}/status").read_text().partition("VmHWM:")[2].split()[0]) << 10
    assert not wrong
    assert peak < MEMORY + (100 << 20)
    assert everything(root.parent) == before


def test_a_part_of_them_becomes_videos_or_clear_errors(root: Path, corpus: list[Specimen], tmp_path: Path) -> None:
    by_name = {specimen.name: specimen for specimen in corpus}
    out, work = tmp_path / "out", tmp_path / "work"
    out.mkdir()
    work.mkdir()
    before = everything(root.parent) - everything(out)
    cache = shared_cache()
    command = [sys.executable, "-m", "tests.corpus.render_child", str(out), str(work), str(cache)]
    paths = "".join(json.dumps(str(by_name[name].path)) + "\n" for name in SAMPLE)
    child = subprocess.run(
        command, input=paths, capture_output=True, text=True, timeout=280, env=child_environment(cache), check=False
    )
    answers = [json.loads(line) for line in child.stdout.splitlines()]
    assert len(answers) == len(SAMPLE), f"{SAMPLE[len(answers)]} ended the process ({child.returncode}): {child.stderr}"
    for name, answer in zip(SAMPLE, answers, strict=True):
        assert (by_name[name].outcome, "video" in answer) not in (
            (Outcome.ERROR, True),
            (Outcome.VIDEO, False),
        ), f"{name}: {answer}"
        if "video" in answer:
            with av.open(answer["video"]) as video:
                assert sum(1 for _ in video.decode(video=0)) == answer["frames"] > 0
                assert video.streams.audio
        else:
            assert answer["code"].endswith("Error")
            assert by_name[name].path.name in answer["error"]
    assert len(list(out.iterdir())) == sum("video" in answer for answer in answers)
    assert everything(root.parent) - everything(out) - everything(work) == before
