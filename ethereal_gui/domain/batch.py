"""A batch: files x formats. How it becomes jobs is decided here, once."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import uuid4

from pydantic import Field

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import RenderJobData, RenderOptions
from ethereal_gui.domain.wire import Id, Word

MAX_FILES: Final = 100_000
MAX_FORMATS: Final = 100


class BatchJobData(RenderOptions):
    """One submitted batch, as it is stored beside the queue.

    Attributes:
        created_at: ISO 8601, UTC.
    """

    batch_id: Id
    audio_files: Annotated[tuple[AudioFile, ...], Field(max_length=MAX_FILES)]
    template: Word
    output_formats: Annotated[tuple[Word, ...], Field(max_length=MAX_FORMATS)]
    created_at: Word

    def jobs(self) -> list[tuple[str, RenderJobData]]:
        """Job ids and data, in the order in which they should run: file by file, format by format."""
        options = {name: getattr(self, name) for name in RenderOptions.model_fields}
        return [
            (
                job_id(self.batch_id, audio.id, output_format),
                RenderJobData(
                    batch_id=self.batch_id,
                    audio_file=audio,
                    template=self.template,
                    output_format=output_format,
                    render_db_id=None,
                    created_at=self.created_at,
                    **options,
                ),
            )
            for audio in self.audio_files
            for output_format in dict.fromkeys(self.output_formats)
        ]


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a batch is. ``failed`` counts cancelled jobs too; ``cancelled`` says how many of them there are."""

    batch_id: str
    total: int
    completed: int
    failed: int
    pending: int
    processing: int
    cancelled: int = 0

    @property
    def is_finished(self) -> bool:
        """No job of it will change any more by itself."""
        return self.pending == 0 and self.processing == 0


def job_id(batch_id: str, audio_file_id: str, output_format: str) -> str:
    """``{batchId}-{audioFile.id}-{format}``: the same submission always has the same ids."""
    return f"{batch_id}-{audio_file_id}-{output_format}"


def new_batch_id() -> str:
    """A fresh batch id: 12 hex digits behind a ``b``, so that no job id is ever an integer."""
    return f"b{uuid4().hex[:12]}"


def utc_now() -> str:
    """The present as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
