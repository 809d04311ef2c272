"""Home-made data validation: checks that stop the run, and functions that only have the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import DATA, ML, grade, practice, scan_tree

NAME = "data/validation"
CHECKS = """\
import pandas as pd


def validate_data(frame):
    missing = {"age", "y"} - set(frame.columns)
    if missing:
        raise ValueError(f"missing columns {missing}")
    if frame["age"].isna().any():
        raise ValueError("age has empty values")
    if not frame["age"].between(0, 120).all():
        raise ValueError("age out of range")
"""
CALLED = DATA.replace("import pandas as pd\n", "import pandas as pd\n\nfrom checks import validate_data\n").replace(
    "    return", "    validate_data(frame)\n    return"
)


def workflow(run: str) -> str:
    """A workflow on push that runs one command."""
    return f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {run}\n"


def test_checks_on_the_training_path(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "data.py": CALLED, "checks.py": CHECKS}), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert result.reason == "nothing seen in the repository starts it"


def test_checks_that_automation_runs(tmp_path: Path) -> None:
    tree = {**ML, "data.py": CALLED, "checks.py": CHECKS, ".github/workflows/a.yml": workflow("python train.py")}
    assert grade(scan_tree(tmp_path, tree), NAME) is Grade.WIRED


def test_checks_whose_failure_is_ignored(tmp_path: Path) -> None:
    tree = {
        **ML,
        "data.py": CALLED,
        "checks.py": CHECKS,
        ".github/workflows/a.yml": workflow("python train.py || true"),
    }
    assert grade(scan_tree(tmp_path, tree), NAME) is Grade.IMPLEMENTED


def test_checks_that_nothing_calls(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "checks.py": CHECKS}), NAME)
    assert result.grade is Grade.TRACE
    assert result.reason == "nothing calls this check"


@pytest.mark.parametrize(
    "text",
    [
        "import pandas as pd\n\n\ndef validate_data(frame):\n    if frame.empty:\n        raise ValueError('empty')\n",
        CHECKS.replace("raise ValueError(", "print("),
        CHECKS.replace("validate_data", "plot_data"),
        "import pandas as pd\n\n\ndef check_password(user):\n    if user.missing:\n        raise ValueError\n"
        "    if user.name is None:\n        raise ValueError\n",
        (
            "import pandas as pd\n\n\ndef validate_data(frame):\n"
            "    print(frame.describe())\n    raise NotImplementedError\n"
        ),
    ],
    ids=["one guard", "prints", "another name", "another subject", "stub"],
)
def test_function_that_validates_no_data(tmp_path: Path, text: str) -> None:
    called = CALLED
    for name in ("plot_data", "check_password"):
        called = called.replace("validate_data", name) if name in text else called
    assert grade(scan_tree(tmp_path, {**ML, "data.py": called, "checks.py": text}), NAME) is Grade.ABSENT


@pytest.mark.parametrize("folder", ["tests", "examples", "vendor/kit"])
def test_checks_of_other_files_do_not_count(tmp_path: Path, folder: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, f"{folder}/checks.py": CHECKS}), NAME).met


STATUS = """\
import json

import pandas as pd


class DataValidation:
    def validate_columns(self, frame, schema):
        status = len(frame.columns) == len(schema["columns"])
        return status

    def run(self, frame, schema):
        passed = self.validate_columns(frame, schema)
        json.dump({"validation_status": passed}, open("report.json", "w"))
        return Artifact(validation_status=passed)
"""
ASKED = """\
from checks import DataValidation
from train import train


def main(frame, schema):
    artifact = DataValidation().run(frame, schema)
    if not artifact.validation_status:
        raise ValueError("bad data")
    train("data.csv", "model.joblib")


if __name__ == "__main__":
    main(None, {})
"""


@pytest.mark.parametrize(
    ("checks", "flow", "expected"),
    [
        (STATUS, ASKED, Grade.IMPLEMENTED),
        (STATUS, ASKED.replace("raise ValueError", "print"), Grade.TRACE),
        (STATUS, ASKED.replace("validation_status", "path_exists"), Grade.TRACE),
        (STATUS.replace('len(frame.columns) == len(schema["columns"])', "True"), ASKED, Grade.ABSENT),
        (STATUS.replace("import pandas as pd\n", ""), ASKED, Grade.IMPLEMENTED),
        (STATUS.replace("import pandas as pd\n", "").replace("frame", "view"), ASKED, Grade.ABSENT),
    ],
    ids=["asked for", "only printed", "another question", "nothing is compared", "a given table", "no tables"],
)
def test_status_that_another_step_asks_for(tmp_path: Path, checks: str, flow: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "checks.py": checks, "flow.py": flow}), NAME) is expected


CONFTEST = """\
import great_expectations as ge
import pandas as pd
import pytest


@pytest.fixture
def frame(request):
    return ge.dataset.PandasDataset(pd.read_csv(request.config.getoption("--data")))
"""
EXPECTS = """\
import numpy


def test_rows(frame):
    frame.expect_column_values_to_not_be_null(column="y")
    assert frame.validate()["success"]
"""


@pytest.mark.parametrize(
    ("conftest", "test", "run", "expected"),
    [
        (CONFTEST, EXPECTS, "pytest tests/data", Grade.WIRED),
        (CONFTEST, EXPECTS, "pytest tests/data || true", Grade.IMPLEMENTED),
        (CONFTEST.replace('pd.read_csv(request.config.getoption("--data"))', "{'y': [1]}"), EXPECTS, "pytest", None),
        (CONFTEST, EXPECTS.replace("expect_", "describe_"), "pytest tests/data", None),
        (CONFTEST, EXPECTS, "echo pytest tests/data", None),
    ],
    ids=["run in CI", "ignored", "a table made in the test", "no expectation", "nothing runs it"],
)
def test_tests_of_the_data(tmp_path: Path, conftest: str, test: str, run: str, expected: Grade | None) -> None:
    tree = {
        **ML,
        "tests/data/conftest.py": conftest,
        "tests/data/test_rows.py": test,
        ".github/workflows/a.yml": workflow(run),
    }
    got = grade(scan_tree(tmp_path, tree), NAME)
    assert got is expected if expected is not None else got in (Grade.ABSENT, Grade.TRACE)


BOUNDS = """\
import pandas as pd


def validate_frame(frame, columns=None, most=None):
    if not isinstance(frame, pd.DataFrame):
        raise TypeError("no table")
    if frame.empty:
        raise ValueError("empty")
    if most is not None and len(frame) > most:
        raise ValueError("too many rows")
    if columns and set(columns) - set(frame.columns):
        raise ValueError("missing columns")
    return frame


def validate_range(value, low, high):
    if value < low:
        raise ValueError("too low")
    if value > high:
        raise ValueError("too high")
    return value
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("validate_frame(frame)", Grade.TRACE),
        ("validate_frame(frame, most=10)", Grade.TRACE),
        ("validate_frame(frame, columns=None)", Grade.TRACE),
        ("validate_range(0.5, 0, 1)", Grade.TRACE),
        ("validate_frame(frame, ['age', 'y'])", Grade.WIRED),
        ("validate_frame(frame, columns=['age', 'y'])", Grade.WIRED),
    ],
)
def test_a_check_of_columns_that_no_call_asks_for(tmp_path: Path, call: str, expected: Grade) -> None:
    data = CALLED.replace("import validate_data", "import validate_frame, validate_range").replace(
        "validate_data(frame)", call
    )
    tree = {**ML, "data.py": data, "checks.py": BOUNDS, ".github/workflows/a.yml": workflow("python train.py")}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected


def test_check_whose_error_is_caught_is_not_wired(tmp_path: Path) -> None:
    data = CALLED.replace(
        "    validate_data(frame)\n",
        "    try:\n        validate_data(frame)\n    except Exception as error:\n        print(error)\n",
    )
    tree = {**ML, "data.py": data, "checks.py": CHECKS, ".github/workflows/a.yml": workflow("python train.py")}
    result = practice(scan_tree(tmp_path, tree), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert "data.py:10 catches its failure" in result.reason


MESSAGE = """\
import pandas as pd


class Checks:
    def validate_column_count(self, frame, schema):
        if len(frame.columns) == len(schema["columns"]):
            return True
        return False

    def run(self, frame, schema):
        error_message = ""
        status = self.validate_column_count(frame, schema)
        if not status:
            error_message = f"{error_message}columns are missing"
        if len(error_message) > 0:
            raise ValueError(error_message)
        return frame
"""
CHECKED = """\
from data_checks import Checks
from train import train

if __name__ == "__main__":
    Checks().run(None, {})
    train("data.csv", "model.joblib")
"""


@pytest.mark.parametrize(
    ("before", "after", "met"),
    [
        ("", "", True),
        ("if len(error_message) > 0:\n            raise ValueError(error_message)", "assert_ok = status", False),
        ("len(error_message) > 0", "len(frame) == 0", False),
        ("raise ValueError(error_message)", "print(error_message)", False),
        ("if len(error_message) > 0", "if not status", True),
    ],
    ids=["a message of it", "nothing", "another question", "only printed", "itself"],
)
def test_outcome_that_the_caller_stops_at(tmp_path: Path, before: str, after: str, met: bool) -> None:
    tree = {**ML, "data_checks.py": MESSAGE.replace(before, after) if before else MESSAGE}
    tree["run.py"] = CHECKED
    assert practice(scan_tree(tmp_path, tree), NAME).met is met


PUSHED = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: python check.py\n"
GX = """\
import great_expectations as gx

from train import train


def check():
    context = gx.get_context()
    result = context.run_checkpoint(checkpoint_name="rows")
BODY


if __name__ == "__main__":
    check()
    train("data.csv", "model.joblib")
"""
SUITE = """\
from evidently.test_preset import DataStabilityTestPreset
from evidently.test_suite import TestSuite

from train import train


def check(old=None, new=None):
    suite = TestSuite(tests=[DataStabilityTestPreset()])
    suite.run(reference_data=old, current_data=new)
BODY


check()
"""


@pytest.mark.parametrize("text", [GX, SUITE], ids=["great-expectations", "evidently"])
@pytest.mark.parametrize(
    "body",
    [
        "    print(NAME)",
        "    NAME.save_html('report.html')",
        "    if not NAME.as_dict():\n        NAME.save_html('report.html')",
        "    # assert NAME.success",
        "    assert 1 + 1 == 2",
    ],
)
def test_result_that_stops_nothing(tmp_path: Path, text: str, body: str) -> None:
    name = "result" if text is GX else "suite"
    tree = {**ML, "check.py": text.replace("BODY", body.replace("NAME", name)), ".github/workflows/a.yml": PUSHED}
    result = practice(scan_tree(tmp_path, tree), NAME)
    assert (result.grade, result.reason) == (Grade.IMPLEMENTED, "its result stops nothing")


@pytest.mark.parametrize("text", [GX, SUITE], ids=["great-expectations", "evidently"])
@pytest.mark.parametrize(
    "body",
    [
        "    if not NAME.success:\n        raise SystemExit(1)",
        "    if not NAME['success']:\n        return\n    print('good')",
        "    assert NAME.success",
        "    passed = NAME.success\n    if not passed:\n        raise ValueError(NAME)",
        "    return NAME.success",
        "    if NAME.success:\n        train('data.csv', 'model.joblib')\n    else:\n        print('bad')",
        "    NAME.raise_for_failure()",
    ],
)
def test_result_that_stops_something(tmp_path: Path, text: str, body: str) -> None:
    name = "result" if text is GX else "suite"
    tree = {**ML, "check.py": text.replace("BODY", body.replace("NAME", name)), ".github/workflows/a.yml": PUSHED}
    assert grade(scan_tree(tmp_path, tree), NAME) is Grade.WIRED


@pytest.mark.parametrize(("given", "expected"), [(", blocking=True", Grade.WIRED), ("", Grade.IMPLEMENTED)])
def test_asset_check_that_blocks_or_not(tmp_path: Path, given: str, expected: Grade) -> None:
    text = (
        "import dagster\nfrom train import train\n\n\n@dagster.asset\ndef model():\n    train('a.csv', 'model')\n\n\n"
        f"@dagster.asset_check(asset=model{given})\ndef rows():\n    return dagster.AssetCheckResult(passed=True)\n\n\n"
        "defs = dagster.Definitions(assets=[model], asset_checks=[rows])\n"
    )
    result = practice(scan_tree(tmp_path, {**ML, "defs.py": text}), NAME)
    assert result.grade is expected
    if expected is Grade.IMPLEMENTED:
        assert result.reason == "its failure does not stop what follows"


WRITTEN = """\
import pandas as pd


class DataValidation:
    def validate_all_columns(self, path, schema):
        frame = pd.read_csv(path)
        columns = list(frame.columns)
        for column in columns:
            if column not in schema:
                status = False
            else:
                status = True
            with open("artifacts/data_validation/status.txt", "w") as file:
                file.write(f"Validation status: {status}")
        return status
"""
READ = """\
from checks import DataValidation
from train import train


def check():
    DataValidation().validate_all_columns("data.csv", {"age": "int", "y": "int"})


def fit():
    with open("artifacts/data_validation/status.txt") as file:
        status = file.read().split(" ")[-1]
    if status == "True":
        train("data.csv", "model.joblib")
    else:
        raise ValueError("the columns do not fit")


if __name__ == "__main__":
    check()
    fit()
"""


PRINTED = READ.replace("def fit():\n", "def fit():\n  try:\n").replace(
    "\n\n\nif __", "\n  except Exception as e:\n    print(e)\n\n\nif __"
)


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (READ, Grade.IMPLEMENTED),
        (READ.replace('train("data.csv", "model.joblib")', "raise SystemExit(1)")
         .replace('raise ValueError("the columns do not fit")', 'train("data.csv", "model.joblib")')
         .replace('status == "True"', '"True" not in status'), Grade.IMPLEMENTED),
        (READ.replace('raise ValueError("the columns do not fit")', "pass"), Grade.TRACE),
        (PRINTED, Grade.TRACE),
        (READ.replace("artifacts/data_validation/status.txt", "jobs/queue.txt"), Grade.TRACE),
        (READ.replace('open("artifacts/data_validation/status.txt")', "open(QUEUE)"), Grade.TRACE),
    ],
    ids=["else raises", "a file that says no", "nothing stops", "only printed", "another file", "no file"],
)  # fmt: skip
def test_status_that_a_later_step_reads_from_a_file(tmp_path: Path, flow: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "checks.py": WRITTEN, "flow.py": flow}), NAME) is expected


ASSERTED = """\
def validate_data(frame):
    assert list(frame.columns) == ["age", "y"]
    assert frame["age"].notnull().all()
    assert frame["y"].isin((0, 1)).all()
"""
ONE_SCHEMA = """\
import pandas as pd


def validate_data(frame, schema={"age": 1, "y": 1}):
    missing = set(schema) - set(frame.columns)
    if missing:
        raise ValueError(f"missing columns {missing}")
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ASSERTED, Grade.IMPLEMENTED),
        (ASSERTED.replace('    assert frame["y"].isin((0, 1)).all()\n', ""), Grade.ABSENT),
        (ASSERTED.replace("validate_data", "describe"), Grade.ABSENT),
        (ASSERTED.replace("frame", "query"), Grade.ABSENT),
        (ONE_SCHEMA, Grade.IMPLEMENTED),
        (ONE_SCHEMA.replace("schema", "names"), Grade.ABSENT),
    ],
    ids=["assertions", "two of them", "another name", "no table", "against a schema", "against some names"],
)
def test_one_function_of_checks(tmp_path: Path, text: str, expected: Grade) -> None:
    data = CALLED.replace("validate_data", "describe") if "describe" in text else CALLED
    assert grade(scan_tree(tmp_path, {**ML, "data.py": data, "checks.py": text}), NAME) is expected


PROJECT = {
    "MLproject": "name: a\nentry_points:\n  main:\n    command: python train.py\n",
    "src/data_check/MLproject": (
        "name: check\nentry_points:\n  main:\n    parameters: {csv: string}\n    command: pytest . -vv --csv {csv}\n"
    ),
}
ROWS_OF = """\
import pandas as pd
import pytest
import wandb


@pytest.fixture(scope="session")
def data(request):
    run = wandb.init(job_type="check")
    return pd.read_csv(run.use_artifact(request.config.option.csv).file())
"""
ROW_TESTS = """\
def test_columns(data):
    assert list(data.columns) == ["age", "y"]


def test_age(data):
    assert data["age"].between(0, 120).all()
"""


MODEL_TESTS = "import joblib\n\n\n" + ROW_TESTS.replace("    assert", "    joblib.load('model.joblib')\n    assert")
CODE_TESTS = "from train import train\n\n\n" + ROW_TESTS.replace("    assert", "    data = train(data, 1)\n    assert")


@pytest.mark.parametrize(
    ("conftest", "text", "expected"),
    [
        (ROWS_OF, ROW_TESTS, Grade.IMPLEMENTED),
        (ROWS_OF, ROW_TESTS.replace('test_age', 'test_bad_age'), Grade.ABSENT),
        (ROWS_OF.replace("pd.read_csv(run", "pd.DataFrame(run"), ROW_TESTS, Grade.ABSENT),
        (ROWS_OF, ROW_TESTS.partition("\n\n\n")[0], Grade.ABSENT),
        (ROWS_OF, CODE_TESTS, Grade.ABSENT),
        (ROWS_OF, MODEL_TESTS, Grade.ABSENT),
        (ROWS_OF.replace("run.use_artifact(request.config.option.csv).file()", "'test.csv'"), ROW_TESTS, Grade.ABSENT),
    ],
    ids=["rows of a run", "bad on purpose", "no table is read", "one test", "of the code", "of a model", "a sample"],
)  # fmt: skip
def test_tests_of_the_data_in_plain_asserts(tmp_path: Path, conftest: str, text: str, expected: Grade) -> None:
    tree = {**ML, **PROJECT, "src/data_check/conftest.py": conftest, "src/data_check/test_data.py": text}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected
