"""What a render says of itself."""

from itertools import groupby, pairwise

from ethereal_gui.domain.job import Progress
from ethereal_gui.render.progress import SHARES, ProgressReporter


def test_the_fraction_never_falls_and_updates_are_few() -> None:
    now = [0.0]
    seen: list[tuple[float, Progress]] = []
    reporter = ProgressReporter(lambda progress: seen.append((now[0], progress)), clock=lambda: now[0])
    for part in (0.0, 0.5, 0.2, 1.0):
        reporter.analysing(part)
        now[0] += 0.01
    reporter.preparing()
    for frame in range(301):
        reporter.rendering(frame, 300)
        now[0] += 0.05
    for part in (0.0, 1.0):
        reporter.finishing(part)
        now[0] += 0.3
    fractions = [progress.fraction for _, progress in seen]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < 0.05
    assert fractions[-1] == 1.0
    assert [stage for stage, _ in groupby(progress.stage for _, progress in seen)] == list(SHARES)
    for (a, first), (b, second) in pairwise(seen):
        assert b - a >= 0.249 or first.stage is not second.stage


def test_speed_is_that_of_the_last_seconds() -> None:
    now = [0.0]
    seen: list[Progress] = []
    reporter = ProgressReporter(seen.append, clock=lambda: now[0])
    frame = 1_000  # from an earlier attempt: not part of the speed
    for fps, seconds in ((10, 20), (40, 10)):
        for _ in range(fps * seconds):
            reporter.rendering(frame, 10_000)
            frame += 1
            now[0] += 1 / fps
        last = seen[-1]
        assert last.fps is not None
        assert abs(last.fps - fps) < 0.15 * fps
        assert last.time_left is not None
        assert abs(last.time_left - (10_000 - frame) / fps) < 0.2 * (10_000 - frame) / fps
    assert seen[-1].frames == 10_000
