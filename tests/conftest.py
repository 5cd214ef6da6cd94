"""What tests of several floors share: the published data that stands beside the project."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def published() -> Path:
    """The folder of published inputs and outputs; a test that asks for it is skipped where there is none."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the published data is not beside the project")
    return folder
