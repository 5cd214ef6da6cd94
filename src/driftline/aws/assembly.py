"""The AWS side as a web process is told of it by name: ``--front driftline.aws.assembly:front``."""

from __future__ import annotations

from driftline.aws.s3 import S3, elsewhere
from driftline.aws.signature import Signed, verify
from driftline.core.records import utc
from driftline.service import Service
from driftline.service.access_keys import AccessKeys
from driftline.serving.asgi import App
from driftline.storage.clock import system_clock
from driftline.storage.s3_credentials import s3_credentials


def buckets(service: Service, *, access: bool, s3: str = "", s3_endpoint: str = "", region: str, account: str) -> App:
    """What answers for buckets: ``s3`` is the address of our S3 server, ``s3_endpoint`` that of another one."""
    if s3_endpoint:
        return elsewhere(s3_endpoint)
    keys = AccessKeys(service.store, service.layout)

    def role(request: Signed) -> str:
        return verify(request, keys.find, utc(system_clock())).role

    return S3(s3, s3_credentials(service.layout), region=region, account=account, role=role if access else None)
