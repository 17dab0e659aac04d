"""Opening finished videos with the system's own programs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from ethereal_gui.domain.locations import file_name, folder_of, is_url
from ethereal_gui.ui.text import tr
from ethereal_gui.ui.toast import Toast

_MOST: Final = 5
"""Programs that are started at once, however many videos are selected."""


def show_videos(places: Iterable[str], toast: Toast, *, folder: bool) -> None:
    """Open these videos, or their folders; one on a server by whatever the system has for its kind of address."""
    targets = list(dict.fromkeys(folder_of(place) if folder else place for place in places))[:_MOST]
    missing = [place for place in targets if not is_url(place) and not Path(place).exists()]
    for place in targets:
        if place in missing:
            continue
        if not QDesktopServices.openUrl(QUrl(place) if is_url(place) else QUrl.fromLocalFile(place)) and is_url(place):
            toast.complain(tr("This computer has no program for {0}").format(place))
    if missing:
        toast.complain(tr("“{0}” is not there any more.").format(file_name(missing[0])))
