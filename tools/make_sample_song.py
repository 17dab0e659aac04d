"""Compose the sample song, note by note, with NumPy alone: ``python tools/make_sample_song.py``.

"First Light" by Ethereal: twelve bars at 112 beats a minute in A minor. A quiet beginning (pad and bells), a groove
(kick, bass, hats), a breath without drums, and a drop with everything. It belongs to this project, like its code.
"""

import argparse
import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen.id3
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Signal = NDArray[np.float64]

RATE = 44_100
BPM = 112.0
BEAT = 60.0 / BPM
BAR = 4 * BEAT
BARS = 12
SECONDS = BARS * BAR + 1.6
FADE_SECONDS = 3.6

A_MINOR, F_MAJOR, C_MAJOR, G_MAJOR = (57, 60, 64, 71), (53, 60, 64, 69), (55, 60, 64, 67), (55, 59, 62, 69)
CHORDS = (A_MINOR, F_MAJOR, C_MAJOR, G_MAJOR)
ROOTS = (33, 29, 36, 31)
QUIET, GROOVE, BREATH, DROP = range(4)
PARTS = (QUIET, QUIET, GROOVE, GROOVE, GROOVE, GROOVE, BREATH, BREATH, DROP, DROP, DROP, DROP)

# (beat inside two bars, length in beats, MIDI note)
MOTIF = (
    (0.0, 1.0, 76), (1.0, 0.5, 74), (1.5, 1.0, 72), (2.5, 0.5, 74), (3.0, 1.0, 76),
    (4.0, 1.5, 81), (5.5, 0.5, 79), (6.0, 1.0, 76), (7.0, 0.5, 74), (7.5, 0.5, 72),
)  # fmt: skip
ANSWER = (
    (0.0, 1.0, 79), (1.0, 0.5, 76), (1.5, 1.0, 74), (2.5, 0.5, 76), (3.0, 1.0, 72),
    (4.0, 1.5, 74), (5.5, 0.5, 76), (6.0, 0.5, 79), (6.5, 0.5, 83), (7.0, 1.0, 81),
)  # fmt: skip


def main() -> None:
    """Write the song where the program looks for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parents[1] / "resources" / "audio" / "first-light.mp3"
    parser.add_argument("path", nargs="?", type=Path, default=default)
    path = parser.parse_args().path
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, compose())
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB, {SECONDS:.1f} s")


def compose() -> Signal:
    """The whole song, (2, n) at 44.1 kHz, peaks at -1 dBFS."""
    random = np.random.default_rng(2_112)
    drums, kicks = drum_track(random)
    duck = ducking(kicks)
    pads, bass, bells, lead = pad_track(), bass_track(), bell_track(), lead_track()
    air = riser_track(random)
    room = impulse_response(random, 2.6)
    wet = reverb(0.5 * pads + 0.8 * echo(bells) + 0.55 * echo(lead) + 0.12 * drums + 0.5 * air, room)
    ducked = duck * (0.62 * pads + 0.85 * bass + 0.32 * wet)
    free = 0.75 * echo(bells) + duck**0.4 * 0.6 * echo(lead) + 0.4 * air
    return master(ducked + free + drums)


def pad_track() -> Signal:
    """Slow chords of detuned saws; brighter in the drop."""
    out = empty()
    for bar, part in enumerate(PARTS):
        cutoff = {QUIET: 900.0, GROOVE: 1_500.0, BREATH: 1_100.0, DROP: 3_200.0}[part]
        level = {QUIET: 0.07, GROOVE: 0.07, BREATH: 0.085, DROP: 0.125}[part]
        for voice, note in enumerate(CHORDS[bar % 4]):
            for detune, pan in ((-7.0, 0.15), (0.0, 0.5), (6.0, 0.85)):
                tone = saw(note + detune / 100, BAR + 0.35, cutoff, phase=0.37 * voice + detune)
                tone *= envelope(len(tone), 0.22 if part != DROP else 0.03, 0.35)
                place(out, bar * BAR, level * tone, pan if voice % 2 else 1 - pan)
    return out


def bass_track() -> Signal:
    """Eighths on the root, an octave up on the last of a bar; held notes in the breath."""
    out = empty()
    for bar, part in enumerate(PARTS):
        root = ROOTS[bar % 4]
        if part == QUIET:
            continue
        if part == BREATH:
            if bar == PARTS.index(BREATH):
                swell = np.linspace(1.0, 0.3, round(BAR * 0.95 * RATE)) ** 2
                tone = bass_note(root, BAR * 0.95, 180.0) * 0.14 * swell
                place(out, bar * BAR, tone, 0.5)
            continue
        for eighth in range(8):
            if eighth % 2 == 0 and part == GROOVE and eighth in (0, 4):
                continue  # room for the kick
            note = root + (12 if eighth in (3, 7) else 0)
            tone = bass_note(note, 0.46 * BEAT, 420.0 if part == GROOVE else 900.0)
            place(out, bar * BAR + eighth * BEAT / 2, (0.2 if part == GROOVE else 0.27) * tone, 0.5)
    return out


def bass_note(note: float, seconds: float, cutoff: float) -> Signal:
    """A saw under a low-pass, on a sine one octave lower in strength but not in pitch."""
    tone = 0.8 * saw(note, seconds, cutoff) + 0.45 * sine(note, seconds)
    return tone * envelope(len(tone), 0.006, 0.05)


def bell_track() -> Signal:
    """The melody of the quiet parts: two operators of FM, struck softly."""
    out = empty()
    for bar in (0, 6):
        for beat, _, note in MOTIF if bar == 0 else ANSWER:
            place(out, bar * BAR + beat * BEAT, 0.15 * bell(note, 2.4), 0.35 + 0.3 * ((note % 5) / 4))
    for bar in (2, 4):
        for beat, _, note in MOTIF if bar == 2 else ANSWER:
            place(out, bar * BAR + beat * BEAT, 0.14 * bell(note, 1.6), 0.35 + 0.3 * ((note % 5) / 4))
    # Sixteenths of chord notes over the drop.
    for bar, part in enumerate(PARTS):
        if part != DROP:
            continue
        chord = CHORDS[bar % 4]
        for step in range(16):
            note = chord[(step * 3) % 4] + 24 - (12 if step % 4 == 3 else 0)
            place(out, bar * BAR + step * BEAT / 4, 0.07 * bell(note, 0.5), 0.2 + 0.6 * (step % 2))
    return out


def lead_track() -> Signal:
    """The melody of the drop: three saws with a gliding attack."""
    out = empty()
    for bar in (8, 10):
        for beat, length, note in MOTIF if bar == 8 else ANSWER:
            seconds = length * BEAT + 0.12
            for detune, pan in ((-9.0, 0.3), (0.0, 0.5), (9.0, 0.7)):
                tone = saw(note + detune / 100, seconds, 5_200.0, phase=detune) + 0.5 * saw(
                    note - 12 + detune / 100, seconds, 2_600.0
                )
                tone *= envelope(len(tone), 0.012, 0.14)
                place(out, bar * BAR + beat * BEAT, 0.105 * tone, pan)
    return out


def drum_track(random: np.random.Generator) -> tuple[Signal, list[float]]:
    """Kick, clap and hats, and when the kicks are."""
    out, kicks = empty(), []
    hat, open_hat, clap_sound = hat_sound(random, 0.035), hat_sound(random, 0.16), clap(random)
    for bar, part in enumerate(PARTS):
        start = bar * BAR
        if part in (GROOVE, DROP):
            for beat in range(4):
                kicks.append(start + beat * BEAT)
                place(out, kicks[-1], (0.62 if part == GROOVE else 0.8) * kick(), 0.5)
                place(out, start + (beat + 0.5) * BEAT, (0.12 if part == GROOVE else 0.17) * open_hat, 0.56)
            for beat in (1, 3):
                place(out, start + beat * BEAT, (0.16 if part == GROOVE else 0.3) * clap_sound, 0.48)
            for step in range(16):
                accent = 0.075 if step % 4 else 0.045
                place(out, start + step * BEAT / 4, accent * hat, 0.42 if step % 2 else 0.62)
        if bar == 1:
            for step in range(8, 16):
                place(out, start + step * BEAT / 4, 0.008 * (step - 6) * hat, 0.6)
        if bar == 7:
            for step in range(16):
                place(out, start + step * BEAT / 4, 0.012 * (step + 2) * clap_sound, 0.5)
    place(out, 2 * BAR, 0.14 * crash(random), 0.5)
    place(out, 8 * BAR, 0.26 * crash(random), 0.5)
    return out, kicks


def kick() -> Signal:
    """A sine that falls from 160 to 47 Hz, with a click."""
    t = times(0.42)
    pitch = 47.0 + 113.0 * np.exp(-t / 0.028)
    body = np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.exp(-t / 0.16)
    click = np.exp(-t / 0.0016) * np.sin(2 * np.pi * 2_300.0 * t)
    return np.asarray((body + 0.22 * click) * envelope(len(t), 0.0008, 0.08))


def clap(random: np.random.Generator) -> Signal:
    """Four bursts of noise between 900 and 6,000 Hz."""
    t = times(0.3)
    shape = 0.9 * np.exp(-np.maximum(t - 0.032, 0) / 0.07) * (t >= 0.032)
    for burst in (0.0, 0.011, 0.021):
        shape += 0.8 * np.exp(-np.maximum(t - burst, 0) / 0.004) * (t >= burst) * (t < burst + 0.011)
    return band(random.standard_normal(len(t)), 900.0, 6_000.0) * shape


def hat_sound(random: np.random.Generator, decay: float) -> Signal:
    """Noise above 7 kHz."""
    t = times(6 * decay)
    return band(random.standard_normal(len(t)), 7_000.0, 15_000.0) * np.exp(-t / decay)


def crash(random: np.random.Generator) -> Signal:
    """A long splash."""
    t = times(2.2)
    return band(random.standard_normal(len(t)), 2_500.0, 14_000.0) * np.exp(-t / 0.55)


def riser_track(random: np.random.Generator) -> Signal:
    """Noise that opens up over the two bars before the drop."""
    out = empty()
    t = times(2 * BAR)
    noise = random.standard_normal(len(t))
    part = t / t[-1]
    rising = (1 - part) * band(noise, 300.0, 1_500.0) + part * band(noise, 1_500.0, 9_000.0)
    place(out, 6 * BAR, 0.16 * rising * part**2.2 * envelope(len(t), 0.1, 0.02), 0.5)
    return out


def saw(note: float, seconds: float, cutoff: float, phase: float = 0.0) -> Signal:
    """A saw as a sum of its harmonics under a gentle low-pass; nothing above 16 kHz, so nothing aliases."""
    t, f = times(seconds), hertz(note)
    out = np.zeros(len(t))
    for k in range(1, int(min(16_000.0, 6 * cutoff) / f) + 1):
        gain = 1.0 / (k * (1.0 + (k * f / cutoff) ** 2))
        out += gain * np.sin(2 * np.pi * k * (f * t + phase))
    return out


def sine(note: float, seconds: float) -> Signal:
    """A sine."""
    return np.asarray(np.sin(2 * np.pi * hertz(note) * times(seconds)))


def bell(note: float, seconds: float) -> Signal:
    """FM with a ratio of 3.5 that calms down."""
    t, f = times(seconds), hertz(note)
    index = 1.7 * np.exp(-t / 0.18)
    tone = np.sin(2 * np.pi * f * t + index * np.sin(2 * np.pi * 3.5 * f * t))
    return np.asarray(tone * np.exp(-t / (0.28 * seconds)) * envelope(len(t), 0.002, 0.1))


def hertz(note: float) -> float:
    """The frequency of a MIDI note."""
    return float(440.0 * 2 ** ((note - 69) / 12))


def times(seconds: float) -> Signal:
    """(n,) seconds."""
    return np.arange(round(seconds * RATE)) / RATE


def envelope(length: int, attack: float, release: float) -> Signal:
    """1 with rounded ends."""
    out = np.ones(length)
    rise, fall = min(length // 2, round(attack * RATE)), min(length // 2, round(release * RATE))
    out[:rise] = 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / max(rise, 1))
    out[length - fall :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(fall) / max(fall, 1))
    return out


def band(signal: Signal, low: float, high: float) -> Signal:
    """Only what lies between two frequencies, with soft edges; the level stays."""
    spectrum = np.fft.rfft(signal)
    f = np.maximum(np.fft.rfftfreq(len(signal), 1 / RATE), 1.0)
    spectrum *= 1 / np.sqrt(1 + (low / f) ** 8) / np.sqrt(1 + (f / high) ** 8)
    out = np.fft.irfft(spectrum, len(signal))
    return np.asarray(out / np.sqrt(np.mean(out**2)))


def empty() -> Signal:
    """The song's length of silence, (2, n)."""
    return np.zeros((2, round(SECONDS * RATE)))


def place(out: Signal, seconds: float, sound: Signal, pan: float) -> None:
    """Add a mono sound; ``pan`` 0 is left, 1 is right, with constant power."""
    start = round(seconds * RATE)
    length = min(len(sound), out.shape[1] - start)
    out[0, start : start + length] += np.cos(pan * np.pi / 2) * np.sqrt(2) * sound[:length]
    out[1, start : start + length] += np.sin(pan * np.pi / 2) * np.sqrt(2) * sound[:length]


def ducking(kicks: list[float]) -> Signal:
    """(n,) what the kick takes away from the music, so that both are heard."""
    gain = np.ones(round(SECONDS * RATE))
    t = times(0.34)
    shape = 1 - 0.72 * np.exp(-t / 0.085) * np.minimum(1.0, t / 0.004)
    for kick_time in kicks:
        start = round(kick_time * RATE)
        length = min(len(shape), len(gain) - start)
        gain[start : start + length] = np.minimum(gain[start : start + length], shape[:length])
    return gain


def echo(signal: Signal) -> Signal:
    """Dotted eighths that wander from side to side."""
    out = signal.copy()
    step = round(0.75 * BEAT * RATE)
    for n, gain in ((1, 0.34), (2, 0.2), (3, 0.11), (4, 0.06)):
        source = signal[::-1] if n % 2 else signal
        out[:, n * step :] += gain * source[:, : -n * step]
    return out


def impulse_response(random: np.random.Generator, seconds: float) -> Signal:
    """A room: noise that dies away, faster in the treble, (2, n)."""
    t = times(seconds)
    sides = []
    for _ in range(2):
        noise = random.standard_normal(len(t))
        low = band(noise, 150.0, 2_500.0) * np.exp(-t / (seconds / 5.5))
        high = band(noise, 2_500.0, 9_000.0) * np.exp(-t / (seconds / 11))
        sides.append((low + 0.5 * high) * np.minimum(1.0, t / 0.02))
    room = np.stack(sides)
    return np.asarray(room / np.sqrt(np.sum(room**2, axis=1, keepdims=True)))


def reverb(signal: Signal, room: Signal) -> Signal:
    """The signal in that room."""
    size = 1 << int(np.ceil(np.log2(signal.shape[1] + room.shape[1])))
    wet = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(room, size), size)
    return np.asarray(wet[:, : signal.shape[1]])


def master(mix: Signal) -> Signal:
    """Glue, loudness and the fade."""
    mix = np.stack([high_pass(side) for side in mix])
    mix *= 0.25 / np.sqrt(np.mean(mix[:, round(8 * BAR * RATE) : round(12 * BAR * RATE)] ** 2))
    mix = np.tanh(1.15 * mix) / np.tanh(1.15)
    fade = round(FADE_SECONDS * RATE)
    mix[:, -fade:] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 1.5
    return np.asarray(mix * (10 ** (-1 / 20) / np.max(np.abs(mix))))


def high_pass(side: Signal) -> Signal:
    """Without what is below hearing."""
    spectrum = np.fft.rfft(side)
    f = np.maximum(np.fft.rfftfreq(len(side), 1 / RATE), 0.1)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(1 + (28.0 / f) ** 4), len(side)))


def cover(size: int = 600) -> bytes:
    """A rising light as a JPEG."""
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    glow = np.exp(-(x**2 + (y - 0.18) ** 2 * 2.2) / 0.035)
    halo = np.exp(-np.hypot(x, (y - 0.18) * 1.4) / 0.22)
    haze = np.clip(0.5 + y, 0, 1) ** 2
    rings = 0.5 + 0.5 * np.cos(52 * np.hypot(x, (y - 0.18) * 1.15))
    light = np.stack(
        [
            0.04 + 0.95 * glow + 0.55 * halo + 0.16 * haze + 0.05 * rings * halo,
            0.04 + 0.62 * glow + 0.28 * halo + 0.07 * haze + 0.04 * rings * halo,
            0.10 + 0.34 * glow + 0.24 * halo + 0.22 * haze + 0.07 * rings * halo,
        ],
        axis=2,
    )
    pixels = np.clip(255 * (1 - np.exp(-1.6 * light)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width = stream.height = size
        stream.pix_fmt = "yuvj420p"
        stream.codec_context.options = {"q": "3"}
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuvj420p")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def write(path: Path, song: Signal) -> None:
    """The song as an mp3 of 192 kb/s, with tags and cover."""
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="stereo")
        assert isinstance(stream, AudioStream)
        stream.bit_rate = 192_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(song, np.float32), "fltp", "stereo")
        frame.sample_rate = RATE
        frame.time_base = Fraction(1, RATE)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    id3: Any = mutagen.id3  # it has no types
    tags = id3.ID3()
    tags.add(id3.TIT2(encoding=3, text="First Light"))
    tags.add(id3.TPE1(encoding=3, text="Ethereal"))
    tags.add(id3.TALB(encoding=3, text="Ethereal"))
    tags.add(id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="Cover", data=cover()))
    tags.save(path)


if __name__ == "__main__":
    main()
