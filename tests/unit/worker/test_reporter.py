"""Progress is merged, log lines are not lost, and a server that is away holds nobody up."""

import asyncio

from ethereal_gui.domain.job import Progress, Stage
from ethereal_gui.worker.reporter import JobReporter


class Sink:
    """Takes what a reporter sends; fails while ``away``."""

    def __init__(self) -> None:
        self.away = False
        self.fractions: list[float] = []
        self.lines: list[str] = []
        self.got = asyncio.Event()

    async def progress(self, progress: Progress) -> None:
        if self.away:
            raise ConnectionError
        self.fractions.append(progress.fraction)
        self.got.set()

    async def line(self, text: str) -> None:
        if self.away:
            raise ConnectionError
        self.lines.append(text)


def at(fraction: float) -> Progress:
    return Progress(stage=Stage.RENDERING, fraction=fraction)


async def test_a_burst_of_progress_becomes_one_message_with_the_newest() -> None:
    sink = Sink()
    reporter = JobReporter(sink.progress, sink.line)
    for step in range(100):
        reporter.progress(at(step / 100))
    await asyncio.wait_for(sink.got.wait(), 5)
    await reporter.close()
    assert sink.fractions == [0.99]


async def test_log_lines_keep_their_order_and_all_arrive() -> None:
    sink = Sink()
    reporter = JobReporter(sink.progress, sink.line)
    reporter.log("one\ntwo")
    reporter.log("three")
    await reporter.close()
    assert sink.lines == ["one", "two", "three"]


async def test_what_could_not_be_sent_is_sent_when_the_server_is_back() -> None:
    sink = Sink()
    sink.away = True
    reporter = JobReporter(sink.progress, sink.line)
    reporter.log("kept")
    reporter.progress(at(0.5))
    await asyncio.sleep(0.1)
    sink.away = False
    await asyncio.wait_for(sink.got.wait(), 5)
    await reporter.close()
    assert (sink.lines, sink.fractions) == (["kept"], [0.5])


async def test_closing_does_not_wait_for_a_server_that_is_away() -> None:
    sink = Sink()
    sink.away = True
    reporter = JobReporter(sink.progress, sink.line)
    reporter.log("lost")
    async with asyncio.timeout(5):
        await reporter.close(within=0.5)
