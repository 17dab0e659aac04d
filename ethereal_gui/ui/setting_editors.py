"""An editor for every type of setting, made from the field's own type, bounds and description."""

import types
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from ethereal_gui.ui.format_picker import FormatPicker
from ethereal_gui.ui.parts import icon_button, row
from ethereal_gui.ui.text import tr


class Editor:
    """A widget with a value.

    Attributes:
        widget: what is shown.
        get, put: read and write the value.
        on_change: call this to hear of changes.
    """

    def __init__(
        self,
        widget: QWidget,
        get: Callable[[], Any],
        put: Callable[[Any], None],
        on_change: Callable[[Callable[[], None]], object],
    ) -> None:
        self.widget = widget
        self.get = get
        self.put = put
        self.on_change = on_change


def make_editor(name: str, field: FieldInfo, templates: dict[str, str]) -> Editor:
    """The editor for a field of the settings class.

    Args:
        templates: ids and names of the templates there are.
    """
    title = field.title or name
    kind, optional = _plain_type(field.annotation)
    choices = _choices(kind)
    if name == "template":
        choices = templates
    if kind is bool:
        return _check_box(title)
    if choices:
        return _combo(title, choices)
    if kind is int:
        return _number(title, QSpinBox(), field)
    if kind is float:
        return _number(title, QDoubleSpinBox(), field)
    if kind is Path:
        return _folder(title, optional=optional)
    if get_origin(kind) is tuple:
        picker = FormatPicker()
        return Editor(
            picker,
            lambda: tuple(picker.chosen),
            picker.choose,
            lambda act: picker.changed.connect(lambda: act()),
        )
    return _line(title, secret=kind is SecretStr, optional=optional)


def _plain_type(annotation: Any) -> tuple[Any, bool]:
    """A type without ``Annotated`` and ``None``, and whether None was allowed."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [part for part in get_args(annotation) if part is not type(None)]
        return _plain_type(inner[0])[0], True
    if hasattr(annotation, "__metadata__"):
        return _plain_type(get_args(annotation)[0])
    return annotation, False


def _choices(kind: Any) -> dict[Any, str]:
    if get_origin(kind) is Literal:
        return {value: _word(str(value)) for value in get_args(kind)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {member: _word(str(member.value)) for member in kind}
    return {}


def _word(value: str) -> str:
    known = {
        "ask": tr("Ask every time"),
        "finish": tr("Finish the current render, then quit"),
        "stop": tr("Stop now, resume at the next start"),
        "tray": tr("Keep rendering in the background"),
        "new_version": tr("Render it again, as a new version"),
        "leave_out": tr("Leave it out"),
        "nothing": tr("Do nothing"),
        "quit": tr("Quit this program"),
        "sleep": tr("Put the computer to sleep"),
        "shut_down": tr("Shut the computer down"),
        "command": tr("Run a command"),
        "system": tr("As the system has it"),
        "auto": tr("Automatic"),
        "av1": "AV1 (SVT-AV1)",
        "nvenc": "NVIDIA NVENC",
        "qsv": "Intel Quick Sync",
        "amf": "AMD AMF",
        "vaapi": "VA-API",
        "videotoolbox": "Apple VideoToolbox",
    }
    return known.get(value, value.replace("_", " ").capitalize())


def _check_box(title: str) -> Editor:
    box = QCheckBox(title)
    box.setAccessibleName(title)
    return Editor(box, box.isChecked, box.setChecked, lambda act: box.toggled.connect(lambda _: act()))


def _combo(title: str, choices: dict[Any, str]) -> Editor:
    combo = QComboBox()
    combo.setAccessibleName(title)
    values = list(choices)
    combo.addItems([tr(words) for words in choices.values()])

    def put(value: Any) -> None:
        combo.setCurrentIndex(values.index(value) if value in values else 0)

    return Editor(
        combo,
        lambda: values[combo.currentIndex()],
        put,
        lambda act: combo.currentIndexChanged.connect(lambda _: act()),
    )


def _number(title: str, box: QSpinBox | QDoubleSpinBox, field: FieldInfo) -> Editor:
    box.setAccessibleName(title)
    box.lineEdit().setTextMargins(10, 0, 4, 0)
    low = next((bound.ge for bound in field.metadata if isinstance(bound, Ge)), 0)
    high = next((bound.le for bound in field.metadata if isinstance(bound, Le)), 1_000_000)
    if isinstance(box, QDoubleSpinBox):
        box.setDecimals(1)
        box.setRange(float(low), float(high))  # type: ignore[arg-type]
        box.setValue(0.0)
    else:
        box.setRange(int(low), int(high))  # type: ignore[call-overload]
    box.setToolTip(tr("{0} to {1}").format(f"{low:g}", f"{high:g}"))
    return Editor(box, box.value, box.setValue, lambda act: box.valueChanged.connect(lambda _: act()))


def _line(title: str, *, secret: bool, optional: bool) -> Editor:
    edit = QLineEdit()
    edit.setAccessibleName(title)
    if secret:
        edit.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)

    def get() -> Any:
        words = edit.text().strip()
        if optional and not words:
            return None
        return SecretStr(words) if secret else words

    def put(value: Any) -> None:
        edit.setText(value.get_secret_value() if isinstance(value, SecretStr) else str(value or ""))

    return Editor(edit, get, put, lambda act: edit.textChanged.connect(lambda _: act()))


def _folder(title: str, *, optional: bool) -> Editor:
    whole = QWidget()
    edit = QLineEdit()
    edit.setAccessibleName(title)
    browse = icon_button("folder-open", tr("Choose a folder"))
    whole.setLayout(row(edit, browse, spacing=4))

    def choose() -> None:
        dialog = QFileDialog(whole, title, edit.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(edit.setText)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def get() -> Path | None:
        words = edit.text().strip()
        return None if optional and not words else Path(words).expanduser()

    browse.clicked.connect(choose)
    return Editor(
        whole,
        get,
        lambda value: edit.setText(str(value or "")),
        lambda act: edit.textChanged.connect(lambda _: act()),
    )
