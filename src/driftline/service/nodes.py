"""The nodes of a service: data folders that work on one database."""

from __future__ import annotations

import logging
from importlib.metadata import version

from driftline.core.errors import AwayError, NotFoundError
from driftline.core.records import utc
from driftline.service.wiring import Wiring
from driftline.storage import nodes
from driftline.storage.clock import system_clock
from driftline.storage.node_file import node_of
from driftline.storage.nodes import Node

_log = logging.getLogger(__name__)


class Nodes(Wiring):
    """What a service knows of its nodes."""

    def enter_node(self, name: str | None = None) -> str:
        """Say that the node of this data folder starts, from now on under a name if one is given; its name.

        Raises :class:`ConflictError` when another data folder has it. While the database is away that is not known.
        """
        me = node_of(self.layout, name)
        try:
            with self.store.write() as db:
                nodes.enter(db, me.name, me.folder, version=version("driftline"), now=utc(system_clock()))
        except AwayError as error:
            _log.warning("whether another node has the name %s could not be looked up: %s", me.name, error.what)
        return me.name

    def list_nodes(self) -> list[Node]:
        """Every node that ever worked on the database, by name."""
        with self.store.read() as db:
            return nodes.listing(db)

    def forget_node(self, name: str) -> None:
        """Take a node off the list that is gone for good; :class:`NotFoundError` when there is none."""
        with self.store.write() as db:
            if name not in {node.name for node in nodes.listing(db)}:
                raise NotFoundError(f"there is no node {name}", hint="driftline node list shows their names")
            nodes.forget(db, name)
