"""Scripts that schedules name, kept in the folder of scripts."""

from __future__ import annotations

from driftline.service.wiring import Wiring
from driftline.storage.files import write_atomic


class Scripts(Wiring):
    """What a service does with scripts that are handed to it. Whoever may do so may run code in runs' processes."""

    def keep_script(self, name: str, content: bytes) -> None:
        """Store or replace a script; schedules name it as their preprocessor or postprocessor. Where many nodes share a
        store it is put there too."""
        path = self.layout.script(name)
        write_atomic(path, content)
        if self.shared is not None:
            self.shared.send(path)

    def forget_script(self, name: str) -> None:
        """Remove a script; one that is not there is no error."""
        path = self.layout.script(name)
        path.unlink(missing_ok=True)
        if self.shared is not None:
            self.shared.forget(path)
