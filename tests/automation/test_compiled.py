"""A pipeline that code only writes to a file does not run, unless something hands it to an engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

STEPS = (
    "from kfp import compiler, dsl\n\n\n@dsl.component(base_image='python:3.11')\ndef fit(path: str):\n"
    "    import pandas as pd\n    from sklearn.linear_model import LogisticRegression\n"
    "    data = pd.read_csv(path)\n    LogisticRegression().fit(data[['x']], data['y'])\n\n\n"
    "@dsl.component\ndef read(path: str) -> str:\n    return path\n\n\n"
    "@dsl.pipeline(name='weekly')\ndef weekly(path: str = 'sample.csv'):\n"
    "    data = read(path=path)\n    fit(path=data.output)\n"
)
MAIN = "\n\nif __name__ == '__main__':\n"
COMPILES = f"{MAIN}    compiler.Compiler().compile(pipeline_func=weekly, package_path='weekly.yaml')\n"
SUBMITS = f"{MAIN}    import kfp\n\n    kfp.Client().create_run_from_pipeline_func(weekly)\n"
BY_PARAMETER = "import kfp\n\n\ndef send(client, path):\n    client.upload_pipeline(path)\n"


def nightly(run: str) -> Tree:
    steps = "".join(f"      - run: {line}\n" for line in run.split("\n"))
    text = f"on: {{schedule: [{{cron: '0 2 * * *'}}]}}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"
    return {".github/workflows/nightly.yml": text}


@pytest.mark.parametrize(
    ("tail", "run", "more", "expected"),
    [
        (COMPILES, "python weekly.py", {}, False),
        (COMPILES, "python other.py", {"other.py": "import weekly\n"}, False),  # an import runs no step
        (SUBMITS, "python weekly.py", {}, True),
        (COMPILES, "python weekly.py\nkfp run create -f weekly.yaml", {}, True),
        (COMPILES, "python weekly.py\n./send out/weekly.yaml", {}, True),  # whatever that is
        (COMPILES, "python weekly.py\npython send.py", {"send.py": BY_PARAMETER}, True),
    ],
)
def test_what_is_only_compiled_does_not_run(tmp_path: Path, tail: str, run: str, more: Tree, expected: bool) -> None:
    report = scan_tree(tmp_path, {**ML, **more, "weekly.py": STEPS + tail, **nightly(run)})
    assert (grade(report, "retraining/scheduled") is Grade.WIRED) is expected
    assert grade(report, "pipeline/orchestration") is (Grade.WIRED if expected else Grade.IMPLEMENTED)


def test_a_step_that_code_calls_runs(tmp_path: Path) -> None:
    call = "\n\nif __name__ == '__main__':\n    fit('sample.csv')\n"
    report = scan_tree(tmp_path, {**ML, "weekly.py": STEPS + call, **nightly("python weekly.py")})
    assert grade(report, "retraining/scheduled") is Grade.WIRED
