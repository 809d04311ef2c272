"""Rows of a table as objects of a model, and objects that are made of rows for something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import DATA, ML, grade, practice, scan_tree

NAME = "data/validation"
ROWS = """\
import pandas as pd
from pydantic import BaseModel, Field


class Customer(BaseModel):
    age: int = Field(ge=0, le=120)
    y: int


def load(frame: pd.DataFrame) -> None:
    for row in frame.to_dict("records"):
        Customer(**row)
"""
PLAIN = ROWS.replace(" = Field(ge=0, le=120)", "")
CALLED = DATA.replace("import pandas as pd\n", "import pandas as pd\n\nfrom rows import load\n").replace(
    "    return", "    load(frame)\n    return"
)


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        ROWS.replace("Customer(**row)", "Customer.model_validate(row)"),
        ROWS.replace('row in frame.to_dict("records")', "_, row in frame.iterrows()"),
        ROWS.replace('frame.to_dict("records")', 'frame.to_dict(orient="records")'),
        PLAIN.replace("    y: int\n", "    y: int\n\n    @field_validator('age')\n    def old(cls, a):\n        pass\n")
        .replace("BaseModel, Field", "BaseModel, field_validator"),
        PLAIN.replace("class Customer", "class CustomerSchema").replace("Customer(", "CustomerSchema(", 1)
        .replace("        Customer(", "        CustomerSchema("),
        (
            "import json\n\nimport jsonschema\n\n\ndef load(frame):\n    schema = json.load(open('schema.json'))\n"
            "    for row in frame.to_dict('records'):\n        jsonschema.validate(row, schema)\n"
        ),
    ],
    ids=["keywords", "model_validate", "iterrows", "orient", "validator", "a schema by name", "JSON schema"],
)  # fmt: skip
def test_rows_that_are_checked(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "data.py": CALLED, "rows.py": text}), NAME) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        ROWS.replace("Customer", "CustomerResponse"),
        ROWS.replace("import pandas as pd\n", "import fastapi\nimport pandas as pd\n"),
        ROWS.replace('for row in frame.to_dict("records")', "for row in (frame.attrs,)"),
        ROWS.replace("        Customer(", "        # Customer(") + "        print(row)\n",
        ROWS.replace("(BaseModel)", "").replace("Customer(**row)", "print(row)"),
    ],
    ids=["a plain record", "what is handed out", "an interface", "no rows", "commented out", "no model"],
)
def test_rows_that_are_not(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "data.py": CALLED, "rows.py": text}), NAME) is Grade.ABSENT


def test_rows_that_nothing_loads(tmp_path: Path) -> None:
    assert practice(scan_tree(tmp_path, {**ML, "rows.py": ROWS}), NAME).reason == "nothing calls this check"


SERVICE = """\
import joblib
import pandas as pd

from rows import load

model = joblib.load("model.joblib")


def answer(rows):
    frame = pd.DataFrame(rows)
    load(frame)
    return model.predict(frame)


if __name__ == "__main__":
    print(answer([{"age": 3}]))
"""


@pytest.mark.parametrize(
    ("data", "expected"), [(DATA, Grade.TRACE), (CALLED, Grade.IMPLEMENTED)], ids=["only asked", "learned from, too"]
)
def test_rows_that_a_model_is_asked(tmp_path: Path, data: str, expected: Grade) -> None:
    tree = {**ML, "data.py": data, "rows.py": ROWS, "answer.py": SERVICE}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected
