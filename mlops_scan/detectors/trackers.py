"""Trackers that a configuration names and a library starts: loggers of Hydra and Lightning, `report_to` of trainers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Call, Module
from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.keys import has_key
from mlops_scan.detectors.mentions import folder_mention, mentions
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Signal

_PRACTICE = "experiment/tracking"
# The classes that Hydra makes of `_target_` and Lightning's command line of `class_path`; TensorBoard and CSV are none.
# https://hydra.cc/docs/advanced/instantiate_objects/overview/, https://lightning.ai/docs/pytorch/stable/cli/lightning_cli_advanced.html
_LOGGERS = {
    "WandbLogger": "wandb", "MLFlowLogger": "mlflow", "NeptuneLogger": "neptune", "CometLogger": "comet",
    "DVCLiveLogger": "dvclive", "AimLogger": "aim", "SwanLabLogger": "other-trackers",
}  # fmt: skip
_MADE_OF = frozenset({"_target_", "class_path"})
# What trainers report to: https://huggingface.co/docs/transformers/main_classes/callback
_REPORTS = {
    "wandb": "wandb", "mlflow": "mlflow", "neptune": "neptune", "comet_ml": "comet", "clearml": "clearml",
    "dvclive": "dvclive", "swanlab": "other-trackers", "trackio": "other-trackers", "azure_ml": "azure-ml-tracking",
}  # fmt: skip
_REPORTING = frozenset({"report_to", "log_with"})
_OPTIONS = frozenset({"--report_to", "--report-to", "--log_with", "--log-with"})
_QUOTED = regex(
    rf"""(?:report_to|log_with)\s*=[^"'\n]{{0,80}}["']({"|".join(_REPORTS)})["']""", words=("report_to", "log_with")
)
_TRAINERS = regex(r"(transformers|trl|sentence_transformers|setfit|accelerate)\..*")
_SETTINGS = regex(r".*\.(\w*TrainingArguments|HfArgumentParser|\w+Config|Accelerator)", re.I)
_MODULES = frozenset({"mlflow", "wandb"})
_LOGS = frozenset({"start_run", "log_metric", "log_metrics", "log_param", "log_params", "log", "init"})
_MAX_NODES = 2_000
_MAX_BYTES = 100_000
_MAX_LINES = 80  # of one call


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `experiment/tracking`."""
    for found in (_made_by_configuration(context), _reported(context), _handed(context)):
        yield from unique(signal for signal in found if signal.tool not in context.self_tools)


# -- loggers that a configuration describes --------------------------------------------------------------------------


def _made_by_configuration(context: Context) -> Iterator[Signal]:
    """Loggers below `_target_` or `class_path`, in files that the program reads and groups that something chooses."""
    if not {use.tool for use in context.uses} & {"hydra", "lightning"}:
        return
    for file in _configurations(context):
        for node in _values(context, file, _MADE_OF):
            tool = _LOGGERS.get((node.string() or "").rpartition(".")[2])
            if tool is None:
                continue
            chosen = _chosen(context, file)
            evidence = (context.evidence(file.path, node.at), *((chosen,) if chosen is not None else ()))
            reason = "" if chosen is not None else "nothing is seen to choose this part of the configuration"
            yield Signal(
                _PRACTICE,
                tool,
                Grade.TRACE if reason else Grade.IMPLEMENTED,
                evidence,
                Confidence.MEDIUM,
                reason,
                fixed=bool(reason),
            )


def _chosen(context: Context, file: File) -> Evidence | None:
    """Where a file of a configuration is chosen: by a list of defaults, a command, or code that names it."""
    group, _, _ = file.path.rpartition("/")
    stem = file.name.rpartition(".")[0]
    place = _choices(context).get((group.rpartition("/")[2], stem)) or mentions(context).get(file.name)
    return context.evidence(*place, Hop.USE) if place is not None else None


@kept
def _choices(context: Context) -> dict[tuple[str, str], tuple[str, int]]:
    """The options of groups that Hydra is told to take, with where.

    Facts: https://hydra.cc/docs/advanced/defaults_list/ and https://hydra.cc/docs/advanced/override_grammar/basic/
    """
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for file in _configurations(context):
        for document in context.documents.nodes(file.path):
            defaults = document.get("defaults")
            for item in defaults.items if defaults is not None else ():
                for name, value in item.entries:
                    group = name.rpartition(" ")[2].partition("@")[0].rpartition("/")[2]
                    for option in value.strings():
                        found.setdefault((group, option.removesuffix(".yaml")), (file.path, value.at))
    for words, run in context.commands().items():
        for word in words:
            group, equals, option = word.lstrip("+").partition("=")
            if equals and not group.startswith("-"):
                found.setdefault((group.rpartition("/")[2], option), (run.location.path, run.location.line))
    return found


# -- what trainers report to -----------------------------------------------------------------------------------------


def _reported(context: Context) -> Iterator[Signal]:
    """Trainers that are told by a condition, an option or a file to which tracker they report."""
    asked: list[tuple[str, Call]] = []
    trains = False
    for path, module in context.modules():
        for call in _settings(context, path, module):
            trains = True
            told = next((key for key, value in call.keywords if key in _REPORTING and value is None), "")
            if not told:
                continue
            tool = _by_condition(context, path, call)
            if tool:
                evidence = (context.evidence(path, call.line, end_line=call.end_line),)
                yield Signal(_PRACTICE, tool, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=call.scope)
            else:
                asked.append((path, call))
    option = _by_option(context) if asked else None
    if option is not None:
        tool, place = option
        path, call = asked[0]
        both = (context.evidence(path, call.line, end_line=call.end_line), place)
        yield Signal(_PRACTICE, tool, Grade.IMPLEMENTED, both, Confidence.MEDIUM, scope=call.scope)
    if trains:
        yield from _by_file(context)


def _settings(context: Context, path: str, module: Module) -> Iterator[Call]:
    """The calls of a module that make the settings of a trainer."""
    if module.roots.isdisjoint({"transformers", "trl", "sentence_transformers", "setfit", "accelerate"}):
        return
    for call in module.calls:
        name = context.index.resolve(path, call.name).name
        if _TRAINERS.fullmatch(name) and _SETTINGS.fullmatch(name):
            yield call


def _by_condition(context: Context, path: str, call: Call) -> str:
    """The tracker of `report_to="wandb" if use_wandb else "none"`, or empty."""
    last = min(call.end_line or call.line, call.line + _MAX_LINES)
    match = _QUOTED.search(context.code(path, call.line, last))
    return _REPORTS[match.group(1)] if match is not None else ""


def _by_option(context: Context) -> tuple[str, Evidence] | None:
    """The tracker that an option of a command line names unless a person says otherwise."""
    for path, module in context.modules():
        for call in module.calls:
            if call.args[:1] and call.args[0] in _OPTIONS:
                tool = _REPORTS.get(call.keyword("default") or "")
                if tool is not None:
                    return tool, context.evidence(path, call.line, Hop.USE)
    return None


def _by_file(context: Context) -> Iterator[Signal]:
    """`report_to: wandb` in a configuration that code or a command names."""
    for file in _configurations(context):
        for node in _values(context, file, _REPORTING):
            tool = next((_REPORTS[text] for text in node.strings() if text in _REPORTS), None)
            place = mentions(context).get(file.name) or folder_mention(context, file.path)
            if tool is not None and place is not None:
                evidence = (context.evidence(file.path, node.at), context.evidence(*place, Hop.USE))
                yield Signal(_PRACTICE, tool, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM)


# -- a tracker that a function is handed -----------------------------------------------------------------------------


def _handed(context: Context) -> Iterator[Signal]:
    """Functions that log to a parameter with the name of a tracker's module, which a caller hands over."""
    for path, module in context.modules():
        for function in module.functions.values():
            name = next((name for name in function.parameters if name in _MODULES), None)
            if name is None or name not in _given(context):
                continue
            calls = context.index.calls_in(path, function.qualname)
            logs = next((call for call in calls if call.name.rpartition(".")[2] in _LOGS), None)
            if logs is not None:
                evidence = (context.evidence(path, logs.line, end_line=logs.end_line),)
                scope = function.qualname
                yield Signal(_PRACTICE, name, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=scope)


@kept
def _given(context: Context) -> frozenset[str]:
    """The modules of trackers that calls hand over."""
    refs = (call.refs for _, module in context.modules() for call in module.calls if call.refs)
    return frozenset(ref for several in refs for ref in several if ref in _MODULES)


@kept
def _configurations(context: Context) -> tuple[File, ...]:
    """The files of a size that people write configurations in."""
    return tuple(file for file in context.written_in("yaml", "json", "toml") if file.size <= _MAX_BYTES)


def _values(context: Context, file: File, keys: frozenset[str]) -> Iterator[Node]:
    """What a file gives for some keys, at whatever depth."""
    for document in context.documents.nodes(file.path):
        if has_key(document, keys.__contains__, _MAX_NODES):
            for path, node in document.walk(_MAX_NODES):
                if path and path[-1] in keys:
                    yield node
