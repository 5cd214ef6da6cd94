"""Scripts that schedules name, kept in the folder of scripts."""

from __future__ import annotations

from driftline.service.wiring import Wiring
from driftline.storage.files import write_atomic


class Scripts(Wiring):
    """What a service does with scripts that are handed to it. Whoever may do so may run code in runs' processes."""

    def keep_script(self, name: str, content: bytes) -> None:
        """Store or replace a script; schedules name it as their preprocessor or postprocessor."""
        write_atomic(self.layout.script(name), content)

    def forget_script(self, name: str) -> None:
        """Remove a script; one that is not there is no error."""
        self.layout.script(name).unlink(missing_ok=True)
