"""Kubernetes manifests that nothing applies, because a kustomization leaves them or their folder out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from mlops_scan.automation.paths import join
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import language_of
from mlops_scan.regex import regex
from mlops_scan.repository.folders import holds

_NAMES = ("kustomization.yaml", "kustomization.yml")
_LISTS = ("resources", "bases", "components")
_COMMENTED = regex(r"^[ \t]*#+[ \t]*-[ \t]+([\w./-]{1,300})[ \t]*$", re.M)
_MAX_NODES = 5000


class _Listed(Struct, frozen=True):
    """What the kustomizations of a repository say of files and folders.

    `folders` are those with a list of resources, `named` what any kustomization names, `commented` what one has in a
    comment as an entry of a list, with that kustomization's path.
    """

    folders: frozenset[str]
    named: frozenset[str]
    commented: dict[str, str]


def not_applied(context: Context, path: str) -> str:
    """Why a manifest is not applied, or empty.

    `kubectl apply -k` applies what the kustomization of a folder lists, and of other folders what it names
    (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/resource/). A folder that no kustomization
    names may be where somebody begins; one that stands in a comment is switched off.
    """
    if language_of(path) != "yaml" or path.rpartition("/")[2] in _NAMES:
        return ""
    listed, folder = _listed(context), path.rpartition("/")[0]
    if folder not in listed.folders or not _is_manifest(context, path) or _applied_by_name(context, path):
        return ""
    if path not in listed.named:
        return "the kustomization of its folder does not list it"
    if folder in listed.commented and folder not in listed.named:
        return f"`{listed.commented[folder]}` has its folder in a comment only"
    return ""


def _is_manifest(context: Context, path: str) -> bool:
    documents = context.documents.nodes(path)
    return any(node.get("apiVersion") is not None and node.get("kind") is not None for node in documents[:20])


@kept
def _listed(context: Context) -> _Listed:
    folders: set[str] = set()
    named: set[str] = set()
    commented: dict[str, str] = {}
    for file in context.named(*_NAMES, aside=True):
        for document in context.documents.nodes(file.path):
            if any(document.get(key) is not None for key in _LISTS):
                folders.add(file.folder)
            named.update(join(file.folder, text) for text in _texts(document))
        for found in _COMMENTED.findall(context.documents.text(file.path)):
            commented.setdefault(join(file.folder, found), file.path)
    return _Listed(frozenset(folders), frozenset(named), commented)


def _texts(document: Node) -> Iterator[str]:
    for _, node in document.walk(_MAX_NODES):
        if node.kind == "scalar" and node.text and "\n" not in node.text:
            yield node.text


def _applied_by_name(context: Context, path: str) -> bool:
    """Whether a command applies the file, or all files of a folder, without kustomize."""
    return any(path == place or holds(place, path) for place in _applied(context))


@kept
def _applied(context: Context) -> frozenset[str]:
    """The files and folders that commands apply."""
    found: set[str] = set()
    for words, run in context.commands().items():
        if words and words[0] in ("kubectl", "oc") and not {"-f", "--filename"}.isdisjoint(words):
            given = (word for word in words[1:] if "/" in word or word.endswith((".yaml", ".yml")) or word == ".")
            found.update(join(run.folder, word) for word in given)
    return frozenset(found)
