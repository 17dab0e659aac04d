"""From what a batch asks for to the card of one song."""

from pathlib import Path

from ethereal_gui.domain.job import Caption
from ethereal_gui.render.caption.card import Card
from ethereal_gui.render.video.tags import Tags


def choose_card(caption: Caption, tags: Tags, audio_path: Path, picture_path: Path | None) -> Card | None:
    """The card that a video gets, None without a caption.

    A song without a title goes by its file's name. A song's cover that cannot be shown is left out; a picture that a
    person chose is not.

    Raises:
        FileUnreadableError: the chosen picture cannot be used.
    """
    if caption is Caption.NONE:
        return None
    title = tags.title or " ".join(audio_path.stem.replace("_", " ").split())
    if caption is Caption.TEXT:
        return Card(title, tags.artist)
    if picture_path is None:
        return Card(title, tags.artist, tags.cover)
    # Loaded only here: most videos need no picture, and every child pays for what it imports.
    from ethereal_gui.render.caption.picture import read_picture

    return Card(title, tags.artist, read_picture(picture_path))


def left_out(card: Card | None) -> tuple[str, ...]:
    """Sentences on what of a card cannot be shown."""
    if card is None:
        return ()
    from ethereal_gui.render.caption.letters import settable
    from ethereal_gui.render.caption.picture import decode_picture

    notes = [
        f"The caption leaves out “{line}”: the bundled font has no letters for it."
        for line in (card.title, card.artist)
        if line and settable(line) is None
    ]
    if card.picture and decode_picture(card.picture) is None:
        notes.append("The caption leaves out the song's cover: it cannot be read.")
    return tuple(notes)
