"""The process of a script: it loads the file, takes batches, calls the handler, answers."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import msgspec

from driftline.core.errors import InputError
from driftline.processes.ending import end_with_parent, limit_memory
from driftline.scripts.handler import PREPROCESS, BrokenError, failure, load
from driftline.scripts.protocol import BETWEEN, HEADER, LOADING, PLACE, Answer, Failure, Task, frame
from driftline.scripts.record import InferenceRecord
from driftline.scripts.shaping import Columns, WrongResultError, rows_of

_FORKS = frozenset({"os.fork", "os.forkpty"})
_decoder = msgspec.msgpack.Decoder(Task)


def main(arguments: Sequence[str]) -> None:
    """The arguments are: the limits of memory and of a result in bytes, two descriptors, the handler, the file."""
    memory, result, answers, place, name, path = arguments
    end_with_parent()
    limit_memory(int(memory))
    channel = _Channel(int(answers), int(place))
    _prepare()
    handler = _loaded(channel, path, name)
    channel.at(BETWEEN)
    for task in channel.tasks():
        channel.answer(_worked(task, handler, channel, path, int(result)))


class _Channel:
    """The pipes to the other process, in descriptors that the script does not come across by chance."""

    def __init__(self, answers: int, place: int) -> None:
        self._tasks = os.fdopen(os.dup(0), "rb")
        self._answers = answers
        self._place = mmap.mmap(place, PLACE.size)
        os.set_inheritable(answers, False)
        os.set_inheritable(place, False)
        self.at(LOADING)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    def at(self, place: int) -> None:
        """Tell where the script is; the other process reads it when this one can say nothing any more."""
        PLACE.pack_into(self._place, 0, place)

    def tasks(self) -> Iterator[Task]:
        """The batches until there are no more."""
        while header := self._tasks.read(HEADER.size):
            yield _decoder.decode(self._tasks.read(HEADER.unpack(header)[1]))

    def answer(self, answer: Answer) -> None:
        """Send an answer, after everything that was printed before it."""
        sys.stdout.flush()
        sys.stderr.flush()
        left = memoryview(frame(answer))
        while left:
            left = left[os.write(self._answers, left) :]


def _prepare() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    sys.addaudithook(_refuse_forks)


def _refuse_forks(event: str, arguments: tuple[Any, ...]) -> None:
    """Two processes would both go on with the batch and both answer."""
    if event in _FORKS:
        raise RuntimeError(f"{event}: a script cannot fork; start another program with subprocess")


def _loaded(channel: _Channel, path: str, name: str) -> Callable[..., Any]:
    try:
        return load(path, name)
    except BrokenError as error:
        _give_up(channel, Failure(str(error), hint=error.hint))
    except BaseException as error:
        _give_up(channel, failure(error, path, None, "loading it"))


def _give_up(channel: _Channel, found: Failure) -> NoReturn:
    """A script that cannot be used answers its first task, whatever it was."""
    channel.answer(Answer(failure=found))
    for _ in channel.tasks():
        break
    sys.exit(0)


def _worked(task: Task, handler: Callable[..., Any], channel: _Channel, path: str, most: int) -> Answer:
    if task.items is not None:
        return _batch(task.items, handler, channel, path, most, lines=task.lines)
    try:
        handler()
    except BaseException as error:
        return Answer(failure=failure(error, path, None, "postprocess_handler"))
    return Answer()


def _batch(
    items: list[bytes], handler: Callable[..., Any], channel: _Channel, path: str, most: int, *, lines: bool
) -> Answer:
    columns, dropped, refused = Columns(most), 0, []
    for number, item in enumerate(items):
        channel.at(number)
        try:
            given = item.decode() if lines else InferenceRecord(item)
        except InputError as error:
            refused.append((number, error.what))
            continue
        try:
            rows = rows_of(handler(given))
            for row in rows:
                columns.add(row)
        except WrongResultError as error:
            return Answer(failure=Failure(f"{PREPROCESS} {error}", number, error.hint, code=error.code))
        except BaseException as error:
            return Answer(failure=failure(error, path, number, PREPROCESS))
        dropped += not rows
    channel.at(BETWEEN)
    return Answer(columns.parts(), columns.rows, dropped, refused)
