"""Data versions that a project makes itself: copies of its data under an identifier that is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Call, Function
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.live import dead
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Grade, Problem, Signal

_VERSION = regex(
    r"((data|dataset|training_data|train_data|snapshot)_?(version|hash|sha256|md5|checksum|fingerprint|digest|id)(_id)?|"
    r"dataset_manifest|data_manifest)",
    re.I,
    words=("data", "snapshot"),
)
_INITIALS = frozenset("dtsDTS")
_ENDINGS = ("version", "hash", "sha256", "md5", "checksum", "print", "digest", "id", "manifest")
_COPIES = frozenset(
    {"copy", "copy2", "copyfile", "copytree", "upload_file", "upload_from_filename", "put_object", "copy_object"}
)
_FRAMES = frozenset({"to_parquet", "to_csv", "to_feather", "write_parquet", "write_csv"})
_OF_MODELS = ("model", "artifact", "weight", "checkpoint")
_OF_DATA = ("data", "snapshot", "csv", "parquet", "raw")
_RECORDS = frozenset({"dump", "log_param", "log_params", "log_dict", "log_text", "set_tag", "set_tags", "write_text"})
_STREAMS = frozenset({"open", "write"})
_DEPTH = 3  # calls from the function that makes the snapshot to its helpers


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `data/versioning` from first-party snapshots."""
    for path, module in context.modules(notebooks=False):
        named = [line for line, text in module.strings if text[:1] in _INITIALS and _is_version(text)]
        given: dict[str, int] = {}
        for call in module.calls:
            for keyword, _ in call.keywords:
                if keyword[:1] in _INITIALS and _is_version(keyword):
                    given.setdefault(call.scope, call.line)
        for name, function in module.functions.items() if named or given else ():
            inside = (line for line in named if function.line <= line <= function.end_line)
            line = next(inside, 0) or given.get(name, 0)
            if line:
                yield from _snapshot(context, path, name, function, line)


def _is_version(name: str) -> bool:
    """Whether a key or an argument names a version of data; most fail at their first letter, or their last ones."""
    return name[:1] in _INITIALS and name[-8:].lower().endswith(_ENDINGS) and _VERSION.fullmatch(name) is not None


def _snapshot(context: Context, path: str, name: str, function: Function, line: int) -> Iterator[Signal]:
    placed = [
        (where, call)
        for where, scope in context.index.reach(((path, name),), _DEPTH)
        for call in context.index.calls_in(where, scope)
    ]
    calls = [call for _, call in placed]
    done = {call.name.rpartition(".")[2] for call in calls} - _COPIES
    done.update(call.name.rpartition(".")[2] for where, call in placed if _copies_data(context, where, call))
    if not done & _RECORDS:
        return
    copied = bool(done & _COPIES or done & _FRAMES or (done >= _STREAMS and _binary(calls)))
    evidence = (
        context.evidence(path, function.line, end_line=function.end_line),
        context.evidence(path, line),
    )
    if not copied:
        reason = "a version of the data is recorded, but nothing was seen to keep the data under it"
    elif dead(context, path, name):
        reason = "nothing calls this function"
    else:
        yield Signal("data/versioning", "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=name)
        return
    yield Signal("data/versioning", "python", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)


def _copies_data(context: Context, path: str, call: Call) -> bool:
    """Whether a call copies a file of data, or one to a version's place, by the names around it.

    What copies anything else, a model or what a run leaves, is no version of data. `frame.copy()` copies no file:
    `shutil.copy` has two arguments.
    """
    last = call.name.rpartition(".")[2]
    if last not in _COPIES or (last == "copy" and len(call.args) < 2):
        return False
    names = f"{call.scope} {context.line(path, call.line)}".lower()
    return has_any(names, _OF_DATA) or ("version" in names and not has_any(names, _OF_MODELS))


def _binary(calls: Iterable[Call]) -> bool:
    """Whether bytes are read and written: a copy by hand."""
    modes = {mode for call in calls if call.name.rpartition(".")[2] == "open" for mode in call.args if mode}
    return {"rb", "wb"} <= modes
