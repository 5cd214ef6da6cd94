"""What a monitoring schedule brings along: its baseline, its scripts, its analysis configuration, its endpoint."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from driftline.aws.context import Context
from driftline.aws.errors import validation
from driftline.core.errors import ConflictError, NotFoundError
from driftline.core.uris import object_uri
from driftline.jobs.analyses import settled_for
from driftline.sagemaker import belongings
from driftline.sagemaker.belongings import Belongings, results_of
from driftline.sagemaker.definitions import Definition
from driftline.sagemaker.schedules import derived_name
from driftline.service.images import read_images
from driftline.storage.leases import UNFINISHED

_PROCESSING = "processing-job"


class _Own(NamedTuple):
    """The buckets and the baseline jobs of a service."""

    context: Context

    def content(self, uri: str) -> bytes:
        """An object; raises the service's error when it is not there."""
        return content(self.context, uri)

    def find(self, uri: str) -> bytes | None:
        """An object that may be lacking."""
        with suppress(NotFoundError):
            return self.context.objects.read(object_uri(uri))
        return None

    def results(self, job: str) -> str:
        """Where a baseline job wrote its results."""
        return results_of(job, self.context.registry.get(_PROCESSING, job).document)

    def working(self, job: str) -> bool:
        """Whether a baseline job has not ended yet."""
        with suppress(NotFoundError):
            return self.context.service.get_batch_job(job).status in UNFINISHED
        return False


def gathered(context: Context, name: str, definition: Definition) -> Belongings:
    """Read it; raises the service's error for the first object that is not there."""
    found = belongings.gathered(_Own(context), name, definition, read_images(context.service.layout))
    return found._replace(attributes=found.attributes | settled_for(definition, found))


def kept(context: Context, name: str, found: Belongings) -> str | None:
    """Keep it under names that belong to the schedule alone; the name of its baseline."""
    for script, code in found.scripts.items():
        context.service.keep_script(script, code)
    if found.constraints is None:
        return None
    baseline = derived_name(name, "baseline")
    context.service.put_baseline(baseline, found.constraints, found.statistics, note="read from its objects")
    return baseline


def given_up(context: Context, name: str, *, baseline: bool = True, scripts: frozenset[str] = frozenset()) -> None:
    """Remove what was kept for a schedule, but for ``scripts`` that it still names."""
    for role in ("preprocessor", "postprocessor"):
        script = derived_name(name, f"{role}.py")
        if script not in scripts:
            context.service.forget_script(script)
    if baseline:
        with suppress(NotFoundError):
            context.service.delete_baseline(derived_name(name, "baseline"))


def stand_in(context: Context, name: str, current: str | None) -> str:
    """The endpoint of a batch transform's captures: one that answers nothing, of the schedule's own name, made unless
    it is the ``current`` one of the schedule."""
    if current == name:
        return name
    with suppress(NotFoundError):
        context.service.get_endpoint(name)
        raise ConflictError(f"an endpoint is called {name}", hint="give the schedule another name")
    return context.service.register_endpoint(name).name


def stand_in_removed(context: Context, name: str) -> None:
    """Remove the endpoint that stands in for a batch transform's captures."""
    with suppress(NotFoundError):
        context.service.delete_endpoint(name)


def content(context: Context, uri: str) -> bytes:
    """An object that a request points to; raises the service's error when it is not there."""
    try:
        return context.objects.read(object_uri(uri))
    except NotFoundError:
        what = f'No S3 objects found under S3 URL "{uri}".'
        raise validation(f"{what} Upload the object first, or correct the address") from None
