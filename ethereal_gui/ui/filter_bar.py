"""Search and filters of the queue."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QLineEdit, QPushButton, QWidget

from ethereal_gui.domain.formats import FORMATS
from ethereal_gui.ui import icons, text
from ethereal_gui.ui.parts import button, row
from ethereal_gui.ui.queue_nodes import QueueFilter
from ethereal_gui.ui.states import GROUP_OF, DisplayState, StateGroup, group_word

_TYPING_PAUSE_MS = 120


class FilterBar(QWidget):
    """Chips for the states, a search field, a choice of format.

    Signals:
        changed: something else is to be shown; carries a ``QueueFilter``.
    """

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._chips: dict[StateGroup, QPushButton] = {}
        group = QButtonGroup(self)
        group.setExclusive(True)
        for state in StateGroup:
            chip = button(group_word(state), "chip")
            chip.setCheckable(True)
            chip.clicked.connect(self._tell)
            group.addButton(chip)
            self._chips[state] = chip
        self._chips[StateGroup.ALL].setChecked(True)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search in the queue"))
        self.search.setClearButtonEnabled(True)
        self.search.addAction(icons.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.search.setMinimumWidth(140)
        self.search.setMaximumWidth(280)
        self.format = QComboBox()
        self.format.setAccessibleName(self.tr("Show one format"))
        self.format.addItem(self.tr("All formats"), "")
        for fmt in FORMATS.values():
            self.format.addItem(fmt.label, fmt.id)
        self._batch_id = ""
        self.batch = button("", "chip", "close", tip=self.tr("Show all batches again"))
        self.batch.clicked.connect(lambda: self.only_batch("", ""))
        self.batch.hide()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_TYPING_PAUSE_MS)
        self._pause.timeout.connect(self._tell)
        self.search.textChanged.connect(lambda _: self._pause.start())
        self.format.currentIndexChanged.connect(self._tell)
        chips = row(*self._chips.values(), spacing=4)
        self.setLayout(row(chips, self.batch, None, self.format, self.search))

    @property
    def value(self) -> QueueFilter:
        """What is to be shown."""
        group = next(state for state, chip in self._chips.items() if chip.isChecked())
        states = frozenset(state for state in DisplayState if GROUP_OF[state] is group)
        return QueueFilter(
            text=self.search.text().strip().casefold(),
            states=states,
            format_id=str(self.format.currentData() or ""),
            batch_id=self._batch_id,
        )

    def only_batch(self, batch_id: str, title: str) -> None:
        """Show one batch; an empty id stands for all."""
        self._batch_id = batch_id
        self.batch.setText(f" {text.shortened(title)}")
        self.batch.setAccessibleName(self.tr("Only the batch {0}; show all again").format(title))
        self.batch.setVisible(bool(batch_id))
        self._tell()

    def choose(self, group: StateGroup) -> None:
        """Check a chip."""
        self._chips[group].setChecked(True)
        self._tell()

    def clear(self) -> None:
        """Show everything."""
        self.search.clear()
        self.format.setCurrentIndex(0)
        self.only_batch("", "")
        self.choose(StateGroup.ALL)

    def show_counts(self, counts: dict[StateGroup, int]) -> None:
        """Numbers on the chips."""
        for group, chip in self._chips.items():
            number = counts.get(group, 0)
            words = group_word(group)
            chip.setText(f"{words} {text.count(number)}" if number else words)
            chip.setAccessibleName(f"{words}: {number}")
            if group is StateGroup.CANCELLED:
                chip.setVisible(number > 0 or chip.isChecked())

    def _tell(self) -> None:
        self.changed.emit(self.value)
