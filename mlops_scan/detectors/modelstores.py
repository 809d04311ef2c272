"""Model registries that a project makes itself: a class that keeps versions, lists them and says which is in use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Call, Class, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.live import dead
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "model/registry"
_NAMED = regex(r"regist|store|version|vault|repositor|catalog", re.I)
_PROMOTES = regex(
    r"_*(promote|activate|rollback|roll_back|set_(as_)?(active|current|production|champion|stage|alias|latest)|deploy|"
    r"transition)\w*",
    re.I,
)
_KEEPS = frozenset(
    {"joblib.dump", "pickle.dump", "cloudpickle.dump", "dill.dump", "torch.save", "shutil.copy", "shutil.copy2",
     "shutil.copyfile", "shutil.copytree", "shutil.move"}
)  # fmt: skip
_KEEPING = frozenset({"save_model", "save_pretrained", "upload_file", "upload_from_filename", "put_object"})
_LOADS = frozenset({"joblib.load", "pickle.load", "pickle.loads", "cloudpickle.load", "dill.load", "torch.load"})
_LOADING = frozenset({"load_model", "from_pretrained", "download_file", "download_to_filename"})
_LISTS = frozenset({"json.dump", "json.dumps", "yaml.dump", "yaml.safe_dump"})
_READS = frozenset({"json.load", "json.loads", "yaml.safe_load", "yaml.load"})


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/registry`."""
    for path, module in context.modules(notebooks=False):
        for item in module.classes.values():
            if _NAMED.search(item.qualname) and "model" in f"{path}/{item.qualname}".lower():
                yield from _store(context, module, item)


def _store(context: Context, module: Module, item: Class) -> Iterator[Signal]:
    """A class that keeps models and a list of their versions, reads both and has a method that chooses one."""
    promotes = next((name for name in item.methods if _PROMOTES.fullmatch(name)), None)
    prefix = f"{item.qualname}."
    calls = [call for call in module.calls if call.scope.startswith(prefix)]
    if promotes is None or not calls or not _has_versions(module, item):
        return
    named = [(context.index.resolve(module.path, call.name).name, call) for call in calls]
    keeps = _first(named, _KEEPS, _KEEPING)
    others = ((_LOADS, _LOADING), (_LISTS, _LISTS), (_READS, _READS))
    if keeps is None or any(_first(named, names, methods) is None for names, methods in others):
        return
    chooses = module.functions.get(prefix + promotes)
    unused = next((name for name in (keeps.scope, prefix + promotes) if dead(context, module.path, name)), "")
    evidence = (
        context.evidence(module.path, keeps.line, end_line=keeps.end_line),
        context.evidence(module.path, chooses.line if chooses is not None else item.line, Hop.EFFECT),
    )
    yield Signal(
        _PRACTICE,
        "python",
        Grade.TRACE if unused else Grade.IMPLEMENTED,
        evidence,
        Confidence.MEDIUM,
        f"nothing calls `{unused}`" if unused else "",
        scope=keeps.scope,
        fixed=bool(unused),
    )


def _first(named: list[tuple[str, Call]], names: frozenset[str], methods: frozenset[str]) -> Call | None:
    """The first call of one of some names, or of a method of one of those."""
    return next((call for name, call in named if name in names or name.rpartition(".")[2] in methods), None)


def _has_versions(module: Module, item: Class) -> bool:
    """Whether a class speaks of versions: by a key, a text or a parameter."""
    if any(item.line <= line <= item.end_line and "version" in text.lower() for line, text in module.strings):
        return True
    prefix = f"{item.qualname}."
    functions = (function for name, function in module.functions.items() if name.startswith(prefix))
    return any("version" in parameter for function in functions for parameter in function.parameters)
