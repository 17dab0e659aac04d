"""Change what waiting jobs shall do: template, frame rate, quality."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QWidget

from ethereal_gui.domain.formats import FRAME_RATES, Quality
from ethereal_gui.domain.job import RenderJobData
from ethereal_gui.ui.batch_options import quality_word
from ethereal_gui.ui.parts import button, column, label, row


class EditDialog(QDialog):
    """Asks for changes; what is left at “as it is” stays as each job has it.

    Signals:
        decided: changed fields of ``RenderJobData``.
    """

    decided = Signal(dict)

    def __init__(self, parent: QWidget, jobs: int, templates: dict[str, str]) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Change waiting jobs"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(True)
        self.setMinimumWidth(400)
        words = self.tr("Change 1 waiting job") if jobs == 1 else self.tr("Change {0} waiting jobs").format(jobs)
        self.choices: dict[str, QComboBox] = {
            "template": self._combo(self.tr("Template"), dict(templates)),
            "fps": self._combo(self.tr("Frames per second"), {rate: f"{rate} fps" for rate in FRAME_RATES}),
            "quality": self._combo(self.tr("Quality"), {quality: quality_word(quality) for quality in Quality}),
        }
        form = QFormLayout()
        form.setHorizontalSpacing(24)
        form.setVerticalSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for combo in self.choices.values():
            form.addRow(label(combo.accessibleName(), "muted"), combo)
        hint = label(
            self.tr("Song and format stay; for another format start a new batch from these."), "small", wrap=True
        )
        self.confirm = button(self.tr("Change"), "primary")
        self.confirm.setDefault(True)
        cancel = button(self.tr("Cancel"))
        self.confirm.clicked.connect(self._decide)
        cancel.clicked.connect(self.reject)
        self.setLayout(column(label(words, "big"), 8, form, 4, hint, 8, row(None, cancel, self.confirm), margins=24))

    def _combo(self, title: str, choices: dict[Any, str]) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(title)
        combo.addItem(self.tr("As it is"), None)
        for value, words in choices.items():
            combo.addItem(words, value)
        return combo

    def _decide(self) -> None:
        changes = {name: combo.currentData() for name, combo in self.choices.items() if combo.currentIndex() > 0}
        if changes:
            self.decided.emit(changes)
        self.accept()


def changed(data: RenderJobData, changes: dict[str, Any]) -> RenderJobData:
    """The job's data with the changes; another template starts with its own values."""
    if changes.get("template", data.template) != data.template:
        changes = {**changes, "template_values": None}
    return data.model_copy(update=changes)
