"""A CycloneDX 1.6 bill of materials of machine learning: models, data sets, frameworks, pipelines and services.

Facts: https://cyclonedx.org/docs/1.6/json/ and https://cyclonedx.org/capabilities/mlbom/. Services have no evidence in
that format, so their places are properties. The same report gives the same bytes: the serial number is made of the
content, and there is no time in it but the day of `--as-of`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from mlops_scan.engine.report import Asset, Report
from mlops_scan.regex import regex
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import cut, one_line, visible
from mlops_scan.reports.places import Places

if TYPE_CHECKING:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component
    from cyclonedx.model.service import Service
    from packageurl import PackageURL

_MAX_TEXT = 512
_PYPI = regex(r"[a-z0-9][a-z0-9._-]*")
_HUB = regex(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*")
_VERSION = regex(r"[0-9A-Za-z][0-9A-Za-z.!+_-]*")
_PREFIX = "mlops-scan:"


def render(report: Report, options: RenderOptions) -> str:
    """The bill of materials as indented JSON."""
    from cyclonedx.output.json import JsonV1Dot6

    bom = _bom(report, options)
    content = JsonV1Dot6(bom).output_as_string()
    bom.serial_number = UUID(bytes=sha256(content.encode("utf-8", "replace")).digest()[:16], version=4)
    data = json.loads(JsonV1Dot6(bom).output_as_string())
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _bom(report: Report, options: RenderOptions) -> Bom:
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
    from cyclonedx.model.tool import ToolRepository

    root = Component(
        name=_name(report, options),
        type=ComponentType.APPLICATION,
        version=report.revision,
        bom_ref="repository",
        properties=list(_verdict(report)),
    )
    tool = Component(name="mlops-scan", type=ComponentType.APPLICATION, version=_text(report.version), bom_ref="tool")
    metadata = BomMetaData(
        component=root,
        tools=ToolRepository(components=[tool]),
        lifecycles=[PredefinedLifecycle(phase=LifecyclePhase.PRE_BUILD)],
    )
    day = options.as_of
    # the library fills in the present time, and takes None for none only once the object is there
    time = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) if day else None
    metadata.timestamp = time  # type: ignore[assignment]
    # the placeholder of the serial number must not be drawn, or its content would never be the same twice
    bom = Bom(metadata=metadata, serial_number=UUID(int=0, version=4))
    parts: list[Component | Service] = []
    for number, asset in enumerate(report.inventory, 1):
        reference = f"{asset.kind}-{number}"
        if asset.kind == "service":
            service = _service(asset, reference, options.places)
            bom.services.add(service)
            parts.append(service)
        else:
            component = _component(asset, reference, options.places)
            bom.components.add(component)
            parts.append(component)
    bom.register_dependency(root, parts)
    return bom


def _name(report: Report, options: RenderOptions) -> str:
    """The last part of what was scanned; for the current folder the repository's name on its forge, if it is known."""
    forge = options.places.forge
    path = report.path if report.path not in (".", "") or forge is None else forge.repository
    name = _text(path.rstrip("/\\").replace("\\", "/").rpartition("/")[2])
    return name if name not in ("", ".", "..") else "repository"


def _verdict(report: Report) -> Iterator[Property]:
    yield _property("kind", report.kind)
    yield _property("model", report.model)
    if report.headline.level is not None:
        yield _property("level", str(report.headline.level))
    for item in report.incomplete:
        yield _property("not-read", item.path)


def _component(asset: Asset, reference: str, places: Places) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence

    types = {
        "model": ComponentType.MACHINE_LEARNING_MODEL,
        "dataset": ComponentType.DATA,
        "framework": ComponentType.FRAMEWORK,
        "pipeline": ComponentType.APPLICATION,  # the format has formulas for workflows, the library not yet
    }
    occurrences = [
        Occurrence(
            location=_path(item.location.path, places),
            line=item.location.line,
            additional_context=_text(item.text) or None,
            bom_ref=f"{reference}-{number}",
        )
        for number, item in enumerate(asset.evidence, 1)
    ]
    algorithms = {"sha256": HashAlgorithm.SHA_256, "md5": HashAlgorithm.MD5}
    algorithm, digest = asset.digest
    return Component(
        name=_text(asset.name),
        type=types[asset.kind],
        version=_text(asset.version) or None,
        purl=_purl(asset),
        bom_ref=reference,
        hashes=[HashType(alg=algorithms[algorithm], content=digest)] if digest else [],
        evidence=ComponentEvidence(occurrences=occurrences) if occurrences else None,
        properties=list(_properties(asset)),
    )


def _service(asset: Asset, reference: str, places: Places) -> Service:
    from cyclonedx.model.service import Service

    shown = [_property("occurrence", f"{_path(e.location.path, places)}:{e.location.line}") for e in asset.evidence]
    return Service(
        name=_text(asset.name),
        version=_text(asset.version) or None,
        bom_ref=reference,
        properties=[*_properties(asset), *shown],
    )


def _properties(asset: Asset) -> Iterator[Property]:
    yield _property("asset", asset.kind)
    yield _property("origin", asset.origin)
    if asset.tool:
        yield _property("tool", asset.tool)
    if asset.files > 1:
        yield _property("files", str(asset.files))


def _property(name: str, value: str) -> Property:
    from cyclonedx.model import Property

    return Property(name=_PREFIX + name, value=_text(value))


def _purl(asset: Asset) -> PackageURL | None:
    """The package URL of a library of PyPI or a model of Hugging Face, where name and owner are in their alphabets."""
    from packageurl import PackageURL

    version = asset.version if _VERSION.fullmatch(asset.version) else None
    if asset.origin == "pypi" and _PYPI.fullmatch(asset.name):
        return PackageURL("pypi", None, asset.name, version)
    if asset.kind == "model" and asset.origin in ("hub", "served") and _HUB.fullmatch(asset.name):
        owner, _, name = asset.name.partition("/")
        return PackageURL("huggingface", owner, name, version)
    return None


def _path(path: str, places: Places) -> str:
    """The path from the root of the repository, as other reports have it."""
    return visible(places.path(path))


def _text(text: str) -> str:
    return cut(one_line(text), _MAX_TEXT)
