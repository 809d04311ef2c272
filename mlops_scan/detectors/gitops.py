"""Argo CD applications that keep a cluster at what a folder of the repository says, where that is a served model.

With `syncPolicy.automated` a commit that changes the model's manifest goes live without a person:
https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/ and, for what an ApplicationSet fills into its template,
https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators/
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.kustomize import not_applied
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import language_of
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Signal

_KINDS = frozenset({"Application", "ApplicationSet"})
_PLACEHOLDER = regex(r"\{\{-?\s*\.?([\w.-]+)\s*-?\}\}")
_MAX_DOCUMENTS, _MAX_NODES, _MAX_FOLDERS = 50, 2_000, 200


def synced(context: Context) -> Iterator[Signal]:
    """Signals for `cd/model-deploy`: applications that are synchronised by themselves and that hold a served model."""
    models = [use for use in context.uses if "deploy/serving" in use.serves and _is_manifest(context, use)]
    paths = {use.location.path for use in context.uses if use.tool == "argocd" and _is_manifest(context, use)}
    for path in sorted(paths) if models else ():
        for document in context.documents.nodes(path)[:_MAX_DOCUMENTS]:
            policy = _automated(document)
            model = next((m for m in models if _is_below(m.location.path, _folders(document))), None)
            if policy is None or model is None:
                continue
            evidence = (
                context.evidence(path, policy.at),
                context.evidence(path, document.line, Hop.TRIGGER, text="what is committed is synchronised"),
                context.evidence(model.location.path, model.location.line, Hop.EFFECT),
            )
            yield Signal("cd/model-deploy", "argocd", Grade.WIRED, evidence, Confidence.MEDIUM, fixed=True)


def _is_manifest(context: Context, use: Use) -> bool:
    path = use.location.path
    return language_of(path) == "yaml" and context.role(path) not in ASIDE and not not_applied(context, path)


def _application(document: Node) -> Node | None:
    """The specification of an application, of an ApplicationSet that of its template."""
    kind, version = document.get("kind"), document.get("apiVersion")
    if kind is None or kind.string() not in _KINDS or version is None:
        return None
    if not (version.string() or "").startswith("argoproj.io/"):
        return None
    return document.path("spec", "template", "spec") or document.get("spec")


def _automated(document: Node) -> Node | None:
    """Where an application says that it is synchronised without being asked; an empty mapping says so as well."""
    spec = _application(document)
    policy = spec.path("syncPolicy", "automated") if spec is not None else None
    if policy is None or policy.kind != "mapping":
        return None
    enabled = policy.get("enabled")
    return None if enabled is not None and enabled.value is False else policy


def _folders(document: Node) -> tuple[str, ...]:
    """The folders that an application deploys, with `*` where a generator looks for them."""
    spec = _application(document)
    if spec is None:
        return ()
    several = spec.get("sources")
    sources = [spec.get("source"), *(several.items if several is not None else ())]
    given = [node.string() for source in sources if source is not None and (node := source.get("path")) is not None]
    found: list[str] = []
    for text in given:
        match = _PLACEHOLDER.fullmatch(text.strip()) if text else None
        if match is None:
            found.append(text or "")
        else:
            found.extend(_generated(document, match.group(1)))
    cleaned = (text.strip().removeprefix("./").strip("/") for text in found[:_MAX_FOLDERS])
    return tuple(text for text in cleaned if text and text != "." and "{{" not in text)


def _generated(document: Node, name: str) -> Iterator[str]:
    """What the generators of an ApplicationSet give for a name; `path.path` is a folder that one of them finds."""
    generators, last = document.path("spec", "generators"), name.rpartition(".")[2]
    for _, node in generators.walk(_MAX_NODES) if generators is not None else ():
        excluded = node.get("exclude") if node.kind == "mapping" else None
        value = node.get(last) if node.kind == "mapping" and (excluded is None or excluded.value is not True) else None
        if value is not None and (text := value.string()):
            yield text


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    """Whether a file lies in one of some folders; a `*` stands for one name."""
    parts = path.split("/")
    for folder in folders:
        wanted = folder.split("/")
        if len(parts) > len(wanted) and all(map(fnmatchcase, parts, wanted)):
            return True
    return False
