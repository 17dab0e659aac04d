"""What the window uses of qasync."""

import asyncio
from typing import Any

from PySide6.QtWidgets import QApplication

class QEventLoop(asyncio.AbstractEventLoop):
    def __init__(self, app: QApplication | None = ..., set_running_loop: bool = ..., already_running: bool = ...) -> None: ...
    def __enter__(self) -> QEventLoop: ...
    def __exit__(self, *args: Any) -> None: ...
