"""Where code computes drift: a detector's call, or a distance of two distributions that the code works out itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mlops_scan.code.facts import MAIN, Call, Function, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade

_DRIFT_WORDS = ("drift", "psi", "population_stability", "distribution_shift")  # one of which each match holds
_DRIFT_NAME = regex(r"(drift|(^|_|\.)psi($|_)|population_stability|distribution_shift)", re.I)
_DISTANCE_NAME = regex(
    r"(drift|(^|_|\.)psi($|_)|population_stability|wasserstein|jensen|kolmogorov|(^|_)ks(_|$)|kl_div|hellinger|chi_?square)",
    re.I,
)
_STATISTICS = regex(
    r"scipy\.stats\.(\w+\.)?(ks_2samp|kstest|chi2_contingency|wasserstein_distance|entropy|mannwhitneyu|anderson_ksamp|epps_singleton_2samp)|scipy\.spatial\.distance\.jensenshannon"
)
_TWO_SAMPLES = frozenset(
    {"ks_2samp", "wasserstein_distance", "jensenshannon", "anderson_ksamp", "epps_singleton_2samp"}
)
"""Statistics that only make sense of two samples; whose they are is told by what they are called."""
_REFERENCE = regex(
    r"(?<![a-z])(x_)?(ref|reference|baseline|train|training|historical)(?![a-z])",
    re.I,
    words=("ref", "baseline", "train", "historical"),
)
_LIVE = regex(
    r"(?<![a-z])(x_)?(cur|curr|current|prod|production|live|recent|incoming|serving|inference|latest)(?![a-z])",
    re.I,
    words=("cur", "prod", "live", "recent", "incoming", "serving", "inference", "latest"),
)
_ARITHMETIC = regex(
    r"(numpy|math|jax\.numpy)\.(log|histogram|percentile|quantile|digitize|cumsum|searchsorted|sum|abs|mean|diff|interp|sort)"
)
_INDEX_NAME = regex(r"_?((calculate|calc|compute|get)_)?(psi|population_stability_index)", re.I)
_LOGARITHM = regex(r"(numpy|math)\.log")
_MOMENTS = frozenset({"mean", "median", "std", "var", "quantile", "value_counts", "nanmean", "percentile"})
_ASKS = regex(
    r"_{0,2}((run|do|perform)_)?(detect|check|monitor|compute|calc|calculate|analy[sz]e|evaluate|measure|has|is|find)_",
    re.I,
)


@kept
def drift_sites(context: Context) -> tuple[Use, ...]:
    """Every place of the main code that computes drift, in its order."""
    return (*_of_tools(context), *_of_own(context))


def _of_tools(context: Context) -> Iterator[Use]:
    for use in context.uses:
        if (
            use.location.path in context.index.modules
            and ("drift" in use.does or "monitoring/drift" in use.serves)
            and use.tool not in context.self_tools
        ):
            yield use


def _of_own(context: Context) -> Iterator[Use]:
    for path, module in context.modules():
        folder, _, name = path.rpartition("/")
        drifting = _says_drift(f"{folder.rpartition('/')[2]}.{name.rpartition('.')[0] or name}")
        found: dict[str, int] = {}
        if drifting or _may_say_drift("\n".join(module.functions)):
            scopes = [name for name in module.functions if drifting or _says_drift(name)]
            if drifting and not module.notebook:  # a script of that name may have its statistic in no function at all
                scopes += ["", MAIN]
            for scope in scopes:
                if line := _drift_line(context, module, scope):
                    found[scope] = line
        for call in _two_samples(context, module):
            found.setdefault(call.scope, call.line)
        for scope, line in found.items():
            yield _site(context, path, scope, line)


def _site(context: Context, path: str, scope: str, line: int) -> Use:
    location = context.evidence(path, line).location
    served, does = ("monitoring/drift",), ("drift",)
    return Use("own-drift-code", scope, location, scope, served, does, Grade.IMPLEMENTED, Confidence.HIGH, "")


def _drift_line(context: Context, module: Module, scope: str) -> int:
    """Where a scope computes a distance of two distributions: by a statistic, or by hand in a function called so."""
    calls = context.index.calls_in(module.path, scope)
    names = {context.index.resolve(module.path, call.name).name: call for call in calls}
    statistic = next((call for name, call in names.items() if _STATISTICS.fullmatch(name)), None)
    if statistic is not None:
        return statistic.line
    function = module.functions.get(scope)
    if function is None:
        return 0
    if _DISTANCE_NAME.search(scope) is not None:
        by_hand = sum(1 for name in names if _ARITHMETIC.fullmatch(name))
        if by_hand >= 2 or _is_index(function, names):
            return function.line
    return _moved(context, module, function, names)


def _is_index(function: Function, called: Iterable[str]) -> bool:
    """Whether a function of two distributions takes a logarithm and is called after the population stability index."""
    index = _INDEX_NAME.fullmatch(function.qualname.rpartition(".")[2]) is not None
    return index and len(function.parameters) >= 2 and any(_LOGARITHM.fullmatch(name) for name in called)


def _moved(context: Context, module: Module, function: Function, called: Mapping[str, Call]) -> int:
    """Where a function that asks for drift holds a mean or a spread of its data to that of a reference; 0 if nowhere.

    The trend of a price or of a sensor is called drift as well; it has no reference.
    """
    name = function.qualname.rpartition(".")[2].lower()
    if "drift" not in name or _ASKS.match(name) is None:
        return 0
    if not any(name.rpartition(".")[2] in _MOMENTS for name in called):
        return 0
    inside = (guard for guard in module.guards if guard.scope == function.qualname)
    guard = next((guard for guard in inside if guard.ordered and guard.stops != "assert"), None)
    if guard is None or _REFERENCE.search(_lines(context, module.path, function.line, function.end_line)) is None:
        return 0
    return guard.line


def _two_samples(context: Context, module: Module) -> Iterator[Call]:
    """The calls of a statistic of two samples that are called a reference and what is live.

    Control and variant of an experiment, or training and test data, are compared by the same functions.
    """
    if "scipy" not in module.roots or module.notebook:
        return
    for call in module.calls:
        if call.name.rpartition(".")[2] not in _TWO_SAMPLES:
            continue
        if _STATISTICS.fullmatch(context.index.resolve(module.path, call.name).name) is None:
            continue
        text = _lines(context, module.path, call.line, call.end_line)
        if _REFERENCE.search(text) is not None and _LIVE.search(text) is not None:
            yield call


def _lines(context: Context, path: str, first: int, last: int) -> str:
    return "\n".join(context.documents.text(path).split("\n")[first - 1 : last])


def _says_drift(name: str) -> bool:
    return _may_say_drift(name) and _DRIFT_NAME.search(name) is not None


def _may_say_drift(names: str) -> bool:
    lower = names.lower()
    return any(word in lower for word in _DRIFT_WORDS)
