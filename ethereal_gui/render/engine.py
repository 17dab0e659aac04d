"""The engine: a spec becomes a finished, verified file. (One picture, at once: stills.py.)

A render goes through three stages. *Analysing*: the song's features, out of the cache when it was seen before.
*Rendering*: frames are drawn ahead on some threads while the encoder works, segment by segment, with the sound encoded
beside them. *Finishing*: packets are copied together, the file is checked and takes its name. What an attempt that
died has finished, the next one finds and goes on from. So one video can be rendered by several workers, too: each
renders a part of its segments into a folder that all can reach, and the last one finds nothing missing.
"""

import secrets
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.errors import PartRefusedError, RenderError, VerificationError
from ethereal_gui.domain.job import Progress
from ethereal_gui.domain.machine import usable_cores
from ethereal_gui.domain.private import private_folder
from ethereal_gui.render.audio.analyse import analyse
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.audio.source import content_hash
from ethereal_gui.render.caption.card import Card
from ethereal_gui.render.caption.choose import choose_card, left_out
from ethereal_gui.render.drawing import DrawingPool
from ethereal_gui.render.fingerprint import fingerprint
from ethereal_gui.render.progress import ProgressReporter
from ethereal_gui.render.scene.jit import WERE_COMPILED
from ethereal_gui.render.spec import Part, RenderedVideo, RenderSpec, Sharing, Split, SplitUp
from ethereal_gui.render.video.choice import choose_encoder
from ethereal_gui.render.video.encoders import EncoderSetup
from ethereal_gui.render.video.mux import JoinError, join
from ethereal_gui.render.video.publish import Publisher
from ethereal_gui.render.video.segments import (
    LARGE_PICTURE,
    EncoderFailedError,
    Segment,
    SegmentStore,
    plan_parts,
    plan_segments,
)
from ethereal_gui.render.video.sound import encode_sound, total_samples
from ethereal_gui.render.video.storage import check_output_folder, writing
from ethereal_gui.render.video.tags import Tags, chosen_tags
from ethereal_gui.render.video.verify import verify
from ethereal_gui.render.video.workspace import locked, note_shared_folder

UInt8 = NDArray[np.uint8]

_SEGMENTS = "segments"


def render(
    spec: RenderSpec,
    output_dir: Path,
    name_candidates: Iterable[str],
    *,
    work_dir: Path,
    cache_dir: Path,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    threads: int | None = None,
    encoder: str = "auto",
    sharing: Sharing | None = None,
) -> RenderedVideo:
    """Make one video.

    Args:
        output_dir: existing folder for the file. name_candidates: file names, the first free one is taken.
        work_dir: this job's own folder, the same at every attempt; segments lie in it until the video is published.
        cache_dir: folder for analyses and encoder trials, shared by all jobs.
        on_progress: called about four times a second, ``fraction`` never falls.
        threads: processors to use; all that this process may when None.
        encoder: ``auto``, ``software`` or a hardware family.
        sharing: others render parts of it, or shall.

    Returns:
        The published file; the one of an earlier attempt when that died after publishing.

    Raises:
        SplitUp: others shall render its parts first.
        InputError: the song cannot be used. StorageError: the disk or the folder. SettingsError: the encoder.
        RenderError: anything else that trying again may cure.
    """
    progress = ProgressReporter(on_progress)
    check_output_folder(output_dir)
    with locked(work_dir):
        progress.analysing(0.0)
        setup = _encoder(encoder, spec, threads, cache_dir)
        job = _job(spec, output_dir, work_dir, cache_dir, threads, progress, sharing)
        try:
            return job.run(setup, name_candidates)
        except EncoderFailedError as error:
            if encoder != "auto" or not setup.keeps_frames:
                raise RenderError(f"The video encoder failed: {error}.") from error
        # A hardware encoder may run out of sessions or memory in mid-work; software never does.
        software = _encoder("software", spec, threads, cache_dir)
        try:
            return job.run(software, name_candidates)
        except EncoderFailedError as error:
            raise RenderError(f"The video encoder failed: {error}.") from error


def render_part(
    spec: RenderSpec,
    part: Part,
    mark: str,
    *,
    segments_dir: Path,
    work_dir: Path,
    cache_dir: Path,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    threads: int | None = None,
) -> int:
    """Render one part of a video that was split up. Its finished segments lie in ``segments_dir`` then.

    Args:
        mark: what the split said; this machine has to make the same packets.
        segments_dir: the folder that was shared. work_dir: this part's own folder on this machine.

    Returns:
        How many of its frames were there already.

    Raises:
        PartRefusedError: other packets would come out here, or the folder cannot be reached.
        InputError, StorageError, RenderError: like ``render``.
    """
    progress = ProgressReporter(on_progress)
    with locked(work_dir):
        progress.analysing(0.0)
        setup = _encoder("software", spec, threads, cache_dir)
        job = _job(spec, segments_dir, work_dir, cache_dir, threads, progress)
        if job.mark(setup) != mark:
            raise PartRefusedError(
                "This worker would make other pictures than the one that split the video up.",
                hint="Use the same version of the program, the same templates and the same song on both.",
            )
        folder = segments_dir / mark
        if not folder.is_dir():
            raise PartRefusedError(f"The folder for the parts of the video, “{segments_dir}”, cannot be reached here.")
        features = job.analyse()
        plan = plan_segments(features.frames, spec.fps, setup.gop)
        wanted = [segment for segment in plan if part.start <= segment.start < part.stop]
        try:
            return job.render_missing(wanted, SegmentStore(folder, setup, owner=_owner()), features)
        except EncoderFailedError as error:
            raise RenderError(f"The video encoder failed: {error}.") from error


def _encoder(wanted: str, spec: RenderSpec, threads: int | None, cache_dir: Path) -> EncoderSetup:
    return choose_encoder(
        wanted,
        spec.output_format,
        spec.fps,
        spec.quality,
        limit=spec.max_bit_rate,
        threads=threads,
        cache_dir=cache_dir,
    )


def _owner() -> str:
    """A name for this process among all that write into one folder."""
    return f".{secrets.token_hex(4)}"


def _job(
    spec: RenderSpec,
    output_dir: Path,
    work_dir: Path,
    cache_dir: Path,
    threads: int | None,
    progress: ProgressReporter,
    sharing: Sharing | None = None,
) -> "_Job":
    digest = content_hash(spec.audio_path)
    tags = chosen_tags(spec.audio_path, spec.title, spec.artist)
    card = choose_card(spec.caption, tags, spec.audio_path, spec.picture_path)
    cores = threads or usable_cores()
    return _Job(spec, output_dir, work_dir, cache_dir, digest, tags, card, cores, progress, sharing)


@dataclass(slots=True)
class _Job:
    """One call of ``render`` or ``render_part``, inside the lock of its folder."""

    spec: RenderSpec
    output_dir: Path
    work_dir: Path
    cache_dir: Path
    digest: str
    tags: Tags
    card: Card | None
    threads: int
    progress: ProgressReporter
    sharing: Sharing | None = None

    def mark(self, setup: EncoderSetup) -> str:
        return fingerprint(self.spec, self.digest, self.tags, self.card, setup)

    def analyse(self) -> AudioFeatures:
        return analyse(
            self.spec.audio_path,
            self.spec.fps,
            self.cache_dir,
            on_progress=self.progress.analysing,
            digest=self.digest,
        )

    def run(self, setup: EncoderSetup, names: Iterable[str]) -> RenderedVideo:
        mark = self.mark(setup)
        publisher = Publisher(self.work_dir, self.output_dir, mark)
        if record := publisher.published():
            self._remove_segments()
            return RenderedVideo(Path(record.path), record.duration, record.frames, record.size, record.frames)
        publisher.clean()
        features = self.analyse()
        folder = self._segment_folder(mark)
        plan = plan_segments(features.frames, self.spec.fps, setup.gop)
        shared = self._shared_folder(mark, plan, setup)
        store = SegmentStore(shared, setup, owner=_owner()) if shared else SegmentStore(folder, setup)
        if shared:
            self._split_up(mark, plan, store)
        sound = folder / "sound.mp4"
        with ThreadPoolExecutor(1, "sound") as pool:
            samples = total_samples(features.frames, self.spec.fps)
            sounding = pool.submit(encode_sound, self.spec.audio_path, sound, samples)
            resumed = self.render_missing(plan, store, features, sounding)
            sounding.result()
        self._finish(publisher, plan, store, sound, setup.codec)
        path = publisher.publish(names, frames=features.frames, duration=features.frames / self.spec.fps)
        self._remove_segments()
        self.progress.finishing(1.0)
        return RenderedVideo(
            path,
            features.frames / self.spec.fps,
            features.frames,
            path.stat().st_size,
            resumed_frames=resumed,
            notes=left_out(self.card),
        )

    def render_missing(
        self,
        plan: list[Segment],
        store: SegmentStore,
        features: AudioFeatures,
        sounding: Future[None] | None = None,
    ) -> int:
        """Encode every segment that is not there. Returns how many frames were."""
        missing = [segment for segment in plan if not store.is_finished(segment)]
        frames = sum(segment.frames for segment in plan)
        done = resumed = frames - sum(segment.frames for segment in missing)
        if missing and not WERE_COMPILED:
            self.progress.preparing()
        else:
            self.progress.rendering(done, frames)
        if not missing:
            return resumed
        drawing = DrawingPool(self.spec, features, self.card, threads=self.threads)
        numbers = (n for segment in missing for n in range(segment.start, segment.stop))
        pictures = drawing.frames(numbers)
        try:
            for segment in missing:
                if sounding and sounding.done():
                    sounding.result()  # a song that vanished ends the render now, not in an hour
                writer = store.writer(segment)
                try:
                    for _ in range(segment.frames):
                        writer.add(next(pictures))
                        done += 1
                        self.progress.rendering(done, frames)
                    writer.finish()
                except BaseException:
                    writer.abandon()
                    raise
        finally:
            pictures.close()
            drawing.close()
        return resumed

    def _finish(self, publisher: Publisher, plan: list[Segment], store: SegmentStore, sound: Path, codec: str) -> None:
        self.progress.finishing(0.0)
        check_output_folder(self.output_dir)
        spec, temporary = self.spec, publisher.temporary
        try:
            join(
                plan,
                store,
                sound,
                temporary,
                output_format=spec.output_format,
                fps=spec.fps,
                tags=self.tags,
                on_progress=lambda part: self.progress.finishing(0.8 * part),
            )
            self.progress.finishing(0.85)
            verify(temporary, spec.output_format, spec.fps, plan[-1].stop, codec)
            self.progress.finishing(0.95)
        except (JoinError, VerificationError) as error:
            # Whatever is wrong with the parts, the next attempt must not find them again.
            temporary.unlink(missing_ok=True)
            self._remove_segments()
            if isinstance(error, VerificationError):
                raise
            raise RenderError(f"The parts of the video do not fit together: {error}.") from error
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _segment_folder(self, mark: str) -> Path:
        """The folder of this very video; those of other settings are removed."""
        root = self.work_dir / _SEGMENTS
        _remove_others(root, mark)
        folder = root / mark
        with writing(self.work_dir):
            private_folder(folder)
        return folder

    def _shared_folder(self, mark: str, plan: list[Segment], setup: EncoderSetup) -> Path | None:
        """Where the segments lie when several workers render the video, None when this one does it alone.

        It does with a graphics card's encoder, two of which make packets that do not fit together, and with one that
        only this worker was told to use.
        """
        if self.sharing is None:
            return None
        root, over = self.sharing.folder, self.sharing.over
        if over is not None:
            is_large = self.spec.output_format.pixels > LARGE_PICTURE
            if not setup.is_common or not (is_large or plan[-1].stop / self.spec.fps > over):
                return None
        note_shared_folder(self.work_dir, root)
        _remove_others(root, mark)
        with writing(self.output_dir):
            (root / mark).mkdir(parents=True, exist_ok=True)
        return root / mark

    def _split_up(self, mark: str, plan: list[Segment], store: SegmentStore) -> None:
        """Leave the parts to others, unless they have been there or only one is missing."""
        if self.sharing is None or self.sharing.over is None:
            return
        missing = [segment for segment in plan if not store.is_finished(segment)]
        parts = plan_parts(missing, self.spec.output_format.pixels)
        if len(parts) > 1:
            raise SplitUp(Split(mark, plan[-1].stop, parts))

    def _remove_segments(self) -> None:
        shutil.rmtree(self.work_dir / _SEGMENTS, ignore_errors=True)
        if self.sharing:
            shutil.rmtree(self.sharing.folder, ignore_errors=True)


def _remove_others(root: Path, mark: str) -> None:
    for other in root.iterdir() if root.is_dir() else ():
        if other.name != mark:
            shutil.rmtree(other, ignore_errors=True)
