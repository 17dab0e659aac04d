"""The settings, made from the settings class: heading, title, editor, description and default of every field."""

import os
from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Any

from pydantic import AliasChoices, SecretStr
from pydantic_core import PydanticUndefined
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QListWidget, QScrollArea, QStackedWidget, QWidget

from ethereal_gui.domain.errors import EtherealError, SettingsError
from ethereal_gui.domain.naming import candidate_names, check_pattern
from ethereal_gui.settings import Settings
from ethereal_gui.ui.parts import button, column, icon_button, label, line, row
from ethereal_gui.ui.setting_editors import Editor, make_editor
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.text import tr


class SettingsDialog(QDialog):
    """Edits settings.

    Signals:
        saved: changed fields with their new values, None for the default.
    """

    saved = Signal(dict)

    def __init__(
        self,
        parent: QWidget,
        settings: Settings,
        tasks: TaskOwner,
        *,
        templates: dict[str, str],
        test_server: Callable[[Settings], Awaitable[None]],
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 640)
        self._settings = settings
        self._tasks = tasks
        self._test_server = test_server
        self.editors: dict[str, Editor] = {}
        self._resets: dict[str, QWidget] = {}
        self._errors: dict[str, QLabel] = {}
        self.sections = QListWidget()
        self.sections.setObjectName("sections")
        self.sections.setAccessibleName(self.tr("Sections"))
        self.sections.setFixedWidth(168)
        self._pages = QStackedWidget()
        for name, fields in _sections(settings).items():
            self.sections.addItem(tr(name))
            self.sections.item(self.sections.count() - 1).setSizeHint(QSize(120, 40))
            self._pages.addWidget(self._page(name, fields, templates))
        self.sections.currentRowChanged.connect(self._pages.setCurrentIndex)
        self.sections.setCurrentRow(0)
        self.message = label("", "error", wrap=True)
        self.save = button(self.tr("Save"), "primary")
        self.save.setDefault(True)
        cancel = button(self.tr("Cancel"))
        self.save.clicked.connect(self._save)
        cancel.clicked.connect(self.reject)
        foot = row(self.message, cancel, self.save, margins=(20, 12, 20, 16))
        foot.setStretch(0, 1)
        body = row(self.sections, self._pages, spacing=0)
        self.setLayout(column(body, line(), foot, spacing=0))
        for name, editor in self.editors.items():
            editor.put(getattr(settings, name))
            editor.on_change(partial(self._changed, name))
            self._changed(name)

    def show_section(self, name: str) -> None:
        """Show that section's page."""
        names = list(_sections(self._settings))
        if name in names:
            self.sections.setCurrentRow(names.index(name))

    def _page(self, section: str, fields: list[str], templates: dict[str, str]) -> QWidget:
        rows = column(label(tr(section), "big"), 8, margins=(24, 20, 20, 20), spacing=4)
        for name in fields:
            field = type(self._settings).model_fields[name]
            editor = make_editor(name, field, templates)
            self.editors[name] = editor
            self._add_row(rows, name, editor)
        if section == "Server":
            self.test = button(self.tr("Test the connection"), "", "server")
            self.test_result = label("", "muted", wrap=True)
            self.test.clicked.connect(lambda: self._tasks.start(self._try_server(), self.tr("Testing the server")))
            rows.addLayout(row(self.test, self.test_result))
        rows.addStretch(1)
        page = QWidget()
        page.setLayout(rows)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    def _add_row(self, rows: Any, name: str, editor: Editor) -> None:
        field = type(self._settings).model_fields[name]
        title = label(field.title or name)
        reset = icon_button("reset", self.tr("Back to the default: {0}").format(_shown(_default(field))))
        reset.setAccessibleName(self.tr("Reset {0}").format(field.title or name))
        reset.clicked.connect(lambda: editor.put(_default(field)))
        self._resets[name] = reset
        error = label("", "error", wrap=True)
        error.hide()
        self._errors[name] = error
        explanation = label(field.description or "", "small", wrap=True)
        editor.widget.setAccessibleDescription(field.description or "")
        if variable := _set_by_environment(name, field.validation_alias):
            editor.widget.setEnabled(False)
            explanation.setText(self.tr("Set by the environment variable {0}.").format(variable))
        editor.widget.setMaximumWidth(420)
        beside = row(editor.widget, reset, spacing=4)
        beside.setStretch(0, 1)
        beside.setAlignment(reset, Qt.AlignmentFlag.AlignTop)
        beside.addStretch(0)
        if isinstance(editor.widget, QCheckBox):
            title.hide()  # the box says it itself
        rows.addLayout(column(title, beside, explanation, error, spacing=4))
        rows.addSpacing(14)

    # ---- what happens ------------------------------------------------------------------------------------------

    def changes(self) -> dict[str, Any]:
        """Fields whose value is another now; None stands for the default."""
        found: dict[str, Any] = {}
        for name, editor in self.editors.items():
            value, field = editor.get(), type(self._settings).model_fields[name]
            if not editor.widget.isEnabled() or _same(value, getattr(self._settings, name)):
                continue
            found[name] = None if _same(value, _default(field)) else value
        return found

    def _changed(self, name: str) -> None:
        editor, field = self.editors[name], type(self._settings).model_fields[name]
        self._resets[name].setEnabled(not _same(editor.get(), _default(field)) and editor.widget.isEnabled())
        error = self._errors[name]
        if name == "name_pattern":
            try:
                fields = {"date": date.today().isoformat(), "song": "First Light", "format": "1080p"}
                fields |= {"template": "flame", "artist": "Northlight"}
                error.setObjectName("small")
                error.setText(
                    self.tr("Example: {0}").format(next(candidate_names(check_pattern(editor.get()), fields)))
                )
            except SettingsError as problem:
                error.setObjectName("error")
                error.setText(str(problem))
            error.style().polish(error)
            error.show()

    def _candidate(self) -> Settings:
        values = {
            name: _default(type(self._settings).model_fields[name]) if value is None else value
            for name, value in self.changes().items()
        }
        return self._settings.with_changes(values)

    def _save(self) -> None:
        try:
            self._candidate()
        except SettingsError as error:
            self.message.setText(str(error))
            return
        changes = self.changes()
        if changes:
            self.saved.emit(changes)
        self.accept()

    async def _try_server(self) -> None:
        self.test_result.setText(self.tr("Trying…"))
        try:
            await self._test_server(self._candidate())
            words, name = self.tr("It answers and can be used."), "good"
        except EtherealError as error:
            words, name = str(error), "error"
        self.test_result.setText(words)
        self.test_result.setObjectName(name)
        self.test_result.style().polish(self.test_result)


def _sections(settings: Settings) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, field in type(settings).model_fields.items():
        extra = field.json_schema_extra
        section = str(extra.get("section", "Other")) if isinstance(extra, dict) else "Other"
        found.setdefault(section, []).append(name)
    return found


def _default(field: Any) -> Any:
    value = field.get_default(call_default_factory=True)
    return None if value is PydanticUndefined else value


def _same(first: Any, second: Any) -> bool:
    plain = [value.get_secret_value() if isinstance(value, SecretStr) else value for value in (first, second)]
    return (plain[0] or None) == (plain[1] or None) if isinstance(plain[0], str | None) else plain[0] == plain[1]


def _shown(value: Any) -> str:
    if value is None or value == "":
        return tr("empty")
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return str(value)


def _set_by_environment(name: str, alias: Any) -> str:
    names = (
        [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [f"ETHEREAL_{name.upper()}"]
    )
    return next((variable for variable in names if os.environ.get(variable)), "")
