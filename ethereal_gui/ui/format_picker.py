"""Check boxes for the output formats under their headings: Flat, Vertical, 360°."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from ethereal_gui.domain.formats import FORMATS, FormatGroup
from ethereal_gui.ui.parts import column, icon_label, label, row
from ethereal_gui.ui.text import tr

_ICONS = {FormatGroup.FLAT: "screen", FormatGroup.VERTICAL: "phone", FormatGroup.VR: "globe"}


class FormatPicker(QWidget):
    """Which formats a batch is made in.

    Signals:
        changed: a box was checked or unchecked.
        pointed: another format is under the pointer or has the focus; see ``under_pointer``.

    Attributes:
        under_pointer: that format's id, empty when there is none.
    """

    changed = Signal()
    pointed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._boxes: dict[str, QCheckBox] = {}
        self.under_pointer = ""
        groups = column(spacing=10)
        for group in FormatGroup:
            lines = column(spacing=0)
            heading = label(tr(group.value), "caption")
            lines.addLayout(row(icon_label(_ICONS[group], 16), heading, None))
            lines.addSpacing(2)
            for fmt in (fmt for fmt in FORMATS.values() if fmt.group is group):
                box = QCheckBox(fmt.label)
                box.setObjectName("format")
                box.setToolTip(fmt.description)
                box.setAccessibleName(f"{tr(group.value)}: {fmt.label}")
                box.setAccessibleDescription(fmt.description)
                box.toggled.connect(lambda _: self.changed.emit())
                purpose, _, pixels = fmt.description.partition(";")
                size = label(pixels.strip().replace(" x ", " × "), "small")
                size.setToolTip(purpose)
                lines.addLayout(row(box, None, size))
                box.installEventFilter(self)
                self._boxes[fmt.id] = box
            groups.addLayout(lines)
        self.setLayout(groups)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        comes = event.type() in (QEvent.Type.Enter, QEvent.Type.FocusIn)
        if comes or event.type() in (QEvent.Type.Leave, QEvent.Type.FocusOut):
            format_id = next((name for name, box in self._boxes.items() if box is watched), "")
            self.under_pointer = format_id if comes else ""
            self.pointed.emit()
        return super().eventFilter(watched, event)

    @property
    def chosen(self) -> list[str]:
        """Ids of the checked formats."""
        return [format_id for format_id, box in self._boxes.items() if box.isChecked()]

    def choose(self, format_ids: Iterable[str]) -> None:
        """Check exactly these."""
        wanted = set(format_ids)
        for format_id, box in self._boxes.items():
            box.setChecked(format_id in wanted)

    def box(self, format_id: str) -> QCheckBox:
        """The check box of a format."""
        return self._boxes[format_id]
