"""From the raw fields of a job in Redis to a JobSnapshot. Whatever a stranger wrote there, reading never fails."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from ethereal_gui.domain.job import (
    JobSnapshot,
    JobStatus,
    LeftBy,
    Progress,
    RenderJobData,
    RenderOutcome,
    Stage,
    status_of,
)
from ethereal_gui.domain.wire import WireModel

FIELDS: Final = (
    "data",
    "opts",
    "progress",
    "failedReason",
    "returnvalue",
    "atm",
    "timestamp",
    "processedOn",
    "finishedOn",
    "priority",
    "pb",
    "left",
)
"""The fields of a job's hash that a snapshot needs, ``data`` first."""

HELD_UNTIL_MS: Final = 2_198_000_000_000
"""When a held job would run: August 2039. Times 4096, BullMQ's score still is an exact double."""

REMOVED: Final = "removed"
_STATE_OF_LETTER: Final = {"c": JobStatus.COMPLETED, "f": JobStatus.FAILED, "x": JobStatus.FAILED}
_Model = TypeVar("_Model", bound=WireModel)


def snapshot_from_reply(job_id: str, reply: Sequence[Any] | None) -> JobSnapshot | None:
    """One element of what ``lua/snapshots.lua`` returns."""
    if not reply:
        return None
    if reply[0] == REMOVED:
        return _from_outcome(job_id, str(reply[1]))
    state, delayed_score, cancelling, huge = reply[:4]
    fields = {name: value for name, value in zip(FIELDS, reply[4:], strict=False) if value is not None}
    status = status_of(str(state))
    if status is None:
        return None
    if state == "waiting-children" and fields.get("processedOn"):
        status = JobStatus.PROCESSING  # a worker has split it up, and others render its parts
    delayed_ms = _number(delayed_score, 0.0) / 0x1000 if delayed_score else None
    held = delayed_ms is not None and delayed_ms >= HELD_UNTIL_MS
    return _snapshot(
        job_id,
        status,
        str(state),
        fields,
        data_error="The job's data is too large." if huge else None,
        progress=_progress(fields.get("progress")) if status is JobStatus.PROCESSING else None,
        retry_at=delayed_ms / 1000 if delayed_ms is not None and not held else None,
        cancelling=bool(cancelling),
        held=held,
        left_by=_parse(LeftBy, _json(fields.get("left")))[0] if status is JobStatus.PENDING else None,
    )


def outcome_of_snapshot(snapshot: JobSnapshot) -> str:
    """The text that the index keeps for a finished job, as ``lua/common.lua`` writes it."""
    kept = {
        "data": json.dumps(snapshot.raw_data) if snapshot.raw_data is not None else None,
        "returnvalue": json.dumps(snapshot.outcome.to_wire()) if snapshot.outcome else None,
        "failedReason": snapshot.failed_reason,
        "timestamp": _milliseconds(snapshot.created_at),
        "processedOn": _milliseconds(snapshot.started_at),
        "finishedOn": _milliseconds(snapshot.finished_at),
        "atm": str(snapshot.attempts_made),
        "pb": snapshot.worker,
    }
    letter = "x" if snapshot.is_cancelled else "c" if snapshot.status is JobStatus.COMPLETED else "f"
    return letter + json.dumps({name: value for name, value in kept.items() if value is not None})


def raw_data_of_outcome(outcome: str) -> Any:
    """The job's data that an outcome kept, or None."""
    fields = _json(outcome[1:])
    return _json(fields.get("data")) if isinstance(fields, dict) else None


def _from_outcome(job_id: str, outcome: str) -> JobSnapshot | None:
    fields, status = _json(outcome[1:]), _STATE_OF_LETTER.get(outcome[:1])
    if status is None or not isinstance(fields, dict):
        return None
    return _snapshot(job_id, status, REMOVED, fields)


def _snapshot(job_id: str, status: JobStatus, queue_state: str, fields: Mapping[str, Any], **extra: Any) -> JobSnapshot:
    raw = _json(fields.get("data"))
    data, problem = _parse(RenderJobData, raw)
    outcome = _parse(RenderOutcome, _json(fields.get("returnvalue")))[0] if status is JobStatus.COMPLETED else None
    extra["data_error"] = extra.get("data_error") or problem
    return JobSnapshot(
        id=job_id,
        status=status,
        queue_state=queue_state,
        data=data,
        failed_reason=None if status is JobStatus.COMPLETED else fields.get("failedReason"),
        attempts_made=int(_number(fields.get("atm"), 0)),
        attempts=_attempts(fields.get("opts")),
        created_at=_seconds(fields.get("timestamp")),
        started_at=_seconds(fields.get("processedOn")),
        finished_at=_seconds(fields.get("finishedOn")) if status in _STATE_OF_LETTER.values() else None,
        outcome=outcome,
        worker=(outcome.worker if outcome and outcome.worker else None) or fields.get("pb"),
        priority=int(_number(fields.get("priority"), 0)),
        raw_data=raw if isinstance(raw, dict) else None,
        **extra,
    )


@lru_cache(maxsize=64)
def _attempts(opts: str | None) -> int:
    """How often a job may be tried. All jobs of a queue have nearly the same options, so that they are read once."""
    options = _json(opts)
    attempts = options.get("attempts") if isinstance(options, dict) else None
    return max(1, int(_number(attempts, 3 if options is None else 1)))


def _progress(text: str | None) -> Progress | None:
    value = _json(text)
    if isinstance(value, dict):
        return _parse(Progress, value)[0]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 100:
        # Workers of strangers report percents.
        return Progress(stage=Stage.RENDERING, fraction=value / 100)
    return None


def _parse(model: type[_Model], value: Any) -> tuple[_Model | None, str | None]:
    try:
        return model.model_validate(value), None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return None, f"The job's data is not valid: {place + ': ' if place else ''}{first['msg']}."
    except (ValueError, RecursionError):
        return None, "The job's data is not valid."


def _json(text: Any) -> Any:
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _number(value: Any, default: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if abs(number) < 2**53 * 4096 else default


def _seconds(value: Any) -> float | None:
    number = _number(value, 0.0)
    return number / 1000 if number > 0 else None


def _milliseconds(value: float | None) -> str | None:
    return None if value is None else str(round(value * 1000))
