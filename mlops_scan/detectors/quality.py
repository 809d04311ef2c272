"""Where code holds the quality of a live model to a bound."""

from __future__ import annotations

from mlops_scan.code.facts import Guard
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.gates import METRIC
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any

_LIVE = (
    "monitor", "live", "production", "feedback", "degrad", "drift", "online_", "delayed_label", "ground_truth",
    "backfill_quality", "model_health", "performance_check", "performance_track",
)  # fmt: skip
_WHILE_FITTING = ("best", "val_", "train_")  # `if val_acc > best_acc:` keeps the best state of a model
_STAGES = ("production", "live")
"""Those that are parts of the names of whole projects."""
_OFFLINE = ("train", "fit", "tune", "experiment", "notebook", "backtest", "early_stop")
_LIVE_FOLDERS = tuple(word for word in _LIVE if word not in _STAGES)
_OFFLINE_FOLDERS = frozenset({"train", "training", "trainer", "tuning", "experiments", "notebooks", "backtest"})


@kept
def quality_guards(context: Context) -> tuple[tuple[str, Guard], ...]:
    """The comparisons of a metric of live quality with a bound, each with its file."""
    found: list[tuple[str, Guard]] = []
    fitting = context.nodes_doing(LEARNS)
    for path, module in context.modules(notebooks=False):
        live: dict[str, bool] = {}
        for guard in module.guards:
            if not guard.compares or guard.stops == "assert":
                continue
            if guard.scope not in live:
                live[guard.scope] = _is_live(path, guard.scope) and (path, guard.scope) not in fitting
            if live[guard.scope] and _on_quality(guard):
                found.append((path, guard))
    return tuple(found)


def _is_live(path: str, scope: str) -> bool:
    """Whether code by its name deals with what is live; a project may be called after production in general."""
    folders, _, name = path.rpartition("/")
    if has_any(scope, _OFFLINE) or folders.rpartition("/")[2].lower() in _OFFLINE_FOLDERS:
        return False
    return has_any(f"{name} {scope}", _LIVE) or has_any(folders, _LIVE_FOLDERS)


def _on_quality(guard: Guard) -> bool:
    """Whether a comparison is that of a metric with a bound."""
    if not guard.ordered or not (guard.numbers or len(guard.names) >= 2):
        return False
    if any(name.lower().startswith(_WHILE_FITTING) for name in guard.names):
        return False
    return METRIC.search(" ".join(guard.names)) is not None
