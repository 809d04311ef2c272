"""Alert rules of Prometheus and Grafana, and what loads them, in files of their own or in a ConfigMap.

Facts: a rules file takes effect only when `rule_files` of prometheus.yml names it, or as a PrometheusRule object.
https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
Grafana evaluates the rules of its provisioning files by itself and tells the contact points of its policies.
https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
The values of the chart kube-prometheus-stack have rules as well, by name or in a list that it calls deprecated.
https://github.com/prometheus-community/helm-charts/blob/main/charts/kube-prometheus-stack/values.yaml
The entries of a ConfigMap are files where a pod mounts it as a volume.
https://kubernetes.io/docs/concepts/configuration/configmap/#using-configmaps-as-files-from-a-pod
Grafana's chart has a sidecar that takes the rules of ConfigMaps with the label `grafana_alert`.
https://github.com/grafana/helm-charts/tree/main/charts/grafana#sidecar-for-alerting-resources
The configuration of promtool's unit tests names rules as well, and runs none.
https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from mlops_scan.automation.images import is_compose
from mlops_scan.automation.paths import join
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.documents.bounds import MAX_BYTES
from mlops_scan.documents.node import DocumentError, Node

_STACK = "kube-prometheus-stack"  # what a chart that depends on it calls its values
_ADDED = ("additionalPrometheusRulesMap", "additionalPrometheusRules")
_KEYS = frozenset({"groups", "serverFiles", "rule_files", "route", _STACK, *_ADDED})
_KEYS_OF_RULES = ("alert:", 'alert":', "condition:", 'condition":')
_OUTERMOST_GROUPS = ("\ngroups", '"groups"', "'groups'", "{groups", "{ groups")  # as Grafana's rules have them
_CONFIG_MAP = "ConfigMap"
_SUFFIXES = (".yml", ".yaml", ".rules")  # of entries of a ConfigMap
_MAX_RULES = 1000  # of one group
_MAX_NODES = 20_000  # of a manifest
_EMPTY = Node("sequence", 1, 1)


class Rule(Struct, frozen=True):
    """One alert rule; `idle` says why nothing evaluates it, or is empty."""

    path: str
    line: int
    name: str
    expr: str
    idle: str
    grafana: bool = False


class Held(Struct, frozen=True):
    """A document of a file, or of an entry of a ConfigMap in it.

    `name` is the file's name as Prometheus or Grafana has it, `above` the lines above the document in `path`, and
    `idle` why no pod has the entry, or empty.
    """

    path: str
    name: str
    document: Node
    above: int = 0
    idle: str = ""


class Files(Struct, frozen=True):
    """The documents of the YAML files whose text has what rules, recording rules, the configuration that loads them or
    receivers in a ConfigMap need.
    """

    alerting: tuple[Held, ...]
    recording: tuple[Held, ...]
    loading: tuple[Held, ...]
    receiving: tuple[Held, ...]


def files(context: Context) -> Files:
    """What the repository has of them."""
    alerting: list[Held] = []
    recording: list[Held] = []
    loading: list[Held] = []
    receiving: list[Held] = []
    provisioned = (file for file in context.written_in("json") if "alert" in file.path.lower())  # Grafana takes both
    for file in (*context.written_in("yaml"), *provisioned):
        if not _may_matter(context, file.path):
            continue
        text = context.documents.text(file.path)  # once for all of them; it may have to be read for it
        wanted = [
            found
            for found, matters in (
                (alerting, _may_alert(text)),
                (recording, "record:" in text),
                (loading, "rule_files" in text),
                (receiving, "receivers:" in text),
            )
            if matters
        ]
        if wanted:
            held = list(_held(context, file.path, file.name))
            for found in wanted:
                found.extend(held)
    return Files(tuple(alerting), tuple(recording), tuple(loading), tuple(receiving))


def _may_matter(context: Context, path: str) -> bool:
    """Whether a file may be one of them; the text of a document that is known need not be read for it."""
    documents = context.documents
    return (path not in documents.parsed and path not in documents.left_out) or any(
        not _KEYS.isdisjoint(document.keys())
        or document.path("spec", "groups") is not None
        or _kind(document) == _CONFIG_MAP
        for document in documents.nodes(path)
    )


def _may_alert(text: str) -> bool:
    """Whether a text has the words without which it holds no rule; large manifests speak of conditions, too.

    One with some of them that is too large for the parser is given to it all the same, which lists it as not read.
    """
    if not any(key in text for key in _KEYS_OF_RULES):
        return False
    if len(text) > MAX_BYTES:
        return True
    if "groups" not in text or "rules" not in text:
        return False
    if "alert" in text and "expr" in text:
        return True
    grafana = "title" in text and "data" in text and "apiVersion" in text
    outermost = text.startswith("groups") or any(groups in text for groups in _OUTERMOST_GROUPS)
    return grafana and (outermost or _CONFIG_MAP in text)


def _kind(document: Node) -> str:
    kind = document.get("kind")
    return kind.text if kind is not None else ""


# -- documents in a ConfigMap ----------------------------------------------------------------------------------------


def _held(context: Context, path: str, name: str) -> Iterator[Held]:
    for document in context.documents.nodes(path):
        yield Held(path, name, document)
        if _kind(document) == _CONFIG_MAP:
            yield from _entries(context, path, document)


def _entries(context: Context, path: str, config: Node) -> Iterator[Held]:
    """The documents in the entries of a ConfigMap that are YAML in a block, so that their lines are the file's."""
    from mlops_scan.documents import yaml

    data, idle = config.get("data"), None
    for name, value in data.entries if data is not None else ():
        text = value.string() or ""
        if value.style != "|" or not name.endswith(_SUFFIXES) or not _may_be_one(text):
            continue
        try:
            found = yaml.parse(text)
        except DocumentError as error:
            found = tuple(error.partial or ())
        idle = _unmounted(context, config) if idle is None else idle
        for document in found:
            yield Held(path, name, document, value.text_line - 1, idle)


def _may_be_one(text: str) -> bool:
    return any(word in text for word in ("groups:", "rule_files", "receivers:"))


def _unmounted(context: Context, config: Node) -> str:
    """Why no pod has the entries of a ConfigMap as files, or empty."""
    labels = config.path("metadata", "labels")
    named = config.path("metadata", "name")
    name = named.text if named is not None else ""
    if name in _mounted(context) or (labels is not None and labels.get("grafana_alert") is not None):
        return ""
    return f"no pod of this repository mounts the ConfigMap `{name}`"


@kept
def _mounted(context: Context) -> frozenset[str]:
    """The ConfigMaps of `volumes: [{configMap: {name: …}}]`, also in projected ones."""
    return frozenset(
        node.text
        for file in context.written_in("yaml")
        if file.path in context.documents.parsed and "configMap" in context.documents.text(file.path)
        for document in context.documents.nodes(file.path)
        if _kind(document) != _CONFIG_MAP
        for keys, node in document.walk(_MAX_NODES)
        if keys[-2:] == ("configMap", "name") and "volumes" in keys and node.text
    )


# -- rules -----------------------------------------------------------------------------------------------------------


def rules(context: Context, found: Files) -> Iterator[Rule]:
    """The alert rules, each with why nothing evaluates it."""
    loaders = tuple(_loaders(found.loading)) if found.alerting else ()
    for held in found.alerting:
        yield from _grafana(held)
        for groups, idle in _groups(context, held, loaders):
            for alert, expr in _alerts(groups):
                yield Rule(held.path, alert.at + held.above, alert.text, expr.text, held.idle or idle)


def _groups(context: Context, held: Held, loaders: tuple[str, ...]) -> Iterator[tuple[Node, str]]:
    """The groups of rules in a document, each with why nothing loads it."""
    document = held.document
    operator = _kind(document) == "PrometheusRule"
    if operator and (groups := document.path("spec", "groups")) is not None:
        yield groups, ""
    elif (groups := document.get("groups")) is not None:
        yield groups, _unloaded(context, held, loaders)
    helm = document.path("serverFiles", "alerting_rules.yml", "groups")  # values of the Prometheus chart
    if helm is not None:
        yield helm, ""
    for values in (document, document.get(_STACK)):
        for extra in (values.get(key) for key in _ADDED) if values is not None else ():
            for named in (*(node for _, node in extra.entries), *extra.items) if extra is not None else ():
                if (groups := named.get("groups")) is not None:
                    yield groups, ""


def _alerts(groups: Node) -> Iterator[tuple[Node, Node]]:
    for group in groups.items[:_MAX_RULES]:
        for rule in (group.get("rules") or _EMPTY).items[:_MAX_RULES]:
            alert, expr = rule.get("alert"), rule.get("expr")
            if alert is not None and expr is not None:
                yield alert, expr


def recorded(found: Files) -> dict[str, str]:
    """Recording rules by the name that they make."""
    made: dict[str, str] = {}
    for document in (held.document for held in found.recording):
        for group in (document.get("groups") or document.path("spec", "groups") or _EMPTY).items:
            for rule in (group.get("rules") or _EMPTY).items[:_MAX_RULES]:
                name, expr = rule.get("record"), rule.get("expr")
                if name is not None and expr is not None:
                    made[name.text] = expr.text
    return made


def _grafana(held: Held) -> Iterator[Rule]:
    """Rules of Grafana's own alerting."""
    document = held.document
    if document.get("apiVersion") is None:
        return
    for group in (document.get("groups") or _EMPTY).items[:_MAX_RULES]:
        for rule in (group.get("rules") or _EMPTY).items[:_MAX_RULES]:
            data, title = rule.get("data"), rule.get("title")
            if data is None or title is None or rule.get("condition") is None:
                continue
            asked = [
                node.text
                for keys, node in data.walk(2000)
                if keys and keys[-1] in ("expr", "rawSql", "query", "expression", "type", "params") and node.text
            ]
            bounds = [node for keys, node in data.walk(2000) if "evaluator" in keys and node.number() is not None]
            paused = rule.get("isPaused")
            idle = "it is paused" if paused is not None and paused.value is True else held.idle
            expr = " ".join(asked) + (" >" if bounds else "")
            yield Rule(held.path, title.at + held.above, title.text, expr, idle, True)


# -- what loads them -------------------------------------------------------------------------------------------------


def _loaders(loading: Iterable[Held]) -> Iterator[str]:
    """Patterns of rule files that some Prometheus configuration names."""
    for held in loading:
        document = held.document
        if held.idle or document.get("tests") is not None:  # the latter is for promtool
            continue
        for listed in (document.get("rule_files"), document.path("serverFiles", "prometheus.yml", "rule_files")):
            yield from listed.strings() if listed is not None else ()


def _unloaded(context: Context, held: Held, loaders: tuple[str, ...]) -> str:
    """Why no Prometheus evaluates a rules file, or empty."""
    if not any(fnmatchcase(held.name, pattern.rpartition("/")[2]) for pattern in loaders):
        return "no Prometheus configuration of this repository loads this rules file"
    if held.above:
        return ""  # its ConfigMap is mounted, or not
    for file in context.written_in("yaml"):
        if not is_compose(file.name):
            continue
        for document in context.documents.nodes(file.path):
            services = document.get("services")
            for _, service in services.entries if services is not None else ():
                image, volumes = service.get("image"), service.get("volumes")
                if image is not None and "prom/prometheus" in image.text and volumes is not None and volumes.items:
                    folder = file.path.rpartition("/")[0]
                    if not any(_covers(folder, volume, held.path) for volume in volumes.items):
                        return f"the Prometheus service of {file.path} does not mount this rules file"
    return ""


def _covers(folder: str, volume: Node, path: str) -> bool:
    """Whether a volume of a compose service holds a file of the repository."""
    written = volume.get("source") if volume.kind == "mapping" else volume
    source = (written.text if written is not None else "").split(":")[0]
    if not source.startswith((".", "/")) and "/" not in source:
        return False  # a named volume
    host = join(folder, source) if not source.startswith(("/", "$")) else source
    return host in ("", ".") or path == host or path.startswith(f"{host}/") or "$" in source
