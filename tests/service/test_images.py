"""The operator's rules for container images."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.core.errors import InputError
from driftline.sagemaker.images import FILE
from driftline.service.images import read_images
from driftline.storage.layout import Layout

RULES = """
[[image]]
image = "*/sagemaker-xgboost:1.7*"
upstream = "http://127.0.0.1:9000/invocations"

[[image]]
image = "*/own-checks:*"
program = "own"

[[image]]
image = "*/own-checks*"
as = "analyzer"
"""


def test_the_first_rule_that_fits_holds_and_known_images_need_none(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    xgboost = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    assert read_images(layout).expect(xgboost).runtime == "xgboost"
    assert read_images(layout).find("own-checks") is None
    (tmp_path / FILE).write_text(RULES)
    rules = read_images(layout)
    assert rules.expect(xgboost).upstream == "http://127.0.0.1:9000/invocations"
    assert rules.expect(xgboost.replace("1.7", "1.5")).runtime == "xgboost"
    assert (rules.expect("h/own-checks:2").program, rules.expect("h/own-checks").part) == ("own", "analyzer")
    with pytest.raises(InputError, match="nothing here stands for the image h/other") as caught:
        rules.expect("h/other")
    assert FILE in caught.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[image]]\nimage = "a"\n', "says nothing, or several things"),
        ('[[image]]\nimage = "a"\nas = "analyzer"\nruntime = "xgboost"\n', "says nothing, or several things"),
        ('[[image]]\nimage = "a"\nas = "baker"\n', "Invalid enum value 'baker'"),
        ('[[images]]\nimage = "a"\n', "unknown field `images`"),
        ("image =", "TOMLDecodeError"),
    ],
)
def test_a_wrong_file_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match=FILE) as caught:
        read_images(Layout(tmp_path))
    assert said in caught.value.evidence
