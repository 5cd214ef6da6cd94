"""Where things are under the data folder."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from driftline.core.errors import InputError, SetupError
from driftline.core.window import partition

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def check_name(name: str, kind: str = "name") -> str:
    """A name that may become a folder: 1 to 63 letters, digits, dots, dashes and underscores, no leading dot.

    >>> check_name("churn-2", "endpoint")
    'churn-2'
    >>> check_name("../etc", "endpoint")
    Traceback (most recent call last):
    ...
    driftline.core.errors.InputError: '../etc' cannot be the name of an endpoint
      to do: use 1 to 63 letters, digits, '.', '_' and '-', with a letter or digit first and last
    """
    if _NAME.fullmatch(name) is None:
        article = "an" if kind[0] in "aeiou" else "a"
        what = (
            f"{name[:80]!r} cannot be the name of {article} {kind}" if kind != "name" else f"{name[:80]!r} is no name"
        )
        hint = "use 1 to 63 letters, digits, '.', '_' and '-', with a letter or digit first and last"
        raise InputError(what, hint=hint)
    return name


class Layout:
    """The paths of one data folder. Asking for a path creates nothing; every name in it is checked."""

    def __init__(self, data: str | Path) -> None:
        self.data = Path(data)

    def create(self) -> Layout:
        """Make the folders; raises :class:`SetupError` naming the one that cannot be made or written."""
        for folder in (self.data, *(self.data / name for name in ("models", "captures", "labels", "reports", "logs"))):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                probe = folder / ".driftline-write-test"
                probe.touch()
                probe.unlink(missing_ok=True)
            except OSError as error:
                raise SetupError(
                    f"cannot write in the data folder {folder}",
                    evidence=f"{type(error).__name__}: {error.strerror or error}",
                    hint="choose another folder with --data, or correct its permissions",
                ) from None
        return self

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data / "driftline.db"

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.data / "logs"

    @property
    def capture_key(self) -> Path:
        """The key with which sensitive values are hashed; made when first needed."""
        return self.data / "capture.key"

    @property
    def node(self) -> Path:
        """Who this data folder is among the nodes of its database; made when first needed."""
        return self.data / "node.json"

    @property
    def known(self) -> Path:
        """The endpoints as they were last seen, for a start without the database."""
        return self.data / "known.json"

    @property
    def untold(self) -> Path:
        """What processes that ended could not tell the database."""
        return self.data / "untold"

    @property
    def buckets(self) -> Path:
        """The folder whose folders are the buckets of the S3 server."""
        return self.data / "s3"

    @property
    def aws(self) -> Path:
        """The folder of what AWS clients need to reach a server of this data folder: keys, certificates, addresses."""
        return self.data / "aws"

    @property
    def access_key(self) -> Path:
        """The key from which the secrets of access keys are derived; made when first needed."""
        return self.aws / "access.key"

    @property
    def s3_key(self) -> Path:
        """The key that web processes and the S3 server have in common; made when first needed."""
        return self.aws / "s3.key"

    def model(self, name: str) -> Path:
        """The folder of a model's artifact."""
        return self.data / "models" / check_name(name, "model")

    def captures(self, endpoint: str) -> Path:
        """The folder of an endpoint's captures; under it ``VARIANT/yyyy/mm/dd/hh/``."""
        return self.data / "captures" / check_name(endpoint, "endpoint")

    def job(self, name: str) -> Path:
        """The folder of a batch job: its log, and what it works with."""
        return self.data / "jobs" / check_name(name, "batch job")

    def labels(self, endpoint: str) -> Path:
        """The folder of an endpoint's labels; under it ``yyyy/mm/dd/hh/``, the hour of collection."""
        return self.data / "labels" / check_name(endpoint, "endpoint")

    def pieces(self, endpoint: str) -> Path:
        """The folder of what was measured of an endpoint's hours; it may be deleted at any time and is made again."""
        return self.data / "pieces" / check_name(endpoint, "endpoint")

    def script(self, name: str) -> Path:
        """A script that the operator put into ``scripts/``; whoever talks to a service can only name one."""
        return self.data / "scripts" / check_name(name, "script")

    def decoded(self, endpoint: str) -> Path:
        """The folder of an endpoint's captures as typed columns; it may be deleted at any time and is made again."""
        return self.data / "decoded" / check_name(endpoint, "endpoint")

    def cached_objects(self, scheme: str, bucket: str, key: str) -> Path:
        """The folder of objects that were fetched from a bucket elsewhere; it may be deleted at any time."""
        return self.data / "cache" / scheme / bucket / key.strip("/")

    def label_hour(self, endpoint: str, moment: datetime) -> Path:
        """The folder of the labels collected in the hour of a moment."""
        return self.labels(endpoint) / partition(moment.astimezone(UTC))

    def report(self, endpoint: str, schedule: str, tick: datetime, detail: str = "") -> Path:
        """The report folder of a run: ``reports/ENDPOINT/SCHEDULE/yyyy/mm/dd/hh/``, the hour of its tick.

        ``detail`` is a folder below it, for runs that would otherwise share the hour's folder.
        """
        folder = self.data / "reports" / check_name(endpoint, "endpoint") / check_name(schedule, "schedule")
        folder /= partition(tick.astimezone(UTC))
        return folder / check_name(detail) if detail else folder

    def relative(self, path: Path) -> str:
        """A path under the data folder as it is stored: relative, so that the folder may be moved."""
        return path.relative_to(self.data).as_posix()
