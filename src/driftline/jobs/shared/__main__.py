"""``python -m driftline.jobs.shared --data DIR``: the shipper as a process."""

import sys

from driftline.jobs.shared.process import main

if __name__ == "__main__":
    sys.exit(main())
