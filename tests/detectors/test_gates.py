"""Quality gates: a comparison that decides whether a model may proceed; and evaluation whose result is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, practice, scan_tree

GATE = "model/quality-gate"
HEAD = (
    "import sys\nimport json\n\nimport joblib\nimport mlflow\n"
    "from sklearn.metrics import accuracy_score\n\nfrom data import read\n\n\n"
    "def evaluate(path):\n    model = joblib.load('model.joblib')\n    x, y = read(path)\n"
    "    return accuracy_score(y, model.predict(x))\n\n\n"
)


def script(body: str) -> str:
    """An evaluation script; `body` are the statements of `main`, which knows `accuracy`."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return (
        f"{HEAD}def main():\n    accuracy = evaluate('data.csv')\n{lines}\n\nif __name__ == '__main__':\n    main()\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "if accuracy < 0.8:\n    sys.exit(1)",
        "if accuracy < 0.8:\n    raise ValueError('too bad')",
        "if not accuracy >= 0.8:\n    raise SystemExit('too bad')",
        "if accuracy >= 0.8:\n    mlflow.register_model('runs:/1/model', 'churn')",
        "if accuracy < 0.8:\n    return\nmlflow.register_model('runs:/1/model', 'churn')",
        "bound = json.load(open('gate.json'))['minimum']\nif accuracy < bound:\n    sys.exit(1)",
        "champion = evaluate('old.csv')\nif accuracy - champion < 0:\n    sys.exit(1)",
        "macro_precision = evaluate('old.csv')\nif macro_precision < 0.5:\n    sys.exit(1)",
    ],
    ids=[
        "exit",
        "raise",
        "SystemExit",
        "guards registration",
        "returns before registration",
        "bound from a file",
        "not worse than another",
        "precision",
    ],
)
def test_gate(tmp_path: Path, body: str) -> None:
    report = scan_tree(tmp_path, {**ML, "evaluate.py": script(body)})
    assert grade(report, GATE) is Grade.IMPLEMENTED
    assert not practice(report, GATE).met, "nothing starts it"


@pytest.mark.parametrize(
    "body",
    [
        "if accuracy < 0.8:\n    print('too bad')",
        "if accuracy < 0.8:\n    return",
        "mlflow.register_model('runs:/1/model', 'churn')\nif accuracy < 0.8:\n    print('oh')",
        "MIN_ACCURACY = 0.8\nprint(accuracy, MIN_ACCURACY)",
        "latency = 3\nif latency > 2:\n    sys.exit(1)",
        "coverage = 3\nif coverage < 80:\n    sys.exit(1)",
        "if len(sys.argv) < 2:\n    sys.exit(1)",
        "mixed_precision = 3\nif mixed_precision > 1:\n    sys.exit(1)",
        "steps = make(float32_matmul_precision='high')\nif steps > 1:\n    raise ValueError(steps)",
        "scores = read('scores.csv')\nif scores.shape[1] < 2:\n    raise ValueError(scores.shape)",
    ],
    ids=[
        "warns",
        "guards nothing",
        "after the registration",
        "unused bound",
        "latency",
        "coverage",
        "arguments",
        "precision of arithmetic",
        "made with a precision",
        "how many scores",
    ],
)
def test_no_gate(tmp_path: Path, body: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "evaluate.py": script(body)}), GATE) is Grade.ABSENT


@pytest.mark.parametrize(
    "bound",
    [
        "0",
        "0.0",
        "-1",
        "-1.0",
        "float('-inf')",
    ],
)
def test_gate_that_can_never_close(tmp_path: Path, bound: str) -> None:
    result = practice(
        scan_tree(tmp_path, {**ML, "evaluate.py": script(f"if accuracy < {bound}:\n    sys.exit(1)")}), GATE
    )
    assert not result.met
    assert result.grade is Grade.TRACE
    assert "never be broken" in result.reason


def ci(run: str, on: str = "push", more: str = "") -> Tree:
    """A workflow that runs one command."""
    text = f"on: {on}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {run}\n{more}"
    return {".github/workflows/a.yml": text}


CLOSED = script("if accuracy < 0.8:\n    sys.exit(1)")


def test_gate_in_ci_is_wired(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "evaluate.py": CLOSED, **ci("python evaluate.py")})
    assert grade(report, GATE) is Grade.WIRED
    assert practice(report, GATE).met


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (ci("python evaluate.py", on="workflow_dispatch"), "only a person"),
        (ci("python evaluate.py || true"), "no effect"),
        (ci("python evaluate.py", more="        continue-on-error: true\n"), "no effect"),
        (ci("python train.py"), "nothing"),
        (ci("echo python evaluate.py"), "nothing"),
    ],
    ids=["manual", "|| true", "continue-on-error", "another script", "echo"],
)
def test_gate_that_nothing_depends_on(tmp_path: Path, tree: Tree, reason: str) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "evaluate.py": CLOSED, **tree}), GATE)
    assert result.grade is Grade.IMPLEMENTED
    assert reason in result.reason


DECIDES = (
    "from sklearn.metrics import accuracy_score\n\n\ndef compare(model, x, y, old, bound):\n"
    "    accuracy = accuracy_score(y, model.predict(x))\n    return dict(is_accepted=accuracy - old > bound)\n"
)
ASKS = (
    "from compare import compare\n\n\ndef main(model, x, y):\n    artifact = compare(model, x, y, 0.8, 0.01)\n"
    "    if not artifact.is_accepted:\n        return\n    push_model(model)\n\n\nmain(1, 2, 3)\n"
)
REGISTERS = (
    "import mlflow\n\n\ndef main(path):\n    flag = int(open(path).read())\n"
    "    deploy_flag = flag\n    if deploy_flag == 1:\n        mlflow.register_model('runs:/1/model', 'churn')\n"
)
WRITES = (
    "from sklearn.metrics import r2_score\n\n\ndef main(y, model, x, scores):\n"
    "    score = r2_score(y, model.predict(x))\n"
    "    deployed = 1 if score >= max(scores) else 0\n    open('deploy_flag', 'w').write(str(deployed))\n"
)
SAME = (
    "import mlflow\n\n\ndef main(m_new, m_old, eval_metric):\n    challenger_wins = m_new > m_old\n"
    "    if challenger_wins:\n        mlflow.register_model('runs:/1/model', 'churn')\n"
)


BRANCH = (
    "import mlflow\n\n\ndef main(run, client):\n    promote = True\n"
    "    new, old = run.metrics['auc'], client.champion_auc()\n    if new < old:\n        promote = False\n"
    "    if promote:\n        mlflow.register_model('runs:/1/model', 'churn')\n"
)


@pytest.mark.parametrize(
    "tree",
    [
        {"compare.py": DECIDES, "flow.py": ASKS},
        {"evaluate.py": WRITES, "register.py": REGISTERS},
        {"promote.py": SAME},
        {"promote.py": BRANCH},
        {
            "promote.py": BRANCH.replace(
                "        promote = False\n", "        print(new)\n    else:\n        promote = False\n"
            )
        },
    ],
    ids=["accepted", "flag in a file", "same function", "flag set in a branch", "flag in an else"],
)
def test_gate_on_a_flag_that_a_comparison_sets(tmp_path: Path, tree: Tree) -> None:
    assert grade(scan_tree(tmp_path, {**ML, **tree}), GATE) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "tree",
    [
        {"flow.py": ASKS, "compare.py": "def compare(*a):\n    return dict(is_accepted=True)\n"},
        {"compare.py": DECIDES, "flow.py": ASKS.replace("    push_model(model)\n", "    print(model)\n")},
        {"evaluate.py": WRITES},
        {"promote.py": SAME.replace("m_new > m_old", "m_new == m_old")},
        {"promote.py": BRANCH.replace("new < old", "new is None")},
        {"promote.py": BRANCH.replace("        promote = False\n", "        print(promote)\n")},
        {"promote.py": BRANCH.replace("        promote = False\n", "        pass  # promote = False\n")},
        {"a.py": REGISTERS.replace("deploy_flag == 1", "metric == 'f1'")},
        {
            "a.py": "import mlflow\n\n\ndef main(alias):\n    if alias not in ('champion', 'challenger'):\n"
            "        raise ValueError(alias)\n    mlflow.register_model('runs:/1/model', 'churn')\n"
        },
    ],
    ids=[
        "no comparison",
        "nothing to keep back",
        "nobody asks",
        "no order",
        "no order in the branch",
        "flag that no branch sets",
        "commented out",
        "choice of a metric",
        "argument check",
    ],
)
def test_flag_that_is_no_gate(tmp_path: Path, tree: Tree) -> None:
    assert grade(scan_tree(tmp_path, {**ML, **tree}), GATE) is Grade.ABSENT


ACCEPTS = (
    "import json\nimport joblib\n\n\ndef is_model_accepted(folder):\n"
    "    params = json.load(open(f'{folder}/pipeline.json'))\n"
    "    metric_value = json.load(open(f'{folder}/figures.json'))[params['name']]\n"
    "    accepted = float(params['threshold_min']) <= metric_value\n    return accepted, f'{metric_value}'\n\n\n"
    "def main():\n    accepted, message = is_model_accepted('out')\n    if not accepted:\n"
    "        raise ValueError(message)\n\n\nif __name__ == '__main__':\n    main()\n"
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("", ""), Grade.IMPLEMENTED),
        (("is_model_accepted", "is_accepted"), Grade.ABSENT),  # of a disk, for all we know
        (("metric_value", "value"), Grade.ABSENT),
        (("threshold_min", "start"), Grade.ABSENT),
        (("        raise ValueError(message)", "        print(message)"), Grade.ABSENT),
        (("metric_value", "latency_metric"), Grade.ABSENT),
    ],
)
def test_gate_on_a_metric_that_a_file_names(tmp_path: Path, change: tuple[str, str], expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "scripts/accept.py": ACCEPTS.replace(*change)}), GATE) is expected


CONDITION = (
    "import mlflow\nfrom kfp import components, dsl\nfrom sklearn.linear_model import LogisticRegression\n\n\n"
    "def fit(path):\n    LogisticRegression().fit(path, [1])\n\n\n"
    "def release(path):\n    mlflow.register_model(path, 'churn')\n\n\n"
    "fit_op = components.create_component_from_func(fit)\n"
    "release_op = components.create_component_from_func(release)\n\n\n"
    "@dsl.pipeline(name='churn')\ndef flow(path):\n    fitted = fit_op(path)\n"
    "    with dsl.If(fitted.outputs['accuracy'] > 0.7):\n        release_op(path)\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONDITION, Grade.WIRED),
        (
            CONDITION.replace("dsl.If(fitted.outputs['accuracy'] > 0.7)", "dsl.If(fitted.outputs['server'] == 'on')"),
            None,
        ),
        (CONDITION.replace("dsl.If(fitted.outputs['accuracy'] > 0.7)", "dsl.If(fitted.outputs['rows'] > 7)"), None),
        (CONDITION.replace("        release_op(path)\n", "        fit_op(path)\n"), None),
        (CONDITION.replace("    with dsl", "    # with dsl").replace("        release", "    release"), None),
    ],
    ids=["metric", "flag", "no metric", "nothing released", "commented out"],
)
def test_gate_on_a_condition_of_a_pipeline(tmp_path: Path, text: str, expected: Grade | None) -> None:
    found = grade(scan_tree(tmp_path, {"flow.py": text}), GATE)
    assert found is (expected or Grade.ABSENT)


def test_flag_that_is_set_to_a_constant_decides_nothing(tmp_path: Path) -> None:
    overwritten = REGISTERS.replace("deploy_flag = flag", "deploy_flag = 1")
    result = practice(scan_tree(tmp_path, {**ML, "evaluate.py": WRITES, "register.py": overwritten}), GATE)
    assert result.grade is Grade.TRACE
    assert "constant" in result.reason


def test_gate_in_a_test_or_an_example_is_no_gate_of_the_model(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "tests/test_a.py": CLOSED, "examples/evaluate.py": CLOSED})
    assert grade(report, GATE) is Grade.ABSENT


RECIPE = """\
recipe: "classification/v1"
target_col: y
steps:
  ingest: {using: csv, location: data.csv}
  split: {split_ratios: [0.7, 0.2, 0.1]}
  train: {using: custom, estimator_method: estimator}
  evaluate:
    validation_criteria:
      - metric: f1_score
        threshold: 0.8
  register:
    allow_non_validated_model: FLAG
"""


def test_gate_on_a_parameter_that_can_never_close(tmp_path: Path) -> None:
    text = HEAD + "def gate(accuracy):\n    if accuracy < 0:\n        sys.exit(1)\n\n\ngate(evaluate('data.csv'))\n"
    result = practice(scan_tree(tmp_path, {**ML, "evaluate.py": text}), GATE)
    assert result.grade is Grade.TRACE
    assert "never be broken" in result.reason


@pytest.mark.parametrize(("flag", "expected"), [("false", Grade.WIRED), ("true", Grade.TRACE)])
def test_declared_gate_of_a_recipe(tmp_path: Path, flag: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {"recipe.yaml": RECIPE.replace("FLAG", flag)}), GATE) is expected


# -- in shell ----------------------------------------------------------------------------------------------------------

READS = "          score=$(jq -r .accuracy metrics.json)\n"
TOO_LOW = '          if (( $(echo "$score < 0.8" | bc -l) )); then\n            exit 1\n          fi\n'
SHELL_HEAD = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: python train.py\n      - run: |\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (READS + TOO_LOW, Grade.WIRED),
        (READS + '          [ "$score" -lt 80 ] && exit 1\n', Grade.WIRED),
        (READS + "          if awk \"BEGIN {exit !($score < 0.8)}\"; then exit 1; fi\n", Grade.WIRED),
        (READS + '          awk "BEGIN {exit !($score >= 0.8)}"\n', Grade.WIRED),
        ("          jq -e '.accuracy >= 0.8' metrics.json\n", Grade.WIRED),
        (READS, Grade.ABSENT),
        (READS + TOO_LOW.replace("exit 1", "echo low"), Grade.ABSENT),
        (READS + TOO_LOW.replace("exit 1", "exit 0"), Grade.ABSENT),
        (READS.replace(".accuracy", ".totals.coverage") + TOO_LOW, Grade.ABSENT),
        (READS.replace("metrics.json", "coverage.json") + TOO_LOW, Grade.ABSENT),
        ("          jq '.accuracy >= 0.8' metrics.json\n", Grade.ABSENT),
        ("          jq -e .accuracy metrics.json\n", Grade.ABSENT),
        ("          COVERAGE_THRESHOLD=80\n          if [ $COVERAGE -lt 80 ]; then exit 1; fi\n", Grade.ABSENT),
        ("          # " + READS.strip() + "\n" + TOO_LOW, Grade.ABSENT),
    ],
    ids=[
        "bc", "test", "if awk", "awk", "jq itself", "only read", "only told", "exits well", "coverage", "coverage file",
        "printed comparison", "presence", "threshold of coverage", "comment",
    ],
)  # fmt: skip
def test_gate_in_shell(tmp_path: Path, script: str, expected: Grade) -> None:
    tree = {**ML, ".github/workflows/w.yml": SHELL_HEAD + script}
    assert grade(scan_tree(tmp_path, tree), GATE) is expected


def test_gate_in_shell_that_cannot_stop_the_job(tmp_path: Path) -> None:
    lost = SHELL_HEAD.replace("      - run: |\n", "      - continue-on-error: true\n        run: |\n")
    result = practice(scan_tree(tmp_path / "a", {**ML, ".github/workflows/w.yml": lost + READS + TOO_LOW}), GATE)
    assert result.grade is Grade.IMPLEMENTED and "continue-on-error" in result.reason
    by_hand = SHELL_HEAD.replace("on: push", "on: workflow_dispatch")
    report = scan_tree(tmp_path / "b", {**ML, ".github/workflows/w.yml": by_hand + READS + TOO_LOW})
    assert grade(report, GATE) is Grade.IMPLEMENTED


def test_gate_of_a_make_target_shows_where_it_stands(tmp_path: Path) -> None:
    make = 'check:\n\t@score=$$(jq .f1 metrics.json); if [ "$$score" -lt 80 ]; then exit 1; fi\n'
    workflow = "on: push\njobs:\n  a:\n    steps:\n      - run: make check\n"
    report = scan_tree(tmp_path, {**ML, "Makefile": make, ".github/workflows/w.yml": workflow})
    result = practice(report, GATE)
    assert result.grade is Grade.WIRED and result.evidence[0].location.path == "Makefile"


# -- run without effect ------------------------------------------------------------------------------------------------

VALIDATE = (
    "import mlflow\n\nrun_mode = dbutils.widgets.get('run_mode')\ndry_run = run_mode == 'dry_run'\n"
    "try:\n    mlflow.evaluate(model, data, validation_thresholds=bounds)\nexcept Exception:\n"
    "    if not dry_run:\n        raise\n"
)
JOB = (
    "resources:\n  jobs:\n    weekly:\n      tasks:\n"
    "        - {task_key: train, notebook_task: {notebook_path: ./train.py}}\n"
    "        - task_key: validate\n          notebook_task:\n            notebook_path: ./validate.py\n"
    "            base_parameters: {PARAMETER}\n"
)


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [("run_mode: dry_run", Grade.IMPLEMENTED), ("run_mode: enabled", Grade.WIRED), ("other: dry_run", Grade.WIRED)],
)
def test_validation_that_the_pipeline_runs_without_effect(tmp_path: Path, parameter: str, expected: Grade) -> None:
    tree = {**ML, "validate.py": VALIDATE, "job.yml": JOB.replace("PARAMETER", parameter)}
    result = practice(scan_tree(tmp_path, tree), GATE)
    assert result.grade is expected
    assert ("run_mode=dry_run" in result.reason) is (expected is not Grade.WIRED)
