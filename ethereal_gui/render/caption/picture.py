"""Covers and logos: PNG and JPEG as they come, made small and safe."""

import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

from ethereal_gui.domain.errors import FileUnreadableError

MAX_PICTURE_BYTES: Final = 20_000_000
_MAX_PIXELS: Final = 64_000_000
_KEPT_SIDE: Final = 1024
_KINDS: Final = ("PNG", "JPEG")


def read_picture(path: Path) -> bytes:
    """The bytes of a chosen PNG or JPEG, checked.

    Raises:
        FileUnreadableError: it cannot be read, is too large, or is no such picture.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PICTURE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise FileUnreadableError(f"The picture “{path.name}” cannot be read: {reason}.") from error
    if len(data) > MAX_PICTURE_BYTES or decode_picture(data) is None:
        raise FileUnreadableError(
            f"“{path.name}” is not a picture that a caption can show.",
            hint=f"Choose a PNG or JPEG of at most {MAX_PICTURE_BYTES // 1_000_000} MB.",
        )
    return data


def decode_picture(data: bytes) -> Image.Image | None:
    """The picture as RGBA, upright and at most 1024 pixels a side; None when it is damaged, too large or neither PNG
    nor JPEG."""
    try:
        with Image.open(io.BytesIO(data), formats=_KINDS) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                return None
            picture.draft("RGB", (_KEPT_SIDE, _KEPT_SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    upright.thumbnail((_KEPT_SIDE, _KEPT_SIDE), Image.Resampling.LANCZOS)
    return upright
