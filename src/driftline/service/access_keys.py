"""Access keys of AWS clients. Each belongs to a token, and nothing is stored of it: a key of the data folder and the
token's id give both its parts."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import NamedTuple

from driftline.core.errors import InputError, NotFoundError
from driftline.core.records import utc
from driftline.service.door import Visitor
from driftline.storage import access
from driftline.storage.capture_key import read_or_make
from driftline.storage.clock import Clock, system_clock
from driftline.storage.database import Store
from driftline.storage.layout import Layout

PREFIX = "DLAK"


class AccessKey(NamedTuple):
    """An access key: what AWS clients call its id, and its secret."""

    id: str
    secret: str


class KeyOwner(NamedTuple):
    """Whom an access key belongs to, its secret, whether its token was revoked, and when it ends."""

    who: Visitor
    secret: str
    revoked: bool
    expires: datetime | None

    def over(self, now: datetime) -> bool:
        """Whether its time has come."""
        return self.expires is not None and self.expires <= now


class AccessKeys:
    """Looks up the access keys of a data folder's tokens. Every method asks the store."""

    def __init__(self, store: Store, layout: Layout, clock: Clock = system_clock) -> None:
        self._store, self._layout, self._clock = store, layout, clock

    def of(self, name: str) -> AccessKey:
        """The key of a token that is valid; :class:`NotFoundError` when there is none of that name."""
        token = next((token for token in self._tokens() if token.name == name), None)
        if token is None:
            raise NotFoundError(f"there is no token {name}", hint="make one: driftline token create NAME --role writer")
        if token.revoked or (token.expires is not None and token.expires <= utc(self._clock())):
            raise InputError(f"the token {name} is revoked or over", hint="make another; its keys are void as well")
        return AccessKey(key_id(token.id), self._secret(token.id))

    def find(self, wanted: str) -> KeyOwner | None:
        """The owner of the key with an id, whatever became of the token; None for one that nobody has."""
        for token in self._tokens():
            if hmac.compare_digest(key_id(token.id).encode(), wanted.encode()):
                return KeyOwner(Visitor(token.name, token.role), self._secret(token.id), token.revoked, token.expires)
        return None

    def _tokens(self) -> list[access.Identified]:
        with self._store.read() as db:
            return access.identified(db)

    def _secret(self, token: str) -> str:
        key = read_or_make(self._layout.access_key)
        return base64.b64encode(hmac.digest(key, token.encode(), "sha256")).decode()


def key_id(token: str) -> str:
    """The id of a token's key: 20 characters, as clients expect.

    >>> key_id("4f" * 16)
    'DLAKSWEM4E44RDZYAB4U'
    """
    return PREFIX + base64.b32encode(hashlib.sha256(token.encode()).digest())[:16].decode()
