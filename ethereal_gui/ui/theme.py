"""The look: colour tokens for a dark and a light theme, the palette and the style sheet made from them.

Fusion draws the widgets, so that every platform looks the same. Every colour that the window uses has a name here;
``tests/ui`` computes the contrast of all pairs that carry text.
"""

import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from ethereal_gui.domain.paths import resource_path
from ethereal_gui.settings import Theme

FONT_FAMILY: Final = "Inter"
GRID: Final = 8
"""All distances are multiples of it, or of its half."""


@dataclass(frozen=True, slots=True)
class Colours:
    """Colour tokens, ``#rrggbb``.

    Attributes:
        window, surface, raised, hover, pressed: backgrounds from the back to the front.
        line, line_strong: separators, and borders of controls (3:1 against the surface).
        text, muted: text on any background.
        accent: ember as text, icon or bar; accent_fill, on_accent: a filled button and its text.
        selection: background of selected rows.
        good, bad, warn, calm: states; each readable as text.
        track: empty part of a progress bar.
    """

    name: str
    window: str
    surface: str
    raised: str
    hover: str
    pressed: str
    line: str
    line_strong: str
    text: str
    muted: str
    accent: str
    accent_fill: str
    accent_hover: str
    on_accent: str
    selection: str
    good: str
    bad: str
    warn: str
    calm: str
    track: str
    stage: str

    def color(self, tone: str) -> QColor:
        """The colour of that tone."""
        return _qcolor(str(getattr(self, tone)))


DARK: Final = Colours(
    name="dark",
    window="#111215",
    surface="#18191d",
    raised="#202227",
    hover="#25282e",
    pressed="#2c3037",
    line="#282b31",
    line_strong="#6d7480",
    text="#ededf0",
    muted="#a3a9b5",
    accent="#ff9257",
    accent_fill="#f5792f",
    accent_hover="#ff8c47",
    on_accent="#1d0d03",
    selection="#3a2a20",
    good="#6fcf97",
    bad="#ff8b82",
    warn="#f0c05a",
    calm="#9db8f2",
    track="#33373f",
    stage="#0a0a0c",
)

LIGHT: Final = Colours(
    name="light",
    window="#f4f2ef",
    surface="#fbfaf8",
    raised="#ffffff",
    hover="#efece7",
    pressed="#e5e1da",
    line="#e2deD7",
    line_strong="#8c867d",
    text="#1f1c19",
    muted="#5d5851",
    accent="#ac430c",
    accent_fill="#c24e12",
    accent_hover="#ad430c",
    on_accent="#ffffff",
    selection="#fbe3d3",
    good="#17693c",
    bad="#b3261e",
    warn="#7a5200",
    calm="#2f54a5",
    track="#dcd7cf",
    stage="#0a0a0c",
)


@cache
def _qcolor(text: str) -> QColor:
    return QColor(text)


def contrast(first: str, second: str) -> float:
    """Contrast of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(text: str) -> float:
        channels = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def install_fonts() -> None:
    """Load the bundled fonts and make them the program's; once per process."""
    for path in sorted(resource_path("fonts").glob("*.otf")):
        QFontDatabase.addApplicationFont(str(path))


def ui_font(pixels: int = 13, weight: QFont.Weight = QFont.Weight.Normal, *, tabular: bool = False) -> QFont:
    """The window's font. ``tabular`` gives all digits one width, so that running numbers stand still."""
    font = QFont(FONT_FAMILY)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if tabular:
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def make_palette(colours: Colours) -> QPalette:
    """What Fusion draws with."""
    palette = QPalette()
    role = QPalette.ColorRole
    for key, tone in {
        role.Window: "window",
        role.WindowText: "text",
        role.Base: "surface",
        role.AlternateBase: "raised",
        role.Text: "text",
        role.Button: "raised",
        role.ButtonText: "text",
        role.BrightText: "bad",
        role.ToolTipBase: "raised",
        role.ToolTipText: "text",
        role.Highlight: "accent_fill",
        role.HighlightedText: "on_accent",
        role.Link: "accent",
        role.LinkVisited: "accent",
        role.PlaceholderText: "muted",
        role.Accent: "accent_fill",
    }.items():
        palette.setColor(key, colours.color(tone))
    disabled = QColor(colours.muted)
    disabled.setAlphaF(0.6)
    for key in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, key, disabled)
    return palette


def style_sheet(colours: Colours) -> str:
    """The style sheet with its ``@tokens`` filled in."""
    text = resource_path("styles", "window.qss").read_text("utf-8")
    tokens = asdict(colours) | {"icons": resource_path("icons").as_posix()}
    return re.sub(r"@(\w+)", lambda match: str(tokens[match[1]]), text)


class ThemeManager(QObject):
    """Applies a theme to the application and follows the system when asked to.

    Signals:
        changed: the colours are others now; whoever paints by hand repaints.
    """

    changed = Signal()

    def __init__(self, app: QApplication, choice: Theme = Theme.SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self._choice = choice
        self.colours = DARK
        style = QStyleFactory.create("Fusion")
        app.setStyle(style)
        install_fonts()
        app.setFont(ui_font())
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)
        self.apply(choice)

    def apply(self, choice: Theme) -> None:
        """Show that theme from now on."""
        self._choice = choice
        dark = choice is Theme.DARK or (choice is Theme.SYSTEM and _system_is_dark())
        self.colours = DARK if dark else LIGHT
        _current[0] = self.colours
        self._app.setPalette(make_palette(self.colours))
        self._app.setStyleSheet(style_sheet(self.colours))
        self.changed.emit()

    def _system_changed(self) -> None:
        if self._choice is Theme.SYSTEM:
            self.apply(self._choice)


def _system_is_dark() -> bool:
    # A system that says nothing gets the dark theme, which is what the program is made for.
    return QGuiApplication.styleHints().colorScheme() is not Qt.ColorScheme.Light


_current: list[Colours] = [DARK]


def colours() -> Colours:
    """The colours of the theme that is shown."""
    return _current[0]
