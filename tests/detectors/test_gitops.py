"""Argo CD applications that roll out what is committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, places, practice, scan_tree

DEPLOYED = "cd/model-deploy"
MODEL = (
    "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: churn}\nspec:\n"
    "  predictor: {model: {modelFormat: {name: sklearn}, storageUri: 's3://models/churn/7'}}\n"
)
APPLICATION = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: churn}\nspec:\n  project: default\n"
    "  source: {repoURL: 'https://git.example.org/churn', path: deploy/churn}\n"
    "  syncPolicy:\n    automated: {prune: true}\n"
)
SET = (
    "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: all}\nspec:\n  generators:\n"
    "    - list: {elements: [{name: base, folder: deploy/base}, {name: churn, folder: deploy/churn}]}\n"
    "  template:\n    spec:\n      source: {repoURL: x, path: '{{folder}}'}\n      syncPolicy: {automated: {}}\n"
)
LISTED = "    - list: {elements: [{name: base, folder: deploy/base}, {name: churn, folder: deploy/churn}]}"
LOOKED_FOR = "    - git: {repoURL: x, directories: [{path: 'deploy/*'}]}"
BY_FOLDER = SET.replace(LISTED, LOOKED_FOR).replace("{{folder}}", "{{ .path.path }}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (APPLICATION, 8),
        (APPLICATION.replace("path: deploy/churn", "path: ./deploy"), 8),
        (APPLICATION.replace("source: {", "sources: [{").replace("churn}\n  sync", "churn}]\n  sync"), 8),
        (SET, 10),
        (SET.replace("{{folder}}", "{{ .folder }}"), 10),
        (BY_FOLDER, 10),
    ],
)
def test_a_model_that_is_synchronised(tmp_path: Path, text: str, line: int) -> None:
    report = scan_tree(tmp_path, {**ML, "deploy/churn/model.yaml": MODEL, "argocd/apps.yaml": text})
    found = practice(report, DEPLOYED)
    assert found.grade is Grade.WIRED
    assert places(found.evidence) == [f"argocd/apps.yaml:{line}", "argocd/apps.yaml:1", "deploy/churn/model.yaml:1"]


@pytest.mark.parametrize(
    "text",
    [
        APPLICATION.replace("  syncPolicy:\n    automated: {prune: true}\n", ""),
        APPLICATION.replace("    automated:", "    # automated:"),
        APPLICATION.replace("{prune: true}", "{enabled: false}"),
        APPLICATION.replace("{prune: true}", "null"),
        APPLICATION.replace("deploy/churn", "deploy/other"),
        APPLICATION.replace("deploy/churn", "churn"),
        APPLICATION.replace("argoproj.io/v1alpha1", "app.k8s.io/v1beta1"),
        SET.replace("folder: deploy/churn", "folder: deploy/shop"),
        SET.replace("{{folder}}", "{{other}}"),
        BY_FOLDER.replace("'deploy/*'", "'deploy/*', exclude: true"),
        BY_FOLDER.replace("deploy/*", "*/deploy/*"),
    ],
)
def test_what_is_not_synchronised_or_serves_no_model(tmp_path: Path, text: str) -> None:
    tree = {**ML, "deploy/churn/model.yaml": MODEL, "argocd/apps.yaml": text}
    assert grade(scan_tree(tmp_path, tree), DEPLOYED) is Grade.ABSENT


@pytest.mark.parametrize(
    "tree",
    [
        {"deploy/churn/model.yaml": MODEL.replace("serving.kserve.io/v1beta1", "v1"), "argocd/apps.yaml": APPLICATION},
        {"deploy/churn/model.yaml": MODEL, "docs/apps.yaml": APPLICATION},
        {
            "deploy/churn/model.yaml": MODEL,
            "deploy/churn/kustomization.yaml": "resources: [service.yaml]\n",
            "deploy/churn/service.yaml": "apiVersion: v1\nkind: Service\n",
            "argocd/apps.yaml": APPLICATION,
        },
    ],
)
def test_manifests_that_nothing_applies(tmp_path: Path, tree: dict[str, str]) -> None:
    assert grade(scan_tree(tmp_path, {**ML, **tree}), DEPLOYED) is Grade.ABSENT
