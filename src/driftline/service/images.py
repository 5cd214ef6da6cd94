"""What the operator lets stand for container images: ``images.toml`` in the data folder."""

from __future__ import annotations

import tomllib

import msgspec

from driftline.core.errors import InputError
from driftline.sagemaker.images import FILE, Images
from driftline.storage.layout import Layout


def read_images(layout: Layout) -> Images:
    """The rules of a data folder, none when it has no such file; :class:`InputError` for one that is wrong."""
    try:
        return msgspec.convert(tomllib.loads((layout.data / FILE).read_text(encoding="utf-8")), Images)
    except FileNotFoundError:
        return Images()
    except InputError as error:
        raise _wrong(str(error)) from None
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _wrong(f"{type(error).__name__}: {error}") from None


def _wrong(seen: str) -> InputError:
    hint = "docs/batch_jobs.md shows how it is written"
    return InputError(f"{FILE} cannot be used", evidence=seen[:400], hint=hint)
