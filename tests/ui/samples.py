"""Made-up batches and jobs in every state, for tests and screenshots of the window."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchJobData
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.job import JobSnapshot, JobStatus, Progress, RenderOutcome, Stage
from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.store.renders import RenderRecord

SONGS = (
    ("Ember Garden", "Lys Arden", 247.3),
    ("Slow Tide, Bright Water", "Lys Arden", 392.0),
    ("Kōan", "Haru Mori", 611.8),
    ("Nachtwanderung durch den stillen Wald (Extended Version)", "Klangweber", 1284.5),
    ("Über den Wolken", "Klangweber", 214.0),
    ("Breath 4–7–8", "Still Room", 905.2),
    ("Aurora", "Northlight", 188.4),
    ("Dust and Cedar", "Still Room", 333.3),
    ("Тихий свет", "Ирина Соколова", 276.0),
    ("First Light", "Northlight", 141.7),
    ("Glass Harbour", "Lys Arden", 301.1),
    ("Returning", "Still Room", 455.9),
)


_LAST_RENDER = datetime(2026, 11, 23, 23, 10, tzinfo=UTC)


def song(number: int, *, album: str | None = None) -> AudioFile:
    """One of the made-up songs."""
    title, artist, duration = SONGS[number % len(SONGS)]
    again = number // len(SONGS)
    title = f"{title} {again + 1}" if again else title
    return AudioFile(
        id=f"{number:08x}",
        path=f"/home/ada/Music/{artist}/{title}.flac",
        original_name=f"{title}.flac",
        duration=duration,
        title=title,
        artist=artist,
        album=album,
        size=int(duration * 88_000),
    )


def batch(
    batch_id: str,
    songs: int,
    formats: tuple[str, ...] = ("1080p",),
    *,
    created: str = "2026-11-23T21:12:00.000+00:00",
    album: str | None = None,
    first: int = 0,
) -> BatchJobData:
    """A submitted batch."""
    return BatchJobData(
        batch_id=batch_id,
        audio_files=tuple(song(first + number, album=album) for number in range(songs)),
        template="flame",
        output_formats=formats,
        created_at=created,
        output_dir="/home/ada/Videos/Ethereal",
        name_pattern="{date}_{song}_{format}_v{n}",
        fps=30,
        quality=Quality.STANDARD,
    )


def waiting(data: BatchJobData) -> list[JobSnapshot]:
    """All jobs of a batch, waiting."""
    created = time.time() - 5400
    return [
        JobSnapshot(id=job_id, status=JobStatus.PENDING, queue_state="waiting", data=job, created_at=created)
        for job_id, job in data.jobs()
    ]


def running(
    job: JobSnapshot, fraction: float = 0.42, *, fps: float = 48.6, stage: Stage = Stage.RENDERING
) -> JobSnapshot:
    """That job while a worker has it."""
    assert job.data
    frames = round((job.data.audio_file.duration or 60) * 30)
    known = stage is not Stage.ANALYSING
    return replace(
        job,
        status=JobStatus.PROCESSING,
        queue_state="active",
        started_at=time.time() - 80,
        worker="studio-4711-a1",
        progress=Progress(
            stage=stage,
            fraction=fraction,
            fps=fps if known else None,
            time_left=frames * (1 - fraction) / fps if known else None,
            frame=round(frames * fraction) if known else None,
            frames=frames if known else None,
        ),
    )


def done(job: JobSnapshot, elapsed: float = 151.0, ago: float = 600.0) -> JobSnapshot:
    """That job with its video."""
    assert job.data
    audio = job.data.audio_file
    duration = audio.duration or 60.0
    return replace(
        job,
        status=JobStatus.COMPLETED,
        queue_state="completed",
        attempts_made=1,
        started_at=time.time() - ago - elapsed,
        finished_at=time.time() - ago,
        worker="studio-4711-a1",
        outcome=RenderOutcome(
            output_path=f"/home/ada/Videos/Ethereal/20261123_{audio.display_title}_{job.data.output_format}_v1.mp4",
            duration=duration,
            frames=round(duration * 30),
            size=round(duration * 1_020_000),
            elapsed=elapsed,
            worker="studio-4711-a1",
        ),
    )


def failed(job: JobSnapshot, reason: str = "", attempts: int = 1) -> JobSnapshot:
    """That job after it failed for good."""
    assert job.data
    words = reason or (
        f"The audio in “{job.data.audio_file.original_name}” cannot be decoded. "
        "Export it again from your audio program."
    )
    return replace(
        job,
        status=JobStatus.FAILED,
        queue_state="failed",
        attempts_made=attempts,
        failed_reason=words,
        started_at=time.time() - 400,
        finished_at=time.time() - 390,
        worker="studio-4711-a1",
    )


def cancelled(job: JobSnapshot) -> JobSnapshot:
    """That job after somebody cancelled it."""
    return failed(job, "Cancelled by you.")


def retrying(job: JobSnapshot) -> JobSnapshot:
    """That job between two attempts."""
    return replace(
        job,
        queue_state="delayed",
        attempts_made=1,
        retry_at=time.time() + 17,
        failed_reason="The disk is full. Free some space, then retry.",
    )


def held(job: JobSnapshot) -> JobSnapshot:
    """That job on hold."""
    return replace(job, held=True)


def mixed() -> tuple[list[BatchJobData], list[JobSnapshot]]:
    """A queue in which everything occurs at once."""
    first = batch("b0000000000a1", 4, ("1080p", "1080p_vertical", "360mono"), album="Embers & Tides")
    second = batch("b0000000000b2", 3, ("1080p", "4k"), created="2026-11-23T22:40:00.000+00:00", first=4)
    third = batch("b0000000000c3", 2, ("1080p",), created="2026-11-22T20:05:00.000+00:00", first=8)
    jobs = waiting(first)
    jobs[0], jobs[1], jobs[2] = done(jobs[0]), done(jobs[1], 133, 420), done(jobs[2], 402, 200)
    jobs[3] = running(jobs[3], 0.64)
    jobs[4] = failed(jobs[4], attempts=3)
    jobs[5] = retrying(jobs[5])
    jobs[6] = held(jobs[6])
    jobs[7] = cancelled(jobs[7])
    jobs[8] = replace(running(jobs[8], 0.2), cancelling=True)
    more = waiting(second)
    more[0] = replace(more[0], priority=1, queue_state="prioritized")
    old = [done(job, 140 + 9 * place, 86_000) for place, job in enumerate(waiting(third))]
    return [second, first, third], jobs + more + old


def many(batches: int = 50, jobs: int = 200) -> tuple[list[BatchJobData], list[JobSnapshot]]:
    """A large queue: 50 batches of 200 jobs unless told otherwise."""
    chance = Random(7)
    found: list[BatchJobData] = []
    snapshots: list[JobSnapshot] = []
    for number in range(batches):
        data = batch(
            f"b{number:012x}",
            jobs // 2,
            ("1080p", "1080p_vertical"),
            created=f"2026-11-{1 + number // 3:02}T{number % 24:02}:00:00.000+00:00",
            first=number,
        )
        found.append(data)
        made = waiting(data)
        if number < batches // 2:
            made = [failed(job) if chance.random() < 0.01 else done(job) for job in made]
        elif number == batches // 2:
            made[: jobs // 3] = [done(job) for job in made[: jobs // 3]]
            made[jobs // 3] = running(made[jobs // 3])
        snapshots += made
    return found, snapshots


def worker(state: WorkerState = WorkerState.BUSY) -> WorkerInfo:
    """The worker of this computer."""
    return WorkerInfo(name="studio-4711-a1", host="studio", pid=4711, cores=8, concurrency=1, state=state, fps=48.6)


def records(number: int) -> list[RenderRecord]:
    """A history, newest first."""
    statuses = ("completed", "completed", "failed", "completed", "cancelled", "completed", "interrupted")
    found = []
    for place in range(number):
        audio, status = song(place), statuses[place % len(statuses)]
        complete = status == "completed"
        found.append(
            RenderRecord(
                id=f"r{place}",
                job_id=f"b1-{audio.id}-1080p",
                batch_id="b1",
                audio_name=audio.original_name,
                audio_path=audio.path,
                template="flame",
                output_format=("1080p", "1080p_vertical", "360stereo_8k")[place % 3],
                output_path=f"/home/ada/Videos/Ethereal/{audio.display_title}.mp4" if complete else None,
                status=status,
                duration=audio.duration if complete else None,
                size=round((audio.duration or 0) * 1_020_000) if complete else None,
                elapsed=(audio.duration or 0) * 0.61 if complete else None,
                started=(_LAST_RENDER - timedelta(hours=4 * place)).isoformat(),
                completed=(_LAST_RENDER - timedelta(hours=4 * place, minutes=-4)).isoformat(),
                error="The disk is full." if status == "failed" else None,
                attempts=1,
                worker="studio-4711-a1",
                created="2026-11-23T21:00:00.000+00:00",
            )
        )
    return found
