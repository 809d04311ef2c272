"""Alert rules on a model: a rule works only with an emitted metric, something that loads it and somebody to tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from mlops_scan.words import Grade
from tests.trees import ML, Tree, findings, grade, practice, scan_tree

PERFORMANCE, DRIFT, ALERTS = "monitoring/performance-threshold", "monitoring/drift", "monitoring/alerts"
TRIGGERED = "retraining/triggered"

RULES = """\
groups:
  - name: model
    rules:
      - alert: ModelAccuracyLow
        expr: model_accuracy < 0.8
        for: 1h
"""
EMITTER = """\
from prometheus_client import Gauge, start_http_server

ACCURACY = Gauge("model_accuracy", "live accuracy")


def update(value):
    ACCURACY.set(value)


if __name__ == "__main__":
    start_http_server(9000)
    while True:
        update(0.9)
"""
IMAGE = 'FROM python:3.12\nCOPY . .\nRUN pip install prometheus-client\nCMD ["python", "metrics.py"]\n'
LOADING = "global: {}\nrule_files:\n  - /etc/prometheus/alerts.yml\n"
RECEIVER = 'route:\n  receiver: ml\nreceivers:\n  - name: ml\n    slack_configs:\n      - channel: "#ml"\n'
COMPOSE = """\
services:
  prometheus:
    image: prom/prometheus:v3.1.0
    volumes:
      - ./prometheus/prometheus.yml:/etc/prometheus/prometheus.yml
      - ./prometheus/alerts.yml:/etc/prometheus/alerts.yml
"""
LOOP: dict[str, str | bytes] = {
    **ML,
    "metrics.py": EMITTER,
    "Dockerfile": IMAGE,
    "prometheus/alerts.yml": RULES,
    "prometheus/prometheus.yml": LOADING,
    "prometheus/alertmanager.yml": RECEIVER,
    "docker-compose.yml": COMPOSE,
}


def _without(*names: str, **changed: str) -> Tree:
    tree = {name: text for name, text in LOOP.items() if name not in names}
    return {**tree, **{name.replace("__", "/").replace("_yml", ".yml"): text for name, text in changed.items()}}


def test_rule_with_metric_loader_and_receiver(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, LOOP)
    assert grade(report, PERFORMANCE) is Grade.WIRED
    assert practice(report, ALERTS).met
    assert not [f for id_ in ("MLS505", "MLS507", "MLS508") for f in findings(report, id_)]
    assert {str(e.location) for e in practice(report, ALERTS).evidence} >= {"prometheus/alerts.yml:4"}


@pytest.mark.parametrize(
    "tree",
    [
        _without("prometheus/prometheus.yml"),
        _without(prometheus__prometheus_yml="global: {}\n# rule_files:\n#   - alerts.yml\n"),
        _without(prometheus__prometheus_yml="rule_files: [other.yml]\n"),
        _without(**{"docker-compose_yml": "\n".join(COMPOSE.split("\n")[:-2]) + "\n"}),
    ],
    ids=["no configuration", "commented out", "another file", "not mounted"],
)
def test_rule_that_no_prometheus_loads(tmp_path: Path, tree: Tree) -> None:
    report = scan_tree(tmp_path, tree)
    assert grade(report, PERFORMANCE) is Grade.TRACE
    assert grade(report, ALERTS) is Grade.TRACE
    assert findings(report, "MLS508")


def test_rule_on_a_metric_that_nothing_emits(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, _without("metrics.py", "Dockerfile"))
    assert grade(report, PERFORMANCE) is Grade.IMPLEMENTED
    assert "emit" in practice(report, PERFORMANCE).reason
    assert findings(report, "MLS507")


def test_rule_on_drift_that_nothing_computes(tmp_path: Path) -> None:
    rules = RULES.replace("model_accuracy < 0.8", "model_drift_score > 0.3").replace("ModelAccuracyLow", "Moved")
    tree = {**_without("metrics.py", "Dockerfile"), "prometheus/alerts.yml": rules}
    assert grade(scan_tree(tmp_path / "none", tree), DRIFT) is Grade.TRACE
    emitted = {**LOOP, "prometheus/alerts.yml": rules, "metrics.py": EMITTER.replace("accuracy", "drift_score")}
    assert grade(scan_tree(tmp_path / "emitted", emitted), DRIFT) is Grade.WIRED


VALUES = """\
additionalPrometheusRules:
  - name: model
    groups:
      - name: model
        rules:
          - alert: ConfidenceTooLow
            expr: model_accuracy < 0.8
alertmanager:
  config:
    route: {receiver: ml}
    receivers:
      - name: ml
        discord_configs: [{webhook_url: "https://discord.example.org"}]
"""
NESTED = "kube-prometheus-stack:\n" + "".join(f"  {line}\n" for line in VALUES.splitlines())


@pytest.mark.parametrize(
    ("values", "performance", "alerts"),
    [
        (VALUES, Grade.WIRED, Grade.IMPLEMENTED),
        (NESTED, Grade.WIRED, Grade.IMPLEMENTED),
        (NESTED.replace("kube-prometheus-stack:", "another-chart:"), Grade.ABSENT, Grade.ABSENT),
        (VALUES.replace("discord_configs", "# discord_configs"), Grade.WIRED, Grade.IMPLEMENTED),
        ("".join(f"# {line}\n" for line in VALUES.splitlines()), Grade.ABSENT, Grade.ABSENT),
    ],
    ids=["values", "of a chart that depends on it", "another chart", "nobody is told", "commented out"],
)
def test_rules_in_values_of_the_operators_chart(tmp_path: Path, values: str, performance: Grade, alerts: Grade) -> None:
    tree = {"Dockerfile": IMAGE, "metrics.py": EMITTER, "charts/values.yaml": values, **ML}
    report = scan_tree(tmp_path, tree)
    assert grade(report, PERFORMANCE) is performance
    assert grade(report, ALERTS) is alerts
    told = len(practice(report, ALERTS).evidence) == 2  # the rule, and who is told
    assert told is (alerts is Grade.IMPLEMENTED and "# discord" not in values)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("avg_confidence < 0.7", Grade.IMPLEMENTED),
        ("prediction_entropy > 0.9", Grade.IMPLEMENTED),
        ("node_entropy_available_bits < 100", Grade.ABSENT),
        ("overconfidences_total < 1", Grade.ABSENT),
    ],
)
def test_bound_on_how_sure_the_model_is(tmp_path: Path, expression: str, expected: Grade) -> None:
    rules = RULES.replace("model_accuracy < 0.8", expression).replace("ModelAccuracyLow", "Unsure")
    assert grade(scan_tree(tmp_path, {**LOOP, "prometheus/alerts.yml": rules}), PERFORMANCE) is expected


def test_rule_on_no_metric_that_could_be_looked_for(tmp_path: Path) -> None:
    plain = RULES.replace("model_accuracy", "accuracy")
    report = scan_tree(tmp_path, {**LOOP, "prometheus/alerts.yml": plain, "tool.go": "package main\n"})
    assert practice(report, PERFORMANCE).reason == "no code here was seen to emit the metric it watches"
    assert not findings(report, "MLS507")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (EMITTER.replace("    ACCURACY.set(value)", "    print(value)"), "never gets a value"),
        (EMITTER.partition("if __name__")[0], "never called"),
    ],
    ids=["never set", "never called"],
)
def test_metric_without_a_value(tmp_path: Path, code: str, why: str) -> None:
    report = scan_tree(tmp_path, {**LOOP, "metrics.py": code})
    assert grade(report, PERFORMANCE) is Grade.IMPLEMENTED
    assert why in practice(report, PERFORMANCE).reason


def test_metric_whose_code_nothing_starts(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, _without("Dockerfile"))
    assert grade(report, PERFORMANCE) is Grade.IMPLEMENTED
    assert "starts" in practice(report, PERFORMANCE).reason


def test_code_that_only_reads_a_metric_emits_none(tmp_path: Path) -> None:
    reader = (
        'import requests\n\n\ndef show():\n    return requests.get("http://p/api", params={"q": "model_accuracy"})\n'
    )
    report = scan_tree(tmp_path, {**LOOP, "metrics.py": reader})
    assert grade(report, PERFORMANCE) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("receiver", "worth"),
    [
        ("", Grade.IMPLEMENTED),
        ('route:\n  receiver: "null"\nreceivers:\n  - name: "null"\n', Grade.TRACE),
        (
            "route:\n  receiver: ml\nreceivers:\n  - name: ml\n    # slack_configs:\n    #   - channel: ml\n",
            Grade.TRACE,
        ),
    ],
    ids=["none", "null", "commented out"],
)
def test_rule_without_a_receiver(tmp_path: Path, receiver: str, worth: Grade) -> None:
    """It shows where it is evaluated; an Alertmanager that names nobody tells that nobody is to see it."""
    report = scan_tree(tmp_path, {**LOOP, "prometheus/alertmanager.yml": receiver})
    assert grade(report, ALERTS) is worth
    assert "names nobody" in practice(report, ALERTS).reason or "who receives it" in practice(report, ALERTS).reason
    assert findings(report, "MLS505")


SERVICE = ["http_request_latency_seconds > 2", "up == 0", "node_cpu_seconds_total > 9"]


@pytest.mark.parametrize("expression", SERVICE)
def test_rule_on_the_service_is_an_alert_and_no_bound_on_the_model(tmp_path: Path, expression: str) -> None:
    rules = RULES.replace("model_accuracy < 0.8", expression).replace("ModelAccuracyLow", "Slow")
    report = scan_tree(tmp_path / "told", {**LOOP, "prometheus/alerts.yml": rules})
    assert grade(report, PERFORMANCE) is Grade.ABSENT
    assert grade(report, ALERTS) is Grade.IMPLEMENTED
    untold = scan_tree(tmp_path / "untold", {**_without("prometheus/alertmanager.yml"), "prometheus/alerts.yml": rules})
    assert practice(untold, ALERTS).met
    assert not findings(untold, "MLS505")
    unloaded = {**_without("prometheus/prometheus.yml"), "prometheus/alerts.yml": rules}
    assert grade(scan_tree(tmp_path / "unloaded", unloaded), ALERTS) is Grade.TRACE


def test_unit_tests_of_rules_load_none(tmp_path: Path) -> None:
    tests = "rule_files: [alerts.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series: []\n"
    tree = {**_without("prometheus/prometheus.yml"), "prometheus/alerts_cases.yml": tests}
    assert grade(scan_tree(tmp_path, tree), ALERTS) is Grade.TRACE


def _config_map(name: str, **files: str) -> str:
    entries = "".join(
        f"  {key.replace('_yml', '.yml')}: |\n" + "".join(f"    {line}\n" for line in text.splitlines())
        for key, text in files.items()
    )
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{entries}"


def _pod(*names: str) -> str:
    volumes = "".join(f"        - name: {name}\n          configMap: {{name: {name}}}\n" for name in names)
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: prometheus}\nspec:\n  template:\n    spec:\n"
        f"      containers: [{{name: prometheus, image: prom/prometheus}}]\n      volumes:\n{volumes}"
    )


CLUSTER: dict[str, str | bytes] = {
    **{name: text for name, text in LOOP.items() if not name.startswith(("prometheus/", "docker-compose"))},
    "k8s/rules.yaml": _config_map("rules", alerts_yml=RULES),
    "k8s/config.yaml": _config_map("config", prometheus_yml="rule_files:\n  - /etc/prometheus/rules/*.yml\n"),
    "k8s/told.yaml": _config_map("told", alertmanager_yml=RECEIVER),
    "k8s/prometheus.yaml": _pod("rules", "config", "told"),
}


def test_rules_in_a_config_map(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, CLUSTER)
    assert grade(report, PERFORMANCE) is Grade.WIRED
    assert grade(report, ALERTS) is Grade.IMPLEMENTED
    found = [str(evidence.location) for evidence in practice(report, ALERTS).evidence]
    assert found == ["k8s/rules.yaml:10", "k8s/told.yaml:10"]
    assert practice(report, ALERTS).evidence[0].text == "- alert: ModelAccuracyLow"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"k8s/prometheus.yaml": _pod("config", "told")}, "no pod of this repository mounts the ConfigMap `rules`"),
        ({"k8s/prometheus.yaml": _pod("rules", "told")}, "no Prometheus configuration"),
        ({"k8s/config.yaml": _config_map("config", prometheus_yml="# rule_files: [a.yml]\n")}, "no Prometheus conf"),
        ({"k8s/rules.yaml": _config_map("rules", alerts_txt=RULES)}, "nothing was found"),
        ({"k8s/rules.yaml": _config_map("rules", alerts_yml=RULES.replace("    ", "  # "))}, "nothing was found"),
        ({"k8s/rules.yaml": _config_map("rules", alerts_yml="groups: [\n" + RULES)}, "nothing was found"),
    ],
    ids=["rules not mounted", "configuration not mounted", "no list of rules", "no YAML", "commented out", "broken"],
)
def test_rules_in_a_config_map_that_nothing_evaluates(tmp_path: Path, changed: Tree, why: str) -> None:
    report = scan_tree(tmp_path, {**CLUSTER, **changed})
    assert grade(report, ALERTS) in (Grade.TRACE, Grade.ABSENT)
    assert why in practice(report, ALERTS).reason


def test_receiver_in_a_config_map_that_no_pod_has(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**CLUSTER, "k8s/prometheus.yaml": _pod("rules", "config")})
    assert practice(report, ALERTS).reason == "nothing here says who receives it"
    silent = RECEIVER.partition("    slack")[0]
    report = scan_tree(tmp_path / "b", {**CLUSTER, "k8s/told.yaml": _config_map("told", alertmanager_yml=silent)})
    assert grade(report, ALERTS) is Grade.TRACE


def test_rule_on_a_recorded_metric_leads_to_the_one_that_code_emits(tmp_path: Path) -> None:
    recorded = RULES.replace("model_accuracy < 0.8", "job:accuracy:avg < 0.8").replace(
        "    rules:\n",
        "    rules:\n      - record: job:accuracy:avg\n        expr: avg_over_time(model_accuracy[1d])\n",
    )
    assert grade(scan_tree(tmp_path, {**LOOP, "prometheus/alerts.yml": recorded}), PERFORMANCE) is Grade.WIRED


def test_rule_object_of_the_operator_needs_no_file_list(tmp_path: Path) -> None:
    inner = "\n".join(f"  {line}" for line in RULES.split("\n"))
    text = f"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {{name: m}}\nspec:\n{inner}\n"
    tree = {**_without("prometheus/prometheus.yml", "docker-compose.yml"), "prometheus/alerts.yml": text}
    assert grade(scan_tree(tmp_path, tree), PERFORMANCE) is Grade.WIRED


@pytest.mark.parametrize(
    ("url", "more", "expected"),
    [
        ("http://trainer:8000/retrain", "", Grade.WIRED),
        ("https://git/api/v4/projects/7/trigger/pipeline?ref=main", "", Grade.WIRED),
        ("http://airflow/api/v1/dags/train/dagRuns", "", Grade.TRACE),  # it refuses what Alertmanager posts
        ("https://api.github.com/repos/o/n/dispatches", "", Grade.TRACE),
        ("http://airflow/api/v1/dags/train/dagRuns", "        payload: {conf: {}}\n", Grade.WIRED),
        ("http://chat/hook", "", Grade.ABSENT),
    ],
)
def test_webhook_that_starts_the_training(tmp_path: Path, url: str, more: str, expected: Grade) -> None:
    hook = f"{RECEIVER}    webhook_configs:\n      - url: {url}\n{more}"
    assert grade(scan_tree(tmp_path, {**LOOP, "prometheus/alertmanager.yml": hook}), TRIGGERED) is expected


GRAFANA = """\
apiVersion: 1
groups:
  - orgId: 1
    name: model
    folder: ml
    interval: 5m
    rules:
      - uid: drift
        title: Feature drift
        condition: C
        isPaused: false
        data:
          - refId: A
            model: {expr: model_drift_score}
          - refId: C
            model:
              type: threshold
              conditions:
                - evaluator: {params: [0.2], type: gt}
"""
CONTACT = (
    "apiVersion: 1\ncontactPoints:\n  - name: ml\n    receivers:\n      - {uid: m, type: slack, settings: {url: x}}\n"
)


def test_rule_of_grafana_with_a_contact_point(tmp_path: Path) -> None:
    tree: Tree = {
        **ML,
        "metrics.py": EMITTER.replace("model_accuracy", "model_drift_score"),
        "Dockerfile": IMAGE,
        "grafana/alerting/rules.yaml": GRAFANA,
        "grafana/alerting/contact.yaml": CONTACT,
    }
    report = scan_tree(tmp_path / "real", tree)
    assert grade(report, DRIFT) is Grade.WIRED
    assert practice(report, ALERTS).met
    paused = scan_tree(
        tmp_path / "paused", {**tree, "grafana/alerting/rules.yaml": GRAFANA.replace("Paused: false", "Paused: true")}
    )
    assert grade(paused, DRIFT) is Grade.TRACE
    assert findings(paused, "MLS501")
    alone = scan_tree(tmp_path / "alone", {k: v for k, v in tree.items() if "contact" not in k})
    assert practice(alone, ALERTS).reason == "nothing here says who receives it"
    assert findings(alone, "MLS505")


@pytest.mark.parametrize(
    ("pod", "labels", "met"),
    [(_pod("alerting"), "", True), ("", "  labels: {grafana_alert: '1'}\n", True), ("", "", False)],
    ids=["mounted", "taken by the sidecar", "neither"],
)
def test_rules_of_grafana_in_a_config_map(tmp_path: Path, pod: str, labels: str, met: bool) -> None:
    provisioned = _config_map("alerting", rules_yml=GRAFANA, contact_yml=CONTACT)
    tree: Tree = {
        **ML,
        "metrics.py": EMITTER.replace("model_accuracy", "model_drift_score"),
        "Dockerfile": IMAGE,
        "k8s/alerting.yaml": provisioned.replace("\ndata:\n", f"\n{labels}data:\n"),
        "k8s/grafana.yaml": pod,
    }
    report = scan_tree(tmp_path, tree)
    assert grade(report, DRIFT) is (Grade.WIRED if met else Grade.TRACE)
    assert practice(report, ALERTS).met is met
    if met:
        where = {str(evidence.location) for evidence in practice(report, ALERTS).evidence}
        assert len(where) == 2 and all(place.startswith("k8s/alerting.yaml:") for place in where)


@pytest.mark.parametrize("indent", [None, 2])
def test_rule_of_grafana_written_as_json(tmp_path: Path, indent: int | None) -> None:
    rules = yaml.safe_load(GRAFANA.replace("expr", "query"))
    tree: Tree = {**ML, "grafana/alerting/rules.yaml": json.dumps(rules, indent=indent)}
    assert grade(scan_tree(tmp_path, tree), DRIFT) is Grade.TRACE  # nothing emits the metric


def test_bound_that_cannot_be_broken(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**LOOP, "prometheus/alerts.yml": RULES.replace("< 0.8", "< 0")})
    assert grade(report, PERFORMANCE) is Grade.TRACE
    assert findings(report, "MLS301")


ON_REQUEST = """\
from fastapi import FastAPI
from prometheus_client import Gauge, make_asgi_app
from scipy.stats import ks_2samp

app = FastAPI()
app.mount("/metrics", make_asgi_app())
SHARE = Gauge("model_drift_share", "share of drifted features")


def analyse():
    SHARE.set(ks_2samp([1.0], [2.0]).statistic)


@app.get("/ROUTE")
def asked():
    analyse()
    return {}
"""
CRON = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: ask}
spec:
  schedule: "0 * * * *"
  jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: curl, args: ["http://scoring/drift"]}]}}}}
"""


@pytest.mark.parametrize(
    ("route", "more", "wired"),
    [
        ("drift", {}, False),
        ("drift", {"smoke.py": 'from app import analyse\n\nif __name__ == "__main__":\n    analyse()\n'}, False),
        ("drift", {"k8s/ask.yaml": CRON}, True),
        ("predict", {}, True),
    ],
    ids=["asked by nobody", "also run by hand", "asked by a clock", "asked by users"],
)
def test_metric_that_only_a_request_makes(tmp_path: Path, route: str, more: Tree, wired: bool) -> None:
    tree: Tree = {
        **LOOP,
        **more,
        "app.py": ON_REQUEST.replace("ROUTE", route),
        "Dockerfile": 'FROM python:3.12\nCOPY . .\nRUN pip install fastapi\nCMD ["uvicorn", "app:app"]\n',
        "prometheus/alerts.yml": RULES.replace("model_accuracy < 0.8", "model_drift_share > 0.3"),
    }
    report = scan_tree(tmp_path, tree)
    assert (grade(report, DRIFT) is Grade.WIRED) is wired
