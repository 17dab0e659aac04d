"""A picture of few colours: what makes the README's screenshots a quarter of the size, with no difference to see."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

_COLOURS = 256


def save_small(picture: QImage, path: Path) -> None:
    """Write a PNG with the 256 colours that serve this picture best."""
    image = picture.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : image.width() * 3].reshape(-1, 3)
    table = [0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b in best_colours(pixels)]
    image.convertToFormat(QImage.Format.Format_Indexed8, table).save(str(path), quality=0)


def best_colours(pixels: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """Colours by splitting, again and again, the group that its mean serves worst (Wu's variance cut, simplified).

    Args:
        pixels: shape (n, 3).
    """
    colours, counts = np.unique(pixels >> 2 << 2, axis=0, return_counts=True)
    weights = np.sqrt(counts)

    def mean(group: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.average(colours[group], axis=0, weights=weights[group])

    def error(group: NDArray[np.int64]) -> NDArray[np.float64]:
        squares = (colours[group] - mean(group)) ** 2 * weights[group][:, None]
        return np.asarray(squares.sum(axis=0))

    groups = [np.arange(len(colours))]
    errors = [error(groups[0])]
    while len(groups) < min(_COLOURS, len(colours)):
        worst = max(range(len(groups)), key=lambda place: float(errors[place].sum()))
        group, channel = groups.pop(worst), int(np.argmax(errors.pop(worst)))
        low = colours[group][:, channel] <= mean(group)[channel]
        for part in (group[low], group[~low]):
            groups.append(part)
            errors.append(error(part))
    return [np.average(colours[group], axis=0, weights=counts[group]).round().astype(np.int64) for group in groups]
