"""docs/queue.md is what foreign programs are written by: it names every field, key and event that there is."""

import re
from pathlib import Path

import pytest

import ethereal_gui.queue
from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchJobData
from ethereal_gui.domain.job import LeftBy, PartJobData, Progress, RenderJobData, RenderOutcome, Stage
from ethereal_gui.domain.wire import WireModel
from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.queue.keys import QueueKeys

_TEXT = (Path(__file__).parents[2] / "docs" / "queue.md").read_text("utf-8")
_SOURCES = Path(ethereal_gui.queue.__file__).parent


@pytest.mark.parametrize(
    "model", [RenderJobData, PartJobData, AudioFile, BatchJobData, LeftBy, Progress, RenderOutcome, WorkerInfo]
)
def test_every_field_is_documented(model: type[WireModel]) -> None:
    for name, field in model.model_fields.items():
        assert f"`{field.alias or name}`" in _TEXT, f"{model.__name__}.{name}"


@pytest.mark.parametrize("word", [*Stage, *WorkerState])
def test_every_word_of_the_wire_is_documented(word: str) -> None:
    assert f"`{word}`" in _TEXT


def test_every_key_of_ours_is_documented() -> None:
    keys = QueueKeys("bull", "render-queue")
    of_batch = (keys.batch, keys.batch_jobs, keys.batch_outcomes, keys.batch_ends)
    assert f"`{keys.parts}`" in _TEXT
    ours = [keys.batches, keys.cancelling, keys.workers, keys.workers_seen, keys.draining]
    for key in [*ours, *(make("{batchId}") for make in of_batch)]:
        assert f"`{key.removeprefix(keys.base)}`" in _TEXT


def test_every_event_of_ours_is_documented() -> None:
    sources = [path.read_text("utf-8") for path in (*_SOURCES.glob("*.py"), *_SOURCES.glob("lua/*.lua"))]
    events = {name for text in sources for name in re.findall(r"(?<!self\.)(?:emit|announce)\(\"([a-z-]+)\"", text)}
    assert {"batch-added", "moved", "cancelling", "worker"} <= events
    for name in events:
        assert f"`{name}`" in _TEXT, name
