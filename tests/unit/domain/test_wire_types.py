"""The JSON in the queue is a contract with other programs: names, and nothing that was not asked for."""

import json
import re
from pathlib import Path

import bullmq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchJobData, job_id, new_batch_id
from ethereal_gui.domain.errors import JobDataError
from ethereal_gui.domain.formats import FORMATS, Quality
from ethereal_gui.domain.job import (
    TERMINAL_STATUSES,
    Caption,
    JobSnapshot,
    JobStatus,
    Progress,
    RenderJobData,
    RenderOutcome,
    Stage,
    status_of,
)
from ethereal_gui.domain.wire import checked

AUDIO = AudioFile(id="a1", path="/music/s.mp3", original_name="s.mp3")


def batch(**more: object) -> BatchJobData:
    values: dict[str, object] = {
        "batch_id": "b1",
        "audio_files": (AUDIO, AUDIO.model_copy(update={"id": "a2"})),
        "template": "flame",
        "output_formats": ("1080p", "4k"),
        "created_at": "2026-11-24T00:00:00.000+00:00",
    }
    return BatchJobData.model_validate({**values, **more})


def test_audio_file_has_exactly_the_documented_fields() -> None:
    assert AUDIO.to_wire() == {"id": "a1", "path": "/music/s.mp3", "originalName": "s.mp3"}


def test_job_data_has_exactly_the_documented_fields_and_a_null_row_id() -> None:
    data = RenderJobData(batch_id="b1", audio_file=AUDIO, template="flame", output_format="4k", render_db_id=None)
    assert data.to_wire() == {
        "batchId": "b1",
        "audioFile": {"id": "a1", "path": "/music/s.mp3", "originalName": "s.mp3"},
        "template": "flame",
        "outputFormat": "4k",
        "renderDbId": None,
    }


def test_batch_has_exactly_the_documented_fields() -> None:
    assert set(batch().to_wire()) == {"batchId", "audioFiles", "template", "outputFormats", "createdAt"}


def test_options_travel_only_when_set() -> None:
    wire = batch(fps=60, quality=Quality.HIGH).to_wire()
    assert (wire["fps"], wire["quality"]) == (60, "high")
    assert "outputDir" not in wire


def test_readers_ignore_fields_of_newer_writers() -> None:
    wire = {**batch().jobs()[0][1].to_wire(), "invented": {"later": 1}}
    assert RenderJobData.model_validate(wire).template == "flame"


@pytest.mark.parametrize("missing", ["batchId", "audioFile", "template", "outputFormat", "renderDbId"])
def test_a_missing_field_is_an_error(missing: str) -> None:
    wire = batch().jobs()[0][1].to_wire()
    del wire[missing]
    with pytest.raises(ValidationError, match=missing):
        RenderJobData.model_validate(wire)


def test_a_batch_becomes_one_job_per_file_and_format_in_order() -> None:
    jobs = batch(fps=60).jobs()
    assert [name for name, _ in jobs] == ["b1-a1-1080p", "b1-a1-4k", "b1-a2-1080p", "b1-a2-4k"]
    assert all(data.fps == 60 and data.render_db_id is None for _, data in jobs)


def test_a_format_that_is_named_twice_is_rendered_once() -> None:
    assert len(batch(output_formats=("4k", "4k")).jobs()) == 2


def test_job_ids_are_taken_by_bullmq() -> None:
    name = job_id(new_batch_id(), "a1", "4k")
    assert ":" not in name
    assert not name.isdigit()


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


@given(
    name=text,
    path=text,
    title=st.none() | text,
    seconds=st.none() | st.floats(0, 1e6),
    output_format=st.sampled_from(sorted(FORMATS)),
    values=st.none() | st.dictionaries(text, st.floats(-1e6, 1e6), max_size=4),
)
def test_job_data_survives_the_wire(
    name: str,
    path: str,
    title: str | None,
    seconds: float | None,
    output_format: str,
    values: dict[str, float] | None,
) -> None:
    data = RenderJobData(
        batch_id="b",
        audio_file=AudioFile(id="a", path=path, original_name=name, title=title, duration=seconds),
        template="mist",
        output_format=output_format,
        render_db_id="7",
        template_values=values,
    )
    assert RenderJobData.model_validate(json.loads(json.dumps(data.to_wire(), allow_nan=False))) == data


ids = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=":"), min_size=1, max_size=60)
songs = st.builds(
    AudioFile,
    id=ids,
    path=text,
    originalName=text,
    duration=st.none() | st.floats(0, 1e7),
    title=st.none() | text,
    artist=st.none() | text,
    album=st.none() | text,
    size=st.none() | st.integers(0, 2**62),
)
options = st.fixed_dictionaries(
    {},
    optional={
        "output_dir": text,
        "name_pattern": text,
        "fps": st.sampled_from([30, 60]),
        "quality": st.sampled_from(Quality),
        "max_bit_rate": st.floats(1, 1000),
        "template_values": st.dictionaries(text, st.floats(-1e9, 1e9), max_size=5),
        "caption": st.sampled_from(Caption),
        "title": text,
        "artist": text,
        "picture": text,
    },
)


@given(st.lists(songs, max_size=4), st.lists(text, max_size=3), options)
def test_a_batch_and_all_its_jobs_survive_the_wire(
    files: list[AudioFile], formats: list[str], chosen: dict[str, object]
) -> None:
    made = batch(audio_files=tuple(files), output_formats=tuple(formats), **chosen)
    assert BatchJobData.model_validate_json(json.dumps(made.to_wire(), allow_nan=False)) == made
    for _, job in made.jobs():
        again = RenderJobData.model_validate(json.loads(json.dumps(job.to_wire(), allow_nan=False)))
        assert again == job
        assert all(getattr(again, name) == value for name, value in chosen.items())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(st.characters()), inside, max_size=3),
    max_leaves=8,
)
GOOD_JOB = batch(fps=30, title="t").jobs()[0][1].to_wire()


@given(
    st.dictionaries(st.sampled_from([*GOOD_JOB, "outputDir", "templateValues"]), anything, min_size=1, max_size=4),
    anything,
)
def test_any_json_is_a_job_or_a_reason_that_can_be_shown(changes: dict[str, object], instead: object) -> None:
    for raw in ({**GOOD_JOB, **changes}, {**GOOD_JOB, "audioFile": changes}, instead):
        reason = ""
        try:
            job = checked(RenderJobData, raw)
        except JobDataError as error:
            reason = str(error)
        else:
            json.dumps(job.to_wire(), allow_nan=False)
        assert len(reason.encode()) < 2000


@given(anything, anything, anything, anything)
def test_progress_of_strangers_is_in_bounds_or_none(fraction: object, fps: object, left: object, frame: object) -> None:
    raw = {"stage": "rendering", "fraction": fraction, "fps": fps, "timeLeft": left, "frame": frame, "frames": frame}
    try:
        progress = Progress.model_validate(raw)
    except ValidationError:
        return
    assert 0 <= progress.fraction <= 1
    told = (progress.fps, progress.time_left, progress.frame, progress.frames)
    assert all(value is None or 0 <= value <= 1e9 for value in told)
    assert Progress.model_validate(json.loads(json.dumps(progress.to_wire(), allow_nan=False))) == progress


@given(
    st.builds(
        RenderOutcome,
        outputPath=text,
        duration=st.floats(0, 1e7),
        frames=st.integers(0, 2**62),
        size=st.integers(0, 2**62),
        elapsed=st.floats(0, 1e7),
        worker=st.none() | text,
    )
)
def test_an_outcome_survives_the_wire(outcome: RenderOutcome) -> None:
    assert RenderOutcome.model_validate(json.loads(json.dumps(outcome.to_wire(), allow_nan=False))) == outcome


BULLMQ_STATES = frozenset(
    re.findall(r'return "([a-z-]+)"', (Path(bullmq.__file__).parent / "commands" / "getState-8.lua").read_text("utf-8"))
)


@given(st.sampled_from(sorted(BULLMQ_STATES)) | st.text())
def test_every_state_that_bullmq_knows_is_one_of_the_four(state: str) -> None:
    status = status_of(state)
    if state in BULLMQ_STATES - {"unknown"}:
        assert status is not None
        assert (status in TERMINAL_STATUSES) == (state in ("completed", "failed"))
    elif state not in ("wait", "paused", *BULLMQ_STATES):
        assert status is None


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("waiting", JobStatus.PENDING),
        ("delayed", JobStatus.PENDING),
        ("prioritized", JobStatus.PENDING),
        ("waiting-children", JobStatus.PENDING),
        ("active", JobStatus.PROCESSING),
        ("completed", JobStatus.COMPLETED),
        ("failed", JobStatus.FAILED),
        ("unknown", None),
    ],
)
def test_queue_states_become_the_four_statuses(state: str, status: JobStatus | None) -> None:
    assert status_of(state) is status


def test_cancelled_is_told_apart_from_failed() -> None:
    failed = JobSnapshot(id="x", status=JobStatus.FAILED, queue_state="failed", data=None, failed_reason="Disk full.")
    cancelled = JobSnapshot(
        id="x", status=JobStatus.FAILED, queue_state="failed", data=None, failed_reason="Cancelled."
    )
    assert cancelled.is_cancelled
    assert not failed.is_cancelled


def test_progress_is_plain_json() -> None:
    progress = Progress(stage=Stage.RENDERING, fraction=0.5, fps=float("nan"))
    assert json.loads(json.dumps(progress.to_wire(), allow_nan=False)) == {"stage": "rendering", "fraction": 0.5}
