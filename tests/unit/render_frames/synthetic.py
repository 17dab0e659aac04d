"""Features of a made-up song: 120 beats a minute, a quiet part, a drop; no audio needed."""

import dataclasses

import numpy as np

from ethereal_gui.render.audio.features import BAND_COUNT, AudioFeatures


def make_features(duration: float = 24.0, fps: int = 30, level: float = 1.0) -> AudioFeatures:
    """A plausible song at ``level`` (0: silence)."""
    frames = int(np.ceil(duration * fps))
    t = np.arange(frames) / fps
    part = t / duration
    energy = np.interp(part, [0, 0.15, 0.4, 0.45, 0.55, 0.6, 0.95, 1], [0.3, 0.6, 0.75, 0.2, 0.35, 1, 1, 0.5])
    phase = (t * 2.0) % 1.0
    beat = np.exp(-phase / 0.25) * np.where((part > 0.45) & (part < 0.58), 0.15, 1.0)
    bass = np.clip(0.25 + 0.75 * np.exp(-phase / 0.35), 0, 1) * energy
    hat = np.exp(-((t * 4.0 + 0.5) % 1.0) / 0.2)
    mid = energy * (0.5 + 0.4 * np.sin(2 * np.pi * t / 4.0))
    low_mid = energy * (0.5 + 0.3 * np.sin(2 * np.pi * t / 2.7 + 1))
    treble = energy * (0.15 + 0.65 * hat)
    onset = np.maximum(np.exp(-phase / 0.08) * 0.9, 0.45 * np.exp(-((t * 4 + 0.5) % 1.0) / 0.1)) * energy
    place = np.linspace(0, 1, BAND_COUNT)
    bands = np.zeros((frames, BAND_COUNT))
    for centre, curve in ((0.08, bass), (0.3, low_mid), (0.55, mid), (0.85, treble)):
        bands += curve[:, None] * np.exp(-(((place - centre) / 0.14) ** 2))
    wobble = 0.75 + 0.25 * np.sin(2 * np.pi * (t[:, None] * (0.7 + 2 * place) + 7 * place))
    centroid = 0.35 + 0.3 * energy

    def array(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.clip(values * level, 0, 1), dtype=np.float32)

    return AudioFeatures(
        fps=fps,
        duration=duration,
        frames=frames,
        loudness=array(0.85 * energy * (0.8 + 0.2 * beat)),
        bass=array(bass),
        low_mid=array(low_mid),
        mid=array(mid),
        treble=array(treble),
        bands=array(bands * wobble),
        onset=array(onset),
        beat_phase=array(phase),
        beat=array(beat * energy),
        centroid=array(centroid),
    )


def without(features: AudioFeatures, *names: str) -> AudioFeatures:
    """The same song with some features silenced."""
    return dataclasses.replace(features, **{name: np.zeros_like(getattr(features, name)) for name in names})
