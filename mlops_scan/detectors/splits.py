"""Canaries that a service draws itself: `if random.random() < self.canary_share:` before it chooses the model.

And commands that only seem to divide the traffic.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from mlops_scan.code.facts import Guard
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context
from mlops_scan.regex import has_any
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Signal

_DRAWS = frozenset(
    {"random", "rand", "randint", "randrange", "uniform", "hash", "md5", "sha1", "sha256", "crc32", "mmh3"}
)
_SECOND = ("canary", "challenger")
_SHARE = ("percent", "pct", "ratio", "share", "weight", "fraction", "traffic", "split")
_MODEL = frozenset({"load-model", "predict"})
_HOPS = 10
_TRAFFIC = ("--traffic", "--to-revisions", "--to-tags")  # of `az ml online-endpoint update`, `gcloud run services`


def drawn_splits(context: Context) -> Iterator[Signal]:
    """Signals for `deploy/progressive` from services that give a drawn share of the requests to another model."""
    for path, module in context.modules(notebooks=False):
        for guard in module.guards:
            if guard.ordered and guard.stops != "assert" and _is_drawn(guard):
                asked = _asked(context, (path, guard.scope))
                if asked is not None:
                    evidence = (context.evidence(path, guard.line), asked)
                    yield Signal(
                        "deploy/progressive",
                        "python",
                        Grade.IMPLEMENTED,
                        evidence,
                        Confidence.MEDIUM,
                        scope=guard.scope,
                    )
                    break


def _is_drawn(guard: Guard) -> bool:
    """Whether a comparison is that of something drawn with the share of a second model."""
    shares = (name.lower() for name in guard.names)
    return not _DRAWS.isdisjoint(guard.names) and any(has_any(n, _SECOND) and has_any(n, _SHARE) for n in shares)


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
