"""The pickled boosters of old training containers, read without unpickling.

A pickle is a program. This reader runs only the opcodes that build plain values, knows a few global names by their
spelling, imports nothing and calls nothing; the only object it can construct is a byte buffer.
"""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from driftline.core.errors import ModelError

_BOOSTER = "xgboost.core Booster"
_BUFFERS = frozenset({"builtins bytearray", "__builtin__ bytearray"})
_ENCODE = "_codecs encode"
# How the oldest protocols, which are text, make an object: the booster of nothing but the base of all classes.
_MAKE = frozenset({"copy_reg _reconstructor", "copyreg _reconstructor"})
_BASE = frozenset({"__builtin__ object", "builtins object"})
_KNOWN = _BUFFERS | _MAKE | _BASE | {_BOOSTER, _ENCODE}
_TEXTUAL = (b"ccopy_reg\n_reconstructor\n", b"ccopyreg\n_reconstructor\n")
_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
_LATIN = frozenset({"latin-1", "latin1"})


class LegacyBooster(NamedTuple):
    """What a pickled booster holds: the model in the legacy binary format, and its plain attributes."""

    handle: bytes
    attributes: dict[str, Any]


class _Name(NamedTuple):
    """A global that the pickle names; never imported."""

    spelling: str


class _Instance:
    """Stands for the booster while its state is read."""

    state: dict[str, Any] | None = None


class _Mark:
    """Where a group of stack items begins."""


class _RefusedError(Exception):
    """The program does something that a booster's does not."""


def is_pickle(data: bytes) -> bool:
    """Whether the bytes begin like a pickle: of protocol 2 to 5, or of an object in protocol 0 or 1."""
    return (len(data) > 2 and data[0] == 0x80 and 2 <= data[1] <= 5) or data.startswith(_TEXTUAL)


def read_booster(data: bytes, source: str) -> LegacyBooster:
    """The booster in a pickle, given as bytes; ``source`` names the file in messages.

    Raises :class:`ModelError` for anything but the pickle of one ``xgboost.core.Booster`` with a byte buffer.
    """
    try:
        result = _Machine().run(data)
    except _RefusedError as error:
        raise _refusal(source, str(error)) from None
    except (ValueError, IndexError, KeyError, TypeError, EOFError, OverflowError, struct.error) as error:
        raise _refusal(source, f"a damaged pickle: {type(error).__name__}: {error}"[:300]) from None
    state = result.state if isinstance(result, _Instance) else None
    handle = state.get("handle") if state else None
    if state is None or not isinstance(handle, bytes) or not handle:
        raise _refusal(source, "no booster with a byte buffer in it")
    return LegacyBooster(handle, {key: value for key, value in state.items() if key != "handle"})


def _refusal(source: str, evidence: str) -> ModelError:
    return ModelError(
        f"{source} is a pickle, and not that of an XGBoost booster alone",
        evidence=evidence,
        hint="pickles can run code and are not loaded; save the model with booster.save_model('model.json')",
    )


class _Machine:
    """A stack machine for the opcodes that plain values need; every other opcode is refused."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        stream = io.BytesIO(data)
        while code := stream.read(1):
            opcode = _OPCODES.get(code.decode("latin-1"))
            step = _STEPS.get(opcode.name) if opcode else None
            if opcode is None or (step is None and opcode.name != "STOP"):
                raise _RefusedError(f"opcode {opcode.name if opcode else code!r} at byte {stream.tell() - 1}")
            if step is None:
                return self.stack[-1]
            step(self, _argument(opcode, stream))
        raise _RefusedError("no end")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        value = self.stack.pop()
        if isinstance(value, _Mark):
            raise _RefusedError("a mark where a value belongs")
        return value

    def pop_marked(self) -> list[Any]:
        items: list[Any] = []
        while not isinstance(value := self.stack.pop(), _Mark):
            items.append(value)
        return items[::-1]

    def global_name(self, spelling: str) -> None:
        if spelling not in _KNOWN:
            raise _RefusedError(f"it names {spelling[:100].replace(' ', '.')}")
        self.push(_Name(spelling))

    def stack_global(self, _: Any) -> None:
        name, module = self.pop(), self.pop()
        self.global_name(f"{module} {name}")

    def new_object(self, _: Any) -> None:
        arguments, name = self.pop(), self.pop()
        if name != _Name(_BOOSTER) or arguments != ():
            raise _RefusedError("it constructs something other than a booster")
        self.push(_Instance())

    def reduce(self, _: Any) -> None:
        arguments, name = self.pop(), self.pop()
        if not isinstance(name, _Name) or not isinstance(arguments, tuple):
            raise _RefusedError("a call of something that is not a name")
        if name.spelling in _MAKE:
            self.push(_made(arguments))
        else:
            self.push(_buffer(name.spelling, arguments))

    def build(self, _: Any) -> None:
        state, instance = self.pop(), self.stack[-1]
        if not isinstance(instance, _Instance) or not isinstance(state, dict):
            raise _RefusedError("a state that is not the booster's")
        instance.state = state

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2 or not all(isinstance(key, str) for key in items[::2]):
            raise _RefusedError("a dictionary with other keys than text")
        target.update(zip(items[::2], items[1::2], strict=True))

    def dictionary(self, items: list[Any]) -> None:
        self.push({})
        self.set_items(items)

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise _RefusedError("an append to something other than a list")
        target.extend(items)

    def tuple_of(self, count: int) -> None:
        self.push(tuple([self.pop() for _ in range(count)][::-1]))

    def put(self, index: int | None) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]


def _made(arguments: tuple[Any, ...]) -> _Instance:
    """The object of ``_reconstructor(Booster, object, None)``; nothing else is made so."""
    if len(arguments) != 3 or arguments[0] != _Name(_BOOSTER) or arguments[2] is not None:
        raise _RefusedError("it constructs something other than a booster")
    if arguments[1] not in {_Name(base) for base in _BASE}:
        raise _RefusedError("it constructs a booster out of something else")
    return _Instance()


def _buffer(name: str, arguments: tuple[Any, ...]) -> bytes:
    """The bytes that ``bytearray(…)`` or ``_codecs.encode(…)`` would make of these arguments."""
    if name in _BUFFERS and len(arguments) == 1 and isinstance(arguments[0], bytes):
        return arguments[0]
    if name in _BUFFERS and arguments == ():
        return b""
    if name in _BUFFERS | {_ENCODE} and len(arguments) == 2:
        text, encoding = arguments
        if isinstance(text, str) and isinstance(encoding, str) and encoding in _LATIN:
            return text.encode("latin-1")
    raise _RefusedError(f"a call of {name.replace(' ', '.')} with arguments that make no byte buffer")


def _argument(opcode: pickletools.OpcodeInfo, stream: io.BytesIO) -> Any:
    if opcode.name == "GLOBAL":  # its reader in pickletools would interpret escape sequences
        return " ".join(stream.readline()[:-1].decode("latin-1") for _ in range(2))
    return opcode.arg.reader(stream) if opcode.arg else None


def _constant(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(value)


def _text_or_bytes(machine: _Machine, argument: Any) -> None:
    machine.push(bytes(argument) if isinstance(argument, bytearray) else argument)


_VALUES = (
    "BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 "
    "BINSTRING SHORT_BINSTRING BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT STRING UNICODE INT LONG FLOAT"
)
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(_VALUES.split(), _text_or_bytes),
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "EMPTY_TUPLE": _constant(()),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "MARK": lambda machine, _: machine.push(_Mark()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_marked())),
    "LIST": lambda machine, _: machine.push(machine.pop_marked()),
    "DICT": lambda machine, _: machine.dictionary(machine.pop_marked()),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": lambda machine, _: machine.extend([machine.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.pop_marked()),
    "SETITEM": lambda machine, _: machine.set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_marked()),
    "PUT": lambda machine, index: machine.put(index),
    "GET": lambda machine, index: machine.push(machine.memo[index]),
    "BINPUT": lambda machine, index: machine.put(index),
    "LONG_BINPUT": lambda machine, index: machine.put(index),
    "MEMOIZE": lambda machine, _: machine.put(None),
    "BINGET": lambda machine, index: machine.push(machine.memo[index]),
    "LONG_BINGET": lambda machine, index: machine.push(machine.memo[index]),
    "GLOBAL": lambda machine, spelling: machine.global_name(spelling),
    "STACK_GLOBAL": lambda machine, _: machine.stack_global(None),
    "NEWOBJ": lambda machine, _: machine.new_object(None),
    "REDUCE": lambda machine, _: machine.reduce(None),
    "BUILD": lambda machine, _: machine.build(None),
}
