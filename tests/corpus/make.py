"""The corpus: bad and odd inputs, made anew each time, always the same bytes."""

from pathlib import Path

from tests.corpus import disguises, places, sounds
from tests.corpus.specimen import Specimen


def make_corpus(root: Path) -> list[Specimen]:
    """All of them in folders below ``root``, which has to be empty."""
    return [*sounds.make(root), *disguises.make(root), *places.make(root)]
