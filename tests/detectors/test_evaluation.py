"""Stored evaluation: metrics that are kept, and those that are only printed beside a model or a table that is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, practice, scan_tree

EVALUATION = "model/evaluation"
HEAD = (
    "import json\nimport logging\nimport math\nimport pickle\n\nimport joblib\nimport mlflow\nimport numpy as np\n"
    "import pandas as pd\nfrom sklearn.metrics import accuracy_score\n\nfrom data import read\n\n\n"
)


def script(body: str, name: str = "main") -> str:
    """A script whose one function trains nothing, computes `accuracy` and then runs the statements of `body`."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return (
        f"{HEAD}def {name}(path, session):\n    model = joblib.load('model.joblib')\n    x, y = read(path)\n"
        f"    accuracy = accuracy_score(y, model.predict(x))\n{lines}\n\n"
        f"if __name__ == '__main__':\n    {name}('data.csv', None)\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "json.dump({'accuracy': accuracy}, open('metrics.json', 'w'))",
        "mlflow.log_metric('accuracy', accuracy)",
        "run.log({'accuracy': accuracy})",
        "run.send_metric('accuracy', accuracy)",
        "with open('metrics.txt', 'w') as file:\n    file.write(f'accuracy {accuracy}')",
        "results = [accuracy]\npickle.dump(results, open('out.pkl', 'wb'))",
        "with open('metrics.pkl', 'wb') as file:\n    pickle.dump([accuracy], file)",
        "metrics = [accuracy]\nopen('a.bin', 'wb').write(pickle.dumps(metrics))",
        "pd.DataFrame({'accuracy': [accuracy]}).to_csv('out.csv')",
        "frame = pd.DataFrame({'accuracy': [accuracy]})\nframe.to_csv('out.csv')",
        "frame = pd.DataFrame([[accuracy]])\nframe.to_csv('reports/scores.csv')",
        "frame = pd.DataFrame([[accuracy]])\nframe.to_sql('history', session)",
        "session.add(Run(accuracy))\nsession.commit()",
    ],
)
def test_metrics_that_are_kept(tmp_path: Path, body: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "score.py": script(body)}), EVALUATION) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "body",
    [
        "print(accuracy)",
        "joblib.dump(model, 'model.joblib')\nprint(accuracy)",
        "joblib.dump(model, 'results/best_score_model.joblib')\nprint(accuracy)",
        "with open('model.pkl', 'wb') as file:\n    pickle.dump(model, file)",
        "open('model.pkl', 'wb').write(pickle.dumps(model))",
        "x.to_csv('holdout.csv')\nprint('accuracy score', accuracy)",
        "pd.DataFrame(model.predict(x)).to_csv('submission.csv')  # metrics are printed",
        "with open('rows.txt', 'w') as file:\n    file.write(str(x))\nprint('accuracy', accuracy)",
        "print(np.log(1 + accuracy), math.log(accuracy))",
        "logging.getLogger('a').log(logging.INFO, accuracy)",
        "print(x.log())",
        "names = set()\nnames.add(accuracy)",
        "# json.dump({'accuracy': accuracy}, open('metrics.json', 'w'))\nprint(accuracy)",
    ],
)
def test_metrics_that_are_only_printed(tmp_path: Path, body: str) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "score.py": script(body)}), EVALUATION)
    assert (result.grade, result.reason) == (Grade.TRACE, "metrics are computed but not stored")


def test_the_function_says_what_it_writes(tmp_path: Path) -> None:
    body = "frame = make(accuracy)\nframe.to_csv(path)"
    assert grade(scan_tree(tmp_path / "a", {**ML, "a.py": script(body, "evaluate")}), EVALUATION) is Grade.IMPLEMENTED
    assert grade(scan_tree(tmp_path / "b", {**ML, "a.py": script(body)}), EVALUATION) is Grade.TRACE
    rows = body.replace("path)", "'predictions.csv')")
    assert grade(scan_tree(tmp_path / "c", {**ML, "a.py": script(rows, "evaluate")}), EVALUATION) is Grade.TRACE


def test_a_database_that_another_function_fills(tmp_path: Path) -> None:
    head = script("store(accuracy, session)")
    kept = head.replace("def main", "def store(figure, session):\n    session.add(LINE)\n\n\ndef main")
    figures = {**ML, "a.py": kept.replace("LINE", "Evaluation(figure)")}
    assert grade(scan_tree(tmp_path / "a", figures), EVALUATION) is Grade.IMPLEMENTED
    others = {**ML, "a.py": kept.replace("LINE", "Customer(figure)")}
    assert grade(scan_tree(tmp_path / "b", others), EVALUATION) is Grade.TRACE


def test_who_uses_the_metric_stores_it(tmp_path: Path) -> None:
    used = "from sklearn.metrics import f1_score\n\n\ndef measure(y, z):\n    return f1_score(y, z)\n"
    user = "import json\n\nfrom measures import measure\n\njson.dump({'f1': measure([1], [0])}, open('m.json', 'w'))\n"
    tree = {**ML, "measures.py": used, "main.py": user}
    assert grade(scan_tree(tmp_path / "a", tree), EVALUATION) is Grade.IMPLEMENTED
    saving = user.replace("json.dump", "joblib.dump").replace("import json", "import joblib")
    saving = saving.replace("{'f1': measure([1], [0])}", "model").replace("m.json", "m.joblib")
    assert grade(scan_tree(tmp_path / "b", {**tree, "main.py": saving}), EVALUATION) is Grade.TRACE


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("langsmith.evaluate(answer, data='rows', evaluators=[right])", Grade.IMPLEMENTED),
        ("opik.evaluation.evaluate(dataset=ROWS, task=answer, scoring_metrics=[right])", Grade.IMPLEMENTED),
        ("langsmith.evaluate(answer, data='rows', evaluators=[right], upload_results=False)", Grade.TRACE),
        ("phoenix.evals.llm_classify(ROWS, 'model', 'template', [])", Grade.TRACE),
        ("print(answer(1))  # langsmith.evaluate(answer, data='rows')", Grade.ABSENT),
    ],
)
def test_services_that_keep_what_they_evaluate(tmp_path: Path, call: str, expected: Grade) -> None:
    text = (
        "import langsmith\nimport opik.evaluation\nimport phoenix.evals\n\nfrom openai import OpenAI\n\nROWS = []\n\n\n"
        "def answer(row):\n    return OpenAI().chat.completions.create(model='m', messages=[row])\n\n\n"
        f"def right(run, example):\n    return run == example\n\n\nif __name__ == '__main__':\n    {call}\n"
    )
    assert grade(scan_tree(tmp_path, {"evaluate.py": text}), EVALUATION) is expected


@pytest.mark.parametrize(
    ("line", "writes", "kept"),
    [
        ("save('scores.json', accuracy)", "json.dump(data, open(path, 'w'))", True),
        ("save('scores.json', accuracy)", "print(json.dumps(data))", False),
        ("save('config.json', path)", "json.dump(data, open(path, 'w'))", False),  # no figures
        ("# save('scores.json', accuracy)", "json.dump(data, open(path, 'w'))", False),
    ],
)
def test_metrics_that_a_helper_keeps(tmp_path: Path, line: str, writes: str, kept: bool) -> None:
    helper = f"import json\n\n\ndef save(path, data):\n    {writes}\n"
    code = script(f"{line}\nprint(accuracy)").replace(
        "from data import read", "from data import read\nfrom keep import save"
    )
    report = scan_tree(tmp_path, {**ML, "score.py": code, "keep.py": helper})
    assert (grade(report, EVALUATION) is Grade.IMPLEMENTED) is kept
