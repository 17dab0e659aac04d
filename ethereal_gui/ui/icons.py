"""Icons: monochrome SVG files, tinted with a colour of the theme and drawn sharp at every scale."""

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ethereal_gui.domain.paths import resource_path
from ethereal_gui.ui import theme

_renderers: dict[tuple[str, str], QSvgRenderer] = {}
_pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}


def _renderer(name: str, colour: str) -> QSvgRenderer:
    key = name, colour
    if key not in _renderers:
        source = resource_path("icons", f"{name}.svg").read_bytes().replace(b"#000", colour.encode())
        _renderers[key] = QSvgRenderer(QByteArray(source))
    return _renderers[key]


def pixmap(name: str, colour: str, size: int, ratio: float | None = None) -> QPixmap:
    """The icon as a square pixmap, cached.

    Args:
        colour: ``#rrggbb``.
        size: edge in device-independent pixels.
        ratio: device pixel ratio; the screen's when not given.
    """
    if ratio is None:
        screen = QGuiApplication.primaryScreen()
        ratio = screen.devicePixelRatio() if screen else 1.0
    key = name, colour, size, ratio
    if key not in _pixmaps:
        drawn = QPixmap(QSize(size, size) * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _renderer(name, colour).render(painter, QRectF(0, 0, size, size))
        painter.end()
        _pixmaps[key] = drawn
    return _pixmaps[key]


class _TintedEngine(QIconEngine):
    """Draws with the colour that the theme has at the moment of painting, so a theme change needs no new icons."""

    def __init__(self, name: str, tone: str, on_tone: str) -> None:
        super().__init__()
        self._name = name
        self._token = tone
        self._on_token = on_tone

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        tone = self._on_token if state is QIcon.State.On else self._token
        colour = str(getattr(theme.colours(), tone))
        size = min(rect.width(), rect.height())
        ratio = painter.device().devicePixelRatioF()
        offset = QPoint((rect.width() - size) // 2, (rect.height() - size) // 2)
        if mode is QIcon.Mode.Disabled:
            painter.setOpacity(0.4)
        painter.drawPixmap(rect.topLeft() + offset, pixmap(self._name, colour, size, ratio))
        painter.setOpacity(1.0)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        drawn = QPixmap(size)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        self.paint(painter, QRect(QPoint(), size), mode, state)
        painter.end()
        return drawn

    def clone(self) -> QIconEngine:
        return _TintedEngine(self._name, self._token, self._on_token)


_icons: dict[tuple[str, str, str], QIcon] = {}


def icon(name: str, tone: str = "muted", on_tone: str | None = None) -> QIcon:
    """The icon in a colour of the theme; ``on_tone`` for its checked state."""
    key = name, tone, on_tone or tone
    if key not in _icons:
        _icons[key] = QIcon(_TintedEngine(*key))
    return _icons[key]


def app_icon() -> QIcon:
    """The program's own icon, in colour."""
    return QIcon(str(resource_path("icons", "ethereal.svg")))
