"""What stands for a container image here: by the name of a known one, or by a rule of the operator's."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from driftline.core.errors import InputError

FILE = "images.toml"
"""The file in the data folder with the rules."""
Part = Literal["analyzer", "clarify", "merger"]

_PARTS: dict[str, Part] = {
    "sagemaker-model-monitor-analyzer": "analyzer",
    "sagemaker-clarify-processing": "clarify",
    "sagemaker-model-monitor-groundtruth-merger": "merger",
}
_RUNTIMES = {
    "sagemaker-xgboost": "xgboost",
    "xgboost": "xgboost",
    "sagemaker-scikit-learn": "sklearn",
    "tensorflow-inference": "tensorflow",
    "tensorflow-inference-eia": "tensorflow",
    "sagemaker-tensorflow-serving": "tensorflow",
}


class ImageRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands for the images whose address fits ``image``, in which ``*`` is any text: one of four things.

    ``runtime`` is the one that loads a model, such as ``xgboost``; ``upstream`` the URL of a server that answers for
    it; ``program`` an entry of ``programs.toml``, for jobs; ``part`` (in the file: ``as``) a part of driftline.
    """

    image: str
    runtime: str | None = None
    upstream: str | None = None
    program: str | None = None
    part: Part | None = msgspec.field(default=None, name="as")

    def __post_init__(self) -> None:
        given = [self.runtime, self.upstream, self.program, self.part]
        if sum(one is not None for one in given) != 1:
            hint = "give one of runtime, upstream, program and as"
            raise InputError(f"the rule for {self.image} says nothing, or several things", hint=hint)


class Images(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's rules, of which the first that fits holds; images that are known need none."""

    image: tuple[ImageRule, ...] = ()

    def find(self, address: str) -> ImageRule | None:
        """What stands for an image; None when nothing does.

        >>> rules = Images((ImageRule("*/own-model:*", runtime="sklearn"),))
        >>> rules.find("123456789012.dkr.ecr.eu-west-1.amazonaws.com/own-model:3").runtime
        'sklearn'
        >>> rules.find("156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer").part
        'analyzer'
        """
        rule = next((one for one in self.image if fnmatchcase(address, one.image)), None)
        return rule or _known(address)

    def expect(self, address: str) -> ImageRule:
        """The same; :class:`InputError` that says how a rule is written when nothing stands for the image."""
        found = self.find(address)
        if found is None:
            raise InputError(
                f"nothing here stands for the image {address[:200]}",
                evidence=f"known are {', '.join((*_PARTS, *_RUNTIMES))}",
                hint=f"write a section [[image]] with image = {address[:200]!r}, and runtime, upstream, program or as, "
                f"into {FILE} in the data folder",
            )
        return found


def repository(address: str) -> str:
    """The name of an image's repository.

    >>> repository("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3")
    'sagemaker-xgboost'
    """
    return address.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _known(address: str) -> ImageRule | None:
    name = repository(address)
    if name in _PARTS:
        return ImageRule(address, part=_PARTS[name])
    return ImageRule(address, runtime=_RUNTIMES[name]) if name in _RUNTIMES else None
