"""What is to be known before a batch is submitted: its cost, its file names, and what of it was rendered before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from typing import NamedTuple

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.formats import FORMATS
from ethereal_gui.domain.job import JobSnapshot
from ethereal_gui.domain.naming import candidate_names, name_fields
from ethereal_gui.service.estimate import Estimate
from ethereal_gui.service.updates import Update


class Video(NamedTuple):
    """What a video is made of, as far as a second one of it would be a repetition."""

    audio_path: str
    template: str
    output_format: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """A batch before it is submitted.

    Attributes:
        estimate: what it costs.
        example: the file name of its first video.
        queued: how many of its videos wait or are being rendered already.
        rendered: how many were rendered before.
        clashes: how many names are taken by other files, or by each other; those get the next version number.
        repeated: ids of the songs all of whose videos are queued or rendered already.
    """

    estimate: Estimate
    example: str
    queued: int = 0
    rendered: int = 0
    clashes: int = 0
    repeated: frozenset[str] = frozenset()


class QueuedVideos:
    """The videos that wait or are being rendered, kept up with what changes."""

    def __init__(self) -> None:
        self._jobs: dict[str, Video] = {}
        self._number: Counter[Video] = Counter()

    def __contains__(self, video: Video) -> bool:
        return self._number[video] > 0

    def look(self, update: Update) -> None:
        """Take over an update."""
        if update.full:
            self._jobs.clear()
            self._number.clear()
        for job in update.jobs:
            self._drop(job.id)
            if not job.is_terminal and (video := _video(job)):
                self._jobs[job.id] = video
                self._number[video] += 1
        for job_id in update.removed:
            self._drop(job_id)

    def _drop(self, job_id: str) -> None:
        if video := self._jobs.pop(job_id, None):
            self._number[video] -= 1


def examine_batch(
    estimate: Estimate,
    songs: Sequence[AudioFile],
    formats: Sequence[str],
    template: str,
    *,
    pattern: str,
    folder: Path,
    queued: QueuedVideos,
    rendered: set[tuple[str, str]],
) -> Preflight:
    """Look for repetitions and clashes. Blocking: reads the folder.

    Args:
        rendered: paths of songs and formats that were rendered with this template before.
    """
    taken = _names_in(folder)
    example, waiting, before, clashes = "", 0, 0, 0
    fresh: set[str] = set()
    for song, name in product(songs, formats):
        file_name = next(candidate_names(pattern, name_fields(song, FORMATS[name], template, date.today())))
        example = example or file_name
        is_queued = Video(song.path, template, name) in queued
        is_rendered = (song.path, name) in rendered
        waiting += is_queued
        before += is_rendered and not is_queued
        if not is_queued and not is_rendered:
            fresh.add(song.id)
            clashes += file_name.casefold() in taken
        taken.add(file_name.casefold())
    return Preflight(estimate, example, waiting, before, clashes, frozenset(song.id for song in songs) - fresh)


def _video(job: JobSnapshot) -> Video | None:
    data = job.data
    return Video(data.audio_file.path, data.template, data.output_format) if data else None


def _names_in(folder: Path) -> set[str]:
    try:
        return {path.name.casefold() for path in folder.iterdir()}
    except OSError:
        return set()  # it will be made
