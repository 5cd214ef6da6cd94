"""Objects in the buckets of clouds: S3 (Amazon's own, or any server that speaks its protocol), Google's and Azure's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from uuid import uuid4

from driftline.core.errors import DriftlineError, NotFoundError, ServiceError, SetupError, UnreachableError
from driftline.core.uris import ObjectUri
from driftline.storage.objects import Level, ObjectInfo, Stored, absent
from driftline.storage.remote.causes import CHECKSUM, NO_BUCKET, NO_OBJECT, Cause, Spoiled, cause_of, seen
from driftline.storage.remote.checksums import PART, Sums, is_sum, parts_of, plain, stored_parts
from driftline.storage.remote.clouds import Cloud, clouds
from driftline.storage.remote.trying import USUAL, Patience, Tries

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_AT_ONCE = 3
"""Parts of one upload that are under way together."""
_READING = ("read", "remove")
Found = TypeVar("Found")
Act = Callable[["ObjectStore", Tries], Found]


class RemoteObjects:
    """Buckets of three clouds, those of ``s3://`` at ``endpoint``: a URL, or ``aws``; None where these are not asked
    for. Keys are those that each cloud's usual variables and files give. May be used by several threads.

    What fails and may pass is tried again as long as ``patience`` says. Raises :class:`SetupError` where no keys are
    found, or the libraries are not installed.
    """

    def __init__(self, endpoint: str | None, patience: Patience = USUAL) -> None:
        self._patience = patience
        self._clouds = clouds(endpoint, patience)
        self._other_marks: set[tuple[str, str]] = set()

    def read(self, uri: ObjectUri) -> bytes:
        """The content of an object."""
        import obstore

        return self._done("read", uri, lambda store, _: bytes(obstore.get(store, uri.key).bytes()))

    def write(self, uri: ObjectUri, content: bytes) -> None:
        """Store an object; when it returns, all of it is stored."""
        parts = [content[start : start + PART] for start in range(0, len(content), PART)]
        self._put(uri, lambda: iter(parts), len(content))

    def listing(self, prefix: ObjectUri) -> Iterator[ObjectInfo]:
        """The objects whose key begins with that of ``prefix``, in order of their keys."""
        folder, _, start = prefix.key.rpartition("/")
        above = prefix.at(folder)
        if not start:
            yield from self._below(above)
            return
        # The library asks for whole folders only, so the last part of a key is compared here.
        level = self.level(above)
        found = [one for one in level.objects if one.uri.key.startswith(prefix.key)]
        for name in level.folders:
            if name.startswith(start):
                found += self._below(above / name)
        yield from sorted(found, key=lambda one: one.uri.key)

    def level(self, folder: ObjectUri) -> Level:
        """What lies directly in a folder; nothing where it is not there."""
        import obstore

        under = folder.key.rstrip("/") or None
        found = self._done("list", folder, lambda store, _: obstore.list_with_delimiter(store, under))
        names = tuple(sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"]))
        return Level(names, tuple(sorted(_info(folder, meta) for meta in found["objects"])))

    def fetch(self, uri: ObjectUri, file: Path) -> None:
        """Copy an object to a file, which is whole or as it was; its folder is made when absent. A copy that breaks off
        goes on where it was, unless the object is another one by then."""
        unfinished = file.with_name(f".{uuid4().hex}.tmp")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("xb") as target:
                copy = _Copy(uri.key, target)
                self._done("read", uri, copy.go_on)
            unfinished.replace(file)
        except OSError as error:
            hint = "free some disk space; a key cannot be kept as a file where another key is its folder"
            raise SetupError(f"cannot keep {uri}", evidence=error.strerror or str(error), hint=hint) from None
        finally:
            unfinished.unlink(missing_ok=True)

    def put_file(self, uri: ObjectUri, file: Path, size: int | None = None) -> Stored:
        """Store the content of a file, or its first ``size`` bytes; when it returns, all of them are stored."""
        try:
            with file.open("rb") as source:
                whole = file.stat().st_size
                given = whole if size is None else min(size, whole)
                return self._put(uri, lambda: parts_of(source, given), given)
        except OSError as error:
            hint = "check that the file is there and may be read"
            raise SetupError(f"cannot read {file}", evidence=error.strerror or str(error), hint=hint) from None

    def remove(self, uri: ObjectUri) -> None:
        """Take an object away, if it is there."""
        import obstore

        with suppress(NotFoundError):
            self._done("remove", uri, lambda store, _: obstore.delete(store, uri.key))

    def folder(self, prefix: ObjectUri) -> Path | None:
        """None: these objects lie elsewhere."""
        return None

    def _below(self, folder: ObjectUri) -> list[ObjectInfo]:
        import obstore

        under = folder.key.rstrip("/") or None

        def pages(store: ObjectStore, tries: Tries) -> list[ObjectInfo]:
            return sorted(_info(folder, meta) for page in obstore.list(store, under) for meta in page)

        return self._done("list", folder, pages)

    def _put(self, uri: ObjectUri, parts: Callable[[], Iterator[bytes]], size: int) -> Stored:
        """Store a content; the same try again stores the same bytes under the same key, so twice is once."""
        import obstore

        def sent(store: ObjectStore, tries: Tries) -> Stored:
            sums = Sums()
            if size <= PART:
                content = b"".join(sums.passing(parts()))
                result = obstore.put(store, uri.key, content, use_multipart=False)
            else:
                watched = _watched(sums.passing(parts()), tries)
                options: Any = {"use_multipart": True, "chunk_size": PART, "max_concurrency": _AT_ONCE}
                result = obstore.put(store, uri.key, watched, **options)
            etag = plain(result["e_tag"])
            if etag != sums.etag:
                self._check(store, uri, sums, etag)
            return Stored(size, etag)

        return self._done("write", uri, sent)

    def _check(self, store: ObjectStore, uri: ObjectUri, sums: Sums, etag: str | None) -> None:
        """A stored object whose mark is not our sum has at least the size that was sent. A mark that looks like a sum
        and is another one is either of other bytes, or of a bucket whose marks are something else, such as one with
        keys of its own: once a bucket's object was read back and is right, its marks are not compared any more."""
        import obstore

        try:
            size = obstore.head(store, uri.key)["size"]
            if size != sums.size:
                raise Spoiled(f"{size} bytes instead of {sums.size}")
            bucket = (uri.scheme, uri.bucket)
            if not is_sum(etag) or bucket in self._other_marks:
                return
            there = Sums()
            for _ in there.passing(stored_parts(store, uri.key, size)):
                pass
        except FileNotFoundError:
            raise Spoiled("it is not there") from None
        if there.etag != sums.etag:
            raise Spoiled(f"ETag {etag} instead of {sums.etag}")
        self._other_marks.add(bucket)

    def _done(self, what: str, uri: ObjectUri, act: Act[Found]) -> Found:
        """What an operation gives, tried until it does or the time is over; then its failure as one of ours."""
        from obstore.exceptions import BaseError

        cloud, tries, renewed = self._cloud(uri), Tries(self._patience), False
        while True:
            try:
                return act(cloud.store(uri.bucket), tries)
            except (BaseError, FileNotFoundError, ValueError, Spoiled) as error:
                cause = cause_of(error, uri.key)
                if cause.keys and not renewed:
                    renewed = True
                    if cloud.renew():
                        continue
                if not cause.passing or not tries.again():
                    if cause is CHECKSUM:
                        self._take_back(cloud, uri)
                    raise _told(what, uri, cloud, cause, error) from None

    def _take_back(self, cloud: Cloud, uri: ObjectUri) -> None:
        """Others would take what is spoiled for what was meant."""
        import obstore
        from obstore.exceptions import BaseError

        with suppress(BaseError, OSError, ValueError, DriftlineError):
            obstore.delete(cloud.store(uri.bucket), uri.key)

    def _cloud(self, uri: ObjectUri) -> Cloud:
        cloud = self._clouds.get(uri.scheme)
        if cloud is None:
            raise SetupError(f"{uri} is not elsewhere", hint="set DRIFTLINE_S3_ENDPOINT")
        return cloud


class _Copy:
    """A copy of an object to a file that goes on where it broke off."""

    def __init__(self, key: str, target: BinaryIO) -> None:
        self._key, self._target = key, target
        self._of: tuple[str | None, int] | None = None

    def go_on(self, store: ObjectStore, tries: Tries) -> None:
        """Get what is not here yet."""
        import obstore

        at = self._target.tell()
        got = obstore.get(store, self._key, options={"range": {"offset": at}} if at else None)
        what = (got.meta["e_tag"], got.meta["size"])
        if at and what != self._of:
            self._target.seek(0)
            self._target.truncate()
            got = obstore.get(store, self._key)
            what = (got.meta["e_tag"], got.meta["size"])
        self._of = what
        for chunk in got.stream(min_chunk_size=PART):
            self._target.write(chunk)
            tries.reached(self._target.tell())
        if self._target.tell() != what[1]:
            raise ValueError("UnexpectedEof")


def _watched(parts: Iterator[bytes], tries: Tries) -> Iterator[bytes]:
    sent = 0
    for part in parts:
        tries.reached(sent)
        sent += len(part)
        yield part


def _told(what: str, uri: ObjectUri, cloud: Cloud, cause: Cause, error: Exception) -> DriftlineError:
    if cause is NO_OBJECT:
        return absent(uri)
    if cause is NO_BUCKET and what in _READING:
        return NotFoundError(f"there is no bucket {uri.bucket} for {uri}", hint=cause.hint)
    evidence = seen(error, cause, cloud.where, cloud.secrets())
    hint = cause.hint.format(where=cloud.where, keys=cloud.keys)
    kind = UnreachableError if cause.passing else ServiceError
    return kind(f"cannot {what} {uri}", evidence=evidence, hint=hint)


def _info(folder: ObjectUri, meta: Any) -> ObjectInfo:
    return ObjectInfo(folder.at(meta["path"]), meta["size"], meta["last_modified"])
