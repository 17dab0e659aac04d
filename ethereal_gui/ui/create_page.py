"""The batch builder: songs on the left, the picture in the middle, choices on the right; a drop zone while empty."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QWidget

from ethereal_gui.domain.paths import resource_path
from ethereal_gui.intake.inspect import IntakeResult
from ethereal_gui.ui import drops, text
from ethereal_gui.ui.batch_options import BatchOptions
from ethereal_gui.ui.drop_zone import DropZone
from ethereal_gui.ui.parameter_editor import ParameterEditor
from ethereal_gui.ui.parts import ElidedLabel, button, column, icon_button, label, line, row
from ethereal_gui.ui.preview_panel import PreviewPanel
from ethereal_gui.ui.songs import SongList, SongModel
from ethereal_gui.ui.template_gallery import TemplateGallery, TemplateModel


class CreatePage(QStackedWidget):
    """Builds a batch.

    Signals:
        paths_wanted: files or folders to look into were chosen.
        intake_cancelled: the person does not want to wait for the rest of a drop.
        report_wanted: show why files were skipped.
    """

    paths_wanted = Signal(list)
    intake_cancelled = Signal()
    report_wanted = Signal(str)

    def __init__(self, preview: PreviewPanel) -> None:
        super().__init__()
        self.setObjectName("page")
        self.songs = SongModel()
        self.song_list = SongList(self.songs)
        self.templates = TemplateModel()
        self.gallery = TemplateGallery(self.templates)
        self.parameters = ParameterEditor()
        self.options = BatchOptions()
        self.preview = preview
        self.drop_zone = DropZone()
        self.song_count = ElidedLabel("", "small")
        self.note = ElidedLabel("", "small")
        self.note.setAccessibleName(self.tr("What was added and what not"))
        self.why = button(self.tr("Why?"), "link")
        self.stop_intake = button(self.tr("Stop"), "link")
        self.add_files = icon_button("create", self.tr("Add files (Ctrl+O)"))
        self.add_folder = icon_button("folder", self.tr("Add a folder (Ctrl+Shift+O)"))
        self.clear_all = icon_button("clear", self.tr("Take all songs out of the list"))
        self.adjust = button(self.tr("Adjust"), "", "sliders", tip=self.tr("Parameters of the template"))
        self._report = ""
        empty = QWidget()
        empty.setLayout(column(self.drop_zone, self._empty_note(), margins=24))
        self.addWidget(empty)
        self.addWidget(self._builder())
        self._show_note("")
        self._connect()

    def _empty_note(self) -> QWidget:
        # While the list is empty, a drop of nothing but skipped files still gets its answer.
        self.empty_note = label("", "muted", wrap=True)
        self.empty_note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty_note.hide()
        return self.empty_note

    def _builder(self) -> QWidget:
        heading = row(label(self.tr("Songs"), "heading"), self.song_count, spacing=8)
        heading.addLayout(row(self.add_files, self.add_folder, self.clear_all, spacing=0))
        heading.setStretch(1, 1)
        heading.setContentsMargins(20, 12, 12, 8)
        foot = row(self.note, self.why, self.stop_intake, margins=(20, 8, 12, 8))
        foot.setStretch(0, 1)
        left = QFrame()
        left.setObjectName("panel")
        left.setLayout(column(heading, self.song_list, line(), foot, spacing=0))
        left.setMinimumWidth(256)
        middle = QFrame()
        middle.setObjectName("panel")
        self.template_name = ElidedLabel(self.tr("Template"), "heading")
        template_row = row(self.template_name, self.parameters.tools, self.adjust)
        template_row.setStretch(0, 1)
        self.parameters.tools.hide()
        self.below_preview = QStackedWidget()
        self.below_preview.addWidget(self.gallery)
        self.below_preview.addWidget(self.parameters)
        self.adjust.setCheckable(True)
        self.adjust.toggled.connect(self.show_parameters)
        middle.setLayout(column(self.preview, 4, template_row, self.below_preview, margins=(16, 16, 16, 8), spacing=8))
        right = QFrame()
        right.setObjectName("panel")
        right.setLayout(column(self.options, spacing=0))
        right.setFixedWidth(300)
        builder = QWidget()
        spread = row(left, line(vertical=True), middle, line(vertical=True), right, spacing=0)
        spread.setStretch(0, 10)
        spread.setStretch(2, 16)
        builder.setLayout(spread)
        return builder

    def _connect(self) -> None:
        self.songs.songs_changed.connect(self._songs_changed)
        self.drop_zone.files_wanted.connect(self.browse_files)
        self.drop_zone.folder_wanted.connect(self.browse_folder)
        self.drop_zone.sample_wanted.connect(self._sample)
        self.add_files.clicked.connect(self.browse_files)
        self.add_folder.clicked.connect(self.browse_folder)
        self.clear_all.clicked.connect(self.songs.clear)
        self.stop_intake.clicked.connect(self.intake_cancelled)
        self.why.clicked.connect(lambda: self.report_wanted.emit(self._report))

    def show_parameters(self, shown: bool) -> None:
        """Sliders of the chosen template instead of the gallery."""
        chosen = self.gallery.chosen
        self.below_preview.setCurrentIndex(1 if shown else 0)
        self.parameters.tools.setVisible(shown)
        self.template_name.setText(chosen.name if shown and chosen else self.tr("Template"))
        self.adjust.setText(" " + (self.tr("Templates") if shown else self.tr("Adjust")))

    # ---- intake ------------------------------------------------------------------------------------------------

    def show_intake_progress(self, done: int, total: int) -> None:
        """Files of a drop are being looked into."""
        if total:
            words = self.tr("Looking into {0} of {1} files…").format(text.count(done), text.count(total))
        else:
            words = self.tr("Looking into what was dropped…")
        self._show_note(words)
        self.stop_intake.show()

    def show_intake(self, result: IntakeResult) -> str:
        """Take in what was found. Returns the sentence on it."""
        added = self.songs.add(result.accepted)
        sentence = drops.intake_sentence(result, added)
        self._report = drops.skipped_report(result)
        self._show_note(sentence)
        self.why.setVisible(bool(result.skipped))
        return sentence

    def show_intake_stopped(self) -> None:
        """The person stopped the look into a drop."""
        self._show_note(self.tr("Stopped."))

    def browse_files(self) -> None:
        """Let the person choose files."""
        self._dialog(QFileDialog.FileMode.ExistingFiles, self.tr("Add songs"))

    def browse_folder(self) -> None:
        """Let the person choose a folder."""
        self._dialog(QFileDialog.FileMode.Directory, self.tr("Add a folder of songs"))

    def _dialog(self, mode: QFileDialog.FileMode, title: str) -> None:
        dialog = QFileDialog(self, title)
        dialog.setFileMode(mode)
        if mode is QFileDialog.FileMode.ExistingFiles:
            dialog.setNameFilter(drops.name_filter())
        dialog.filesSelected.connect(lambda names: self.paths_wanted.emit([Path(name) for name in names]))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _sample(self) -> None:
        self.paths_wanted.emit(sorted(path for path in resource_path("audio").glob("*") if path.suffix != ".txt"))

    # ---- inside ------------------------------------------------------------------------------------------------

    def _show_note(self, words: str) -> None:
        self.note.setText(words)
        self.empty_note.setText(words)
        self.empty_note.setVisible(bool(words))
        self.why.hide()
        self.stop_intake.hide()

    def _songs_changed(self) -> None:
        number = self.songs.rowCount()
        self.setCurrentIndex(1 if number else 0)
        songs = self.tr("1 song") if number == 1 else self.tr("{0} songs").format(text.count(number))
        self.song_count.setText(f"{text.count(number)} · {text.clock(self.songs.duration)}")
        self.song_count.setAccessibleName(songs)
