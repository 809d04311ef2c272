"""Files whose name alone says that they define automation, so that leaving one out must be said."""

from __future__ import annotations

import re

from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template

LOCK_FILES = frozenset(
    {
        "package-lock.json", "uv.lock", "poetry.lock", "pdm.lock", "yarn.lock", "pnpm-lock.yaml", "pixi.lock",
        "conda-lock.yml",
    }
)  # fmt: skip
"""Lists that programs write for programs: they define nothing, and may be megabytes."""
MAX_JSON = 150_000
"""Bytes of a JSON file that people write: a definition or a configuration; exported data and dashboards are larger."""
_NAMES = regex(
    r"(dvc\.(ya?ml|lock)|mlproject|recipe\.ya?ml|(docker-)?compose[^/]{0,80}\.ya?ml|prefect\.ya?ml|databricks\.ya?ml"
    r"|([^/]{0,80}[-_.])?(pipelines?|workflows?|cronjobs?|dags?)([-_.][^/]{0,80})?\.(ya?ml|json)"
    r"|[^/]{1,80}\.asl\.(json|ya?ml)"
    r"|(azuredeploy|maintemplate|cloudformation)[^/]{0,40}\.(json|ya?ml)|[^/]{1,80}\.template\.(json|ya?ml)"
    r"|(template|serverless|samconfig|kustomization|chart|skaffold|helmfile|argocd)\.(ya?ml|toml)|feature_store\.ya?ml"
    r"|prometheus[^/]{0,40}\.ya?ml|alert(ing|manager|s)?([-_.]?rules?)?\.ya?ml|[^/]{0,40}[-_.]?rules\.ya?ml"
    r"|pyproject\.toml|pixi\.toml|\.?mise\.toml|taskfile\.ya?ml|environment\.ya?ml|conda\.ya?ml|action\.ya?ml"
    r"|[^/]{1,100}\.(tf|tf\.json|bicep))",
    re.I,
    words=(
        "dvc.", "mlproject", "recipe.", "compose", "prefect.", "databricks.", "pipeline", "workflow", "cronjob", "dag",
        ".asl.", "azuredeploy", "maintemplate", "cloudformation", "template.", "serverless.", "samconfig.",
        "kustomization.", "chart.", "skaffold.", "helmfile.", "argocd.", "feature_store.", "prometheus", "alert",
        "rules.", "pyproject.", "pixi.", "mise.", "taskfile.", "environment.", "conda.", "action.", ".tf", ".bicep",
    ),
)  # fmt: skip


def is_definition(path: str) -> bool:
    """Whether a file is a definition by its name: a pipeline, a service, infrastructure, a manifest.

    Such a file is read whatever its size, up to the bound of its parser; what is beyond that is listed as incomplete.
    Files of other names are data above a size at which nobody writes them by hand.
    """
    return _NAMES.fullmatch(strip_template(path)[0].rpartition("/")[2]) is not None
