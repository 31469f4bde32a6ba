"""Pictures named on the command line, read and checked before anything is asked."""

from __future__ import annotations

from pathlib import Path

from optimizer.errors import InputError
from optimizer.images import LARGEST_BYTES, MOST_IMAGES, Image, NotAnImage, read


def pictures(paths: tuple[str, ...]) -> tuple[Image, ...]:
    """The pictures in these files, in order; raises InputError for too many, and for one that cannot be sent."""
    if len(paths) > MOST_IMAGES:
        raise InputError(f"{len(paths)} images are more than one request takes", f"send at most {MOST_IMAGES}")
    return tuple(_image(Path(path)) for path in paths)


def _image(path: Path) -> Image:
    if not path.exists():
        raise InputError(f"there is no file {str(path)!r}", "check the path after --image")
    if not path.is_file():
        raise InputError(f"{str(path)!r} is no file", "name a png, jpeg, gif or webp after --image")
    with path.open("rb") as file:
        data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        most = f"{LARGEST_BYTES / 1e6:.0f} MB"
        raise InputError(f"{str(path)!r} is larger than {most}", "send a smaller picture, or the part that matters")
    try:
        return read(data, path.name)
    except NotAnImage as error:
        raise InputError(f"{str(path)!r} cannot be sent as an image: {error}", "save it as png and try again") from None
