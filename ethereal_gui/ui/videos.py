"""Opening finished videos with the system's own programs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from ethereal_gui.ui.text import tr
from ethereal_gui.ui.toast import Toast

_MOST: Final = 5
"""Programs that are started at once, however many videos are selected."""


def show_videos(paths: Iterable[Path], toast: Toast, *, folder: bool) -> None:
    """Open these videos, or their folders."""
    targets = list(dict.fromkeys(path.parent if folder else path for path in paths))[:_MOST]
    missing = [path for path in targets if not path.exists()]
    for path in targets:
        if path not in missing:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
    if missing:
        toast.complain(tr("“{0}” is not there any more.").format(missing[0].name))
