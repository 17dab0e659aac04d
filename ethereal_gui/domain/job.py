"""A render job: what it carries, the states it goes through, what comes out of it."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.locations import Place
from ethereal_gui.domain.wire import Count, Id, Label, PathText, Seconds, WireModel, Word

CANCELLED_REASON = "Cancelled"
"""How the failed reason of a cancelled job begins: the queue knows no cancelled state."""


class JobStatus(StrEnum):
    """The four states of a job as everybody outside the queue sees them."""

    PENDING = "pending"  # waiting, delayed until a retry, prioritised, or held
    PROCESSING = "processing"  # a worker has it
    COMPLETED = "completed"  # the video is there under its final name
    FAILED = "failed"  # all attempts used up, hopeless from the start, or cancelled


TERMINAL_STATUSES = frozenset({JobStatus.COMPLETED, JobStatus.FAILED})

_STATUS_OF_QUEUE_STATE = {
    "waiting": JobStatus.PENDING,
    "wait": JobStatus.PENDING,
    "paused": JobStatus.PENDING,
    "delayed": JobStatus.PENDING,
    "prioritized": JobStatus.PENDING,
    "waiting-children": JobStatus.PENDING,
    "active": JobStatus.PROCESSING,
    "completed": JobStatus.COMPLETED,
    "failed": JobStatus.FAILED,
}


def status_of(queue_state: str) -> JobStatus | None:
    """The status for a BullMQ state, or None for ``unknown``."""
    return _STATUS_OF_QUEUE_STATE.get(queue_state)


class Stage(StrEnum):
    """What a running render is busy with."""

    FETCHING = "fetching"  # the song comes from a server
    ANALYSING = "analysing"
    PREPARING = "preparing"  # the engine's kernels are compiled, once on a computer
    RENDERING = "rendering"
    FINISHING = "finishing"
    SENDING = "sending"  # the video goes to a server


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0


def _sensible(value: float | None) -> float | None:
    """Any worker may say anything of how it gets on; what is no number is worth nothing, but breaks nothing either."""
    return value if value is not None and 0 <= value <= _MAX_TOLD else None


_MAX_TOLD = 1e9
_Told = Annotated[float | None, AfterValidator(_sensible)]
_ToldCount = Annotated[int | None, AfterValidator(_sensible)]


class Progress(WireModel):
    """How far a running job is.

    Attributes:
        stage: what it is busy with.
        fraction: 0 to 1 of the whole job.
        fps: frames per second over the last seconds, when rendering.
        time_left: seconds, when it can be told.
        frame, frames: frames done and in all.
    """

    stage: Stage
    fraction: Annotated[float, AfterValidator(_share)]
    fps: _Told = None
    time_left: _Told = None
    frame: _ToldCount = None
    frames: _ToldCount = None


class Caption(StrEnum):
    """What is shown over the picture for some seconds near a video's beginning."""

    NONE = "none"
    TEXT = "text"  # title and artist
    PICTURE = "picture"  # the same, with a cover or logo


class RenderOptions(WireModel):
    """Choices that a batch makes beside template and formats; all optional additions to the job's data.

    Attributes:
        output_dir: folder or URL for the video as the submitting machine sees it; the worker's own when not given.
        name_pattern: pattern of the file name; the worker's own when not given.
        fps: frames per second, 30 or 60.
        quality: draft, standard or high.
        max_bit_rate: megabits per second that the pictures never exceed for long, for platforms with a limit of theirs.
        template_values: template parameters that differ from their defaults.
        caption: none, text or picture; none when not given, for it cannot be taken off a video again.
        title, artist: typed ones, instead of the song's tags, for the caption and the video's own tags.
        picture: path or URL of a PNG or JPEG for the caption as the submitting machine sees it; else the song's cover.
        split_minutes: several workers render a video of more minutes together, and any that is larger than
            4096 x 4096; one worker renders it when not given.
    """

    output_dir: Place | None = None
    name_pattern: Label | None = None
    fps: int | None = None
    quality: Quality | None = None
    max_bit_rate: float | None = Field(default=None, ge=1, le=1000)
    template_values: Annotated[dict[Word, float], Field(max_length=200)] | None = None
    caption: Caption | None = None
    title: Label | None = None
    artist: Label | None = None
    picture: Place | None = None
    split_minutes: float | None = Field(default=None, ge=0, le=100_000)


class RenderJobData(RenderOptions):
    """The data of one job in the queue.

    Attributes:
        render_db_id: id of the row in the history; null until the first attempt.
    """

    batch_id: Id
    audio_file: AudioFile
    template: Word
    output_format: Word
    render_db_id: Word | None
    created_at: Word | None = None


class PartJobData(WireModel):
    """The data of one part of a video that was split up, a job in the queue of parts.

    Attributes:
        job_id, job: the job whose video it is, with what the worker that split it up has decided.
        mark: everything that determines the video's packets, as one name.
        frames: of the whole video. start, stop: this part's first frame, and the one after its last.
    """

    job_id: Label
    job: RenderJobData
    mark: str = Field(pattern=r"^[0-9a-f]{32}$")
    frames: Count
    start: Count
    stop: Count

    @field_validator("job", mode="before")
    @classmethod
    def _with_db_id(cls, value: Any) -> Any:
        """Nulls inside of other objects are left out on the wire."""
        return {"renderDbId": None, **value} if isinstance(value, dict) else value


class RenderOutcome(WireModel):
    """What a finished job returns.

    Attributes:
        output_path: the video's path or URL, as the submitter sees it where a path map led there, else as its worker.
        duration: seconds of video.
        frames: frames of video.
        size: bytes of the file.
        elapsed: seconds that the successful attempt took, on all workers together from its beginning to its end.
        worker: name of the worker that made it.
    """

    output_path: PathText
    duration: Seconds
    frames: Count
    size: Count
    elapsed: Seconds
    worker: Label | None = None


class LeftBy(WireModel):
    """Workers that left a job to others, because they cannot read its files.

    Attributes:
        workers: their names, and what each could not read.
        times: how often the job was left.
    """

    workers: Annotated[dict[Label, Label], Field(max_length=200)]
    times: Count

    @property
    def note(self) -> str:
        """A sentence for people."""
        name, reason = list(self.workers.items())[-1] if self.workers else ("a worker", "it cannot read its files.")
        others = f" and {len(self.workers) - 1} more" if len(self.workers) > 1 else ""
        return f"Left by {name}{others}: {reason} It waits for a worker that can read it."

    def left_again(self, worker: str, reason: str) -> "LeftBy":
        """The same, when ``worker`` has left it too, or once more."""
        earlier = {name: said for name, said in self.workers.items() if name != worker}
        latest = dict(list(earlier.items())[-199:])
        return LeftBy(workers={**latest, worker: reason[:1000]}, times=self.times + 1)


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """Everything that can be seen of a job at one moment.

    Attributes:
        id: job id, ``{batchId}-{audioFile.id}-{format}``.
        status: the four-valued status.
        queue_state: BullMQ's own word (waiting, delayed, prioritized, active, completed, failed, or ``removed`` for
            a finished job whose record the queue has dropped; its outcome is kept).
        data: the job's data; None when it does not parse or is gone.
        data_error: why the data does not parse.
        progress: the newest progress of a running job.
        failed_reason: message of the last failed attempt; set on delayed jobs between attempts too.
        attempts_made, attempts: attempts that have ended, and that are allowed.
        retry_at: when a delayed job runs again, seconds since the epoch.
        created_at, started_at, finished_at: seconds since the epoch.
        outcome: what a completed job returned.
        worker: name of the worker that has or had it.
        cancelling: a cancel was asked for and the worker has not yet obeyed.
        held: taken out of the line by the user until released.
        left_by: workers that could not read its files, while it waits.
        priority: 0 for none, else 1 is the highest.
    """

    id: str
    status: JobStatus
    queue_state: str
    data: RenderJobData | None
    data_error: str | None = None
    progress: Progress | None = None
    failed_reason: str | None = None
    attempts_made: int = 0
    attempts: int = 3
    retry_at: float | None = None
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    outcome: RenderOutcome | None = None
    worker: str | None = None
    cancelling: bool = False
    held: bool = False
    left_by: LeftBy | None = None
    priority: int = 0
    raw_data: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def is_terminal(self) -> bool:
        """Nothing more happens to it unless somebody asks."""
        return self.status in TERMINAL_STATUSES

    @property
    def is_cancelled(self) -> bool:
        """It failed because somebody cancelled it."""
        return self.status is JobStatus.FAILED and (self.failed_reason or "").startswith(CANCELLED_REASON)

    @property
    def batch_id(self) -> str | None:
        """The batch it belongs to, when its data can be read."""
        return self.data.batch_id if self.data else None
