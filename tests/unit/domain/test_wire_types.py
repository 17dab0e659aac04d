"""The JSON in the queue is a contract with other programs: names, and nothing that was not asked for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchJobData, job_id, new_batch_id
from ethereal_gui.domain.formats import FORMATS, Quality
from ethereal_gui.domain.job import JobSnapshot, JobStatus, Progress, RenderJobData, Stage, status_of

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
