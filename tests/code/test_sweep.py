"""Which files the sweep chooses for a parse."""

from __future__ import annotations

import pytest

from mlops_scan.code.sweep import sweep

_TRAIN = "import sklearn.svm\n"


def _chosen(texts: dict[str, str], *commands: str, notebooks: tuple[str, ...] = ()) -> list[str]:
    return sorted(sweep(texts, ["sklearn", "mlflow.tracking"], commands, notebooks).chosen)


def test_users_of_tools_who_leads_to_them_and_what_they_import() -> None:
    texts = {
        "train.py": _TRAIN + "from config import EPOCHS\n",
        "main.py": "import train\n",
        "config.py": "EPOCHS = 3\n",
        "aside.py": "import json\n",
    }
    assert _chosen(texts) == ["config.py", "main.py", "train.py"]


def test_without_a_tool_glue_is_worth_nothing() -> None:
    texts = {"etl.py": "import pandas\nimport subprocess\n", "run.py": "import etl\n", "test_etl.py": "import etl\n"}
    assert _chosen(texts, "python run.py") == []


def test_a_notebook_that_uses_a_tool_makes_glue_and_named_scripts_count() -> None:
    texts = {"etl.py": "import pandas\n", "gate.py": "import json\n", "aside.py": "import json\n"}
    notebook = '"source": ["from sklearn.svm import SVC\\n"]'
    assert _chosen(texts, "python gate.py", notebooks=(notebook,)) == ["etl.py", "gate.py"]


@pytest.mark.parametrize(
    "line",
    [
        "from pkg import train",
        "from pkg import (other,\n    train as t,\n)",
        "from pkg import (  # noqa\n    other,  # a comment, train\n    train,\n)",
        "import pkg.train",
        "import json, pkg.train as t",
        "from . import train",
        "from .train import fit",
        "    from pkg.train import fit",
        'runpy.run_module("pkg.train")',
        "subprocess.run(['python', 'pkg/train.py'])",
        "subprocess.run('python -m pkg.train')",
    ],
)
def test_every_way_to_lead_to_a_user_of_a_tool(line: str) -> None:
    texts = {"pkg/train.py": _TRAIN, "pkg/other.py": "", "pkg/lead.py": line + "\n"}
    assert "pkg/lead.py" in _chosen(texts)


@pytest.mark.parametrize("line", ["# import pkg.train", "important.train()", "from elsewhere import train"])
def test_what_only_looks_like_an_import_leads_nowhere(line: str) -> None:
    texts = {"pkg/train.py": _TRAIN, "lead.py": line + "\n"}
    assert _chosen(texts) == ["pkg/train.py"]


def test_a_local_module_of_a_tool_s_name_is_no_tool() -> None:
    assert _chosen({"sklearn.py": "x = 1\n", "main.py": "import sklearn\n"}) == []


def test_with_a_conftest_come_its_tests() -> None:
    texts = {"tests/conftest.py": _TRAIN, "tests/test_a.py": "def test(): ...\n", "other/test_b.py": "x = 1\n"}
    assert _chosen(texts) == ["tests/conftest.py", "tests/test_a.py"]
