"""What manifests of Kubernetes put to work: nothing, or only databases, queues and monitoring that others make."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, takewhile
from textwrap import dedent

from mlops_scan.automation.model import Run
from mlops_scan.automation.paths import join
from mlops_scan.detectors.base import Context
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import language_of
from mlops_scan.regex import regex

# Kinds that run no service: https://kubernetes.io/docs/reference/kubernetes-api/ and add-ons of most clusters.
_NO_SERVICE = frozenset(
    {"Namespace", "Secret", "ConfigMap", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
     "PersistentVolume", "PersistentVolumeClaim", "StorageClass", "CustomResourceDefinition", "Job", "NetworkPolicy",
     "LimitRange", "ResourceQuota", "HorizontalPodAutoscaler", "PodDisruptionBudget", "PriorityClass", "Ingress",
     "ServiceMonitor", "PodMonitor", "PrometheusRule", "Certificate", "Issuer", "ClusterIssuer", "ExternalSecret",
     "SealedSecret", "SecretStore", "ClusterSecretStore"}
)  # fmt: skip
_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "CronJob"})
_POD = (("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"))
# Servers that come as they are; what is made of a system or a language alone may hold anything.
_STOCK = regex(
    r"(?:[\w.-]+(?::\d+)?/)*(?:postgres(?:ql)?|postgis|pgvector|timescaledb|mysql|mariadb|mongo(?:db)?|redis(?:-stack)?|"
    r"memcached|rabbitmq|elasticsearch|opensearch|kibana|logstash|minio|grafana|prometheus|alertmanager|node-exporter|"
    r"redis_exporter|pushgateway|loki|promtail|jaeger|all-in-one|zipkin|kafka|cp-kafka|zookeeper|cp-zookeeper|kafka-ui|"
    r"schema-registry|akhq|adminer|pgadmin4?|traefik|haproxy|cassandra|influxdb|clickhouse(?:-server)?|vault|consul|etcd|"
    r"kube-state-metrics|cadvisor|statsd-exporter|busybox|otel-collector|opentelemetry-collector(?:-contrib)?)(?:[:@]\S*)?"
)
_KIND = regex(r"(?:^|[{,]\s*)kind:\s*[\"']?(\w+)")
_MAX_LINES, _MAX_DOCUMENTS, _MAX_CONTAINERS = 400, 50, 20


def is_stock(context: Context, path: str) -> bool:
    """Whether each workload of a file runs only images that others make for another purpose."""
    found = [node for node in _documents(context, path) if _kind(node) in _WORKLOADS]
    return bool(found) and all(map(_runs_stock, found))


def applies_no_service(context: Context, run: Run) -> bool:
    """Whether a command applies manifests, all of which are known and run no service, or no other than such images."""
    if run.words[:1] not in (("kubectl",), ("oc",)) or run.words[1:2] not in (("apply",), ("create",), ("replace",)):
        return False
    given = [after for word, after in pairwise(run.words) if word in ("-f", "--filename")]
    given += [word.partition("=")[2] for word in run.words if word.startswith(("-f=", "--filename="))]
    if given == ["-"] or (not given and run.words[-1] in ("-f", "--filename")):  # a lone `-` is no word of a command
        kinds = set(_written(context, run))
        return bool(kinds) and kinds <= _NO_SERVICE
    paths = [join(run.folder, name) for name in given]
    return bool(paths) and all(_is_known(context, path) and _runs_nothing(context, path) for path in paths)


def _written(context: Context, run: Run) -> Iterator[str]:
    """The kinds in the here-document that a command reads, which stands behind it."""
    lines = context.documents.text(run.location.path).split("\n")
    first = lines[run.location.line - 1] if run.location.line <= len(lines) else ""
    _, sign, rest = first.partition("<<")
    end = rest.lstrip("-").split("|")[0].strip().strip("'\"")
    body = lines[run.location.line : run.location.line + _MAX_LINES] if sign and end else []
    for line in dedent("\n".join(takewhile(lambda line: line.strip() != end, body))).split("\n"):
        yield from _KIND.findall(line)


def _is_known(context: Context, path: str) -> bool:
    return path in context.documents.files and language_of(path) == "yaml" and bool(_documents(context, path))


def _runs_nothing(context: Context, path: str) -> bool:
    """Whether no document of a manifest runs something that may be the model's; a core `Service` only names others."""
    return all(
        _kind(node) in _NO_SERVICE
        or (_kind(node) == "Service" and _text(node.get("apiVersion")) == "v1")
        or (_kind(node) in _WORKLOADS and _runs_stock(node))
        for node in _documents(context, path)
    )


def _runs_stock(workload: Node) -> bool:
    """Whether all containers of a workload are of stock images."""
    images = []
    for place in _POD:
        containers = workload.path(*place, "containers")
        items = containers.items[:_MAX_CONTAINERS] if containers is not None else ()
        images += [_text(item.get("image")) for item in items]
    return bool(images) and all(map(_STOCK.fullmatch, images))


def _documents(context: Context, path: str) -> list[Node]:
    """The documents of a manifest; nothing where one is none."""
    documents = [node for node in context.documents.nodes(path)[:_MAX_DOCUMENTS] if node.kind == "mapping"]
    return documents if all(map(_kind, documents)) else []


def _kind(node: Node) -> str:
    return _text(node.get("kind")) if node.get("apiVersion") is not None else ""


def _text(node: Node | None) -> str:
    return node.text if node is not None and node.kind == "scalar" else ""
