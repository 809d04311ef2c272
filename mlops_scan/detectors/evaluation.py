"""Stored evaluation: metrics on held-out data that code computes and keeps in a file, a tracker or a database."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from mlops_scan.code.facts import MAIN, Call, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.gates import METRIC
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Grade, Hop, Problem, Role, Signal

_STORES = frozenset({"json.dump", "yaml.dump", "yaml.safe_dump", "toml.dump"})
_STORING = frozenset({"log_metric", "log_metrics", "send_metric", "report_scalar", "write_text", "log_metric_table"})
_SERIALIZES = frozenset({"json.dumps", "toml.dumps", "tomli_w.dumps", "yaml.dumps"})
_WRITES = frozenset(
    {"write", "writelines", "write_text", "write_bytes", "put_object", "upload_blob", "upload_from_string"}
)
_TEXTS = frozenset({"write", "writelines"})  # into a file that has the name of figures
# What holds anything at all, mostly the model or the rows: it is asked what it is given.
_PICKLES = frozenset(
    {"pickle.dump", "joblib.dump", "cloudpickle.dump", "dill.dump", "pickle.dumps", "cloudpickle.dumps"}
)
_TABLES = frozenset({"to_csv", "to_json", "to_parquet", "to_excel"})
_R_WRITES = (".write.csv", ".write_csv", ".fwrite", ".saveRDS", ".write_rds", ".write_json", ".write_parquet")
_DATABASES = frozenset(
    {"to_sql", "bulk_insert_mappings", "bulk_save_objects", "executemany", "insert_one", "insert_many"}
)
_SESSIONS = frozenset({"add", "add_all", "merge"})
_NO_TRACKERS = frozenset(
    {"math", "cmath", "numpy", "torch", "tensorflow", "jax", "scipy", "sympy", "keras", "cupy", "polars", "pandas",
     "logging", "loguru", "structlog", "rich", "R"}
)  # fmt: skip
"""Packages whose `log` is a logarithm, or a line for a person."""

_FIGURES = ("metric", "score", "result", "eval", "report", "performance", "leaderboard", "benchmark", "confusion")
_ROWS = ("pred", "subm", "train", "test", "valid", "split", "holdout", "hold_out", "sample", "clean", "data", "feature")
_MODELS = (
    "model", "clf", "classifier", "regress", "estimator", "pipe", "scaler", "encoder", "vectorizer", "transformer",
    "tokenizer", "imputer", "weights", "params",
)  # fmt: skip
_QUOTED = regex(r"""["']([^"'\n]{1,200})["']""")
_GIVEN = regex(r"dumps?\(\s*(?:obj\s*=\s*|value\s*=\s*)?([\w.]+)")
_RECEIVER = regex(r"(?<![\w.])([\w.]{1,80})(?:\[[^\]]{0,60}\])?\.to_\w{1,20}\(")
_SCORED = regex(r"scor(?:ed|ing)", re.I)  # rows with predictions
_NAMES = frozenset({"open", "io.open", "pathlib.Path", "os.path.join"})  # calls that name what is written
_FRAMES = ("DataFrame", "from_dict", "from_records", "Series", "classification_report", "confusion_matrix")
_MAX_LINES = 4  # of one call that are looked at


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/evaluation`."""
    seen = set()
    for use in context.doing("evaluate"):
        path = use.location.path
        if path in seen or path not in context.index.modules:
            continue
        seen.add(path)
        grade, reason = Grade.IMPLEMENTED, ""
        if context.role(path) is Role.NOTEBOOK:
            grade, reason = Grade.TRACE, "metrics are computed in a notebook only"
        elif not _kept(context, path):
            grade, reason = Grade.TRACE, "metrics are computed but not stored"
        evidence = (context.evidence(path, use.location.line, Hop.DEFINITION, use.location.end_line),)
        yield Signal("model/evaluation", use.tool, grade, evidence, use.confidence, reason, scope=use.scope)


def _kept(context: Context, path: str) -> bool:
    """Whether the module that computes metrics stores them, or one that uses it does."""
    if any("experiment/tracking" in use.serves for use in context.uses_in(path)):
        return True
    computing = frozenset(use.scope for use in context.uses_in(path) if "evaluate" in use.does)
    module = context.index.modules[path]
    if _stores(context, module, computing) or _by_helper(context, module):
        return True
    return any(_stores(context, context.index.modules[p], frozenset()) for p in _importers(context).get(path, ()))


def _stores(context: Context, module: Module, computing: frozenset[str]) -> bool:
    """Whether a module writes figures: by one call, or by two (`file.write(json.dumps(report))`) in one scope.

    `computing` are the scopes that compute them.
    """
    made: set[str] = set()
    written: set[str] = set()
    for call in module.calls:
        name = context.index.resolve(module.path, call.name).name
        _, dot, last = name.rpartition(".")
        if name in _STORES or (dot and _stores_by_itself(context, module, name, call)):
            return True
        if name in _PICKLES:
            if not _holds_figures(context, module, call):
                continue
            if last == "dump":
                return True
            made.add(call.scope)
        elif (dot and last in _TABLES) or name.endswith(_R_WRITES):
            if _is_table_of_figures(context, module, call):
                return True
        elif dot and (last in _DATABASES or (last in _SESSIONS and "session" in _text(context, module, call).lower())):
            if call.scope in computing or _is_figures(call.scope) or _is_figures(_text(context, module, call)):
                return True
        elif name in _SERIALIZES:
            made.add(call.scope)
        elif last in _WRITES:
            written.add(call.scope)
    return not made.isdisjoint(written)


def _stores_by_itself(context: Context, module: Module, name: str, call: Call) -> bool:
    """Whether a call of a method, of that name in full, keeps figures, whatever else is called."""
    last = name.rpartition(".")[2]
    if last in _TEXTS:
        return any(map(_is_figures, _files(context, module, call)))
    return last in _STORING or (last == "log" and _tracks(name, call))


def _by_helper(context: Context, module: Module) -> bool:
    """Whether a module gives figures to a function of the repository that writes them: `save_json(path, scores)`."""
    for call in module.calls:
        target = context.index.resolve(module.path, call.name)
        if not target.first_party or target.path not in context.index.modules:
            continue
        written = context.index.calls_in(target.path, target.qualname)
        if any(context.index.resolve(target.path, other.name).name in _STORES for other in written) and (
            _is_figures(call.scope) or _is_figures(_text(context, module, call))
        ):
            return True
    return False


def _tracks(name: str, call: Call) -> bool:
    """Whether a call of something's `log` is that of a tracker: neither a logarithm nor a line of a log."""
    return (
        name.partition(".")[0] not in _NO_TRACKERS
        and (bool(call.args) or bool(call.keywords))
        and not any(ref.startswith("logging.") for ref in call.refs)
    )


def _holds_figures(context: Context, module: Module, call: Call) -> bool:
    """Whether what is pickled has the name of figures, or its file or function has and it is no model."""
    given = _GIVEN.search(_text(context, module, call))
    first = given.group(1) if given is not None else ""
    files = _files(context, module, call)
    if first == "self" or has_any(" ".join((first, *files)), _MODELS):
        return False
    return _is_figures(first) or any(map(_is_figures, files)) or _is_figures(call.scope)


def _is_table_of_figures(context: Context, module: Module, call: Call) -> bool:
    """Whether a table that is written has the name of figures, is made of some, or is all that an evaluation writes."""
    text = _text(context, module, call)
    receiver = _RECEIVER.search(text)
    first = receiver.group(1) if receiver is not None else ""
    files = _files(context, module, call)
    if _is_figures(first) or any(map(_is_figures, files)):
        return True
    if has_any(" ".join((first, *files)), _ROWS):
        return False
    return _is_figures(call.scope) or any(
        _is_figures(_text(context, module, other))
        for other in context.index.calls_in(module.path, call.scope)
        if other.line <= call.line and other.name.rpartition(".")[2] in _FRAMES
    )


def _files(context: Context, module: Module, call: Call) -> list[str]:
    """The names, without folders, that a call that writes may give to its file: in it, or in what its scope opens."""
    every = [_text(context, module, call)]
    every += [
        _text(context, module, other)
        for other in context.index.calls_in(module.path, call.scope)
        if other.name in _NAMES and other.line <= call.line <= other.line + _MAX_LINES
    ]
    quoted = (match.group(1).rpartition("/")[2] for text in every for match in _QUOTED.finditer(text))
    return [name for name in quoted if "." in name]


def _is_figures(text: str) -> bool:
    return has_any(_SCORED.sub("", text), _FIGURES) or METRIC.search(text) is not None


def _text(context: Context, module: Module, call: Call) -> str:
    """The source of a call, which alone says the names of local variables, without comments."""
    last = min(call.end_line or call.line, call.line + _MAX_LINES - 1)
    return context.code(module.path, call.line, last)


@kept
def _importers(context: Context) -> Mapping[str, list[str]]:
    """For each file the main modules that use something of it."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for path, module in context.modules():
        for scope in ("", MAIN, *module.functions):
            for node, _ in context.index.edges((path, scope)):
                if node[0] != path:
                    found[node[0]][path] = None
    return {path: list(users) for path, users in found.items()}
