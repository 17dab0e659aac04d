"""The words in the cells of the queue, shared by what is painted, what a screen reader says, and the tests."""

import time

from ethereal_gui.ui import text
from ethereal_gui.ui.queue_nodes import BatchNode, JobNode, seconds_left
from ethereal_gui.ui.states import DisplayState, stage_word, state_word
from ethereal_gui.ui.text import tr


def heading(column: int) -> str:
    """The heading of a column."""
    return (tr("Song"), tr("Format"), tr("Template"), tr("State"), tr("Progress"), tr("Speed"), tr("Time"))[column]


def cell_text(node: BatchNode | JobNode, column: int) -> str:
    """First and second line of a cell as one text."""
    first, second = lines(node, column)
    return f"{first}, {second}" if first and second else first or second


def lines(node: BatchNode | JobNode, column: int) -> tuple[str, str]:
    """The two lines of a cell; the second is the smaller one and may be empty."""
    return _JOB_LINES[column](node) if isinstance(node, JobNode) else _BATCH_LINES[column](node)


def first_sentence(reason: str) -> str:
    """The beginning of a failed reason that says what happened."""
    line = reason.strip().splitlines()[0] if reason.strip() else ""
    head, stop, _ = line.partition(". ")
    return head + "." if stop else line


def tool_tip(node: BatchNode | JobNode) -> str:
    """Everything that a row may have had to cut off."""
    if isinstance(node, BatchNode):
        return f"{node.title}\n{_batch_name(node)[1]}\n{batch_counts(node)}"
    parts = [node.title, f"{text.format_label(node.format_id)} · {node.template} · {state_word(node.state)}"]
    if node.snapshot.failed_reason:
        parts.append(node.snapshot.failed_reason.strip()[:400])
    if node.state is DisplayState.WAITING and node.snapshot.left_by:
        parts.append(node.snapshot.left_by.note)
    if node.snapshot.outcome:
        parts.append(node.snapshot.outcome.output_path)
    return "\n".join(parts)


def batch_counts(batch: BatchNode) -> str:
    """How many jobs of a batch are in which state: 3 done, 1 failed, 8 waiting."""
    counts = batch.counts
    waiting = counts[DisplayState.WAITING] + counts[DisplayState.RETRYING]
    running = counts[DisplayState.RUNNING] + counts[DisplayState.STOPPING]
    named = (
        (running, tr("{0} running")),
        (counts[DisplayState.DONE], tr("{0} done")),
        (counts[DisplayState.FAILED], tr("{0} failed")),
        (counts[DisplayState.CANCELLED], tr("{0} cancelled")),
        (counts[DisplayState.HELD], tr("{0} on hold")),
        (waiting, tr("{0} waiting")),
    )
    return ", ".join(words.format(text.count(number)) for number, words in named if number)


def times_formats(songs: int, formats: int) -> str:
    """12 songs × 3 formats."""
    song = tr("1 song") if songs == 1 else tr("{0} songs").format(text.count(songs))
    kind = tr("1 format") if formats == 1 else tr("{0} formats").format(formats)
    return f"{song} × {kind}"


def _batch_name(batch: BatchNode) -> tuple[str, str]:
    when = text.date_and_time(batch.created) if batch.created else ""
    parts = [times_formats(batch.songs, len(batch.formats)), when]
    return batch.title, " · ".join(part for part in parts if part)


def _batch_formats(batch: BatchNode) -> tuple[str, str]:
    formats = batch.formats
    return (text.format_label(formats[0]) if len(formats) == 1 else tr("{0} formats").format(len(formats)), "")


def _batch_state(batch: BatchNode) -> tuple[str, str]:
    counts = batch.counts
    if batch.is_ended:
        if failed := counts[DisplayState.FAILED]:
            return tr("{0} failed").format(text.count(failed)), ""
        return (tr("Done") if counts[DisplayState.DONE] else tr("Cancelled")), ""
    if counts[DisplayState.RUNNING] or counts[DisplayState.STOPPING]:
        failed = counts[DisplayState.FAILED]
        return tr("Rendering"), tr("{0} failed").format(text.count(failed)) if failed else ""
    if counts[DisplayState.HELD] and not counts[DisplayState.WAITING] and not counts[DisplayState.RETRYING]:
        return tr("On hold"), ""
    failed = counts[DisplayState.FAILED]
    return tr("Waiting"), tr("{0} failed").format(text.count(failed)) if failed else ""


def _batch_progress(batch: BatchNode) -> tuple[str, str]:
    return text.percent(batch.fraction), tr("{0} of {1}").format(text.count(batch.ended), text.count(batch.total))


def _batch_time(batch: BatchNode) -> tuple[str, str]:
    if batch.is_ended:
        return (tr("took {0}").format(text.span(batch.done_elapsed)) if batch.done_elapsed else "", "")
    left = seconds_left([batch])
    return (tr("{0} left").format(text.span_range(*left)), "") if left else ("", "")


def _job_name(job: JobNode) -> tuple[str, str]:
    audio, snapshot = job.audio, job.snapshot
    if snapshot.data_error:
        return job.title, snapshot.data_error
    if audio is None:
        return job.title, ""
    parts = [audio.artist or "", text.clock(audio.duration) if audio.duration else ""]
    return job.title, " · ".join(part for part in parts if part)


def _job_state(job: JobNode) -> tuple[str, str]:
    word = state_word(job.state)
    snapshot = job.snapshot
    if job.state is DisplayState.RUNNING and snapshot.progress:
        word = stage_word(snapshot.progress.stage)
    again = job.state in (DisplayState.RUNNING, DisplayState.STOPPING) and snapshot.attempts_made
    if again or job.state is DisplayState.RETRYING:
        return word, tr("attempt {0} of {1}").format(snapshot.attempts_made + 1, snapshot.attempts)
    if job.state is DisplayState.FAILED and snapshot.attempts_made > 1:
        return word, tr("{0} attempts").format(snapshot.attempts_made)
    if job.state is DisplayState.WAITING and snapshot.left_by:
        return word, tr("left to others")
    if job.state is DisplayState.WAITING and snapshot.priority:
        return word, tr("low priority")
    return word, ""


def _job_progress(job: JobNode) -> tuple[str, str]:
    if job.state in (DisplayState.RUNNING, DisplayState.STOPPING):
        progress = job.snapshot.progress
        if progress and progress.frames and progress.frame is not None:
            frames = f"{text.count(progress.frame)} / {text.count(progress.frames)}"
            return text.percent(progress.fraction), frames
        return text.percent(job.fraction), ""
    if job.state is DisplayState.DONE and job.snapshot.outcome:
        return text.size(job.snapshot.outcome.size), ""
    if job.state in (DisplayState.FAILED, DisplayState.RETRYING):
        return first_sentence(job.snapshot.failed_reason or ""), ""
    if job.state is DisplayState.WAITING and job.snapshot.left_by:
        return first_sentence(job.snapshot.left_by.note), ""
    return "", ""


def _job_speed(job: JobNode) -> tuple[str, str]:
    progress, outcome = job.snapshot.progress, job.snapshot.outcome
    realtime = job.realtime
    second = tr("{0:.1f}× real time").format(realtime) if realtime else ""
    if job.state is DisplayState.RUNNING and progress and progress.fps:
        return tr("{0:.0f} fps").format(progress.fps), second
    if job.state is DisplayState.DONE and outcome and outcome.elapsed > 0:
        return tr("{0:.0f} fps").format(outcome.frames / outcome.elapsed), second
    return "", ""


def _job_time(job: JobNode) -> tuple[str, str]:
    snapshot = job.snapshot
    if job.state is DisplayState.RUNNING and snapshot.progress and snapshot.progress.time_left is not None:
        left = snapshot.progress.time_left
        return tr("{0} left").format(text.span_range(left * 0.9, left * 1.1)), ""
    if job.state is DisplayState.RETRYING and snapshot.retry_at:
        return tr("again in {0}").format(text.span(max(0.0, snapshot.retry_at - time.time()))), ""
    if job.state is DisplayState.DONE and snapshot.outcome:
        when = text.time_of_day(snapshot.finished_at) if snapshot.finished_at else ""
        return tr("took {0}").format(text.span(snapshot.outcome.elapsed)), when
    if job.is_ended and snapshot.finished_at:
        return text.time_of_day(snapshot.finished_at), ""
    return "", ""


_BATCH_LINES = (
    _batch_name,
    _batch_formats,
    lambda batch: (text.template_label(batch.template), ""),
    _batch_state,
    _batch_progress,
    lambda _batch: ("", ""),
    _batch_time,
)
_JOB_LINES = (
    _job_name,
    lambda job: (text.format_label(job.format_id), ""),
    lambda job: (text.template_label(job.template), ""),
    _job_state,
    _job_progress,
    _job_speed,
    _job_time,
)
