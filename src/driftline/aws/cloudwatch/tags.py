"""Tags of alarms."""

from __future__ import annotations

from typing import Any

from driftline.aws.cloudwatch import kept
from driftline.aws.cloudwatch.names import alarm_named
from driftline.aws.context import Context, Operations
from driftline.aws.errors import AwsError
from driftline.core.errors import NotFoundError

_MOST = 50


def tag_resource(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Add tags to an alarm, or change their values."""
    name = _alarm(context, given)
    tags = kept.entry(context, name).tags | {tag["Key"]: tag["Value"] for tag in given["Tags"]}
    if len(tags) > _MOST:
        raise AwsError("InvalidParameterValue", f"An alarm can have at most {_MOST} tags.")
    kept.set_tags(context, name, tags)
    return {}


def untag_resource(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Take tags off an alarm."""
    name = _alarm(context, given)
    tags = kept.entry(context, name).tags
    kept.set_tags(context, name, {key: value for key, value in tags.items() if key not in given["TagKeys"]})
    return {}


def list_tags_for_resource(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The tags of an alarm."""
    tags = kept.entry(context, _alarm(context, given)).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _alarm(context: Context, given: dict[str, Any]) -> str:
    name = alarm_named(given["ResourceARN"])
    try:
        context.service.get_alarm(name)
    except NotFoundError:
        raise AwsError("ResourceNotFoundException", f"There is no alarm {name}.", 404) from None
    return name


OPERATIONS: Operations = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
