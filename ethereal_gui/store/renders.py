"""The SQLite table ``renders``: every render that ever ran on this computer.

One row per job, inserted by the worker at the first attempt; later attempts update it. WAL mode, so that the window
reads while the worker writes. Connections belong to one thread; a ``RenderStore`` opens one per call, which costs a
fraction of a millisecond and can be used from any thread.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from ethereal_gui.domain.errors import DiskFullError, OutputFolderError, StorageError
from ethereal_gui.domain.job import RenderJobData, RenderOutcome
from ethereal_gui.domain.private import private_folder

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS renders (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    audio_name TEXT NOT NULL,
    audio_path TEXT NOT NULL,
    template TEXT NOT NULL,
    output_format TEXT NOT NULL,
    output_path TEXT,
    status TEXT NOT NULL CHECK (status IN ('processing', 'completed', 'failed', 'cancelled', 'interrupted')),
    duration REAL,
    size INTEGER,
    elapsed REAL,
    started TEXT NOT NULL,
    completed TEXT,
    error TEXT,
    attempts INTEGER NOT NULL,
    worker TEXT NOT NULL,
    created TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS renders_started ON renders (started DESC);
CREATE INDEX IF NOT EXISTS renders_job ON renders (job_id);
CREATE INDEX IF NOT EXISTS renders_audio ON renders (audio_path);
PRAGMA user_version = 1;
"""


@dataclass(frozen=True, slots=True)
class RenderRecord:
    """One row of the history. Times are ISO 8601 in UTC; ``duration`` and ``elapsed`` in seconds."""

    id: str
    job_id: str
    batch_id: str
    audio_name: str
    audio_path: str
    template: str
    output_format: str
    output_path: str | None
    status: str
    duration: float | None
    size: int | None
    elapsed: float | None
    started: str
    completed: str | None
    error: str | None
    attempts: int
    worker: str
    created: str


@dataclass(frozen=True, slots=True)
class HistoryTotals:
    """Sums over all completed renders: count, seconds of video, bytes, seconds of work."""

    videos: int
    seconds: float
    size: int
    elapsed: float


class RenderStore:
    """The history of renders in one SQLite file; made when it is not there.

    Every method raises ``StorageError`` when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        private_folder(path.parent)
        path.touch(mode=0o600, exist_ok=True)
        with self._connect() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    def begin(self, job_id: str, data: RenderJobData, *, attempt: int, worker: str) -> str:
        """Note that an attempt starts. Returns the row's id, a new one at the first attempt on this computer."""
        now = _now()
        row_id = data.render_db_id
        with self._connect() as connection:
            if row_id:
                updated = connection.execute(
                    "UPDATE renders SET status = 'processing', attempts = ?, worker = ?, error = NULL,"
                    " completed = NULL WHERE id = ?",
                    (attempt, worker, row_id),
                )
                if updated.rowcount:
                    return row_id
            row_id = row_id or uuid4().hex
            connection.execute(
                "INSERT INTO renders (id, job_id, batch_id, audio_name, audio_path, template, output_format, status,"
                " started, attempts, worker, created) VALUES (?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, ?, ?)",
                (
                    row_id,
                    job_id,
                    data.batch_id,
                    data.audio_file.original_name,
                    data.audio_file.path,
                    data.template,
                    data.output_format,
                    now,
                    attempt,
                    worker,
                    data.created_at or now,
                ),
            )
        return row_id

    def complete(self, row_id: str, outcome: RenderOutcome) -> None:
        """Note that the video is there."""
        with self._connect() as connection:
            connection.execute(
                "UPDATE renders SET status = 'completed', output_path = ?, duration = ?, size = ?, elapsed = ?,"
                " completed = ?, error = NULL WHERE id = ?",
                (outcome.output_path, outcome.duration, outcome.size, outcome.elapsed, _now(), row_id),
            )

    def end(self, row_id: str, status: str, error: str | None) -> None:
        """Note that an attempt ended without a video: ``failed``, ``cancelled`` or ``interrupted``."""
        with self._connect() as connection:
            connection.execute(
                "UPDATE renders SET status = ?, error = ?, completed = ? WHERE id = ?", (status, error, _now(), row_id)
            )

    def search(self, text: str = "", *, limit: int = 200, offset: int = 0) -> list[RenderRecord]:
        """Newest first; ``text`` is looked for in song, format, template and output path."""
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = (
            "SELECT id, job_id, batch_id, audio_name, audio_path, template, output_format, output_path, status,"
            " duration, size, elapsed, started, completed, error, attempts, worker, created FROM renders"
            " WHERE audio_name LIKE :like ESCAPE '\\' OR output_format LIKE :like ESCAPE '\\'"
            " OR template LIKE :like ESCAPE '\\' OR output_path LIKE :like ESCAPE '\\'"
            " ORDER BY started DESC LIMIT :limit OFFSET :offset"
        )
        with self._connect() as connection:
            rows = connection.execute(query, {"like": f"%{escaped}%", "limit": limit, "offset": offset})
            return [RenderRecord(**dict(row)) for row in rows]

    def rendered(self, template: str, audio_paths: Iterable[str]) -> set[tuple[str, str]]:
        """Which of these songs have a video with that template, and in which formats."""
        query = (
            "SELECT DISTINCT audio_path, output_format FROM renders WHERE status = 'completed' AND template = ?"
            " AND audio_path IN (SELECT value FROM json_each(?))"
        )
        with self._connect() as connection:
            rows = connection.execute(query, (template, json.dumps(list(audio_paths))))
            return {(path, output_format) for path, output_format in rows}

    def totals(self) -> HistoryTotals:
        """Sums over all completed renders."""
        with self._connect() as connection:
            row = connection.execute(
                "SELECT count(*), coalesce(sum(duration), 0.0), coalesce(sum(size), 0), coalesce(sum(elapsed), 0.0)"
                " FROM renders WHERE status = 'completed'"
            ).fetchone()
        return HistoryTotals(*row)

    def speeds(self, *, newest: int = 20) -> dict[tuple[str, str], float]:
        """Seconds of work per second of video by (template, format), over the newest completed renders of each."""
        with self._connect() as connection:
            rows = connection.execute(
                "SELECT template, output_format, sum(elapsed) / sum(duration) FROM (SELECT *, row_number() OVER"
                " (PARTITION BY template, output_format ORDER BY completed DESC) AS place FROM renders"
                " WHERE status = 'completed' AND duration > 0 AND elapsed > 0) WHERE place <= ?"
                " GROUP BY template, output_format",
                (newest,),
            ).fetchall()
        return {(template, output_format): float(ratio) for template, output_format, ratio in rows}

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self.path, timeout=30.0)
        except sqlite3.OperationalError as error:
            raise self._storage_error(error) from error
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            with connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise self._storage_error(error) from error
        finally:
            connection.close()

    def _storage_error(self, error: sqlite3.OperationalError) -> StorageError:
        """What it means for people that SQLite could not read or write its file."""
        folder = self.path.parent
        primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _is_full(folder)):
            return DiskFullError(f"The disk with “{folder}” is full.")
        if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return OutputFolderError(f"The history in “{folder}” cannot be written.")
        return StorageError(f"The history in “{folder}” cannot be used: {error}.")


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < 65_536
    except OSError:
        return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
