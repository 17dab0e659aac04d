"""Everything about the current job or batch: facts, error with what to do, log, parameters."""

from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QTabWidget,
    QWidget,
)

from ethereal_gui.ui import queue_cells, text
from ethereal_gui.ui.parts import ElidedLabel, button, column, label, row
from ethereal_gui.ui.preview_stage import PreviewStage
from ethereal_gui.ui.queue_delegate import batch_state
from ethereal_gui.ui.queue_nodes import BatchNode, JobNode
from ethereal_gui.ui.states import LOOKS, DisplayState, state_word
from ethereal_gui.ui.theme import colours

USUAL_PLACE: Final = 0.4
"""Where a finished video is shown first: at its beginning there is often nothing to see yet."""
_PICTURES: Final = 64
"""How many newest frames are kept; each takes a quarter of a megabyte."""


class DetailPane(QFrame):
    """Shows one job or batch.

    Signals:
        action_wanted: id of an action for the shown job.
        attempts_wanted: id of a job whose failed attempts are to be told.
        moment_wanted: another moment of the finished video is to be shown.
    """

    action_wanted = Signal(str)
    attempts_wanted = Signal(str)
    moment_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAccessibleName(self.tr("Details"))
        self.setMinimumWidth(312)
        self._node: JobNode | BatchNode | None = None
        self._pictures: dict[str, QImage] = {}
        self._attempts_of: tuple[str, int] = ("", 0)
        self.title = ElidedLabel("", "heading")
        self.subtitle = ElidedLabel("", "small")
        self.state = label("", wrap=True)
        self.error = label("", "error", wrap=True)
        self.error.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.retry = button(self.tr("Retry"), "", "retry")
        self.copy = button(self.tr("Copy report"), "", "copy")
        self.open = button(self.tr("Open video"), "primary", "play", on_icon="on_accent")
        self.reveal = button(self.tr("Show in folder"), "", "folder-open")
        self.log = QPlainTextEdit()
        self.log.setObjectName("log")
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(5000)
        self.log.setTabChangesFocus(True)
        self.log.setAccessibleName(self.tr("Log of the job"))
        self.log.setPlaceholderText(self.tr("Nothing was logged yet."))
        self._facts, facts_page = self._form()
        self._values, values_page = self._form()
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName(self.tr("Details"))
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.tabBar().setExpanding(False)
        self.tabs.addTab(self._overview(facts_page), self.tr("Overview"))
        log_page = QWidget()
        log_page.setLayout(column(self.log, margins=(16, 12, 16, 16)))
        self.tabs.addTab(log_page, self.tr("Log"))
        self.tabs.addTab(self._scrolling(values_page), self.tr("Parameters"))
        self.tabs.tabBar().setAccessibleName(self.tr("Kind of details"))
        head = column(self.title, self.subtitle, 2, self.state, margins=(16, 16, 16, 8), spacing=2)
        self.setLayout(column(head, self.tabs, spacing=0))
        for wanted, pressed in (("retry", self.retry), ("copy", self.copy), ("open", self.open)):
            pressed.clicked.connect(lambda _=False, action=wanted: self.action_wanted.emit(action))
        self.reveal.clicked.connect(lambda: self.action_wanted.emit("reveal"))
        self.show_node(None)

    def _overview(self, facts: QWidget) -> QWidget:
        self.card = QFrame()
        self.card.setObjectName("card")
        self.card.setLayout(column(self.error, row(self.retry, self.copy, None), margins=12, spacing=12))
        self.attempts = label("", "muted", wrap=True)
        self.attempts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.attempts_card = QFrame()
        self.attempts_card.setObjectName("card")
        title = label(self.tr("Failed attempts"), "small")
        self.attempts_card.setLayout(column(title, self.attempts, margins=12, spacing=8))
        self.picture = PreviewStage()
        self.picture.setAccessibleName(self.tr("Newest frame"))
        self.scrub = QSlider(Qt.Orientation.Horizontal)
        self.scrub.setSingleStep(1000)
        self.scrub.setPageStep(10_000)
        self.scrub.setAccessibleName(self.tr("Place in the video"))
        self.scrub.valueChanged.connect(self._moved)
        self.clock = label("", "small")
        self.clock.setMinimumWidth(88)
        self.clock.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.video_bar = QWidget()
        self.video_bar.setLayout(row(self.scrub, self.clock, spacing=8))
        page = QWidget()
        page.setLayout(
            column(
                self.picture,
                self.video_bar,
                self.card,
                self.attempts_card,
                row(self.open, self.reveal, None),
                facts,
                None,
                margins=(16, 12, 16, 16),
            )
        )
        return self._scrolling(page)

    @staticmethod
    def _scrolling(page: QWidget) -> QScrollArea:
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    @staticmethod
    def _form() -> tuple[QFormLayout, QWidget]:
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(0, 8, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        return form, page

    @property
    def node(self) -> JobNode | BatchNode | None:
        """What is shown."""
        return self._node

    def show_node(self, node: JobNode | BatchNode | None) -> None:
        """Show that job or batch; also called when it has changed."""
        if node is not self._node:
            self.log.clear()
            self.attempts_card.hide()
            self._attempts_of = ("", 0)
            self._show_length(0.0)
            picture = self._pictures.get(node.id) if node else None
            if picture:
                self.picture.show_image(picture)
            self.picture.setVisible(picture is not None)
        self._node = node
        self.tabs.setVisible(node is not None)
        self.tabs.setTabVisible(1, isinstance(node, JobNode))
        self.tabs.setTabVisible(2, isinstance(node, JobNode))
        if isinstance(node, JobNode):
            self._show_job(node)
        elif isinstance(node, BatchNode):
            self._show_batch(node)
        else:
            self.title.setText(self.tr("Nothing selected"))
            self.subtitle.setText(self.tr("Choose a job to see its details."))
            self.state.clear()

    def show_picture(self, job_id: str, image: QImage) -> None:
        """The newest frame of a job; kept for when it is shown again."""
        self._pictures.pop(job_id, None)
        self._pictures[job_id] = image
        if len(self._pictures) > _PICTURES:
            del self._pictures[next(iter(self._pictures))]
        if self._node is not None and self._node.id == job_id:
            self.picture.show_image(image)
            self.picture.show()

    def show_moment(self, job_id: str, image: QImage) -> None:
        """A moment of the finished video; the job's own picture stays what it is."""
        if self._node is not None and self._node.id == job_id:
            self.picture.show_image(image)

    def show_attempts(self, job_id: str, reasons: list[str]) -> None:
        """Why the job's attempts failed, oldest first."""
        job = self._node
        if isinstance(job, JobNode) and job.id == job_id:
            self.attempts.setText("\n".join(f"{number}. {reason}" for number, reason in enumerate(reasons, 1)))
            self.attempts_card.setVisible(len(reasons) > _told(job))

    def show_log(self, job_id: str, lines: list[str]) -> None:
        """Follow the log of a job; stays where the person scrolled to."""
        if self._node is None or self._node.id != job_id:
            return
        words = "\n".join(lines)
        if words == self.log.toPlainText():
            return
        bar = self.log.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 4
        place = bar.value()
        self.log.setPlainText(words)
        bar.setValue(bar.maximum() if follows else place)

    def _show_job(self, job: JobNode) -> None:
        snapshot = job.snapshot
        self.title.setText(job.title)
        audio = job.audio
        self.subtitle.setText(audio.path if audio else job.id)
        self._show_state(job.state, queue_cells.cell_text(job, 3))
        reason = (snapshot.failed_reason or snapshot.data_error or "").strip()
        shows_error = bool(reason) and job.state in (DisplayState.FAILED, DisplayState.RETRYING)
        left = snapshot.left_by if job.state is DisplayState.WAITING else None
        self.card.setVisible(shows_error or left is not None)
        self.error.setText(left.note if left else reason)
        self.retry.setVisible(job.state is DisplayState.FAILED)
        self.open.setVisible(snapshot.outcome is not None)
        self.reveal.setVisible(snapshot.outcome is not None)
        self._show_length(snapshot.outcome.duration if snapshot.outcome else 0.0)
        self._fill(self._facts, self._job_facts(job))
        attempts_of = (job.id, snapshot.attempts_made)
        failed = snapshot.attempts_made - (job.state is DisplayState.DONE)
        if attempts_of != self._attempts_of and failed > _told(job):
            self._attempts_of = attempts_of
            self.attempts_wanted.emit(job.id)
        data = snapshot.data
        values = [
            (self.tr("Template"), text.template_label(job.template)),
            (self.tr("Format"), text.format_label(job.format_id)),
            (self.tr("Frames per second"), str(data.fps or "–") if data else "–"),
            (self.tr("Quality"), str(data.quality or "–").capitalize() if data else "–"),
            (self.tr("Folder"), (data.output_dir if data else None) or "–"),
            (self.tr("File name"), (data.name_pattern if data else None) or "–"),
        ]
        own = (data.template_values if data else None) or {}
        values += [(name.replace("_", " ").capitalize(), f"{value:g}") for name, value in own.items()]
        self._fill(self._values, values)

    def _job_facts(self, job: JobNode) -> list[tuple[str, str]]:
        snapshot, outcome, audio = job.snapshot, job.snapshot.outcome, job.audio
        progress = snapshot.progress if job.state in (DisplayState.RUNNING, DisplayState.STOPPING) else None
        facts = [(self.tr("Length"), text.clock(audio.duration) if audio else "")]
        if progress:
            facts.append((self.tr("Progress"), ", ".join(p for p in queue_cells.lines(job, 4) if p)))
            facts.append((self.tr("Speed"), queue_cells.cell_text(job, 5)))
            facts.append((self.tr("Time left"), queue_cells.lines(job, 6)[0]))
        if outcome:
            facts.append((self.tr("Video"), outcome.output_path))
            facts.append((self.tr("Size"), text.size(outcome.size)))
            facts.append((self.tr("Took"), text.span(outcome.elapsed)))
            facts.append((self.tr("Speed"), queue_cells.cell_text(job, 5)))
        running = job.state in (DisplayState.RUNNING, DisplayState.STOPPING)
        attempt = snapshot.attempts_made + running
        facts.append((self.tr("Attempt"), self.tr("{0} of {1}").format(attempt, snapshot.attempts) if attempt else ""))
        facts.append((self.tr("Worker"), snapshot.worker or ""))
        for name, moment in (
            (self.tr("Added"), snapshot.created_at),
            (self.tr("Started"), snapshot.started_at),
            (self.tr("Ended"), snapshot.finished_at),
        ):
            facts.append((name, text.time_of_day(moment) if moment else ""))
        facts.append((self.tr("Job"), job.id))
        return [(name, value) for name, value in facts if value]

    def _show_batch(self, batch: BatchNode) -> None:
        self.title.setText(batch.title)
        self.subtitle.setText(queue_cells.times_formats(batch.songs, len(batch.formats)))
        self._show_state(batch_state(batch), queue_cells.batch_counts(batch))
        failed = batch.counts[DisplayState.FAILED]
        self.card.setVisible(failed > 0)
        self.error.setText(self.tr("{0} of {1} failed. Choose one to see why.").format(failed, batch.total))
        self.retry.setVisible(failed > 0)
        self.open.hide()
        self.reveal.hide()
        self._show_length(0.0)
        facts = [
            (self.tr("Template"), text.template_label(batch.template)),
            (self.tr("Formats"), ", ".join(text.format_label(name) for name in batch.formats)),
            (self.tr("Progress"), ", ".join(part for part in queue_cells.lines(batch, 4) if part)),
            (self.tr("Time"), queue_cells.cell_text(batch, 6)),
            (self.tr("Size"), text.size(batch.size) if batch.size else ""),
            (self.tr("Submitted"), text.date_and_time(batch.created) if batch.created else ""),
            (self.tr("Folder"), (batch.data.output_dir if batch.data else None) or ""),
            (self.tr("Batch"), batch.id),
        ]
        self._fill(self._facts, [(name, value) for name, value in facts if value])

    def _show_length(self, seconds: float) -> None:
        """A finished video can be looked through; ``seconds`` 0 when there is none."""
        self.video_bar.setVisible(seconds > 0)
        end = round(seconds * 1000)
        if self.scrub.maximum() != end:
            with QSignalBlocker(self.scrub):
                self.scrub.setRange(0, end)
                self.scrub.setValue(round(USUAL_PLACE * end))
            self._show_clock()

    def _moved(self) -> None:
        self._show_clock()
        self.moment_wanted.emit()

    def _show_clock(self) -> None:
        self.clock.setText(f"{text.clock(self.scrub.value() / 1000)} / {text.clock(self.scrub.maximum() / 1000)}")

    def _show_state(self, state: DisplayState, words: str) -> None:
        look = LOOKS[state]
        self.state.setText(words or state_word(state))
        self.state.setStyleSheet(f"color: {getattr(colours(), look.tone)}; font-weight: 600;")

    def _fill(self, form: QFormLayout, facts: list[tuple[str, str]]) -> None:
        # Rows are reused: a running job changes ten times a second, and new labels would flicker.
        while form.rowCount() > len(facts):
            form.removeRow(form.rowCount() - 1)
        for place, (name, value) in enumerate(facts):
            if place >= form.rowCount():
                form.addRow(label("", "small"), self._value_label())
            head = form.itemAt(place, QFormLayout.ItemRole.LabelRole)
            body = form.itemAt(place, QFormLayout.ItemRole.FieldRole)
            for item, words in ((head, name), (body, value)):
                widget = item.widget() if item else None
                if widget and widget.text() != words:  # type: ignore[attr-defined]
                    widget.setText(words)  # type: ignore[attr-defined]

    @staticmethod
    def _value_label() -> QWidget:
        made = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle)
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return made


def _told(job: JobNode) -> int:
    """Failed attempts of which the job's error tells already."""
    return 1 if job.state in (DisplayState.FAILED, DisplayState.RETRYING, DisplayState.CANCELLED) else 0
