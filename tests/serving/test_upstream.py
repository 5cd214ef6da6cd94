"""Which servers may be forwarded to."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core.configuration import ALLOW_UPSTREAM
from driftline.core.errors import InputError
from driftline.serving.forwarded import HOP_BY_HOP, to_client, to_upstream
from driftline.serving.upstream import check_host, check_upstream

NAMES = [*sorted(HOP_BY_HOP), b"authorization", b"cookie", b"host", b"content-type", b"x-a", b"x-b"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/v2/models/churn/infer",
        "https://models.test/invocations?x=1",
        "http://[::1]:9/p",
        "http://10.0.0.4/",
    ],
)
def test_model_servers_are_taken(url: str) -> None:
    assert check_upstream(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("", "churn", "ftp://h/x", "file:///etc/passwd", "http://", "http:///x", "http://h:99999/", "http://h/a b"),
        *("http://user:secret@h/", "http://h/#f", "http://h/\r\nx: y", "unix:///run/x", "http://[::1", "//h/x"),
        *(
            "http://169.254.169.254/latest/meta-data/",
            "http://169.254.1.1/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
        ),
        *(
            "http://0251.0376.0251.0376/",
            "http://169.254.43518/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.169.254]/",
        ),
        *(
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "http://[fe80::1%25eth0]/",
        ),
        *(
            "http://metadata.google.internal/",
            "http://METADATA.google.internal./x",
            "http://metadata/",
            "http://0.0.0.0/",
        ),
        *("http://224.0.0.1/", "http://[ff02::1]/", "http://[2002:a9fe:a9fe::]/", "http://192.0.0.192/"),
    ],
)
def test_what_is_no_model_server_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        check_upstream(url)
    assert "secret" not in str(caught.value)


def test_an_operator_may_allow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOW_UPSTREAM.name, "169.254.7.0/24, metadata, nonsense/99")
    check_upstream("http://169.254.7.9/predict")
    check_upstream("http://[::ffff:169.254.7.9]/predict")
    check_host("metadata")
    for url in ("http://169.254.169.254/", "http://metadata.google.internal/"):
        with pytest.raises(InputError, match="refused"):
            check_upstream(url)


@given(st.text(max_size=40))
def test_any_text_is_taken_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://h/{text}"):
        with contextlib.suppress(InputError):
            assert check_upstream(url) == url


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([b"", b"x-a", b"close, x-b", b"content-type"]))))
def test_only_headers_of_the_message_itself_go_on(headers: list[tuple[bytes, bytes]]) -> None:
    named = {part.strip() for name, value in headers if name == b"connection" for part in value.split(b",")}
    forwarded = [name for name, _ in to_upstream(headers, "churn", "o-1")]
    assert not {*forwarded} & ({*HOP_BY_HOP, b"authorization", b"cookie", b"host"} | (named & {b"x-a", b"x-b"}))
    assert forwarded.count(b"content-type") == sum(name == b"content-type" for name, _ in headers)
    answered = to_client([(name.upper(), value) for name, value in headers])
    assert [name for name, _ in answered] == [
        name for name, _ in headers if name not in HOP_BY_HOP and name not in named - {b"content-type"}
    ]
