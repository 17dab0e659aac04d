"""What a job looks like: its state as people see it, with word, icon and colour."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ethereal_gui.domain.job import JobSnapshot, JobStatus, Stage
from ethereal_gui.ui.text import tr


class DisplayState(StrEnum):
    """The four states of the queue, told apart further where a person wants to know."""

    WAITING = "waiting"
    HELD = "held"
    RETRYING = "retrying"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StateGroup(StrEnum):
    """What the filter offers."""

    ALL = "all"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


GROUP_OF: Final = MappingProxyType(
    {
        DisplayState.WAITING: StateGroup.WAITING,
        DisplayState.HELD: StateGroup.WAITING,
        DisplayState.RETRYING: StateGroup.WAITING,
        DisplayState.RUNNING: StateGroup.RUNNING,
        DisplayState.STOPPING: StateGroup.RUNNING,
        DisplayState.DONE: StateGroup.DONE,
        DisplayState.FAILED: StateGroup.FAILED,
        DisplayState.CANCELLED: StateGroup.CANCELLED,
    }
)

SORT_RANK: Final = MappingProxyType(
    {
        DisplayState.RUNNING: 0,
        DisplayState.STOPPING: 1,
        DisplayState.RETRYING: 2,
        DisplayState.WAITING: 3,
        DisplayState.HELD: 4,
        DisplayState.FAILED: 5,
        DisplayState.CANCELLED: 6,
        DisplayState.DONE: 7,
    }
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown: an icon's name and a colour tone."""

    icon: str
    tone: str


LOOKS: Final = MappingProxyType(
    {
        DisplayState.WAITING: Look("waiting", "muted"),
        DisplayState.HELD: Look("held", "calm"),
        DisplayState.RETRYING: Look("retry", "warn"),
        DisplayState.RUNNING: Look("running", "accent"),
        DisplayState.STOPPING: Look("stopping", "warn"),
        DisplayState.DONE: Look("done", "good"),
        DisplayState.FAILED: Look("failed", "bad"),
        DisplayState.CANCELLED: Look("cancelled", "muted"),
    }
)


def display_state(job: JobSnapshot) -> DisplayState:
    """The state that a person sees."""
    if job.status is JobStatus.PROCESSING:
        return DisplayState.STOPPING if job.cancelling else DisplayState.RUNNING
    if job.status is JobStatus.COMPLETED:
        return DisplayState.DONE
    if job.status is JobStatus.FAILED:
        return DisplayState.CANCELLED if job.is_cancelled else DisplayState.FAILED
    if job.held:
        return DisplayState.HELD
    return DisplayState.RETRYING if job.queue_state == "delayed" and job.attempts_made else DisplayState.WAITING


def state_word(state: DisplayState) -> str:
    """The state in a word."""
    return {
        DisplayState.WAITING: tr("Waiting"),
        DisplayState.HELD: tr("On hold"),
        DisplayState.RETRYING: tr("Retrying"),
        DisplayState.RUNNING: tr("Rendering"),
        DisplayState.STOPPING: tr("Stopping"),
        DisplayState.DONE: tr("Done"),
        DisplayState.FAILED: tr("Failed"),
        DisplayState.CANCELLED: tr("Cancelled"),
    }[state]


def stage_word(stage: Stage) -> str:
    """What a running job is busy with."""
    return {
        Stage.FETCHING: tr("Fetching the song"),
        Stage.ANALYSING: tr("Analysing"),
        Stage.PREPARING: tr("Preparing (first time)"),
        Stage.RENDERING: tr("Rendering"),
        Stage.FINISHING: tr("Finishing"),
        Stage.SENDING: tr("Sending the video"),
    }[stage]


def group_word(group: StateGroup) -> str:
    """The name of a filter."""
    return {
        StateGroup.ALL: tr("All"),
        StateGroup.RUNNING: tr("Running"),
        StateGroup.WAITING: tr("Waiting"),
        StateGroup.DONE: tr("Done"),
        StateGroup.FAILED: tr("Failed"),
        StateGroup.CANCELLED: tr("Cancelled"),
    }[group]
