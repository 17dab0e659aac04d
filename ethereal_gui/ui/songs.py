"""The songs of the batch that is being built: model, how a row is painted, and the list."""

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QImage, QKeyEvent, QKeySequence, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.ui import icons, text, theme

ROW_HEIGHT: Final = 52
COVER: Final = 36
Index = QModelIndex | QPersistentModelIndex


class SongModel(QAbstractListModel):
    """Checked audio files, each path once.

    Signals:
        songs_changed: songs were added or taken away.
    """

    songs_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._songs: list[AudioFile] = []
        self._paths: set[str] = set()
        self._covers: dict[str, QPixmap | None] = {}

    def without_cover(self) -> list[AudioFile]:
        """Songs whose cover was not looked for yet."""
        return [song for song in self._songs if song.path not in self._covers]

    def set_cover(self, song: AudioFile, image: QImage | None) -> None:
        """A song's cover; None when it has none."""
        self._covers[song.path] = QPixmap.fromImage(image) if image and not image.isNull() else None
        if song in self._songs:
            index = self.index(self._songs.index(song))
            self.dataChanged.emit(index, index)

    def cover(self, song: AudioFile) -> QPixmap | None:
        """The cover, when there is one."""
        return self._covers.get(song.path)

    @property
    def songs(self) -> list[AudioFile]:
        """The songs in their order."""
        return list(self._songs)

    @property
    def duration(self) -> float:
        """Seconds of all songs together."""
        return sum(song.duration or 0.0 for song in self._songs)

    def song(self, row: int) -> AudioFile:
        """The song in that row."""
        return self._songs[row]

    def add(self, songs: Sequence[AudioFile]) -> int:
        """Append songs that are not in the list yet. Returns how many were new."""
        fresh = [song for song in {song.path: song for song in songs}.values() if song.path not in self._paths]
        if fresh:
            first = len(self._songs)
            self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
            self._songs += fresh
            self._paths.update(song.path for song in fresh)
            self.endInsertRows()
            self.songs_changed.emit()
        return len(fresh)

    def take_away(self, rows: Sequence[int]) -> None:
        """Remove these rows."""
        for row in sorted(set(rows), reverse=True):
            self.beginRemoveRows(QModelIndex(), row, row)
            self._paths.discard(self._songs.pop(row).path)
            self.endRemoveRows()
        if rows:
            self.songs_changed.emit()

    def clear(self) -> None:
        """Remove all."""
        self.beginResetModel()
        self._songs.clear()
        self._paths.clear()
        self.endResetModel()
        self.songs_changed.emit()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._songs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        song = self._songs[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return song.display_title
        if role == Qt.ItemDataRole.ToolTipRole:
            return song.path
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{song.display_title}, {second_line(song)}"
        return None


def second_line(song: AudioFile) -> str:
    """Artist, length and size of a song."""
    parts = [song.artist or "", text.clock(song.duration), text.size(song.size) if song.size else ""]
    return " · ".join(part for part in parts if part)


class SongDelegate(QStyledItemDelegate):
    """Title, and below it artist, length and size.

    Attributes:
        hovered: row under the pointer, -1 for none; it shows a cross.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hovered = -1
        self._title = theme.ui_font(13, QFont.Weight.Medium)
        self._small = theme.ui_font(12, tabular=True)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        return QSize(160, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        colours = theme.colours()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        song = index.model().song(index.row())  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        inside = rect.adjusted(8, 2, -8, -2)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(colours.color("selection"))
            painter.drawRoundedRect(inside, 8, 8)
        elif index.row() == self.hovered:
            painter.setBrush(colours.color("hover"))
            painter.drawRoundedRect(inside, 8, 8)
        tile = QRect(inside.left() + 6, inside.center().y() - 17, COVER, COVER)
        painter.setBrush(colours.color("pressed" if colours.name == "dark" else "hover"))
        painter.drawRoundedRect(tile, 6, 6)
        self._cover(painter, tile, index.model().cover(song))  # type: ignore[attr-defined]
        words = QRect(tile.right() + 12, inside.top(), inside.right() - tile.right() - 20, inside.height())
        if index.row() == self.hovered:
            painter.drawPixmap(self.cross(rect).topLeft(), icons.pixmap("close", colours.muted, 16))
            words.setRight(self.cross(rect).left() - 8)
        half = words.height() // 2
        self._line(painter, QRect(words.left(), words.top() + half - 19, words.width(), 20), song.display_title, True)
        self._line(painter, QRect(words.left(), words.top() + half, words.width(), 18), second_line(song), False)
        painter.restore()

    @staticmethod
    def _cover(painter: QPainter, tile: QRect, cover: QPixmap | None) -> None:
        if cover is None:
            glyph = icons.pixmap("music", theme.colours().accent, 18)
            painter.drawPixmap(tile.left() + 9, tile.top() + 9, glyph)
            return
        clip = QPainterPath()
        clip.addRoundedRect(QRectF(tile), 6, 6)
        painter.save()
        painter.setClipPath(clip)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        edge = min(cover.width(), cover.height())
        part = QRect((cover.width() - edge) // 2, (cover.height() - edge) // 2, edge, edge)
        painter.drawPixmap(tile, cover, part)
        painter.restore()

    @staticmethod
    def cross(rect: QRect) -> QRect:
        """Where the hovered row has its cross."""
        return QRect(rect.right() - 36, rect.center().y() - 8, 16, 16)

    def _line(self, painter: QPainter, rect: QRect, words: str, title: bool) -> None:
        font = self._title if title else self._small
        painter.setFont(font)
        painter.setPen(theme.colours().color("text" if title else "muted"))
        shown = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)


class SongList(QListView):
    """The list; Delete or the cross takes songs away.

    Signals:
        current_song_changed: the preview should show another song.
    """

    current_song_changed = Signal()

    def __init__(self, model: SongModel) -> None:
        super().__init__()
        self._songs = model
        self._delegate = SongDelegate()
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(self.tr("Songs"))
        self.setAccessibleDescription(self.tr("Delete takes the selected songs out of the list."))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.selectionModel().currentChanged.connect(lambda *_: self.current_song_changed.emit())

    @property
    def current_song(self) -> AudioFile | None:
        """The song for the preview: the current one, else the first."""
        index = self.currentIndex()
        if index.isValid():
            return self._songs.song(index.row())
        return self._songs.song(0) if self._songs.rowCount() else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete) or event.key() == Qt.Key.Key_Backspace:
            self._songs.take_away([index.row() for index in self.selectedIndexes()])
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: Any) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.indexAt(event.position().toPoint()).row())

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def mousePressEvent(self, event: Any) -> None:
        place = event.position().toPoint()
        index = self.indexAt(place)
        if index.isValid() and SongDelegate.cross(self.visualRect(index)).adjusted(-6, -6, 6, 6).contains(place):
            self._songs.take_away([index.row()])
            return
        super().mousePressEvent(event)

    def _hover(self, row: int) -> None:
        if row != self._delegate.hovered:
            self._delegate.hovered = row
            self.viewport().update()
