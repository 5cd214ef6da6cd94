"""``python -m driftline.web``: one web process, started by ``driftline serve``."""

from __future__ import annotations

import sys

from driftline.web.worker import main

if __name__ == "__main__":
    sys.exit(main())
