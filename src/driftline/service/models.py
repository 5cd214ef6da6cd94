"""Model files: kept in the data folder under their own hash, once they have proved usable."""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path

import msgspec

from driftline.core.errors import InputError
from driftline.resources.endpoints import ModelDescription
from driftline.serving.inspect import inspect_model
from driftline.storage.files import write_atomic
from driftline.storage.layout import Layout


def keep_model(layout: Layout, name: str, filename: str, artifact: bytes) -> tuple[Path, ModelDescription]:
    """Keep a model file of an endpoint: where it lies now, and what it was found to be.

    It is loaded in a process of its own first; one that cannot be used raises :class:`ModelError` and leaves nothing.
    ``filename`` is how messages call the file, and where its suffix comes from.
    """
    digest = hashlib.sha256(artifact).hexdigest()[:16]
    suffix = re.sub(r"[^A-Za-z0-9.]", "", "".join(Path(filename).suffixes[-2:]))[:20]
    path = layout.model(name) / digest / f"model{suffix}"
    trial = path.with_name(f".{uuid.uuid4().hex}{suffix}")
    try:
        write_atomic(trial, artifact)
        described = msgspec.convert(inspect_model(trial), ModelDescription)
        trial.replace(path)
    except InputError as error:
        error.what = error.what.replace(str(trial), filename)
        raise
    finally:
        trial.unlink(missing_ok=True)
    return path, described
