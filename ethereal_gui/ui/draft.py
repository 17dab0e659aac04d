"""A new batch that is to be like an older one: what it takes over."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import RenderOptions
from ethereal_gui.domain.locations import is_url
from ethereal_gui.store.renders import RenderRecord
from ethereal_gui.ui.batch_options import BatchChoices
from ethereal_gui.ui.queue_nodes import JobNode


@dataclass(frozen=True, slots=True)
class Draft:
    """Songs, formats, template and options.

    Attributes:
        songs: songs that are known. paths: files that have to be looked into.
    """

    formats: tuple[str, ...]
    template: str
    songs: tuple[AudioFile, ...] = ()
    paths: tuple[Path, ...] = ()
    options: RenderOptions = field(default_factory=RenderOptions)

    def choices(self, now: BatchChoices) -> BatchChoices:
        """These options laid over the choices as they are now."""
        options, folder = self.options, self.options.output_dir
        return replace(
            now,
            formats=self.formats,
            output_dir=now.output_dir if not folder or is_url(folder) else Path(folder),
            fps=options.fps or now.fps,
            quality=options.quality or now.quality,
            name_pattern=options.name_pattern or now.name_pattern,
            caption=options.caption or now.caption,
        )


def draft_of_jobs(jobs: Sequence[JobNode]) -> Draft:
    """From jobs of the queue; the first one's template and options hold for all."""
    songs = {job.audio.path: job.audio for job in jobs if job.audio}
    formats = dict.fromkeys(job.format_id for job in jobs if job.format_id)
    return Draft(
        tuple(formats), jobs[0].template, tuple(songs.values()), options=jobs[0].snapshot.data or RenderOptions()
    )


def draft_of_records(records: Sequence[RenderRecord]) -> Draft:
    """From the history."""
    paths = dict.fromkeys(Path(record.audio_path) for record in records)
    formats = dict.fromkeys(record.output_format for record in records)
    return Draft(tuple(formats), records[0].template, paths=tuple(paths))
