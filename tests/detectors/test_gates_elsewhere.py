"""Quality gates whose comparison stands elsewhere than what it stops, and models that are replaced in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

GATE = "model/quality-gate"
PUSHED = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: python gate.py\n"
NOTES = (
    "import json\nimport sys\n\nBOUNDS = json.load(open('bounds.json'))\n\n\ndef main():\n"
    "    figures = json.load(open('metrics.json'))\n    failed = []\n    for name, value in figures.items():\n"
    "        if value < BOUNDS[name]:\n            failed.append(name)\n    if failed:\n        sys.exit(1)\n\n\n"
    "main()\n"
)
STATUS = (
    "import json\nimport sys\n\n\ndef good(figures):\n    ok = True\n    if figures['f1'] < 0.7:\n        ok = False\n"
    "    return ok\n\n\ndef main():\n    figures = json.load(open('metrics.json'))\n"
    "    return 0 if good(figures) else 1\n\n\nif __name__ == '__main__':\n    sys.exit(main())\n"
)
METHOD = (
    "import json\n\n\nclass Verdict:\n    def __init__(self, passed):\n        self.passed = passed\n\n\nclass Gate:\n"
    "    def check(self, new, old):\n        return Verdict(old['auc'] - new['auc'] < 0.02)\n\n\ndef main():\n"
    "    verdict = Gate().check(json.load(open('new.json')), json.load(open('old.json')))\n"
    "    if not verdict.passed:\n        raise SystemExit('worse')\n\n\nmain()\n"
)
TABLE = (
    "import json\nimport sys\n\nBOUNDS = {'accuracy': 0.8, 'f1': 0.7}\n\n\ndef good(metrics):\n"
    "    return all(metrics[name] >= bound for name, bound in BOUNDS.items())\n\n\n"
    "sys.exit(0 if good(json.load(open('figures.json'))) else 1)\n"
)


def found(tmp_path: Path, text: str) -> Grade:
    return grade(scan_tree(tmp_path, {**ML, "gate.py": text, ".github/workflows/a.yml": PUSHED}), GATE)


@pytest.mark.parametrize(
    "text",
    [
        NOTES,
        STATUS,
        STATUS.replace("return 0 if good(figures) else 1", "return int(not good(figures))"),
        STATUS.replace("return 0 if good(figures) else 1", "sys.exit(not good(figures))"),
        METHOD,
        TABLE,
    ],
    ids=["notes", "status", "number", "exit", "method", "table"],
)
def test_gate_whose_comparison_is_elsewhere(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) is Grade.WIRED


@pytest.mark.parametrize(
    "text",
    [
        NOTES.replace("sys.exit(1)", "print(failed)"),
        NOTES.replace("metrics.json", "sizes.json"),
        NOTES.replace("            failed.append(name)", "            print(name)"),
        STATUS.replace("sys.exit(main())", "main()"),
        STATUS.replace("'f1'", "'rows'"),
        STATUS.replace("return 0 if good(figures) else 1", "return 'good' if good(figures) else 'bad'"),
        STATUS.replace("if good(figures) else 1", "if good(figures) or figures['trial'] else 1"),
        METHOD.replace("auc", "latency"),
        METHOD.replace("raise SystemExit('worse')", "print('worse')"),
        TABLE.replace("accuracy", "width").replace("f1", "height"),
    ],
    ids=[
        "only printed",
        "of no figures",
        "nothing noted",
        "nobody reads it",
        "rows",
        "words",
        "or",
        "latency",
        "only said",
        "sizes",
    ],
)
def test_comparison_that_stops_nothing(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) is Grade.ABSENT


RIVALS = (
    "import shutil\n\nimport joblib\nfrom sklearn.metrics import f1_score\n\nfrom data import read\n\n\ndef main():\n"
    "    x, y = read('data.csv')\n    old = joblib.load('production.joblib')\n    new = joblib.load('new.joblib')\n"
    "    new_f1 = f1_score(y, new.predict(x))\n    old_f1 = f1_score(y, old.predict(x))\n    if new_f1 > old_f1:\n"
    "        {}\n    else:\n        print('kept')\n\n\nmain()\n"
)


@pytest.mark.parametrize(
    "done",
    [
        "joblib.dump(new, 'production.joblib')",
        "shutil.copy('new.joblib', 'production.joblib')",
        "import os\n        os.symlink('new', 'models/latest')",
        "boto3.client('s3').upload_file('new.joblib', 'b', 'model.joblib')",
        "release()",
    ],
    ids=["saved", "copied", "linked", "uploaded", "by a helper"],
)
def test_model_that_takes_the_place_of_a_worse_one(tmp_path: Path, done: str) -> None:
    helper = "def release():\n    shutil.copy('new.joblib', 'production.joblib')\n\n\ndef main"
    assert found(tmp_path, RIVALS.format(done).replace("def main", helper)) is Grade.WIRED


MEASURED = (
    "import joblib\nimport mlflow\nfrom sklearn.metrics import f1_score\n\nfrom data import read\n\n"
    "x, y = read('data.csv')\nf1 = f1_score(y, joblib.load('model.joblib').predict(x))\n"
)
LOOP = (
    "import joblib\nfrom sklearn.linear_model import SGDClassifier\nfrom sklearn.metrics import f1_score\n\n"
    "from data import read\n\n\ndef main():\n    x, y = read('data.csv')\n    current_f1 = 0.0\n"
    "    for _ in range(9):\n"
    "        model = SGDClassifier().fit(x, y)\n        f1 = f1_score(y, model.predict(x))\n"
    "        if f1 > current_f1:\n            current_f1 = f1\n            joblib.dump(model, 'model.joblib')\n\n\n"
    "main()\n"
)


FLAG = LOOP.replace("if f1 > current_f1:", "improved = f1 > current_f1\n        if improved:")
CALLBACK = (
    "import joblib\nfrom sklearn.linear_model import SGDClassifier\n\n\nclass Keep:\n    best = 1.0\n\n"
    "    def on_epoch_end(self, epoch, logs, model):\n        current = logs['val_loss']\n"
    "        if current < self.best:\n            joblib.dump(model, 'best_model.joblib')\n\n\n"
    "Keep().on_epoch_end(1, {'val_loss': 0.5}, SGDClassifier().fit([[1], [2]], [1, 2]))\n"
)


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        FLAG,
        CALLBACK,
        RIVALS.format("print('better')"),
        RIVALS.format("shutil.copy('notes.txt', 'old.txt')"),
        RIVALS.replace("old_f1", "bound").replace("f1_score(y, old.predict(x))", "0.5").format("print('new.joblib')"),
    ],
    ids=["best of a loop", "flag in a loop", "callback", "only said", "another file", "a bound"],
)
def test_file_that_is_written_otherwise(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) is Grade.ABSENT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import json\n\nassert json.load(open('metrics.json'))['accuracy'] > 0.8\n", Grade.WIRED),
        ("import json\n\nassert json.load(open('sizes.json'))['accuracy'] > 0.8\n", Grade.ABSENT),
        ("import json\n\nassert json.load(open('metrics.json'))['rows'] > 80\n", Grade.ABSENT),
        ("import json\n\nassert 0 <= json.load(open('metrics.json'))['accuracy'] <= 1\n", Grade.ABSENT),
        ("import json\n\n# assert json.load(open('metrics.json'))['accuracy'] > 0.8\n", Grade.ABSENT),
        (MEASURED + "assert f1 > 0.8\nmlflow.register_model('runs:/1/model', 'm')\n", Grade.WIRED),
        (MEASURED + "assert f1 > 0.8\n", Grade.ABSENT),
    ],
    ids=["bound", "no figures", "rows", "what every one keeps", "commented out", "before a release", "benchmark"],
)
def test_asserted_gate(tmp_path: Path, text: str, expected: Grade) -> None:
    assert found(tmp_path, text) is expected


CONDITION = (
    "from kfp import dsl\n\n\n@dsl.component\ndef fit() -> float:\n"
    "    from sklearn.linear_model import Ridge\n    return Ridge().fit([[1]], [1]).score([[1]], [1])\n\n\n"
    "@dsl.component\ndef release():\n    import mlflow\n    mlflow.register_model('runs:/1/model', 'm')\n\n\n"
    "@dsl.component\ndef size() -> float:\n    return 1.0\n\n\n"
    "@dsl.pipeline\ndef pipe(bound: float):\n    made = fit()\n    rows = size()\n"
    "    with dsl.If({}.output > bound):\n        {}()\n"
)


@pytest.mark.parametrize(
    ("compared", "done", "expected"),
    [
        ("made", "release", Grade.WIRED),
        ("rows", "release", Grade.ABSENT),
        ("made", "size", Grade.ABSENT),
    ],
    ids=["what training gives", "rows", "nothing released"],
)
def test_condition_on_what_a_task_gives(tmp_path: Path, compared: str, done: str, expected: Grade) -> None:
    tree: Tree = {**ML, "requirements.txt": "kfp\nscikit-learn\n", "pipe.py": CONDITION.format(compared, done)}
    assert grade(scan_tree(tmp_path, tree), GATE) is expected


TASKS = (
    "import mlflow\nfrom prefect import flow, task\n\nfrom data import read\n\n\n@task\ndef promote():\n"
    "    mlflow.MlflowClient().set_registered_model_alias('m', 'champion', 1)\n\n\n@flow\n"
    "def main(f1: float, champion_f1: float):\n    if f1 > champion_f1:\n        {}\n"
)


@pytest.mark.parametrize(
    ("done", "expected"),
    [("promote.submit()", Grade.WIRED), ("print('promote')", Grade.ABSENT)],
    ids=["submitted", "only named"],
)
def test_task_that_releases(tmp_path: Path, done: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "flow.py": TASKS.format(done)}), GATE) is expected


def workflow(*steps: str) -> Tree:
    text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
    return {**ML, ".github/workflows/a.yml": text + "".join(f"      - {step}\n" for step in steps)}


HERE = (
    "run: |\n          python - <<'EOF'\n          import json, sys\n"
    "          if json.load(open('m.json'))['{}'] < 0.8:\n"
    "              sys.exit(1)\n          EOF"
)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ('run: python -c "import json; assert json.load(open(\'m.json\'))[\'f1\'] > 0.8"', Grade.WIRED),
        (HERE.format("accuracy"), Grade.WIRED),
        (HERE.format("accuracy").replace("'EOF'", "'EOF' || true"), Grade.IMPLEMENTED),
        (HERE.format("rows"), Grade.ABSENT),
        (HERE.format("accuracy").replace("sys.exit(1)", "print('bad')"), Grade.ABSENT),
        ('run: python -c "import json; print(json.load(open(\'m.json\'))[\'f1\'] > 0.8)"', Grade.ABSENT),
    ],
    ids=["assert", "here-document", "swallowed", "rows", "prints", "prints in a line"],
)  # fmt: skip
def test_gate_in_code_of_a_script(tmp_path: Path, step: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, workflow(step)), GATE) is expected


SETS = (
    "id: gate\n        run: |\n          F1=$(jq .f1 metrics.json)\n"
    '          if (( $(echo "$F1 > 0.8" | bc -l) )); then\n'
    '            echo "good=true" >> $GITHUB_OUTPUT\n          fi'
)
ASKS = "if: steps.gate.outputs.{} == 'true'\n        run: kubectl apply -f serving.yaml\n        name: {}"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((SETS, ASKS.format("good", "deploy")), Grade.WIRED),
        ((SETS, ASKS.format("good", "tell")), Grade.ABSENT),
        ((SETS, ASKS.format("good", "publish the report")), Grade.ABSENT),
        ((SETS, ASKS.format("other", "deploy")), Grade.ABSENT),
        ((SETS.replace(".f1", ".rows").replace("F1", "ROWS"), ASKS.format("good", "deploy")), Grade.ABSENT),
        ((SETS,), Grade.ABSENT),
        ((SETS.replace("good=true", "$F1"), ASKS.format("good", "deploy")), Grade.ABSENT),
    ],
    ids=["released on it", "told", "a report", "another output", "rows", "nobody asks", "not set"],
)
def test_output_that_a_release_asks_for(tmp_path: Path, steps: tuple[str, ...], expected: Grade) -> None:
    told = any(word in step for word in ("tell", "report") for step in steps)
    steps = tuple(step.replace("kubectl apply -f serving.yaml", "echo x") for step in steps) if told else steps
    assert grade(scan_tree(tmp_path, workflow(*steps)), GATE) is expected


PROGRAM = (
    "import json\nimport os\n\ngood = json.load(open('metrics.json'))['f1'] > 0.8\n"
    "with open(os.environ['GITHUB_OUTPUT'], 'a') as file:\n    file.write(f'good={good}')\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PROGRAM, Grade.WIRED),
        (PROGRAM.replace("f1", "rows"), Grade.ABSENT),
        (PROGRAM.replace("GITHUB_OUTPUT", "NOTES"), Grade.ABSENT),
    ],
    ids=["metric", "rows", "another file"],
)
def test_output_of_a_program(tmp_path: Path, text: str, expected: Grade) -> None:
    steps = ("id: gate\n        run: python gate.py", ASKS.format("good", "deploy"))
    assert grade(scan_tree(tmp_path, {**workflow(*steps), "gate.py": text}), GATE) is expected
