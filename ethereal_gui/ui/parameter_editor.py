"""Sliders for a template's parameters, and keeping one's own versions of templates."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QFrame, QScrollArea, QSlider, QToolButton, QVBoxLayout, QWidget

from ethereal_gui.domain.template import Template, TemplateParameter
from ethereal_gui.ui.parts import column, icon_button, label, row

_STEPS: Final = 1000


class ParameterEditor(QWidget):
    """Edits the values of one template.

    Signals:
        values_changed: some value is another now.
        save_wanted, import_wanted, export_wanted, delete_wanted: the person pressed that button.
    """

    values_changed = Signal()
    save_wanted = Signal()
    import_wanted = Signal()
    export_wanted = Signal()
    delete_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._template: Template | None = None
        self._rows: dict[str, _ParameterRow] = {}
        self.save = icon_button("save", self.tr("Save as your own template"))
        self.import_ = icon_button("import", self.tr("Import a template"))
        self.export = icon_button("export", self.tr("Export this template"))
        self.delete = icon_button("remove", self.tr("Delete this template"))
        self.reset = icon_button("reset", self.tr("Reset all parameters"))
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tools = QFrame()
        self.tools.setLayout(row(self.reset, self.save, self.import_, self.export, self.delete, spacing=0))
        self.setLayout(column(self._area, spacing=0))
        self.reset.clicked.connect(self.reset_all)
        for pressed, signal in (
            (self.save, self.save_wanted),
            (self.import_, self.import_wanted),
            (self.export, self.export_wanted),
            (self.delete, self.delete_wanted),
        ):
            pressed.clicked.connect(signal)

    @property
    def values(self) -> dict[str, float]:
        """Values that differ from the template's own."""
        if self._template is None:
            return {}
        return {
            name: row.value for name, row in self._rows.items() if abs(row.value - self._template.value(name)) > 1e-9
        }

    @property
    def template(self) -> Template | None:
        """The template with the values laid over it."""
        return self._template.with_values(self.values) if self._template else None

    def show_template(self, template: Template | None, *, own: bool) -> None:
        """Edit another template; the values start as it has them."""
        self._template = template
        self._rows = {}
        self.delete.setEnabled(own)
        page = QWidget()
        lines = column(spacing=4, margins=(0, 0, 12, 8))
        group = None
        for parameter in template.parameters if template else ():
            if parameter.group != group:
                group = parameter.group
                lines.addSpacing(8)
                if group:
                    lines.addWidget(label(group, "caption"))
            self._add(lines, parameter, template.value(parameter.name) if template else 0.0)
        lines.addStretch(1)
        page.setLayout(lines)
        self._area.setWidget(page)
        self._refresh()

    def put_values(self, values: Mapping[str, float]) -> None:
        """Set some values."""
        for name, value in values.items():
            if name in self._rows:
                self._rows[name].put(value)

    def reset_all(self) -> None:
        """All values as the template has them."""
        if self._template:
            self.put_values({name: self._template.value(name) for name in self._rows})

    def row(self, name: str) -> "_ParameterRow":
        """The controls of a parameter."""
        return self._rows[name]

    def _add(self, lines: QVBoxLayout, parameter: TemplateParameter, value: float) -> None:
        made = _ParameterRow(parameter, value)
        made.changed.connect(self._changed)
        self._rows[parameter.name] = made
        lines.addWidget(made)

    def _changed(self) -> None:
        self._refresh()
        self.values_changed.emit()

    def _refresh(self) -> None:
        self.reset.setEnabled(bool(self.values))


class _ParameterRow(QWidget):
    """Name, slider, number, reset.

    Signals:
        changed: the value is another now.
    """

    changed = Signal()

    def __init__(self, parameter: TemplateParameter, value: float) -> None:
        super().__init__()
        self._parameter = parameter
        self._initial = value
        name = label(parameter.label)
        name.setToolTip(parameter.description)
        name.setFixedWidth(112)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setAccessibleName(parameter.label)
        self.slider.setAccessibleDescription(parameter.description)
        self.slider.setToolTip(parameter.description)
        self.number = QDoubleSpinBox()
        self.number.setRange(parameter.minimum, parameter.maximum)
        self.number.setSingleStep(parameter.step)
        self.number.setDecimals(0 if parameter.step >= 1 else 1 if parameter.step >= 0.1 else 2)
        self.number.setSuffix(f" {parameter.unit}" if parameter.unit else "")
        self.number.setAccessibleName(self.tr("{0}, number").format(parameter.label))
        self.number.setFixedWidth(104)
        self.number.lineEdit().setTextMargins(10, 0, 4, 0)
        self.reset: QToolButton = icon_button("reset", self.tr("Reset {0}").format(parameter.label))
        self.setLayout(row(name, self.slider, self.number, self.reset, spacing=8))
        self.put(value)
        self._show_reset()
        self.slider.valueChanged.connect(self._slid)
        self.number.valueChanged.connect(self._typed)
        self.reset.clicked.connect(lambda: self.put(self._initial))

    @property
    def value(self) -> float:
        """The number that is set."""
        return round(self.number.value(), 6)

    def put(self, value: float) -> None:
        """Set it."""
        self.number.setValue(value)
        self._place_slider(value)

    def _slid(self, place: int) -> None:
        low, high = self._parameter.minimum, self._parameter.maximum
        step = self._parameter.step
        value = low + (high - low) * place / _STEPS
        self.number.setValue(low + round((value - low) / step) * step)

    def _typed(self, value: float) -> None:
        self._place_slider(value)
        self._show_reset()
        self.changed.emit()

    def _place_slider(self, value: float) -> None:
        low, high = self._parameter.minimum, self._parameter.maximum
        with QSignalBlocker(self.slider):
            self.slider.setValue(round((value - low) / (high - low) * _STEPS))

    def _show_reset(self) -> None:
        self.reset.setEnabled(abs(self.value - self._initial) > 1e-9)
