"""Gradual rollouts in chart templates, which are YAML only once rendered: read as text, with the chart's own values.

A share of the traffic that the template takes from `.Values` is looked up in `values.yaml`; a share of 0 or 100 is no
split, and a block behind a switch that the values leave off is none either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.rollbacks import rollbacks
from mlops_scan.detectors.splits import drawn_splits
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_KINDS = {
    "InferenceService": regex(r"^\s*(?:-\s*)?canaryTrafficPercent:\s*(?P<share>.+)$"),
    "SeldonDeployment": regex(r"^\s*(?:-\s*)?traffic:\s*(?P<share>.+)$"),
    "VirtualService": regex(r"^\s*(?:-\s*)?weight:\s*(?P<share>.+)$"),
    "HTTPRoute": regex(r"^\s*(?:-\s*)?weight:\s*(?P<share>.+)$"),
    "TrafficSplit": regex(r"^\s*(?:-\s*)?weight:\s*(?P<share>.+)$"),
    "Rollout": regex(r"^\s*(?:-\s*)?setWeight:\s*(?P<share>.+)$"),
    "Canary": regex(r"^\s*(?:-\s*)?(stepWeight|maxWeight):\s*(?P<share>.+)$"),
}
_KIND = regex(r"^kind:\s*[\"']?(\w+)")
_VALUE = regex(r"\{\{-?\s*(?:int\s+|quote\s+)?\.Values\.([\w.]+)(?![\w.])[^{}]*\}\}")
_SWITCH = regex(r"\{\{-?\s*(?:(if|range|with)\b([^{}]*)|(end)\b\s*(?:-\s*)?)\}\}")
_PATH = regex(r"^\.Values\.([\w.]+)$")
_ROLLS_BACK = regex(r"^\s*(?:-\s*)?(analysis|prePromotionAnalysis|postPromotionAnalysis):")
_MAX_LINES = 2000


class Split(Struct, frozen=True):
    """A place where a template divides traffic: `share` in percent, None where it is not known; `off` why not."""

    kind: str
    line: int
    share: float | None
    value_line: int = 0
    off: str = ""


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `deploy/progressive` and `deploy/rollback` from chart templates and services."""
    yield from unique(_charts(context))
    yield from unique(drawn_splits(context))
    yield from unique(rollbacks(context))


def _charts(context: Context) -> Iterator[Signal]:
    charts = {file.folder for file in context.named("Chart.yaml")}
    for file in context.written_in("yaml") if charts else ():
        folder, _, rest = file.path.rpartition("/templates/")
        if not rest or folder not in charts:
            continue
        text = context.documents.text(file.path)
        if not any(f"kind: {kind}" in text for kind in _KINDS):
            continue
        values = _values(context, folder)
        for split in splits(text, values):
            yield _signal(context, file.path, f"{folder}/values.yaml" if folder else "values.yaml", split)
        if "kind: Rollout" in text or "kind: Canary" in text:
            yield from _rollback(context, file.path, text)


def _values(context: Context, folder: str) -> Node | None:
    for name in ("values.yaml", "values.yml"):
        path = f"{folder}/{name}" if folder else name
        if path in context.documents.files:
            return next(iter(context.documents.nodes(path)), None)
    return None


def splits(text: str, values: Node | None) -> Iterator[Split]:
    """Where a template divides traffic between versions; for several parts of one route, the first."""
    kind = ""
    switches: list[str] = []
    shares: list[Split] = []
    for number, line in enumerate(text.split("\n")[:_MAX_LINES], 1):
        if line.strip() == "---":
            kind = ""
        if (found := _KIND.match(line)) is not None:
            kind = found.group(1)
        for switch in _SWITCH.finditer(line):
            if switch.group(3):
                switches = switches[:-1]
            else:
                switches = [*switches, switch.group(2).strip(" \t-") if switch.group(1) == "if" else ""]
        part = _KINDS[kind].match(line) if kind in _KINDS and not line.lstrip().startswith("#") else None
        if part is not None:
            share, value_line = _share(part.group("share"), values)
            off = next((why for condition in switches if (why := _left_off(condition, values))), "")
            shares.append(Split(kind, number, share, value_line, off))
    live = [split for split in shares if not split.off]
    partial = [split for split in live if split.share is None or 0 < split.share < 100]
    if partial:
        yield partial[0]
    elif shares:
        why = shares[0].off or "all of the traffic goes to one version"
        yield Split(shares[0].kind, shares[0].line, shares[0].share, shares[0].value_line, why)


def _share(written: str, values: Node | None) -> tuple[float | None, int]:
    """A share in percent and the line of the values file that gives it."""
    reference = _VALUE.search(written)
    if reference is None:
        try:
            return float(written.split("#")[0].strip().strip("\"'%")), 0
        except ValueError:
            return None, 0
    node = values.path(*reference.group(1).split(".")) if values is not None else None
    return (node.number(), node.at) if node is not None else (None, 0)


def _left_off(condition: str, values: Node | None) -> str:
    """Why a condition of a template does not hold with the chart's own values, or empty."""
    named = _PATH.match(condition.strip())
    node = values.path(*named.group(1).split(".")) if named is not None and values is not None else None
    if node is not None and node.kind == "scalar" and node.value in (False, None, "", 0):
        return f"the chart's values leave `{named.group(1)}` off" if named is not None else ""
    return ""


def _signal(context: Context, path: str, values: str, split: Split) -> Signal:
    evidence = [context.evidence(path, split.line)]
    if split.value_line:
        evidence.append(context.evidence(values, split.value_line, Hop.USE))
    tool = {"InferenceService": "kserve", "SeldonDeployment": "seldon-core", "Rollout": "argo-rollouts",
            "Canary": "flagger"}.get(split.kind, "istio")  # fmt: skip
    if split.off:
        return Signal("deploy/progressive", tool, Grade.TRACE, tuple(evidence), reason=split.off, fixed=True)
    reason = "" if split.share is not None else "the share of the traffic is given when the chart is installed"
    return Signal("deploy/progressive", tool, Grade.IMPLEMENTED, tuple(evidence), Confidence.MEDIUM, reason)


def _rollback(context: Context, path: str, text: str) -> Iterator[Signal]:
    for number, line in enumerate(text.split("\n")[:_MAX_LINES], 1):
        if _ROLLS_BACK.match(line):
            evidence = (context.evidence(path, number),)
            yield Signal("deploy/rollback", "chart", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM)
            return
