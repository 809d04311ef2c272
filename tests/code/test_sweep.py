"""Which files the sweep chooses for a parse."""

from __future__ import annotations

from typing import ClassVar

import pytest

from mlops_scan.code.look import Look, Parts, look, run_in
from mlops_scan.code.sweep import Sweep, sweep

_TRAIN = "import sklearn.svm\n"


def _looks(texts: dict[str, str]) -> dict[str, Look]:
    return {path: look(path, text) for path, text in texts.items()}


def _run(*commands: tuple[str, str]) -> list[tuple[str, dict[Parts, None]]]:
    """The files that texts run, each with its path."""
    return [(path, run_in(text)) for path, text in commands]


def _chosen(texts: dict[str, str], *commands: str, notebooks: tuple[bytes, ...] = ()) -> list[str]:
    named = _run(*((f"Makefile{number}", text) for number, text in enumerate(commands)))
    return sorted(sweep(_looks(texts), ["sklearn", "mlflow.tracking"], named, notebooks).chosen)


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
    notebook = b'"source": ["from sklearn.svm import SVC\\n"]'
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


@pytest.mark.parametrize(
    ("line", "uses"),
    [
        ("from google.cloud import aiplatform", True),
        ("import google.cloud.aiplatform.gapic as api", True),
        ("import google", True),  # `google.cloud.aiplatform.init()` may follow
        ("from google.cloud import *", True),
        ("from google.cloud import storage", False),
        ("import google.cloud.aiplatformer", False),
    ],
)
def test_a_tool_is_known_by_its_whole_name(line: str, uses: bool) -> None:
    found = sweep(_looks({"use.py": line + "\n"}), ["google.cloud.aiplatform", "google.cloud.aiplatform.Model.deploy"])
    assert ("use.py" in found.chosen) is uses


class TestNamesThatManyFilesHave:
    """One script name in every folder of a collection: a text means the file nearest to it."""

    TEXTS: ClassVar = {f"sample{number}/main.py": "import json\n" for number in range(12)} | {"train.py": _TRAIN}

    def _named(self, origin: str, text: str) -> list[str]:
        found = sweep(_looks(self.TEXTS), ["sklearn"], _run((origin, text))).chosen
        return sorted(found - {"train.py"})

    @pytest.mark.parametrize(
        ("origin", "text"),
        [
            ("sample3/Dockerfile", "CMD python main.py"),
            ("sample3/deploy/Dockerfile", "CMD python main.py"),
            ("Makefile", "run:\n\tpython sample3/main.py"),
            (".github/workflows/ci.yml", "run: python ./sample3/main.py"),
            ("sample4/run.sh", "python ../sample3/main.py"),
            ("Makefile", "run:\n\tpython -m sample3.main"),
        ],
    )
    def test_one_is_meant(self, origin: str, text: str) -> None:
        assert self._named(origin, text) == ["sample3/main.py"]

    @pytest.mark.parametrize("origin", ["Makefile", ".github/workflows/ci.yml", "docs/run.sh"])
    def test_any_may_be_meant(self, origin: str) -> None:
        assert len(self._named(origin, "cd $SAMPLE && python main.py")) == 12

    def test_of_equal_paths_the_nearest_is_meant(self) -> None:
        texts = {f"sample{number}/src/main.py": "import json\n" for number in range(12)} | {"train.py": _TRAIN}
        found = sweep(_looks(texts), ["sklearn"], _run(("sample3/Dockerfile", "CMD python src/main.py"))).chosen
        assert found == {"sample3/src/main.py", "train.py"}

    def test_each_of_many_texts_means_its_own(self) -> None:
        texts = {f"sample{number}/main.py": "import json\n" for number in range(4000)} | {"train.py": _TRAIN}
        commands = _run(*((f"sample{number}/Dockerfile", "CMD python main.py") for number in range(4000)))
        assert len(sweep(_looks(texts), ["sklearn"], commands).chosen) == 4001

    def test_few_files_are_all_meant(self) -> None:
        texts = {"a/run.py": "import json\n", "b/run.py": "import json\n", "train.py": _TRAIN}
        found = sweep(_looks(texts), ["sklearn"], _run(("a/Makefile", "go:\n\tpython run.py"))).chosen
        assert {"a/run.py", "b/run.py"} <= found


class TestBudget:
    """Of more Python than one scan parses, the nearest to tools is taken."""

    TEXTS: ClassVar = {
        "train.py": _TRAIN + "import config\n",
        "frame.py": "import pandas\n",
        "main.py": "import train\n",
        "outer.py": "import main\n",
        "config.py": "X = 1\n",
        "test_train.py": _TRAIN + "import train\n",
        "test_outer.py": "import outer\n",
    }
    ORDER: ClassVar = ["train.py", "frame.py", "main.py", "outer.py", "config.py", "test_train.py", "test_outer.py"]

    def _swept(self, count: float, monkeypatch: pytest.MonkeyPatch) -> Sweep:
        """The files chosen where the budget is enough for so many."""
        size = 1000
        monkeypatch.setattr("mlops_scan.code.sweep.BUDGET", int(count * size))
        texts = {path: text + "#" * (size - len(text)) for path, text in self.TEXTS.items()}
        return sweep(_looks(texts), ["sklearn"], tests=["test_train.py", "test_outer.py"])

    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_the_nearest_come_first(self, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self._swept(count, monkeypatch)
        assert found.chosen == set(self.ORDER[:count])
        assert found.left == set(self.ORDER[count:])

    @pytest.mark.parametrize("count", [4, 5, 6])
    def test_a_part_is_for_tests(self, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self._swept(count, monkeypatch).chosen == {*self.ORDER[: count - 1], "test_train.py"}

    def test_all_that_is_within_the_budget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self._swept(7, monkeypatch)
        assert found.chosen == set(self.TEXTS)
        assert not found.left

    def test_main_code_that_uses_tools_has_a_budget_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mlops_scan.code.sweep.BUDGET", 100)
        monkeypatch.setattr("mlops_scan.code.sweep.HARD_BUDGET", 500)
        texts = {f"train{number}.py": _TRAIN + "#" * 100 for number in range(9)}
        assert sorted(sweep(_looks(texts), ["sklearn"]).chosen) == ["train0.py", "train1.py", "train2.py", "train3.py"]

    @pytest.mark.parametrize(("size", "taken"), [(1_900_000, False), (2_100_000, True)])
    def test_a_file_that_does_not_fit_keeps_no_other_out(
        self, monkeypatch: pytest.MonkeyPatch, size: int, taken: bool
    ) -> None:
        """One that is too large for the parser costs nothing, so that it fits."""
        monkeypatch.setattr("mlops_scan.code.sweep.BUDGET", 400)
        monkeypatch.setattr("mlops_scan.code.sweep.HARD_BUDGET", 500)
        found = sweep(_looks({"a.py": _TRAIN + "#" * size, "b.py": _TRAIN, "c.py": _TRAIN}), ["sklearn"])
        assert found.chosen == ({"a.py", "b.py", "c.py"} if taken else {"b.py", "c.py"})


class TestGeneralTools:
    """Where nothing but tools are used that programs without a model use as well, less is worth a parse."""

    ROOTS: ClassVar = ["sklearn", "slack_sdk", "slack_sdk.WebClient", "acme.metrics"]
    TEXTS: ClassVar = {
        "alert.py": "import slack_sdk\n",
        "main.py": "import alert\n",
        "frame.py": "import pandas\n",
        "named.py": "import json\n",
        "measured.py": "from acme.metrics import Counter\n",
    }

    def _chosen(self, texts: dict[str, str], notebooks: tuple[bytes, ...] = ()) -> set[str]:
        named = _run(("Makefile", "python named.py"))
        general = {"slack_sdk", "acme.metrics"}
        return set(sweep(_looks(texts), self.ROOTS, named, notebooks, general=general).chosen)

    def test_glue_is_worth_nothing(self) -> None:
        assert self._chosen(self.TEXTS) == {"alert.py", "main.py", "named.py", "measured.py"}

    @pytest.mark.parametrize("other", ["import sklearn.svm", "from acme import *", "import slack_sdk, sklearn"])
    def test_another_tool_makes_it_count(self, other: str) -> None:
        assert self._chosen({**self.TEXTS, "train.py": f"{other}\n"}) == {*self.TEXTS, "train.py"}

    @pytest.mark.parametrize(("module", "counts"), [("sklearn", True), ("slack_sdk", False)])
    def test_so_does_a_notebook(self, module: str, counts: bool) -> None:
        notebook = f'"source": ["from {module} import x"]'.encode()
        assert ("frame.py" in self._chosen(self.TEXTS, (notebook,))) is counts
        assert ("named.py" in self._chosen({"named.py": "import json\n"}, (notebook,))) is counts

    def test_the_budget_is_smaller(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mlops_scan.code.sweep.GENERAL_BUDGET", 50)
        texts = {"alert.py": "import slack_sdk\n", "main.py": "import alert\n", "far.py": f"import main{' ' * 30}\n"}
        assert self._chosen(texts) == {"alert.py", "main.py"}
        assert self._chosen({**texts, "train.py": _TRAIN}) == {*texts, "train.py"}


class TestClients:
    """A client for many services counts where it is used for one of those that were asked for."""

    CLIENTS = (("boto3", ("sagemaker", "bedrock")),)

    def _chosen(self, **texts: str) -> set[str]:
        looks = {f"{name}.py": look(f"{name}.py", text, self.CLIENTS) for name, text in texts.items()}
        return set(sweep(looks, ["sklearn"]).chosen)

    @pytest.mark.parametrize("line", ["import boto3", "from boto3.session import Session", "import os, boto3 as aws"])
    def test_a_file_that_uses_it_for_such_a_service(self, line: str) -> None:
        job = f"{line}\nclient = make('SageMaker')\n"
        assert self._chosen(job=job, main="import job\n", other="import boto3\n") == {"job.py", "main.py"}

    @pytest.mark.parametrize(
        "text",
        ["import boto3\nboto3.client('s3')\n", "import json\nprint('sagemaker')\n", "import boto3x\nx = 'bedrock'\n"],
    )
    def test_others(self, text: str) -> None:
        assert self._chosen(job=text) == set()
