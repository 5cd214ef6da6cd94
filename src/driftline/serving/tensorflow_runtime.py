"""TensorFlow's SavedModels: a graph of one table of numbers in and one out, in a tar archive as TF Serving takes it.

A graph can read and write files and call back into Python, so one that holds such operations is not run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError
from driftline.serving.archive import is_archive, unpacked
from driftline.serving.libraries import block, first_line, library, refused_rows

_FILE = "saved_model.pb"
_SIGNATURE = "serving_default"
_SERVE = "serve"
# What reaches beyond the graph. Saving and restoring is in every graph; it is refused where an answer would run it.
_OUTSIDE = {
    "CreateSummaryDbWriter",
    "CreateSummaryFileWriter",
    "DebugIdentity",
    "DebugIdentityV2",
    "EagerPyFunc",
    "FixedLengthRecordDataset",
    "FixedLengthRecordDatasetV2",
    "FixedLengthRecordReaderV2",
    "LoadAndRemapMatrix",
    "LoadDataset",
    "MatchingFiles",
    "Print",
    "PrintV2",
    "PyFunc",
    "PyFuncStateless",
    "ReadFile",
    "SaveDataset",
    "TextLineDataset",
    "TextLineReaderV2",
    "TFRecordDataset",
    "TFRecordReaderV2",
    "WholeFileReaderV2",
    "WriteFile",
}
_CHECKPOINTS = {"MergeV2Checkpoints", "Restore", "RestoreV2", "Save", "SaveSlices", "SaveV2"}
_HINT = "export the model with tf.saved_model.save, with one signature that takes and gives one table of numbers"


def recognises(data: bytes) -> bool:
    """Whether the bytes are a tar archive that holds a ``saved_model.pb``."""
    if not is_archive(data):
        return False
    try:
        return any(PurePosixPath(name).name == _FILE for name in unpacked(data, ""))
    except ModelError:  # whoever reads the archive next says what is wrong with it
        return False


def load(data: bytes, source: str) -> TensorFlowModel:
    """The newest SavedModel in an archive; ``source`` names the archive in messages.

    Raises :class:`ModelError` for one that is damaged, holds operations on files or Python, or has no signature with
    one table in and out; :class:`SetupError` when TensorFlow is not installed.
    """
    tensorflow = library("tensorflow", "TensorFlow", "tensorflow")
    with tempfile.TemporaryDirectory(prefix="driftline-") as folder:
        for name, content in unpacked(data, source).items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        root = _newest(Path(folder), source)
        try:
            return TensorFlowModel(tensorflow, root, source)
        except ModelError:
            raise
        except Exception as error:
            raise _refused(source, first_line(error)) from None


def _newest(folder: Path, source: str) -> Path:
    """Of several versions, which are folders named by a number, that with the largest."""
    found = [path.parent for path in folder.rglob(_FILE)]
    versions = [path for path in found if path.name.isdigit()]
    if len(found) != 1 and len(versions) != len(found):
        raise _refused(source, f"it holds {len(found)} models")
    return max(versions, key=lambda path: int(path.name)) if versions else found[0]


class TensorFlowModel:
    """The signature ``serving_default`` of a SavedModel, on one thread."""

    plain_answers = True

    def __init__(self, tensorflow: Any, root: Path, source: str) -> None:
        self._tensorflow = tensorflow
        graph, signature = _signature(root, source)
        inputs, outputs = list(signature.inputs.values()), list(signature.outputs.values())
        if len(inputs) != 1 or len(outputs) != 1:
            raise _refused(source, f"{len(inputs)} inputs and {len(outputs)} outputs")
        _refuse(_running(graph, outputs[0].name), _CHECKPOINTS, source)
        v1 = tensorflow.compat.v1
        threads = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        session = v1.Session(graph=tensorflow.Graph(), config=threads)
        with session.graph.as_default():
            v1.saved_model.loader.load(session, [_SERVE], str(root))
            table = session.graph.get_tensor_by_name(inputs[0].name)
        self._shape = _row_shape(table, source)
        self.n_features = self._shape[0] if self._shape else 1
        self._type = table.dtype.as_numpy_dtype
        self._run, self._output = session.make_callable(outputs[0].name, [inputs[0].name]), outputs[0].name

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """The graph's answers, [n] or [n, k]. Raises :class:`ModelError` when it does not give one a row."""
        rows = block(rows, self.n_features)
        try:
            given = rows.astype(self._type).reshape(len(rows), *self._shape)
            answers: npt.NDArray[Any] = np.asarray(self._run(given), dtype=np.float64)
        except Exception as error:
            raise refused_rows(first_line(error)) from None
        if answers.shape[:1] != (len(rows),) or answers.ndim > 2:
            raise refused_rows(f"answers of shape {answers.shape} for {len(rows)} rows")
        return answers[:, 0] if answers.shape[1:] == (1,) else answers

    def describe(self) -> dict[str, Any]:
        """Runtime, library version, features and the name of the output."""
        return {
            "runtime": "tensorflow",
            "library": str(self._tensorflow.__version__),
            "format": "SavedModel",
            "n_features": self.n_features,
            "output": self._output,
        }


def _signature(root: Path, source: str) -> tuple[Any, Any]:
    """The graph that is served and its signature, once every operation in the file has been looked at."""
    from tensorflow.core.protobuf import saved_model_pb2

    document = saved_model_pb2.SavedModel.FromString((root / _FILE).read_bytes())
    for meta in document.meta_graphs:
        functions = (node for function in meta.graph_def.library.function for node in function.node_def)
        _refuse(meta.graph_def.node, _OUTSIDE, source)
        _refuse(functions, _OUTSIDE, source)
    served = [meta for meta in document.meta_graphs if _SERVE in meta.meta_info_def.tags]
    if len(served) != 1 or _SIGNATURE not in served[0].signature_def:
        known = ", ".join(name for meta in served for name in meta.signature_def)
        raise _refused(source, f"no signature {_SIGNATURE}; there are: {known or 'none'}"[:300])
    return served[0].graph_def, served[0].signature_def[_SIGNATURE]


def _running(graph: Any, output: str) -> Iterator[Any]:
    """Every operation that an answer may run: what the output is made of, and the functions called there."""
    nodes = {node.name: node for node in graph.node}
    functions = {function.signature.name: function.node_def for function in graph.library.function}
    waiting, seen = [nodes[output.partition(":")[0]]], set[str]()
    while waiting:
        node = waiting.pop()
        yield node
        names = {name.lstrip("^").partition(":")[0] for name in node.input}
        called = {value.func.name for value in node.attr.values() if value.HasField("func")} | {node.op}
        for name in (names | called) - seen:
            seen.add(name)
            waiting += [nodes[name]] if name in nodes else []
            waiting += functions.get(name, ())


def _refuse(nodes: Iterable[Any], operations: set[str], source: str) -> None:
    found = sorted({node.op for node in nodes} & operations)
    if found:
        hint = "a model is served only when it computes from its input alone; export it without these"
        raise ModelError(f"{source} holds operations on files or Python", evidence=", ".join(found)[:300], hint=hint)


def _row_shape(table: Any, source: str) -> tuple[int, ...]:
    """What a row of the input is: a list of numbers, or () for a number."""
    shape = table.shape.as_list() if table.shape.rank is not None else [None]
    if not table.dtype.is_floating or len(shape) > 2 or (len(shape) == 2 and shape[1] is None):
        raise _refused(source, f"an input of {table.dtype.name} and of shape {shape}")
    return tuple(shape[1:])


def _refused(source: str, evidence: str) -> ModelError:
    return ModelError(f"{source} is not a SavedModel that can be served here", evidence=evidence, hint=_HINT)
