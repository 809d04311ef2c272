"""What a bill of materials lists: models, data sets, frameworks, services and pipelines, with their places."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.names import named_assets
from mlops_scan.detectors.tracked import is_model
from mlops_scan.engine.frameworks import frameworks
from mlops_scan.engine.report import Asset
from mlops_scan.fingerprints.assets import is_name
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Evidence, Grade, Location, Role, Signal

MAX_ASSETS = 5_000  # of each source of assets
MAX_PLACES = 50  # evidence kept of one asset
_SAVES = frozenset({"save_pretrained", "save_model", "save", "makedirs", "to_disk"})
_FOLDED = 5  # data files of one folder; more are listed as the folder
_OID = regex(rb"^oid (sha256):([0-9a-f]{64})$", re.M)
_MD5 = regex(r"[0-9a-f]{32}")
_LOCAL = regex(r"(\.|/|~|[A-Za-z]:[\\/]|[a-z0-9+]+://|file:)|.*(\\|//|/$)")


def inventory(context: Context, signals: Iterable[Signal]) -> tuple[Asset, ...]:
    """Every asset of the repository's own main code and files, one for each kind, name and version."""
    merged: dict[tuple[str, str, str], Asset] = {}
    for source in (
        frameworks(context),
        _artifacts(context),
        _data_files(context),
        _pointers(context),
        _named(context),
        _services(signals),
        _pipelines(context),
    ):
        for number, asset in enumerate(source):
            if number >= MAX_ASSETS:
                break
            key = (asset.kind, asset.name, asset.version)
            known = merged.get(key)
            merged[key] = asset if known is None else _merge(known, asset)
    return tuple(merged[key] for key in sorted(merged))


def _merge(known: Asset, other: Asset) -> Asset:
    """Both as one; the first to be found says what it is."""
    places = {item.location for item in known.evidence}
    evidence = (*known.evidence, *(item for item in other.evidence if item.location not in places))
    digest = known.digest if known.digest[0] else other.digest
    return replace(known, tool=known.tool or other.tool, digest=digest, evidence=evidence[:MAX_PLACES])


# -- files -----------------------------------------------------------------------------------------------------------


def _artifacts(context: Context) -> Iterator[Asset]:
    """Model files in the tree, Git-LFS pointers included."""
    for file in context.repository.files:
        if file.role is Role.MODEL:
            yield _file(context, file, "model")


def _data_files(context: Context) -> Iterator[Asset]:
    """Data files in the tree; a folder of many is one data set."""
    folders: dict[str, list[File]] = defaultdict(list)
    for file in context.repository.files:
        if file.role is Role.DATA:
            folders[file.folder].append(file)
    for folder, files in sorted(folders.items()):
        if len(files) <= _FOLDED or not folder:
            yield from (_file(context, file, "dataset") for file in files)
            continue
        places = tuple(Evidence(Location(file.path, 1), role=file.role) for file in files[:MAX_PLACES])
        yield Asset("dataset", folder, "file", evidence=places, files=len(files))


def _file(context: Context, file: File, kind: str) -> Asset:
    place = (Evidence(Location(file.path, 1), role=file.role),)
    if not file.lfs:
        return Asset(kind, file.path, "file", evidence=place)
    oid = _OID.search(context.documents.head(file.path))
    digest = (oid.group(1).decode(), oid.group(2).decode()) if oid else ("", "")
    return Asset(kind, file.path, "pointer", "git-lfs", digest=digest, evidence=place)


def _pointers(context: Context) -> Iterator[Asset]:
    """Outputs that DVC keeps elsewhere: `.dvc` files and the lock of its pipelines.

    Fact: https://dvc.org/doc/user-guide/project-structure/dvc-files and dvcyaml-files#dvclock-file
    """
    for file in context.ending((".dvc", ".lock")):
        locked = file.name == "dvc.lock"
        if not locked and file.suffix != ".dvc":
            continue
        for document in context.documents.nodes(file.path):
            stages = document.get("stages") if locked else None
            holders = [stage for _, stage in stages.entries] if stages is not None else [] if locked else [document]
            for holder in holders:
                outs = holder.get("outs")
                for out in outs.items if outs is not None else ():
                    node = out.get("path")
                    path = (node.string() or "") if node is not None else ""
                    if not is_name(path) or node is None:
                        continue
                    name = f"{file.folder}/{path}" if file.folder else path
                    yield Asset(
                        "model" if is_model(context, path) else "dataset",
                        name,
                        "pointer",
                        "dvc-data",
                        digest=_md5(out.get("md5").string() if out.get("md5") is not None else ""),  # type: ignore[union-attr]
                        evidence=(context.evidence(file.path, node.at),),
                    )


def _md5(text: str | None) -> tuple[str, str]:
    return ("md5", text) if text and _MD5.fullmatch(text) else ("", "")  # of a folder (`….dir`) it is the listing's


# -- what code and configuration name --------------------------------------------------------------------------------


def _named(context: Context) -> Iterator[Asset]:
    named = named_assets(context)
    own = _written(context) if any(item.rule.origin in ("hub", "served") for item in named) else set()
    for item in named:
        rule, name = item.rule, item.name
        if rule.origin in ("hub", "served") and (_LOCAL.match(name) or name in own or _in_tree(context, name)):
            continue  # a folder or file of its own; what lies in the tree is listed as what it is
        where = item.location
        evidence = (context.evidence(where.path, where.line, end_line=where.end_line),)
        yield Asset(rule.kind, name, rule.origin, rule.tool, item.version, evidence=evidence)


def _written(context: Context) -> set[str]:
    """Paths that code saves to: reading one of them back is no use of a hub."""
    return {
        call.args[0]
        for _, module in context.modules()
        for call in module.calls
        if call.args and call.args[0] and call.name.rpartition(".")[2] in _SAVES
    }


def _in_tree(context: Context, name: str) -> bool:
    return name in context.documents.files or context.resolver.paths.is_folder(name)


# -- services and pipelines ------------------------------------------------------------------------------------------


def _services(signals: Iterable[Signal]) -> Iterator[Asset]:
    """Code and definitions that serve a model, by the file that shows it."""
    for signal in signals:
        if signal.practice == "deploy/serving" and signal.grade.strength >= Grade.IMPLEMENTED.strength:
            first = signal.evidence[0]
            if first.role not in ASIDE:
                yield Asset("service", first.location.path, "serving", signal.tool, evidence=signal.evidence)


def _pipelines(context: Context) -> Iterator[Asset]:
    for pipeline in context.automation.pipelines:
        if context.role(pipeline.path) in ASIDE:
            continue
        steps = (context.evidence(pipeline.path, step.line) for step in pipeline.steps[: MAX_PLACES - 1] if step.line)
        evidence = (context.evidence(pipeline.path, pipeline.line), *steps)
        name = pipeline.name if is_name(pipeline.name) else pipeline.path
        name = name if name == pipeline.path else f"{pipeline.path}#{name}"
        yield Asset("pipeline", name, "declared", pipeline.tool, evidence=tuple(dict.fromkeys(evidence)))
