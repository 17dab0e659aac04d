"""The picture on its dark stage, letterboxed; scales whatever image it is given."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ethereal_gui.ui import theme


class PreviewStage(QWidget):
    """Shows one image, 16:9 itself; a message while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._message = ""
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumSize(QSize(240, 135))
        self.setAccessibleName(self.tr("Preview"))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return min(width * 9 // 16, 540)

    def sizeHint(self) -> QSize:
        return QSize(480, 270)

    @property
    def has_image(self) -> bool:
        """There is a picture, not a message."""
        return self._image is not None

    def show_image(self, image: QImage) -> None:
        """Show that image from now on."""
        self._image = image
        self.update()

    def show_message(self, words: str) -> None:
        """No picture, but a word on why."""
        self._image = None
        self._message = words
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), 10, 10)
        painter.fillPath(path, theme.colours().color("stage"))
        painter.setClipPath(path)
        if self._image is None:
            painter.setFont(theme.ui_font(13))
            painter.setPen(theme.DARK.color("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._message)
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRectF(0, 0, size.width(), size.height())
        target.moveCenter(QRectF(self.rect()).center())
        painter.drawImage(target, self._image)
