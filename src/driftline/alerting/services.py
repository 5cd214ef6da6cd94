"""Chat, e-mail, paging and the like through apprise, an extra. Nothing of it is loaded before it is asked for."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from functools import cache
from typing import Any

_REFUSED = frozenset(
    {"dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "syslog", "log", "http", "https", "exec", "script"}
)
"""What would act on the machine of the service itself, and what this package does on its own."""


def installed() -> bool:
    """Whether the extra is there."""
    return importlib.util.find_spec("apprise") is not None


def known(target: str) -> bool:
    """Whether apprise can tell a target. It builds what would send, and sends nothing."""
    scheme, sign, _ = target.partition("://")
    if not sign or scheme.lower() in _REFUSED or not target.isprintable() or not installed():
        return False
    return _plugin(target) is not None


def tell(target: str, title: str, text: str, severe: bool) -> bool:
    """Send a text; whether it was accepted. Blocks for as long as the service's own time limits (seconds each)."""
    plugin = _plugin(target)
    if plugin is None:
        return False
    return bool(
        plugin.notify(body=text, title=title, notify_type=_apprise().NotifyType("failure" if severe else "info"))
    )


@cache
def _apprise() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its plugins, when they are first loaded
        import apprise

        apprise.Apprise.instantiate("json://localhost")
    # What it says may hold the addresses it was given; whether it could send is in its answer.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return apprise


def _plugin(target: str) -> Any:
    apprise = _apprise()
    # Nothing is written to disk, and no code of plugins is looked for outside the package.
    asset = apprise.AppriseAsset(
        app_id="driftline",
        app_desc="driftline",
        app_url="",
        async_mode=False,
        plugin_paths=[],
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    return apprise.Apprise.instantiate(target, asset=asset, suppress_exceptions=True)
