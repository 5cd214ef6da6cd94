"""Objects and baseline jobs of an account, read with clients that were handed in."""

from __future__ import annotations

from typing import Any

from driftline.core.errors import ForbiddenError, InputError, NotFoundError
from driftline.core.uris import S3, object_uri
from driftline.sagemaker.belongings import results_of

_MOST = 64 << 20
_ABSENT = ("NoSuchKey", "NoSuchBucket", "404", "NotFound")


class AccountObjects:
    """What job definitions point to. Objects that are not there raise :class:`NotFoundError`, and what may not be read
    :class:`ForbiddenError`."""

    def __init__(self, s3: Any, sagemaker: Any) -> None:
        self._s3, self._sagemaker = s3, sagemaker

    def content(self, uri: str) -> bytes:
        """An object of at most 64 MiB."""
        where = object_uri(uri)
        if not where.key or where.scheme != S3:
            raise InputError(f"{uri} names no object", hint="name a file in the bucket")
        try:
            answer = self._s3.get_object(Bucket=where.bucket, Key=where.key)
        except self._s3.exceptions.ClientError as error:
            raise _told(uri, error) from None
        with answer["Body"] as body:
            if answer["ContentLength"] > _MOST:
                hint = "name a baseline, a configuration or a script"
                raise InputError(f"{uri} is too large", evidence=f"{answer['ContentLength']} bytes", hint=hint)
            return bytes(body.read())

    def find(self, uri: str) -> bytes | None:
        """An object that may be lacking."""
        try:
            return self.content(uri)
        except NotFoundError:
            return None

    def results(self, job: str) -> str:
        """Below which address a baseline job wrote its results."""
        try:
            return results_of(job, self._sagemaker.describe_processing_job(ProcessingJobName=job))
        except self._sagemaker.exceptions.ClientError as error:
            raise _told(f"the processing job {job}", error) from None

    def working(self, job: str) -> bool:
        """Whether a baseline job has not ended yet: what it has not written by now is not waited for."""
        return False


def code_of(error: Any) -> str:
    """The code of an error that a client raised."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _told(what: str, error: Any) -> NotFoundError | ForbiddenError:
    code = code_of(error)
    if code in _ABSENT or code.startswith(("ResourceNotFound", "ValidationException")):
        return NotFoundError(f"there is no {what}" if what.startswith("s3:") else f"{what} is not there", evidence=code)
    return ForbiddenError(f"{what} cannot be read", evidence=code, hint="give the profile the right to read it")
