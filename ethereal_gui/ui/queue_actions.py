"""What the queue's actions do: they ask the service and say what came of it."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.service.job_actions import LOW_PRIORITY
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.updates import ActionResult, Removed
from ethereal_gui.ui import queue_cells, text
from ethereal_gui.ui.draft import draft_of_jobs
from ethereal_gui.ui.edit_dialog import changed
from ethereal_gui.ui.queue_model import QueueModel
from ethereal_gui.ui.queue_nodes import JobNode
from ethereal_gui.ui.states import DisplayState
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.toast import Toast
from ethereal_gui.ui.videos import show_videos

log = logging.getLogger(__name__)
_MOST_REPORTS = 20
_RUNNING = (DisplayState.RUNNING, DisplayState.STOPPING)
_WAITING = (DisplayState.WAITING, DisplayState.RETRYING)
_OVER = (DisplayState.DONE, DisplayState.FAILED, DisplayState.CANCELLED)
_CAN = {
    "open": (DisplayState.DONE,),
    "reveal": (DisplayState.DONE,),
    "cancel": (*_WAITING, DisplayState.HELD, DisplayState.RUNNING),
    "retry": (DisplayState.FAILED, DisplayState.CANCELLED),
    "remove": (*_WAITING, DisplayState.HELD, *_OVER),
    "hold": _WAITING,
    "release": (DisplayState.HELD,),
    "top": _WAITING,
    "up": _WAITING,
    "down": _WAITING,
    "bottom": _WAITING,
    "normal": _WAITING,
    "low": _WAITING,
    "edit": (*_WAITING, DisplayState.HELD),
}


class QueueActions(QObject):
    """Does things with jobs.

    Signals:
        clone_wanted: a ``Draft`` for a new batch.
        edit_wanted: ids of waiting jobs that are to be changed.
        batch_wanted: id and title of a batch that alone is to be shown.
        undo_possible: something was removed that can be put back, or no longer.
    """

    clone_wanted = Signal(object)
    edit_wanted = Signal(list)
    batch_wanted = Signal(str, str)
    undo_possible = Signal(bool)

    def __init__(self, service: RenderService, model: QueueModel, tasks: TaskOwner, toast: Toast) -> None:
        super().__init__(toast)
        self._service = service
        self._model = model
        self._tasks = tasks
        self._toast = toast
        self._removed: list[Removed] = []

    def possible(self, job_ids: Sequence[str]) -> set[str]:
        """Which actions can do something with one of these jobs."""
        jobs = self._nodes(job_ids)
        states = {job.state for job in jobs}
        found = {action for action, allowed in _CAN.items() if states & set(allowed)}
        if jobs:
            found |= {"copy", "clone", "only_batch"}
        if any(job.batch.counts[DisplayState.FAILED] for job in jobs):
            found.add("retry_batch")
        return found

    def run(self, action: str, job_ids: Sequence[str]) -> None:
        """Do that with those of the jobs that it can be done with."""
        allowed = _CAN.get(action)
        jobs = [job for job in self._nodes(job_ids) if allowed is None or job.state in allowed]
        if not jobs:
            return
        ids = [job.id for job in jobs]
        if action in ("open", "reveal"):
            paths = [job.snapshot.outcome.output_path for job in jobs if job.snapshot.outcome]
            show_videos(paths, self._toast, folder=action == "reveal")
        elif action == "copy":
            self._tasks.start(self._copy(jobs), self.tr("Copying the report"), replace="copy")
        elif action == "edit":
            self.edit_wanted.emit(ids)
        elif action == "clone":
            self.clone_wanted.emit(draft_of_jobs(jobs))
        elif action == "only_batch":
            self.batch_wanted.emit(jobs[0].batch.id, jobs[0].batch.title)
        elif action == "remove":
            self._tasks.start(self._remove(ids), self.tr("Removing"))
        elif action == "retry_batch":
            batches = {job.batch for job in jobs}
            failed = [job.id for batch in batches for job in batch.jobs if job.state is DisplayState.FAILED]
            self._do("retry", failed)
        else:
            self._do(action, ids)

    def retry_all_failed(self) -> None:
        """Every failed job again; cancelled ones stay."""
        self._do("retry", [job.id for job in self._model.jobs_in(DisplayState.FAILED)])

    def clear_finished(self) -> None:
        """Done and cancelled jobs leave the list; failures stay until somebody removes them."""
        ids = [job.id for job in self._model.jobs_in(DisplayState.DONE, DisplayState.CANCELLED)]
        if ids:
            self._tasks.start(self._remove(ids), self.tr("Clearing"))

    def edit(self, job_ids: Sequence[str], changes: dict[str, Any]) -> None:
        """Change what waiting jobs shall do."""
        self._tasks.start(self._edit(self._nodes(job_ids), changes), self.tr("Changing"))

    async def _edit(self, jobs: list[JobNode], changes: dict[str, Any]) -> None:
        done: list[str] = []
        refused: dict[str, str] = {}
        for job in jobs:
            if job.snapshot.data:
                result = await self._service.edit(job.id, changed(job.snapshot.data, changes))
                done += result.done
                refused |= result.refused
        if done:
            words = self.tr("1 job changed.") if len(done) == 1 else self.tr("{0} jobs changed.")
            self._toast.say(words.format(text.count(len(done))))
        self._say_refused(ActionResult(tuple(done), refused))

    def move_before(self, job_ids: list[str], other_id: str) -> None:
        """Put waiting jobs right before another one; behind all others without one."""

        def ask() -> Awaitable[ActionResult]:
            to_end = not other_id
            return self._service.move(job_ids, "bottom") if to_end else self._service.move_before(job_ids, other_id)

        self._tasks.start(self._asked(ask), self.tr("Moving"))

    def undo(self) -> None:
        """Put back what was removed last."""
        if self._removed:
            self._tasks.start(self._undo(self._removed.pop()), self.tr("Undoing"))
            self.undo_possible.emit(bool(self._removed))

    # ---- inside ------------------------------------------------------------------------------------------------

    def _nodes(self, job_ids: Sequence[str]) -> list[JobNode]:
        return [job for job_id in job_ids if (job := self._model.job(job_id))]

    def _do(self, action: str, ids: list[str]) -> None:
        service = self._service
        ways: dict[str, tuple[str, Callable[[], Awaitable[ActionResult]]]] = {
            "cancel": (self.tr("Cancelling"), lambda: service.cancel(ids)),
            "retry": (self.tr("Retrying"), lambda: service.retry(ids)),
            "hold": (self.tr("Holding"), lambda: service.hold(ids)),
            "release": (self.tr("Releasing"), lambda: service.release(ids)),
            "top": (self.tr("Moving"), lambda: service.move(ids, "top")),
            "up": (self.tr("Moving"), lambda: service.move(ids, "up")),
            "down": (self.tr("Moving"), lambda: service.move(ids, "down")),
            "bottom": (self.tr("Moving"), lambda: service.move(ids, "bottom")),
            "normal": (self.tr("Setting the priority"), lambda: service.set_priority(ids, 0)),
            "low": (self.tr("Setting the priority"), lambda: service.set_priority(ids, LOW_PRIORITY)),
        }
        doing, ask = ways[action]
        if ids:
            self._tasks.start(self._asked(ask), doing)

    async def _asked(self, ask: Callable[[], Awaitable[ActionResult]]) -> None:
        self._say_refused(await ask())

    def _say_refused(self, result: ActionResult) -> None:
        if not result.refused:
            return
        job_id, reason = next(iter(result.refused.items()))
        job = self._model.job(job_id)
        name = f"“{job.title}”" if job else job_id
        more = len(result.refused) - 1
        words = f"{name}: {reason}"
        if more:
            words += " " + self.tr("({0} more)").format(text.count(more))
        self._toast.complain(words)

    async def _remove(self, ids: list[str]) -> None:
        removed = await self._service.remove(ids)
        gone = removed.result.done
        self._model.remove(gone)
        self._say_refused(removed.result)
        if gone:
            self._removed = [*self._removed[-9:], removed]
            self.undo_possible.emit(True)
            words = self.tr("1 job removed.") if len(gone) == 1 else self.tr("{0} jobs removed.")
            self._toast.say(words.format(text.count(len(gone))), button_words=self.tr("Undo"), act=self.undo)

    async def _copy(self, jobs: list[JobNode]) -> None:
        parts = []
        for job in jobs[:_MOST_REPORTS]:
            log_lines: list[str] = []
            with suppress(EtherealError):  # a report is wanted all the more when the server does not answer
                log_lines = await self._service.job_log(job.id)
            parts.append("\n".join([report(job), *(["Log:"] if log_lines else []), *log_lines]))
        QGuiApplication.clipboard().setText("\n\n".join(parts))
        self._toast.say(self.tr("Report copied."))

    async def _undo(self, removed: Removed) -> None:
        left = removed.jobs
        try:
            result = await self._service.undo_remove(removed)
            left = tuple(job for job in removed.jobs if job.id in result.refused and job.data)
        finally:
            if left:  # the server is away, or another one: it can be tried again
                self._removed.append(replace(removed, jobs=left))
                self.undo_possible.emit(True)
        self._say_refused(result)


def report(job: JobNode) -> str:
    """Everything that is known of a job, for a bug report or a message."""
    snapshot = job.snapshot
    lines = [
        f"{job.title} – {text.format_label(job.format_id)}, {job.template}",
        f"State: {queue_cells.cell_text(job, 3)} ({snapshot.queue_state})",
        f"Job: {job.id}",
        f"File: {job.audio.path if job.audio else 'unknown'}",
        f"Attempts: {snapshot.attempts_made} of {snapshot.attempts}",
    ]
    if snapshot.worker:
        lines.append(f"Worker: {snapshot.worker}")
    if snapshot.outcome:
        lines.append(f"Video: {snapshot.outcome.output_path}")
    if snapshot.failed_reason:
        lines.append(f"Error: {snapshot.failed_reason.strip()}")
    return "\n".join(lines)
