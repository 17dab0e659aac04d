"""What happens on SIGTERM and SIGINT: the first asks for a finish within a limit, the second ends at once.

Either way the worker leaves nothing active in the queue, and the exit code is 0: being stopped is not a failure.
"""

import asyncio
import signal
from collections.abc import Callable

from ethereal_gui.worker.render_worker import RenderWorker


def install_signal_handlers(worker: RenderWorker, *, finish_within: float, say: Callable[[str], None]) -> None:
    """Let SIGTERM and SIGINT stop ``worker``, which runs on the present loop."""
    loop = asyncio.get_running_loop()
    count = 0

    def on_signal() -> None:
        nonlocal count
        count += 1
        if count == 1 and worker.running_jobs and finish_within > 0:
            say(
                f"Stopping: the running render may finish within {finish_within:.0f} s, then it is put back. "
                "Once more to stop at once."
            )
            worker.request_stop(finish_within)
        else:
            say("Stopping now; what was running is put back.")
            worker.request_stop(0.0)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, on_signal)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(on_signal))
