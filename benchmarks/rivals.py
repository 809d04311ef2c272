"""What other programs need to look through the same tree: ripgrep for 30 names of tools, semgrep for 10 rules."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmarks.processes import Figures, combined, run

NAMES = (
    "mlflow", "wandb", "dvc", "kedro", "airflow", "prefect", "dagster", "kubeflow", "kfp", "zenml", "metaflow", "flyte",
    "sagemaker", "vertexai", "azureml", "bentoml", "seldon", "kserve", "torchserve", "evidently", "whylogs", "nannyml",
    "great_expectations", "pandera", "deepchecks", "feast", "optuna", "hydra", "sklearn", "torch",
)  # fmt: skip
_CALLS = (
    "mlflow.log_metric(...)", "mlflow.start_run(...)", "wandb.init(...)", "joblib.dump(...)", "torch.save(...)",
    "$MODEL.fit(...)", "$MODEL.predict(...)", "optuna.create_study(...)", "pandera.DataFrameSchema(...)",
    "bentoml.Service(...)",
)  # fmt: skip


def ripgrep(path: Path, runs: int) -> Figures | None:
    """The median of some searches with two threads; None without ripgrep."""
    program = shutil.which("rg")
    if program is None:
        return None
    words = [program, "-j2", "--no-config", "--hidden", "-n", *(w for name in NAMES for w in ("-e", name)), str(path)]
    found = combined([run(words) for _ in range(runs)])
    return _checked("rg", found, {0, 1})


def semgrep(path: Path, work: Path, program: str | None) -> Figures | None:
    """One search with two processes and local rules; None without semgrep."""
    found = shutil.which(program or "semgrep")
    if found is None:
        return None
    rules = [
        {"id": f"call-{n}", "pattern": call, "message": call, "languages": ["python"], "severity": "INFO"}
        for n, call in enumerate(_CALLS)
    ]
    file = work / "semgrep.json"  # JSON is YAML
    file.write_text(json.dumps({"rules": rules}))
    options = ["--metrics", "off", "--disable-version-check", "--no-git-ignore", "--quiet", "-j", "2"]
    environment = {"SEMGREP_SETTINGS_FILE": str(work / "settings.yml"), "PATH": f"{Path(found).parent}:/usr/bin:/bin"}
    return _checked("semgrep", run([found, "scan", "--config", str(file), *options, str(path)], environment), {0})


def _checked(name: str, figures: Figures, accepted: set[int]) -> Figures:
    if figures.code not in accepted:
        raise SystemExit(f"{name} failed with exit code {figures.code}: no comparison is possible")
    return figures
