"""Dragging in the queue: waiting jobs to another place in the line, finished videos into other programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QMimeData, QUrl

from ethereal_gui.ui.queue_model import QueueModel
from ethereal_gui.ui.queue_nodes import BatchNode, JobNode
from ethereal_gui.ui.states import DisplayState

_MIME: Final = "application/x-ethereal-jobs"
END: Final = ""
"""Instead of a job's id: behind all others."""


@dataclass(frozen=True, slots=True)
class DropPlace:
    """Where dragged jobs would go: before the job of that id, or to the ``END``; the mark is at that row's edge."""

    before: str
    row: int
    below: bool


def mime_data(jobs: list[JobNode]) -> QMimeData | None:
    """What dragging these jobs carries; None when there is nothing to drag."""
    data = QMimeData()
    paths = [job.snapshot.outcome.output_path for job in jobs if job.snapshot.outcome]
    urls = [QUrl.fromLocalFile(path) for path in paths if Path(path).exists()]
    waiting = [job.id for job in jobs if job.state is DisplayState.WAITING]
    if urls:
        data.setUrls(urls)
    if waiting:
        data.setData(_MIME, "\n".join(waiting).encode())
    return data if urls or waiting else None


def dragged_jobs(data: QMimeData) -> list[str]:
    """Ids of the waiting jobs that are dragged."""
    return bytes(data.data(_MIME).data()).decode().split("\n") if data.hasFormat(_MIME) else []


def drop_place(model: QueueModel, row: int, *, below: bool, dragged: list[str]) -> DropPlace | None:
    """The place that a row's upper or lower half stands for; None where nothing can be put.

    Args:
        row: -1 for the empty space under the last row.
    """
    last = model.rowCount() - 1
    if model.is_sorted or last < 0:
        return None  # the rows don't stand in the order of the line
    moving = set(dragged)
    if row < 0:
        return DropPlace(END, last, below=True)
    node = model.node(row)
    if isinstance(node, BatchNode):
        first = next(_waiting(model, row, moving), None)
        return DropPlace(first.id, row, below=node.expanded) if first and first.batch is node else None
    if node.state is not DisplayState.WAITING:
        return None
    follower = next(_waiting(model, row + 1 if below else row, moving), None)
    return DropPlace(follower.id if follower else END, row, below)


def _waiting(model: QueueModel, row: int, moving: set[str]) -> Iterator[JobNode]:
    for place in range(row, model.rowCount()):
        node = model.node(place)
        found = [node] if isinstance(node, JobNode) else [] if node.expanded else node.jobs
        yield from (job for job in found if job.state is DisplayState.WAITING and job.id not in moving)
