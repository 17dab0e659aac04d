"""The right side of the batch builder: formats, folder, rate, quality, caption, what it will cost, and Submit."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QScrollArea, QSizePolicy, QWidget

from ethereal_gui.domain.formats import FRAME_RATES, Quality
from ethereal_gui.domain.job import Caption, RenderOptions
from ethereal_gui.domain.wire import checked
from ethereal_gui.service.estimate import Estimate
from ethereal_gui.service.preflight import Preflight
from ethereal_gui.ui import text
from ethereal_gui.ui.format_picker import FormatPicker
from ethereal_gui.ui.parts import ElidedLabel, button, column, icon_button, label, line, row
from ethereal_gui.ui.queue_cells import times_formats
from ethereal_gui.ui.text import tr


@dataclass(frozen=True, slots=True)
class BatchChoices:
    """What a person chose for a batch, beside songs and template."""

    formats: tuple[str, ...]
    output_dir: Path
    fps: int
    quality: Quality
    name_pattern: str
    caption: Caption = Caption.NONE

    def options(self, values: dict[str, float] | None = None) -> RenderOptions:
        """As the service takes them, with values of the template that differ from its own."""
        options = {
            "output_dir": str(self.output_dir),
            "name_pattern": self.name_pattern,
            "fps": self.fps,
            "quality": self.quality,
            "template_values": values or None,
            "caption": self.caption,
        }
        return checked(RenderOptions, options)


def quality_word(quality: Quality) -> str:
    """The name of a quality."""
    return {Quality.DRAFT: tr("Draft"), Quality.STANDARD: tr("Standard"), Quality.HIGH: tr("High")}[quality]


def caption_word(caption: Caption) -> str:
    """The name of a kind of caption."""
    return {
        Caption.NONE: tr("No caption"),
        Caption.TEXT: tr("Title and artist"),
        Caption.PICTURE: tr("Title, artist and cover"),
    }[caption]


class BatchOptions(QWidget):
    """Choices of a batch.

    Signals:
        changed: a choice is another now.
        submitted: Submit was pressed.
        leave_out_wanted: ids of songs that are rendered or queued already and shall leave the batch.
    """

    changed = Signal()
    submitted = Signal()
    leave_out_wanted = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.formats = FormatPicker()
        self.folder = QLineEdit()
        self.folder.setAccessibleName(self.tr("Output folder"))
        self.folder.setToolTip(self.tr("Where finished videos go"))
        self.browse = icon_button("folder-open", self.tr("Choose the output folder"))
        self.pattern = QLineEdit()
        self.pattern.setAccessibleName(self.tr("File name"))
        self.pattern.setToolTip(
            self.tr("Pattern of the file names: {date} {song} {artist} {template} {format}, and {n} for the version")
        )
        self.example = ElidedLabel("", "small", Qt.TextElideMode.ElideMiddle)
        self.fps = QComboBox()
        self.fps.setAccessibleName(self.tr("Frames per second"))
        for rate in FRAME_RATES:
            self.fps.addItem(self.tr("{0} fps").format(rate), rate)
        self.quality = QComboBox()
        self.quality.setAccessibleName(self.tr("Quality"))
        for quality in Quality:
            self.quality.addItem(quality_word(quality), quality)
        self.caption = QComboBox()
        self.caption.setAccessibleName(self.tr("Caption"))
        self.caption.setToolTip(self.tr("What is shown over the picture for some seconds near the beginning"))
        for caption in Caption:
            self.caption.addItem(caption_word(caption), caption)
        self.cost = label("", "heading", wrap=True)
        self.cost_detail = label("", "small", wrap=True)
        self.repeats = label("", "warning", wrap=True)
        self.leave_out = button(self.tr("Leave them out"), "link")
        self.leave_out.clicked.connect(lambda: self.leave_out_wanted.emit(sorted(self._repeated)))
        self._repeated: frozenset[str] = frozenset()
        self.submit = button(self.tr("Render"), "submit", "flame", on_icon="on_accent")
        self.submit.setEnabled(False)
        self._lay_out()
        self.formats.changed.connect(self.changed)
        self.folder.textChanged.connect(lambda _: self.changed.emit())
        self.pattern.textChanged.connect(lambda _: self.changed.emit())
        self.fps.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.quality.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.caption.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.browse.clicked.connect(self._browse)
        self.submit.clicked.connect(self.submitted)

    def _lay_out(self) -> None:
        choices = column(
            label(self.tr("Formats"), "heading"),
            self.formats,
            12,
            label(self.tr("Output"), "heading"),
            row(self.folder, self.browse, spacing=4),
            column(self.pattern, self.example, spacing=2),
            row(self.fps, self.quality),
            self.caption,
            None,
            margins=(20, 16, 20, 8),
            spacing=8,
        )
        inner = QWidget()
        inner.setLayout(choices)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        about = row(self.repeats, self.leave_out, spacing=4)
        about.setStretch(0, 1)
        self._about = QWidget()
        self._about.setLayout(about)
        self._about.hide()
        bottom = QWidget()
        bottom.setLayout(
            column(self.cost, self.cost_detail, self._about, 4, self.submit, margins=(20, 14, 20, 16), spacing=4)
        )
        bottom.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setLayout(column(scroll, line(), bottom, spacing=0))

    @property
    def choices(self) -> BatchChoices:
        """What is chosen now."""
        return BatchChoices(
            formats=tuple(self.formats.chosen),
            output_dir=Path(self.folder.text().strip() or ".").expanduser().absolute(),
            fps=int(self.fps.currentData()),
            quality=Quality(self.quality.currentData()),
            name_pattern=self.pattern.text().strip(),
            caption=Caption(self.caption.currentData()),
        )

    def show_choices(self, choices: BatchChoices) -> None:
        """Set all controls."""
        with QSignalBlocker(self):
            self.formats.choose(choices.formats)
            self.folder.setText(str(choices.output_dir))
            self.pattern.setText(choices.name_pattern)
            self.fps.setCurrentIndex(self.fps.findData(choices.fps))
            self.quality.setCurrentIndex(self.quality.findData(choices.quality))
            self.caption.setCurrentIndex(self.caption.findData(choices.caption))
        self.changed.emit()

    def show_problem(self, words: str) -> None:
        """Why the batch cannot be submitted."""
        self.submit.setEnabled(False)
        self.cost_detail.setText("")
        self._show_example(words, "error")

    def show_preflight(self, songs: int, found: Preflight) -> None:
        """What the service found out: cost, a file name, repetitions and clashes."""
        self.show_cost(songs, found.estimate)
        self._show_example(found.example, "small")
        self._repeated = found.repeated
        parts = []
        for number, one, more in (
            (found.queued, self.tr("1 is in the queue already."), self.tr("{0} are in the queue already.")),
            (found.rendered, self.tr("1 was rendered before."), self.tr("{0} were rendered before.")),
            (found.clashes, self.tr("1 file name is taken"), self.tr("{0} file names are taken")),
        ):
            if number:
                parts.append(one if number == 1 else more.format(text.count(number)))
        if found.clashes:
            parts[-1] += self.tr(": the next version number is used.")
        self.repeats.setText(" ".join(parts))
        self._about.setVisible(bool(parts))
        self.leave_out.setVisible(0 < len(found.repeated) < songs)

    def _show_example(self, words: str, name: str) -> None:
        self.example.setText(words)
        self.example.setObjectName(name)
        self.example.style().polish(self.example)

    def show_cost(self, songs: int, cost: Estimate | None) -> None:
        """The line before submitting: how many videos, how large, how long."""
        self._about.hide()
        formats = len(self.formats.chosen)
        videos = songs * formats
        words = {0: self.tr("Render"), 1: self.tr("Render 1 video")}
        caption = words.get(videos, self.tr("Render {0} videos").format(text.count(videos)))
        self.submit.setText(f" {caption}")
        self.submit.setAccessibleName(caption)
        self.submit.setEnabled(videos > 0)
        self.cost_detail.setObjectName("small")
        if not formats or not songs:
            self.cost.setText(self.tr("Choose a format") if songs else self.tr("Add a song"))
            self.cost_detail.setText("")
        else:
            equals = self.tr("1 video") if videos == 1 else self.tr("{0} videos").format(text.count(videos))
            self.cost.setText(f"{times_formats(songs, formats)} = {equals}")
            self.cost_detail.setText(self._detail(cost) if cost else self.tr("Estimating…"))
        if cost and not cost.fits:
            self.cost_detail.setObjectName("error")
        self.cost_detail.style().polish(self.cost_detail)

    def _detail(self, cost: Estimate) -> str:
        space = self.tr("about {0}").format(text.size(cost.size))
        if cost.free_bytes is not None:
            free = text.size(cost.free_bytes)
            space += self.tr(" ({0} free)").format(free) if cost.fits else self.tr(" – only {0} free").format(free)
        time = self.tr("{0} on this computer").format(text.span_range(cost.seconds_low, cost.seconds_high))
        return f"{space}, {time}" if cost.measured else f"{space}, {time} " + self.tr("(a first guess)")

    def _browse(self) -> None:
        dialog = QFileDialog(self, self.tr("Output folder"), self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
