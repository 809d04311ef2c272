"""Names that several programs share: the rules must not claim a tool by the name alone."""

from __future__ import annotations

from textwrap import dedent

import pytest

from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.samples import claims
from mlops_scan.rulebook import Sample, load

NOTHING = frozenset({"nothing at all"})
CASES = [
    ("a.yaml", "apiVersion: tekton.dev/v1\nkind: Pipeline\nspec: {tasks: [{name: build}]}\n", NOTHING),
    (
        "a.yaml",
        "apiVersion: mlops.seldon.io/v1alpha1\nkind: Pipeline\nspec: {steps: [{name: a}]}\n",
        frozenset({"does:define-pipeline", "does:train", "experiment/tuning"}),
    ),
    (
        "a.yaml",
        "apiVersion: mlops.seldon.io/v1alpha1\nkind: Experiment\nspec: {candidates: [{name: a, weight: 50}]}\n",
        frozenset({"experiment/tuning", "does:train"}),
    ),
    (
        "a.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nspec: {templates: []}\n",
        frozenset({"experiment/tuning"}),
    ),
    ("a.yaml", "apiVersion: che.eclipse.org/v1\nkind: Workspace\n", NOTHING),
    ("a.yaml", "apiVersion: synthetics.aws.crossplane.io/v1\nkind: Canary\n", frozenset({"deploy/progressive"})),
    ("a.yaml", "apiVersion: rollouts.kruise.io/v1\nkind: Rollout\n", frozenset({"deploy/progressive"})),
    ("a.yaml", "apiVersion: example.com/v1\nkind: FeatureStore\n", frozenset({"data/feature-store"})),
    (
        "a.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nspec: {type: service}\n",
        frozenset({"does:define-pipeline"}),
    ),
    (
        "pipeline.yaml",
        "resources: [{name: r, type: git}]\njobs: [{name: a, plan: [{get: r}]}]\n",
        frozenset({"does:define-pipeline"}),
    ),
    ("workspace.yaml", "packages: [a, b]\n", NOTHING),
    ("params.yaml", "site_name: docs\n", frozenset({"experiment/config"})),
    ("metadata.yaml", "name: charm\nsummary: x\n", NOTHING),
    ("bento.yaml", "input: {kafka: {addresses: [a]}}\noutput: {stdout: {}}\n", NOTHING),
    ("cog.yaml", "name: x\n", NOTHING),
    ("catalog.yml", "sources: {a: {driver: csv}}\n", frozenset({"data/versioning"})),
    ("x.pipeline", "doc_type: other\n", NOTHING),
    ("a.py", "from datasets import local\n", NOTHING),
    ("a.py", "import neptune_db\nneptune_db.init()\n", frozenset({"experiment/tracking"})),
    ("a.py", "import modal_window\nmodal_window.App()\n", NOTHING),
    ("a.py", "from kit import train\ntrain.start()\n", frozenset({"does:train"})),
    ("a.py", "import aim\naim.shoot()\n", frozenset({"experiment/tracking"})),
    ("a.py", 'from registry import register_model\nregister_model("x")\n', frozenset({"model/registry"})),
    ("a.py", "from celery import task\n@task\ndef train(): pass\n", frozenset({"does:define-task"})),
    ("a.py", "from locust import task\n@task\ndef t(): pass\n", frozenset({"does:define-task"})),
    ("a.py", 'from transformers import pipeline\np = pipeline("x")\n', frozenset({"does:define-pipeline"})),
    ("a.py", "import jsonschema\njsonschema.validate(a, b)\n", frozenset({"data/validation"})),
    ("a.yml", "models: {a: b}\ntests: [x]\n", frozenset({"data/validation"})),
    ("a.yaml", "base_model: x\ntitle: y\n", frozenset({"genai/fine-tuning-config"})),
    ("defaults/main.yml", "defaults:\n  run: {shell: bash}\n", frozenset({"experiment/config"})),
    ("a.sh", "composer require laravel/framework\n", frozenset({"does:train"})),
    ("a.sh", "luigid --port 1\n", frozenset({"does:run-pipeline"})),
    ("a.sh", "flyte --help\n", frozenset({"does:run-pipeline"})),
    ("a.sh", "tune download x\n", frozenset({"does:train"})),
    ("a.yaml", "entrypoint: /bin/sh\nsearcher: elastic\n", frozenset({"does:train"})),
    ("a.yaml", "resources: {limits: {cpu: 2}}\nsetup: x\nrun: y\n", frozenset({"does:define-task"})),
]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    """All tools of the rules."""
    return Matcher(list(load().tools.values()))


@pytest.mark.parametrize(("path", "text", "never"), CASES, ids=[f"{path}-{n}" for n, (path, _, _) in enumerate(CASES)])
def test_shared_names(matcher: Matcher, path: str, text: str, never: frozenset[str]) -> None:
    got = claims(matcher, Sample(path, dedent(text), frozenset()))
    assert not (got if never == NOTHING else got & never)
