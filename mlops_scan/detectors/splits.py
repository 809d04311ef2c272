"""Canaries that a service draws itself: `if random.random() < self.canary_share:` before it chooses the model.

Also a second model that it asks beside the first, and whose answer it only keeps: `self.shadow.predict(row)`.
And commands that only seem to divide the traffic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice, pairwise

from mlops_scan.code.facts import Guard, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Signal

_DRAWS = frozenset(
    {"random", "rand", "randint", "randrange", "uniform", "hash", "md5", "sha1", "sha256", "crc32", "mmh3"}
)
_SECOND = ("canary", "challenger")
_SHARE = ("percent", "pct", "ratio", "share", "weight", "fraction", "traffic", "split")
_ROWS = ("test", "train", "valid", "sample", "dropout")  # of data, that a share may be one of as well
_VARIANT = regex(
    r"canary|challenger|variant|treatment|\bab_?test|model_?[ab]\b|model_?v?[12]\b|new_model|old_model", re.I
)
_CHOICES = frozenset({"random.choices", "numpy.random.choice"})
_SHADOW = regex(
    r"(?:shadow|challenger|canary)\w{0,20}[\"']?\]?(?:\.\w{1,20}){0,2}\.(?:predict|predict_proba|score|infer)\(", re.I
)
_ANSWERS = frozenset({"predict", "predict_proba", "score", "infer"})
_WHOLE, _AROUND, _MAX_LINES = 100, 3, 80
_MODEL = frozenset({"load-model", "predict"})
_HOPS = 10
_TRAFFIC = ("--traffic", "--to-revisions", "--to-tags")  # of `az ml online-endpoint update`, `gcloud run services`


def drawn_splits(context: Context) -> Iterator[Signal]:
    """Signals for `deploy/progressive` from services that ask a second model for some requests, or beside the first."""
    for path, module in context.modules(notebooks=False):
        places = chain(_draws(context, module), _shadows(context, module))
        found = (
            (line, scope, asked) for line, scope in places if (asked := _asked(context, (path, scope))) is not None
        )
        for line, scope, asked in islice(found, 1):
            evidence = (context.evidence(path, line), asked)
            yield Signal("deploy/progressive", "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=scope)


def _draws(context: Context, module: Module) -> Iterator[tuple[int, str]]:
    """The lines and scopes at which something drawn decides between models."""
    for guard in module.guards:
        if not guard.ordered or guard.stops == "assert" or _DRAWS.isdisjoint(guard.names):
            continue
        if _is_drawn(guard) or (_is_share(guard) and _chooses(context, module, guard.scope, guard.line)):
            yield guard.line, guard.scope
    for call in module.calls:
        weighed = call.name in _CHOICES and any(name in ("weights", "p") for name, _ in call.keywords)
        if weighed and _chooses(context, module, call.scope, call.line):
            yield call.line, call.scope


def _shadows(context: Context, module: Module) -> Iterator[tuple[int, str]]:
    """The lines and scopes at which a model is asked that is called a challenger, or is in the shadow of another."""
    for call in module.calls:
        if call.name.rpartition(".")[2] in _ANSWERS and _SHADOW.search(context.line(module.path, call.line)):
            yield call.line, call.scope


def _is_drawn(guard: Guard) -> bool:
    """Whether a comparison is that of something drawn with the share of a second model."""
    return any(has_any(n, _SECOND) and has_any(n, _SHARE) for n in map(str.lower, guard.names))


def _is_share(guard: Guard) -> bool:
    """Whether a comparison is with a share, which may be one of anything."""
    names = [name.lower() for name in guard.names]
    named = any(has_any(name, _SHARE) and not has_any(name, _ROWS) for name in names)
    return named or (
        len(guard.numbers) > 0 and 0 < guard.numbers[-1] < _WHOLE and not any(has_any(n, _ROWS) for n in names)
    )


def _chooses(context: Context, module: Module, scope: str, line: int) -> bool:
    """Whether the function around a line speaks of variants of a model."""
    function = module.functions.get(scope)
    first, last = (function.line, function.end_line) if function is not None else (line, line + _AROUND)
    lines = (context.line(module.path, number) for number in range(first, min(last, first + _MAX_LINES) + 1))
    return any(_VARIANT.search(text) for text in lines)


def _asked(context: Context, node: Node) -> Evidence | None:
    """The handler of a service that asks a model and comes to a piece of code, or None."""
    leading = context.index.hops_to(frozenset({node}), _HOPS)
    for use in context.doing("serve"):
        handler = (use.location.path, use.scope)
        if handler in leading and context.reaches((handler,), _MODEL, _HOPS) is not None:
            return context.evidence(use.location.path, use.location.line, Hop.USE)
    return None


def undivided(words: tuple[str, ...]) -> str:
    """Why a command that sets the traffic of an endpoint divides none: it names one version, with all or nothing.

    `--traffic "blue=0 green=100"` takes one version in the place of another, which is a way to change over.
    """
    values = [after for word, after in pairwise(words) if word in _TRAFFIC]
    values += [word.partition("=")[2] for word in words if word.startswith(tuple(f"{flag}=" for flag in _TRAFFIC))]
    shares = [part.rpartition("=")[2] for value in values for part in value.replace(",", " ").split() if "=" in part]
    whole = "--to-latest" in words or (len(shares) == 1 and shares[0] in ("0", "100"))
    return "all of the traffic goes to one version, or none" if whole else ""
