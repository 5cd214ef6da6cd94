"""Tokens, the audit log, and whether the service can work."""

from __future__ import annotations

import msgspec

from driftline.client.connection import Connection, path_of
from driftline.core.errors import ServiceError
from driftline.resources.access import AuditEntry, IssuedToken, NewToken, Token
from driftline.resources.health import Readiness


class Access(Connection):
    """What a client can ask of access and health."""

    def create_token(self, token: NewToken) -> IssuedToken:
        """Make a token; the answer is the one place where its secret is shown. Needs the role admin."""
        return self._write("POST", path_of("tokens"), IssuedToken, token)

    def list_tokens(self) -> list[Token]:
        """Every token, by name, without what is secret. Needs the role admin."""
        return self._get(path_of("tokens"), list[Token])

    def revoke_token(self, name: str) -> Token:
        """Make a token and its sessions void, within seconds. Needs the role admin."""
        return self._write("POST", path_of("tokens", name, "revoke"), Token)

    def list_audit(
        self, *, target: str | None = None, actor: str | None = None, since: str | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """What was done, by whom, and what came of it, newest first. Needs the role admin."""
        query = {"target": target, "actor": actor, "since": since, "limit": limit}
        return self._get(path_of("audit"), list[AuditEntry], **query)

    def readiness(self) -> Readiness:
        """Whether everything works that must, and each part's state."""
        response = self._send("GET", "/readyz", also=503)
        try:
            return msgspec.json.decode(response.content, type=Readiness)
        except (msgspec.DecodeError, UnicodeError) as error:
            hint = "is it a driftline service, and of this version?"
            raise ServiceError(
                "the service does not tell whether it is ready", evidence=str(error), hint=hint
            ) from None
