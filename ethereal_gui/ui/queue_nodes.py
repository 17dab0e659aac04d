"""Rows of the queue: batches and their jobs, with everything that sorting, filtering and sums need at hand.

A batch keeps its counts and sums as its jobs change, so that a change costs the same in a queue of ten and of ten
thousand jobs.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchJobData, job_id
from ethereal_gui.domain.formats import FORMATS
from ethereal_gui.domain.job import JobSnapshot
from ethereal_gui.ui.states import GROUP_OF, DisplayState, StateGroup, display_state

_USUAL_DURATION: Final = 240.0
_ENDED: Final = frozenset({DisplayState.DONE, DisplayState.FAILED, DisplayState.CANCELLED})
HIDDEN: Final = -1


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What the queue shows: all conditions hold together. Empty ones hold for everything."""

    text: str = ""
    states: frozenset[DisplayState] = frozenset()
    format_id: str = ""
    batch_id: str = ""

    @property
    def is_empty(self) -> bool:
        """It lets everything through."""
        return not (self.text or self.states or self.format_id or self.batch_id)

    def takes(self, job: "JobNode") -> bool:
        """That job is shown."""
        return (
            (not self.states or job.state in self.states)
            and (not self.format_id or job.format_id == self.format_id)
            and (not self.batch_id or job.batch.id == self.batch_id)
            and (not self.text or self.text in job.haystack)
        )


class BatchNode:
    """A batch's row.

    Attributes:
        data: what was submitted, when it is known.
        jobs: in the order in which they run.
        expanded: its jobs are shown.
        first_place: place in the waiting line of its first job there, as of the last ``put_in_line``.
        row: row in the table, or ``HIDDEN``.
        counts: jobs per state.
        done_work, done_elapsed: finished work and the seconds it took, for the estimate.
        left_work: work not yet done.
    """

    __slots__ = (
        "counts",
        "data",
        "done_elapsed",
        "done_work",
        "expanded",
        "first_place",
        "fractions",
        "id",
        "in_order",
        "jobs",
        "left_work",
        "number",
        "row",
        "size",
    )

    def __init__(self, batch_id: str, number: int) -> None:
        self.id = batch_id
        self.number = number
        self.data: BatchJobData | None = None
        self.jobs: list[JobNode] = []
        self.expanded = True
        self.in_order = True
        self.first_place: int | None = None
        self.row = HIDDEN
        self.counts: Counter[DisplayState] = Counter()
        self.fractions = 0.0
        self.done_work = 0.0
        self.done_elapsed = 0.0
        self.left_work = 0.0
        self.size = 0

    @property
    def total(self) -> int:
        """Number of jobs."""
        return len(self.jobs)

    @property
    def ended(self) -> int:
        """Jobs of which nothing more is to be expected."""
        return sum(self.counts[state] for state in _ENDED)

    @property
    def is_ended(self) -> bool:
        """Nothing more is to be expected of any job."""
        return self.ended == len(self.jobs)

    @property
    def turn(self) -> float:
        """When it has its turn: batches that are being rendered first, then by the first of their waiting jobs."""
        if self.counts[DisplayState.RUNNING] or self.counts[DisplayState.STOPPING]:
            return -1.0
        return float("inf") if self.first_place is None else float(self.first_place)

    @property
    def fraction(self) -> float:
        """How far it is, 0 to 1; cancelled and failed jobs count as far as done."""
        return (self.ended + self.fractions) / len(self.jobs) if self.jobs else 0.0

    @property
    def created(self) -> str:
        """ISO 8601, for sorting; empty when it is not known."""
        return self.data.created_at if self.data else ""

    @property
    def template(self) -> str:
        """Template id."""
        if self.data:
            return self.data.template
        return self.jobs[0].template if self.jobs else ""

    @property
    def title(self) -> str:
        """What it is called: the album or artist that all songs share, else its first song."""
        files = self.data.audio_files if self.data else [job.audio for job in self.jobs if job.audio]
        if not files:
            return self.id
        for name in ("album", "artist"):
            values = {getattr(audio, name) for audio in files}
            if len(files) > 1 and len(values) == 1 and (value := values.pop()):
                return str(value)
        return files[0].display_title

    @property
    def songs(self) -> int:
        """Number of songs."""
        if self.data:
            return len(self.data.audio_files)
        return len({job.audio.id for job in self.jobs if job.audio})

    @property
    def formats(self) -> list[str]:
        """Format ids."""
        return list(self.data.output_formats) if self.data else list(dict.fromkeys(job.format_id for job in self.jobs))

    def add(self, job: "JobNode") -> None:
        """Take a job in and count it; ``put_in_order`` brings it to its place."""
        self.jobs.append(job)
        self.in_order = False
        self._account(job, 1)

    def put_in_order(self) -> None:
        """Songs and formats in the order in which they were submitted, whatever order their jobs were heard of."""
        if self.in_order:
            return
        self.in_order = True
        if self.data:
            places = {job_id(self.id, audio, fmt): n for n, (audio, fmt) in enumerate(self._pairs(self.data))}
            for job in self.jobs:
                job.order = places.get(job.id, len(places) + job.order)
        self.jobs.sort(key=lambda job: job.order)
        self.put_in_line()

    def put_in_line(self) -> None:
        """Waiting jobs among themselves as they will run; all others keep their places."""
        slots = [slot for slot, job in enumerate(self.jobs) if job.place is not None]
        places = [self.jobs[slot].place or 0 for slot in slots]
        in_line = sorted(places)
        self.first_place = in_line[0] if in_line else None
        if places != in_line:
            jobs = sorted((self.jobs[slot] for slot in slots), key=lambda job: job.place or 0)
            for slot, job in zip(slots, jobs, strict=True):
                self.jobs[slot] = job

    @staticmethod
    def _pairs(data: BatchJobData) -> list[tuple[str, str]]:
        return [(audio.id, fmt) for audio in data.audio_files for fmt in data.output_formats]

    def drop(self, gone: "set[JobNode]") -> None:
        """Let jobs go."""
        for job in gone:
            self._account(job, -1)
        self.jobs = [job for job in self.jobs if job not in gone]

    def replace(self, job: "JobNode", snapshot: JobSnapshot) -> None:
        """A job of this batch has changed."""
        self._account(job, -1)
        job.show(snapshot)
        self._account(job, 1)

    def _account(self, job: "JobNode", sign: int) -> None:
        self.counts[job.state] += sign
        if job.state not in _ENDED:
            self.fractions += sign * job.fraction
            self.left_work += sign * job.work * (1.0 - job.fraction)
        outcome = job.snapshot.outcome
        if job.state is DisplayState.DONE and outcome:
            self.done_work += sign * job.work
            self.done_elapsed += sign * outcome.elapsed
            self.size += sign * outcome.size


class JobNode:
    """A job's row.

    Attributes:
        snapshot: the newest that is known of it.
        place: its place in the waiting line; None while it is not in it, or when that is not known.
        state: what a person sees.
        haystack: what the search looks into.
        work: how much there is to do, in gigapixels of video.
        row: row in the table, or ``HIDDEN``.
    """

    __slots__ = ("batch", "haystack", "id", "order", "place", "row", "snapshot", "state", "work")

    def __init__(self, snapshot: JobSnapshot, batch: BatchNode, order: int) -> None:
        self.id = snapshot.id
        self.batch = batch
        self.order = order
        self.place: int | None = None
        self.row = HIDDEN
        self.haystack = _haystack(snapshot)
        self.show(snapshot)
        self.work = self._work()

    def show(self, snapshot: JobSnapshot) -> None:
        """Take over a newer snapshot."""
        self.snapshot = snapshot
        self.state = display_state(snapshot)
        if self.state is not DisplayState.WAITING:
            self.place = None

    @property
    def audio(self) -> AudioFile | None:
        """The song, when the job's data can be read."""
        return self.snapshot.data.audio_file if self.snapshot.data else None

    @property
    def title(self) -> str:
        """The song's title."""
        data = self.snapshot.data
        return data.audio_file.display_title if data else self.id

    @property
    def format_id(self) -> str:
        """Output format."""
        return self.snapshot.data.output_format if self.snapshot.data else ""

    @property
    def template(self) -> str:
        """Template id."""
        return self.snapshot.data.template if self.snapshot.data else ""

    @property
    def fraction(self) -> float:
        """How far the running attempt is, 0 to 1."""
        if self.state is DisplayState.DONE:
            return 1.0
        return self.snapshot.progress.fraction if self.snapshot.progress else 0.0

    @property
    def group(self) -> StateGroup:
        """Under which filter it is found."""
        return GROUP_OF[self.state]

    @property
    def is_ended(self) -> bool:
        """Nothing more is to be expected of it."""
        return self.state in _ENDED

    @property
    def realtime(self) -> float | None:
        """Seconds of video per second of work, of the running or the finished render."""
        data, outcome, progress = self.snapshot.data, self.snapshot.outcome, self.snapshot.progress
        if outcome and outcome.elapsed > 0:
            return outcome.duration / outcome.elapsed
        if progress and progress.fps and data:
            return progress.fps / (data.fps or 30)
        return None

    def _work(self) -> float:
        data = self.snapshot.data
        if data is None or data.output_format not in FORMATS:
            return 0.0
        frames = (data.audio_file.duration or _USUAL_DURATION) * (data.fps or 30)
        return FORMATS[data.output_format].pixels * frames / 1e9


def _haystack(snapshot: JobSnapshot) -> str:
    data = snapshot.data
    if data is None:
        return snapshot.id
    audio = data.audio_file
    parts = (audio.original_name, audio.title, audio.artist, audio.album, data.output_format, data.template)
    return "\n".join((snapshot.id, *(part for part in parts if part))).casefold()


def seconds_left(batches: list[BatchNode], parallel: int = 1) -> tuple[float, float] | None:
    """A range of seconds until all of these are done, from what they have shown so far; None when nothing is known.

    Finished renders say most; before the first one is finished, the running ones say how fast it goes.
    """
    left = sum(batch.left_work for batch in batches)
    done = sum(batch.done_work for batch in batches)
    elapsed = sum(batch.done_elapsed for batch in batches)
    if left <= 0:
        return None
    if done > 0 and elapsed > 0:
        seconds = left * elapsed / done / max(1, parallel)
        return seconds * 0.9, seconds * 1.15
    rate = sum(
        job.work * job.snapshot.progress.fps / max(1, job.snapshot.progress.frames)
        for batch in batches
        if batch.counts[DisplayState.RUNNING]
        for job in batch.jobs
        if job.state is DisplayState.RUNNING
        and job.snapshot.progress
        and job.snapshot.progress.fps
        and job.snapshot.progress.frames
    )
    return (left / rate * 0.85, left / rate * 1.3) if rate > 0 else None
