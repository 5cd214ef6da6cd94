"""This side of a script's process: it sends batches, waits for answers, and ends a script that goes beyond a limit."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from driftline.core.errors import InputError, SetupError
from driftline.processes.child import LOOK, Child, Limits
from driftline.processes.environment import bare_environment, python_command
from driftline.processes.memory import size
from driftline.scripts.protocol import BETWEEN, HEADER, LOADING, MAGIC, PLACE, Answer, Failure, Task, frame

_CHUNK = 1 << 20
_GRACE = 2.0
_decoder = msgspec.msgpack.Decoder(Answer)


class ScriptLimits(msgspec.Struct, frozen=True):
    """What a script may take. ``seconds`` is the time it works, all batches together; ``memory`` bytes resident in its
    process and all it starts; ``output`` the bytes kept of what it prints; ``result`` the bytes of all it returns."""

    seconds: float = 600.0
    memory: int = 1 << 30
    output: int = 1 << 16
    result: int = 1 << 30


class Broken(Exception):
    """A script that gave no answer; :class:`driftline.scripts.errors.ScriptError` is made of it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.what)
        self.failure = failure


class ScriptProcess:
    """One script, loaded in a process of its own. A context manager: the process ends with it.

    It works in an empty folder that is removed afterwards, and sees the harmless variables of the environment and
    those of ``environment``. Raises :class:`InputError` when there is no such file.
    """

    def __init__(self, path: Path, name: str, limits: ScriptLimits, environment: Mapping[str, str]) -> None:
        if not path.is_file():
            raise InputError(f"no script {path}", hint="check the path; it is one file of Python")
        self._limits = limits
        self._left = limits.result
        self._spent = 0.0
        with contextlib.ExitStack() as stack:
            self._start(stack, path.absolute(), name, environment)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def ask(self, task: Task) -> Answer:
        """The answer to a task. Raises :class:`Broken` where there is none, and when it says that the script broke."""
        began = time.monotonic()
        try:
            answer = self._exchange(frame(task), began)
        finally:
            self._spent += time.monotonic() - began
        if answer.failure is not None:
            raise Broken(self._in_words(answer.failure))
        return answer

    def finish(self) -> None:
        """Nothing more will be asked: let it end by itself, as far as it does so at once."""
        self._child.needs_too_much()
        self._tasks.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.process.wait(_GRACE)

    def log(self) -> str:
        """What the script printed and logged; whole once the process has ended."""
        return self._child.output.log()

    @property
    def peak(self) -> int:
        """The most bytes that were seen resident in it."""
        return self._child.peak

    def _start(self, stack: contextlib.ExitStack, path: Path, name: str, environment: Mapping[str, str]) -> None:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-script-"))
        place = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        self._place = place.fileno()
        os.pwrite(self._place, PLACE.pack(LOADING), 0)
        self._answers, theirs = os.pipe()
        stack.callback(os.close, self._answers)
        limits = self._limits
        # The kernel refuses twice the limit; in between the watch sees what is really used.
        numbers = (2 * limits.memory, limits.result, theirs, self._place)
        try:
            child = Child(
                python_command("driftline.scripts.inside", *map(str, numbers), name, str(path)),
                Limits(limits.seconds, limits.memory, limits.output),
                environment={**bare_environment(), "HOME": folder, **environment},
                folder=Path(folder),
                stdin=subprocess.PIPE,
                keep=(theirs, self._place),
            )
        except (OSError, ValueError) as error:
            raise SetupError("a process for the script could not be started", evidence=str(error)) from None
        finally:
            os.close(theirs)
        self._child = stack.enter_context(child)
        assert child.process.stdin is not None  # noqa: S101 - it was asked for
        stack.callback(_close_quietly, child.process.stdin)
        self._tasks = child.process.stdin
        os.set_blocking(self._tasks.fileno(), False)
        os.set_blocking(self._answers, False)

    def _exchange(self, task: bytes, began: float) -> Answer:
        """Write and read as the pipes allow: neither side may wait for the other with a full pipe."""
        left, found = memoryview(task), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            selector.register(self._tasks, selectors.EVENT_WRITE)
            looked = began
            while True:
                for key, _ in selector.select(LOOK):
                    if key.fd == self._answers:
                        self._read(found)
                    elif not (left := self._write(left)):
                        selector.unregister(self._tasks)
                if (answer := self._complete(found)) is not None:
                    return answer
                if time.monotonic() - looked >= LOOK:
                    looked = time.monotonic()
                    self._check(self._spent + looked - began)

    def _read(self, found: bytearray) -> None:
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self._answers, _CHUNK)
            if not chunk:
                raise Broken(self._ended())
            found += chunk

    def _write(self, left: memoryview) -> memoryview:
        try:
            return left[os.write(self._tasks.fileno(), left) :]
        except BlockingIOError:
            return left
        except BrokenPipeError:
            # It has ended, or gave up while it was loaded: what it has to say is read.
            return left[:0]

    def _complete(self, found: bytearray) -> Answer | None:
        if len(found) < HEADER.size:
            return None
        mark, length = HEADER.unpack_from(found)
        if mark != MAGIC:
            raise Broken(self._garbled())
        if length > self._left:
            raise Broken(self._in_words(Failure("", self._at(), code="result_limit")))
        if len(found) < HEADER.size + length:
            return None
        self._left -= length
        try:
            return _decoder.decode(memoryview(found)[HEADER.size :])
        except msgspec.DecodeError:
            raise Broken(self._garbled()) from None

    def _garbled(self) -> Failure:
        what = "it wrote into the channel of its answers"
        return Failure(what, self._at(), "write to standard output, and to files that the script opened")

    def _check(self, spent: float) -> None:
        if self._child.needs_too_much():
            raise Broken(self._in_words(Failure("", self._at(), code="memory_limit")))
        if spent > self._limits.seconds:
            what = f"stopped after {self._limits.seconds:g} s while it {self._doing()}"
            raise Broken(Failure(what, self._at(), "mend what hangs, or raise the limit of time", code="time_limit"))
        if self._child.process.poll() is not None and not _readable(self._answers):
            raise Broken(self._ended())

    def _in_words(self, failure: Failure) -> Failure:
        """A failure beyond a limit, with the limit."""
        if failure.code == "memory_limit":
            what = f"needed more than {size(self._limits.memory)} of memory while it {self._doing()}"
            hint = "keep less, or raise the limit of memory"
            return msgspec.structs.replace(failure, what=what, hint=hint)
        if failure.code == "result_limit":
            what = f"gave more than {size(self._limits.result)} of results"
            return msgspec.structs.replace(failure, what=what, hint="give fewer rows, or raise the limit of the result")
        return failure

    def _ended(self) -> Failure:
        # Its pipes are closed a moment before it has an exit code.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.process.wait(_GRACE)
        code = self._child.end()
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        return Failure(f"its process ended with {how} while it {self._doing()}", self._at(), "look at its log")

    def _at(self) -> int | None:
        found = self._number()
        return found if found >= 0 else None

    def _number(self) -> int:
        data = os.pread(self._place, PLACE.size, 0)
        return int(PLACE.unpack(data)[0]) if len(data) == PLACE.size else BETWEEN

    def _doing(self) -> str:
        number = self._number()
        return "was loaded" if number == LOADING else "worked on a record" if number >= 0 else "worked"


def _readable(descriptor: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))


def _close_quietly(stream: object) -> None:
    with contextlib.suppress(OSError):
        stream.close()  # type: ignore[attr-defined]
