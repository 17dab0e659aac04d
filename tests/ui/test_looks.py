"""Colours that can be read, icons that exist, fonts that are there."""

import pytest
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QKeySequence
from PySide6.QtWidgets import QApplication

from ethereal_gui.domain.paths import resource_path
from ethereal_gui.ui import icons, theme
from ethereal_gui.ui.actions import ActionSpec, menu_table
from ethereal_gui.ui.states import LOOKS
from ethereal_gui.ui.theme import DARK, LIGHT, Colours, contrast

BACKGROUNDS = ("window", "surface", "raised", "hover", "selection")
THEMES = pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])


@THEMES
@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("tone", ["text", "muted", "accent", "good", "bad", "warn", "calm"])
def test_text_has_a_contrast_of_four_and_a_half(colours: Colours, tone: str, background: str) -> None:
    assert contrast(getattr(colours, tone), getattr(colours, background)) >= 4.5


@THEMES
def test_filled_buttons_are_readable(colours: Colours) -> None:
    assert contrast(colours.on_accent, colours.accent_fill) >= 4.5
    assert contrast(colours.on_accent, colours.accent_hover) >= 4.5


@THEMES
def test_borders_of_check_boxes_are_visible(colours: Colours) -> None:
    assert contrast(colours.line_strong, colours.surface) >= 3.0
    assert contrast(colours.accent, colours.surface) >= 3.0


def test_contrast_is_computed_as_defined() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@THEMES
def test_style_sheet_is_filled_in(colours: Colours) -> None:
    sheet = theme.style_sheet(colours)
    assert "@" not in sheet
    for path in [part.split('")')[0] for part in sheet.split('url("')[1:]]:
        assert resource_path("icons", path.rpartition("/")[2]).is_file()


def test_every_icon_that_is_used_exists(qapp: QApplication) -> None:
    used = {look.icon for look in LOOKS.values()}
    used |= {spec.icon for _, entries in menu_table() for spec in entries if isinstance(spec, ActionSpec) and spec.icon}
    for name in used:
        assert not icons.pixmap(name, "#ffffff", 16, 2.0).isNull()


def test_states_differ_by_icon_not_only_by_colour() -> None:
    assert len({look.icon for look in LOOKS.values()}) == len(LOOKS)


def test_shortcuts_are_unique() -> None:
    keys = [
        QKeySequence(spec.shortcut).toString()
        for _, entries in menu_table()
        for spec in entries
        if isinstance(spec, ActionSpec) and spec.shortcut
    ]
    assert len(keys) == len(set(keys))
    assert all(keys)


def test_every_action_says_what_it_does() -> None:
    specs = [spec for _, entries in menu_table() for spec in entries if isinstance(spec, ActionSpec)]
    assert all(spec.words and spec.tip for spec in specs)
    assert len({spec.id for spec in specs}) == len(specs)


def test_bundled_font_has_three_weights(qapp: QApplication) -> None:
    theme.install_fonts()
    assert {"Regular", "Medium", "Semi Bold"} <= set(QFontDatabase.styles(theme.FONT_FAMILY))
    weights = (QFont.Weight.Normal, QFont.Weight.Medium, QFont.Weight.DemiBold)
    assert [QFontInfo(theme.ui_font(13, weight)).weight() for weight in weights] == [400, 500, 600]
    assert resource_path("fonts", "Inter-LICENSE.txt").is_file()
