"""The caption: there for some seconds, where it belongs, and nothing of the picture elsewhere is touched."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ethereal_gui.domain.errors import FileUnreadableError
from ethereal_gui.domain.formats import Quality, get_format
from ethereal_gui.domain.job import Caption
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.caption.card import Card, strength
from ethereal_gui.render.caption.choose import choose_card, left_out
from ethereal_gui.render.frames.renderer import FrameRenderer
from ethereal_gui.render.video.tags import Tags
from tests.unit.render_frames.conftest import bundled

CARD = Card("First Light", "Ethereal")
SIZES = {"1080p": (320, 180), "1080p_vertical": (180, 320), "360mono": (512, 256), "360stereo": (512, 512)}


def luma(song: AudioFeatures, format_id: str, n: int, card: Card | None, threads: int = 1) -> NDArray[np.int16]:
    """The luma of frame ``n``."""
    renderer = FrameRenderer(
        bundled("flame"),
        get_format(format_id),
        30,
        song,
        quality=Quality.DRAFT,
        threads=threads,
        size=SIZES[format_id],
        caption=card,
    )
    out = np.empty((renderer.height * 3 // 2, renderer.width), np.uint8)
    renderer.draw_yuv(n, out)
    renderer.close()
    return out[: renderer.height].astype(np.int16)


@pytest.mark.parametrize("format_id", SIZES)
def test_it_is_bright_and_stays_in_its_place(song: AudioFeatures, format_id: str) -> None:
    n = round(0.12 * song.duration * 30)
    assert strength(n / 30, song.duration) > 0.5
    plain, captioned = luma(song, format_id, n, None), luma(song, format_id, n, CARD)
    changed = captioned != plain
    assert 0.001 < changed.mean() < 0.2
    assert (captioned - plain).max() > 60
    rows, columns = np.nonzero(changed)
    height, width = plain.shape
    if format_id == "1080p":  # lower left
        assert rows.min() > height / 2
        assert columns.max() < width * 0.7
    if format_id == "1080p_vertical":  # in the middle, clear of the platforms' own controls
        assert height * 0.05 < rows.min()
        assert rows.max() < height / 2
        assert abs((columns.min() + columns.max()) / 2 - width / 2) < width * 0.05
    if format_id == "360stereo":
        # Both eyes see it, nearer things more to the right for the left eye (the upper half).
        eyes = [
            np.nonzero((captioned - plain)[half] > 60)[1] for half in (slice(0, height // 2), slice(height // 2, None))
        ]
        assert 0.5 < eyes[0].mean() - eyes[1].mean() < 0.02 * width


def test_it_comes_and_goes_once(song: AudioFeatures) -> None:
    times = np.linspace(0, song.duration, 400)
    seen = [strength(t, song.duration) for t in times]
    assert seen[0] == seen[-1] == 0.0
    assert max(seen) == 1.0
    assert np.abs(np.diff(seen)).max() < 0.15
    assert np.count_nonzero(np.diff(np.array(seen) > 0)) == 2
    for n in (0, song.frames - 2):
        assert np.array_equal(luma(song, "1080p", n, None), luma(song, "1080p", n, CARD))


def test_the_number_of_threads_does_not_show(song: AudioFeatures) -> None:
    n = round(0.12 * song.duration * 30)
    assert np.array_equal(luma(song, "360stereo", n, CARD), luma(song, "360stereo", n, CARD, threads=3))


def test_a_picture_is_shown_in_its_colours(song: AudioFeatures, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("logo") / "logo.png"
    Image.new("RGB", (64, 64), (255, 255, 255)).save(path)
    card = choose_card(Caption.PICTURE, Tags("First Light", "Ethereal"), path, path)
    n = round(0.12 * song.duration * 30)
    with_picture, without = luma(song, "1080p", n, card), luma(song, "1080p", n, CARD)
    assert np.count_nonzero(with_picture > 200) > np.count_nonzero(without > 200) + 100


def test_what_cannot_be_shown_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "logo.png").write_bytes(b"no picture")
    with pytest.raises(FileUnreadableError, match=r"logo\.png"):
        choose_card(Caption.PICTURE, Tags("a"), folder / "song.wav", folder / "logo.png")
    assert "no letters" in " ".join(left_out(Card("夜の歌", None)))
    assert left_out(CARD) == ()
    assert choose_card(Caption.NONE, Tags("a", "b"), folder / "song.wav", None) is None
    named = choose_card(Caption.TEXT, Tags(), folder / "my_song.wav", None)
    assert named is not None
    assert named.title == "my song"
