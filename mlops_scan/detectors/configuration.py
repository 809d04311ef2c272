"""Training configuration in versioned files that the training code really reads, and data tied to a version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from msgspec import Struct

from mlops_scan.code.facts import Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.keys import has_key, run_argument
from mlops_scan.detectors.mentions import LOADERS, folder_mention, mentions, path_option
from mlops_scan.detectors.settings import unread
from mlops_scan.documents.definitions import LOCK_FILES, MAX_JSON
from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.globs import matches
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Confidence, Grade, Hop, Problem, Role, Signal

_PARAMETERS = frozenset(
    {
        "learning_rate", "learningrate", "lr", "epoch", "epochs", "n_epoch", "n_epochs", "num_train_epochs",
        "batch_size", "batchsize", "n_estimators", "max_depth", "num_leaves", "dropout", "weight_decay", "n_layer",
        "n_layers", "num_layers", "optimizer", "alpha", "l1_ratio", "subsample", "reg_alpha", "reg_lambda", "max_iter",
        "max_iters", "test_size", "random_state", "momentum", "n_neighbors", "n_clusters", "eta", "kernel",
        "max_features", "num_boost_round", "n_trials", "penalty", "solver", "criterion", "min_child_weight", "n_splits",
        "cv_folds", "early_stopping_rounds", "max_seq_length", "bagging_fraction", "feature_fraction", "l2_leaf_reg",
        "embedding_dim", "imgsz", "image_size", "img_size",
    }
)  # fmt: skip
_PARAMETER_STEMS = ("min_samples_", "hidden_", "colsample_", "gradient_", "warmup")
_PARAMETER_ENDS = ("_batch_size", "_learning_rate", "_epochs")
_BATCHES = ("train", "eval", "val", "test", "per_device_", "micro", "mini", "global")
_CONFIG_NAMES = frozenset(
    {
        "config", "conf", "setting", "settings", "param", "params", "parameters", "hparams", "experiment",
        "experiments", "configuration", "configurations", "mlconfig",
    }
)  # fmt: skip
_TOLD = ("conf", "setting", "param")  # a trainer is none
_CONFIG_WORDS = ("conf", "setting", "param", "experiment", "train")
_TELLING = frozenset({"training", "train", "model", "params", "parameters", "estimator", "optimizer"})
_RESULTS = (
    "schema", "metadata", "metric", "report", "result", "signature", "model_info", "baseline", "coverage", "manifest",
    "snapshot",
)  # fmt: skip
_GIVEN = frozenset({"config_path", "config_file"})  # what engines read themselves: `flow.with_options(config_path=…)`
_MAX_NODES = 5_000  # of a document that hyperparameters are looked for in
# below the parameter that a sweep or a pipeline names; the bounds of W&B and of Azure ML:
# https://docs.wandb.ai/guides/sweeps/sweep-config-keys/ and
# https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep
_VALUES = frozenset({"value", "values", "min", "max", "min_value", "max_value"})
_TOOL_FILES = LOCK_FILES | {"pyproject.toml", "package.json", "dvc.yaml", "dvc.lock", "MLproject", "pylock.toml"}
_LFS_LINE = regex(r"\s*(\S+)\s.*\bfilter=lfs\b")
_LFS_DATA = regex(
    r"\.(csv|tsv|parquet|feather|jsonl|npz|npy|h5|hdf5|pkl|joblib|pt|pth|onnx|safetensors|bin|tfrecord|arrow|zip|gz)\b|data",
    re.I,
)
_EXECUTES = frozenset(
    {"exec", "importlib.import_module", "__import__", "importlib.machinery.SourceFileLoader", "imp.load_source"}
)
_MAX_CONFIGURATION = 300_000  # bytes


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `experiment/config` and, from .gitattributes, `data/versioning`."""
    yield from _files(context)
    yield from _python(context)
    yield from _large_files(context)


# -- configuration ---------------------------------------------------------------------------------------------------


def _files(context: Context) -> Iterator[Signal]:
    mentioned = mentions(context)
    frameworks = {use.tool for use in context.uses} & {"kedro", "hydra", "lightning"}
    for file in context.written_in("yaml", "json", "toml"):
        if not _may_configure(file):
            continue
        found = next(
            (
                hit
                for document in context.documents.nodes(file.path)
                if (hit := _hyperparameter(document) or run_argument(document, is_hyperparameter)) is not None
            ),
            None,
        )
        if found is None and file.name == "params.yaml" and file.name in mentioned and _sets_a_value(context, file):
            found = "params", 1  # what a pipeline calls its parameters is a configuration, whatever the names
        if found is not None:
            yield _configuration(context, file, found, mentioned, frameworks)


def _may_configure(file: File) -> bool:
    """Whether a file may by its name be a configuration of training: no result, no file that a tool reads."""
    if file.size > (MAX_JSON if file.suffix == ".json" else _MAX_CONFIGURATION) or file.role is Role.DATA:
        return False
    if file.name in _TOOL_FILES or ".github/" in file.path or file.name.startswith("docker-compose"):
        return False
    name = file.name.lower()
    if "history" in name:  # `training_history.json` is what a training leaves
        return False
    if not any(word in name for word in _RESULTS):
        return True
    stem = name.partition(".")[0]
    return any(word in stem for word in _CONFIG_WORDS)


def _sets_a_value(context: Context, file: File) -> bool:
    """Whether a file sets a number or a switch: names of projects and accounts alone set no training."""
    nodes = (node for document in context.documents.nodes(file.path) for _, node in document.walk(_MAX_NODES))
    return any(isinstance(node.value, (int, float)) or node.number() is not None for node in nodes)


def _is_config(name: str) -> bool:
    """Whether a module or a folder is by its name one of configurations."""
    name = name.lower()
    if name in _CONFIG_NAMES:
        return True
    told = name.startswith("hyperparam") or (name.startswith("train") and any(word in name for word in _TOLD))
    return (told or name[1:].endswith("_config")) and _is_word(name)


def is_hyperparameter(name: str) -> bool:
    """Whether a name is one that libraries of machine learning give what a person sets before a training."""
    name = name.lower()
    if name in _PARAMETERS:
        return True
    if (
        name.endswith(_PARAMETER_ENDS)
        and name not in _PARAMETER_ENDS
        and (not name.endswith("_batch_size") or name.startswith(_BATCHES))
    ):
        return _is_word(name)
    return name == "warmup" or (name.startswith(_PARAMETER_STEMS) and name not in _PARAMETER_STEMS and _is_word(name))


def _is_word(text: str) -> bool:
    return text.replace("_", "a").isalnum()


def _configuration(
    context: Context,
    file: File,
    found: tuple[str, int],
    mentioned: Mapping[str, tuple[str, int]],
    frameworks: set[str],
) -> Signal:
    """What a file of hyperparameters is worth by what reads it; `found` is one of them and its line."""
    name, line = found
    practice, evidence = "experiment/config", (context.evidence(file.path, line),)
    place = mentioned.get(file.name) or folder_mention(context, file.path)
    if place is None and _is_called_config(file):
        place = path_option(context)
    if place is not None:
        where, at = place
        both = (*evidence, context.evidence(where, at, Hop.USE))
        return Signal(practice, "configuration", Grade.IMPLEMENTED, both, Confidence.MEDIUM)
    if frameworks and re.search(r"(^|/)(conf|config|configs)/", file.path):
        return Signal(practice, sorted(frameworks)[0], Grade.IMPLEMENTED, evidence, Confidence.MEDIUM)
    if _loaded_by_folder(context, file.path):
        return Signal(practice, "configuration", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM)
    reason = f"no code mentions this file (it sets `{name}`)"
    return Signal(practice, "configuration", Grade.TRACE, evidence, Confidence.LOW, reason, fixed=True)


def _is_called_config(file: File) -> bool:
    """Whether a file, or its folder, is by its name a configuration."""
    folder = file.folder.rpartition("/")[2]
    return _is_config(file.name.partition(".")[0]) or _is_config(folder) or _is_config(folder.removesuffix("s"))


def _hyperparameter(document: Node) -> tuple[str, int] | None:
    """The first of at least two hyperparameters that a document sets (one is enough below a telling key)."""
    if not has_key(document, _is_parameter, _MAX_NODES):
        return None
    hits: list[tuple[str, int]] = []
    stack: list[_Pending] = [(_NO_KEY, False, False, document, 0)]
    seen = 0
    while stack:
        key, telling, above, node, skipped = stack.pop()
        seen += skipped + 1
        if seen > _MAX_NODES:
            break
        if key.parameter and node.kind != "mapping" and (node.number() is not None or node.items or node.string()):
            hits.append((key.name, node.at))
            if above or any(name != key.name for name, _ in hits):
                return hits[0]
        inner, skipped = _inside(key, telling, node)
        if skipped and stack:
            *last, before = stack[-1]
            stack[-1] = (*last, before + skipped)  # type: ignore[assignment]
        inner.reverse()
        stack += inner
    return None


def _inside(key: _Key, telling: bool, node: Node) -> tuple[list[_Pending], int]:
    """What lies in a node and may be a hyperparameter or hold one, and how many other nodes stand behind the last."""
    found: list[_Pending] = []
    skipped = 0
    for child in node.items:
        if key.parameter or child.entries or child.items:
            found.append((key, telling, telling, child, skipped))
            skipped = 0
        else:
            skipped += 1
    for name, child in node.entries if not node.items else ():
        own = _about(name)
        inner = key if own.stands_for else own
        if inner.parameter or child.entries or child.items:
            found.append((inner, telling or own.telling, telling, child, skipped))
            skipped = 0
        else:
            skipped += 1
    return found, skipped


class _Key(Struct, frozen=True):
    """A key of a document, and what it says of the node that it names."""

    name: str
    parameter: bool  # it is a hyperparameter
    telling: bool  # what lies below it is about training
    stands_for: bool  # it names nothing by itself, but stands for the key above


_NO_KEY = _Key("", False, False, False)
_Pending = tuple[_Key, bool, bool, Node, int]
"""A node to look at, in document order: the key that names it, whether that key or one above it is telling, whether one
above it is, the node, and how many nodes before it can be none of what is looked for."""


@lru_cache(maxsize=1 << 14)  # documents repeat a few keys
def _about(key: str) -> _Key:
    lower = key.lower()
    return _Key(
        key,
        is_hyperparameter(key.replace("-", "_")),
        lower in _TELLING or (lower.startswith(("hyperparam", "hyper_param")) and _is_word(lower)),
        key in _VALUES or key[:1] == "[",
    )


def _is_parameter(key: str) -> bool:
    return _about(key).parameter


def _loaded_by_folder(context: Context, path: str) -> bool:
    """Whether code names the file's folder and its stem, or takes a configuration path on its command line."""
    folder = path.rpartition("/")[0].rpartition("/")[2]
    if not folder or not _is_config(folder.rstrip("s")):
        return False
    return _loads_folder(context, folder)


@kept
def _loads_folder(context: Context, folder: str) -> bool:
    for where, module in context.modules():
        if any(folder in text and folder in text.split("/") for _, text in module.strings) and any(
            context.index.resolve(where, call.name).name.startswith(LOADERS)
            or any(keyword in _GIVEN for keyword, _ in call.keywords)
            for call in module.calls
        ):
            return True
    return any(folder in word.split("/") for words in context.commands() for word in words)


def _python(context: Context) -> Iterator[Signal]:
    """Python modules of settings that training code imports, or runs as configuration files."""
    training = frozenset([use.location.path for use in context.doing("train", "tune")])
    for path, module in context.modules(notebooks=False):
        folder, _, name = path.rpartition("/")
        stem, folder = name.rpartition(".")[0] or name, folder.rpartition("/")[2]
        if not (_is_config(stem) or _is_config(folder)) or path in training:
            continue
        hits = _settings(context, path, module)
        if len({"batch_size" if hit.lower().endswith("batch_size") else hit for hit in hits}) < 2:
            continue
        if path in _read_by_training(context, training) or folder in _executed(context, training):
            line = next((n for n, text in module.strings if text in hits), 0) or _line_of(context, path, hits)
            holder = "" if folder in _executed(context, training) else unread(context, path, hits)
            yield Signal(
                "experiment/config",
                "python-config",
                Grade.TRACE if holder else Grade.IMPLEMENTED,
                (context.evidence(path, line),),
                Confidence.MEDIUM,
                f"no code that imports this module mentions `{holder}`" if holder else "",
                fixed=bool(holder),
            )


def _settings(context: Context, path: str, module: Module) -> set[str]:
    """Hyperparameters that a module sets by its constants and in mappings; those that it asks for are no settings."""
    hits = {name for name in module.constants if is_hyperparameter(name)}
    lines = context.documents.text(path).split("\n")
    for number, text in module.strings:
        if text not in hits and is_hyperparameter(text) and number <= len(lines):
            line = lines[number - 1]
            if f'"{text}":' in line or f"'{text}':" in line:
                hits.add(text)
    return hits


@kept
def _read_by_training(context: Context, training: frozenset[str]) -> frozenset[str]:
    """What the modules that train use, and what is used beside them."""
    reached = {node[0] for node in context.index.reach((path, "") for path in sorted(training))}
    for importer in context.index.modules if training else ():
        used = {node[0] for node, _ in context.index.edges((importer, ""))}
        if not used.isdisjoint(training):
            reached |= used
    return frozenset(reached)


@kept
def _executed(context: Context, training: frozenset[str]) -> frozenset[str]:
    """Folders of configuration modules that training code runs or imports by a name given at run time."""
    return frozenset(_find_executed(context, training))


def _find_executed(context: Context, training: frozenset[str]) -> set[str]:
    for path, module in context.modules():
        for call in module.calls:
            if call.name in _EXECUTES and (path in training or path in _read_by_training(context, training)):
                return {"config", "configs", "configurations", "conf", "experiments"}
    return set()


def _line_of(context: Context, path: str, names: set[str]) -> int:
    for number, line in enumerate(context.documents.text(path).split("\n"), 1):
        if line.split("=", 1)[0].strip() in names:
            return number
    return 1


# -- large files -----------------------------------------------------------------------------------------------------


def _large_files(context: Context) -> Iterator[Signal]:
    for file in context.named(".gitattributes"):
        for number, line in enumerate(context.documents.text(file.path).split("\n"), 1):
            match = _LFS_LINE.match(line)
            if match is None or not _LFS_DATA.search(match.group(1)):
                continue
            evidence = (context.evidence(file.path, number),)
            inside = f"{file.folder}/" if file.folder else ""
            if any(
                other.path.startswith(inside) and matches(other.path[len(inside) :], (match.group(1),))
                for other in context.repository.files
            ):
                yield Signal("data/versioning", "git-lfs", Grade.IMPLEMENTED, evidence)
                return
            reason = f"no file of the repository matches `{match.group(1)[:60]}`"
            yield Signal("data/versioning", "git-lfs", Grade.TRACE, evidence, reason=reason, fixed=True)
