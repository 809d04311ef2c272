from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.code.facts import MAIN
from mlops_scan.code.index import CodeIndex, Step, Target
from mlops_scan.code.names import ModuleNames
from tests.code.sources import index_of


def resolved(files: Mapping[str, str], path: str = "main.py") -> list[str]:
    """What the calls of a module are: `PATH:QUALNAME` for the tree's own definitions, else the dotted name."""
    index = index_of(files)
    targets = [index.resolve(path, call.name) for call in index.modules[path].calls]
    return [f"{target.path}:{target.qualname}" if target.first_party else target.name for target in targets]


def reached(files: Mapping[str, str], path: str = "main.py") -> set[str]:
    """`PATH:SCOPE` of all that `python path` may run."""
    index = index_of(files)
    return {f"{node[0]}:{node[1]}" for node in index.reach(index.script_entries(path))}


# -- names across files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"main.py": "import util\nutil.f()", "util.py": "def f(): pass"}, "util.py:f"),
        ({"main.py": "from util import f as g\ng()", "util.py": "def f(): pass"}, "util.py:f"),
        ({"main.py": "import pkg.util\npkg.util.f()", "pkg/util.py": "def f(): pass"}, "pkg/util.py:f"),
        ({"main.py": "from pkg import util\nutil.f()", "pkg/util.py": "def f(): pass"}, "pkg/util.py:f"),
        (
            {
                "main.py": "import pkg\npkg.f()",
                "pkg/__init__.py": "from .util import f",
                "pkg/util.py": "def f(): pass",
            },
            "pkg/util.py:f",
        ),
        (
            {
                "main.py": "from pkg import f\nf()",
                "pkg/__init__.py": "from pkg.a import f",
                "pkg/a.py": "from .b import f",
                "pkg/b.py": "def f(): pass",
            },
            "pkg/b.py:f",
        ),
        ({"main.py": "from util import *\nf()", "util.py": "def f(): pass"}, "util.py:f"),
        (
            {"main.py": "from pkg import f\nf()", "pkg/__init__.py": "from .a import *", "pkg/a.py": "def f(): pass"},
            "pkg/a.py:f",
        ),
        (
            {
                "main.py": "from a import *\nf()",
                "a.py": "from b import *\nfrom c import *",
                "b.py": "x = 1",
                "c.py": "def f(): pass",
            },
            "c.py:f",
        ),
        # a package that has something of its submodule below the name of that
        (
            {
                "main.py": "from pkg import f\nf()",
                "pkg/__init__.py": "from .f import f",
                "pkg/f.py": "def f(): pass",
            },
            "pkg/f.py:f",
        ),
        (
            {
                "main.py": "from pkg import f\nf.f()",
                "pkg/__init__.py": "from . import f",
                "pkg/f.py": "def f(): pass",
            },
            "pkg/f.py:f",
        ),
        (
            {
                "main.py": "from pkg import f\nf()",
                "pkg/__init__.py": "from . import f",
                "pkg/f.py": "def f(): pass",
            },
            "pkg/f.py:",
        ),
        (
            {
                "main.py": "import pkg.f\npkg.f.g()",
                "pkg/__init__.py": "from .f import f",
                "pkg/f.py": "def f(): pass\ndef g(): pass",
            },
            "pkg/f.py:g",
        ),
        (
            {
                "main.py": "from pkg import f\nf()",
                "pkg/__init__.py": "from lib import f",
                "pkg/f.py": "def f(): pass",
            },
            "pkg/f.py:",  # which is bound last is not known
        ),
        ({"main.py": "import util\nutil.C()", "util.py": "class C: pass"}, "util.py:C"),
        ({"main.py": "import util\nutil.C().m()", "util.py": "class C:\n def m(self): pass"}, "util.py:C.m"),
        ({"main.py": "from util import X\nX.m()", "util.py": "class C:\n def m(self): pass\nX = C()"}, "util.py:C.m"),
        (
            {
                "main.py": "from util import D\nD().m()",
                "util.py": "from base import C\nclass D(C): pass",
                "base.py": "class C:\n def m(self): pass",
            },
            "base.py:C.m",
        ),
        ({"main.py": "import util\nutil.missing()", "util.py": ""}, "?.missing"),
        (
            {"main.py": "import util\nutil.f()", "util.py": "import xgboost\ndef f(): return xgboost.train()"},
            "util.py:f",
        ),
        ({"main.py": "from util import xgb\nxgb.train()", "util.py": "import xgboost as xgb"}, "xgboost.train"),
        (
            {"main.py": "from util import *\nxgb.train()", "util.py": "import xgboost as xgb"},
            "xgboost.train",
        ),
        ({"main.py": "def f():\n    M.fit()\nimport a\nM = a.B()"}, "a.B.fit"),
        ({"main.py": "def f():\n    g()\nfrom a import g"}, "a.g"),
        ({"main.py": "from keras.layers import *\nDense()"}, "keras.layers.Dense"),
        ({"main.py": "from a import *\nfrom b import *\nf()"}, "*.f"),
        ({"main.py": "from a import *\nfrom b import *\nx.f()"}, "?.f"),
        ({"main.py": "unknown.x.f()"}, "?.f"),
        ({"main.py": "x[0].y.f()"}, "?.f"),
    ],
)
def test_the_first_call_resolves(files: Mapping[str, str], name: str) -> None:
    assert resolved(files)[0] == name


def test_functions_that_return_constructors_across_modules() -> None:
    files = {
        "main.py": "from build import make, wrap\nmake().fit()\nwrap().fit()\nm = make()\nm.fit()\n",
        "build.py": (
            "from sklearn.svm import SVC\nfrom other import inner\n"
            "def make(): return SVC()\ndef wrap(): return inner()\n"
        ),
        "other.py": "import lightgbm\ndef inner() -> lightgbm.LGBMClassifier: ...\n",
    }
    assert [name for name in resolved(files) if name.endswith("fit")] == [
        "sklearn.svm.SVC.fit",
        "lightgbm.LGBMClassifier.fit",
        "sklearn.svm.SVC.fit",
    ]


def test_attributes_of_objects_across_modules() -> None:
    files = {
        "main.py": "from trainer import Trainer\nt = Trainer()\nt.model.fit()\nt.get().fit()\nt.nothing.fit()\n",
        "trainer.py": (
            "import xgboost\nclass Base:\n    def __init__(self): self.model = xgboost.XGBClassifier()\n"
            "class Trainer(Base):\n    def get(self): return self.model\n"
        ),
    }
    assert [name for name in resolved(files) if name.endswith("fit")] == [
        "xgboost.XGBClassifier.fit",
        "xgboost.XGBClassifier.fit",
        "?.fit",
    ]


def test_the_base_class_of_another_module_through_super() -> None:
    files = {
        "main.py": "from base import Base\nclass A(Base):\n    def train(self): super().train()\n",
        "base.py": "class Base:\n    def train(self): pass\n",
    }
    assert resolved(files)[0] == "base.py:Base.train"
    library = {"main.py": "import sklearn.svm\nclass A(sklearn.svm.SVC):\n    def fit(self): super().fit()\n"}
    assert resolved(library)[0] == "sklearn.svm.SVC.fit"


# -- which file an import means ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("importer", "dotted", "paths", "found"),
    [
        ("train.py", "util", ["util.py"], "util.py"),
        ("train.py", "util", ["src/util.py"], "src/util.py"),
        ("train.py", "util", ["other/util.py"], None),
        ("src/train.py", "util", ["util.py", "src/util.py"], "src/util.py"),
        ("scripts/train.py", "pkg.util", ["src/pkg/util.py"], "src/pkg/util.py"),
        ("tests/test_x.py", "pkg.util", ["src/pkg/__init__.py", "src/pkg/util.py"], "src/pkg/util.py"),
        ("services/a/tests/t.py", "pkg", ["services/a/src/pkg/__init__.py", "services/b/src/pkg/__init__.py"],
         "services/a/src/pkg/__init__.py"),
        ("services/b/main.py", "core.x", ["libs/core/core/__init__.py", "libs/core/core/x.py"], "libs/core/core/x.py"),
        ("a/b/c/deep.py", "a.b.other", ["a/b/other.py"], "a/b/other.py"),
        # near misses: a library that a folder or a file is named after
        ("models/xgboost.py", "xgboost", ["models/xgboost.py"], None),
        ("xgboost.py", "xgboost", ["xgboost.py"], None),
        ("models/train.py", "xgboost", ["models/xgboost.py"], "models/xgboost.py"),
        ("models/xgboost/train.py", "xgboost",
         ["models/__init__.py", "models/xgboost/__init__.py", "models/xgboost/train.py"], None),
        ("src/pkg/train.py", "pkg", ["src/pkg/__init__.py", "src/pkg/train.py"], "src/pkg/__init__.py"),
        ("train.py", "mlflow.sklearn", ["plugins/__init__.py", "plugins/mlflow/sklearn.py"], None),
        ("train.py", "mlflow", ["infra/mlflow/setup.py"], None),
        ("train.py", "mlflow.setup", ["mlflow/setup.py"], "mlflow/setup.py"),
        ("src/features/build.py", "utils.io", ["src/__init__.py", "src/utils/io.py"], "src/utils/io.py"),
    ],
)  # fmt: skip
def test_find_module(importer: str, dotted: str, paths: list[str], found: str | None) -> None:
    index = index_of(dict.fromkeys([*paths, importer], ""))
    located = index.find_module(dotted, importer)
    assert (located[0] if located else None) == found
    if located:
        assert located[1] == ""


def test_a_longer_name_keeps_its_rest() -> None:
    index = index_of({"pkg/util.py": "", "pkg/__init__.py": ""})
    assert index.find_module("pkg.util.C.m", "main.py") == ("pkg/util.py", "C.m")
    assert index.find_module("pkg.C", "main.py") == ("pkg/__init__.py", "C")
    assert index.find_module("other.C", "main.py") is None


def test_a_module_on_a_path_that_the_importer_adds() -> None:
    files = {"jobs/a.py": "import sys\nsys.path.append('../lib2')\nimport tools", "deep/lib2/tools.py": ""}
    assert index_of(files).find_module("tools", "jobs/a.py") == ("deep/lib2/tools.py", "")


def test_relative_imports_in_folders_with_dots_and_dashes() -> None:
    files = {
        "04-serve/v1.2/main.py": "from .model import f\nf()\n",
        "04-serve/v1.2/model.py": "def f(): pass\n",
        "{{ cookiecutter.x }}/main.py": "from .model import f\nf()\n",
        "{{ cookiecutter.x }}/model.py": "def f(): pass\n",
    }
    assert resolved(files, "04-serve/v1.2/main.py") == ["04-serve/v1.2/model.py:f"]
    assert resolved(files, "{{ cookiecutter.x }}/main.py") == ["{{ cookiecutter.x }}/model.py:f"]


def test_a_local_module_hides_a_library_of_its_name() -> None:
    files = {"main.py": "import mlflow\nmlflow.log_metric()", "mlflow.py": "def log_metric(): pass"}
    assert resolved(files) == ["mlflow.py:log_metric"]


def test_notebooks_are_not_imported() -> None:
    index = index_of({"main.py": "", "util.ipynb": '{"nbformat": 4, "cells": []}'})
    assert index.find_module("util", "main.py") is None


# -- cycles and bounds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "from a import f\nf()", "a.py": "from b import f", "b.py": "from a import f"},
        {"main.py": "from main import f\nf()"},
        {"main.py": "from a import *\nf()", "a.py": "from b import *", "b.py": "from a import *"},
        {"main.py": "class A(A): pass\nA().m()"},
        {"main.py": "class A(B): pass\nclass B(A): pass\nA().m()\nB()"},
        {"main.py": "def f(): return g()\ndef g(): return f()\nf().x()"},
        {"main.py": "x = y\ny = x\nx.f()"},
        {"main.py": "class C:\n    def m(self): return self.m()\nC().m().m().m()"},
    ],
)
def test_cycles_end(files: Mapping[str, str]) -> None:
    resolved(files)
    reached(files)


def test_many_bases_and_star_imports_take_no_time() -> None:
    names = [f"C{n}" for n in range(40)]
    classes = "".join(f"class {name}({', '.join(other for other in names if other != name)}): pass\n" for name in names)
    files = {f"s{n}.py": "".join(f"from s{m} import *\n" for m in range(40) if m != n) for n in range(40)}
    files["main.py"] = classes + "C0().missing()\nC1()\nfrom s0 import f\nf()\n"
    started = time.monotonic()
    assert "?.missing" in resolved(files)
    reached(files)
    assert time.monotonic() - started < 5


# -- reachability ------------------------------------------------------------------------------------------------------


def test_calls_and_imports_are_followed_and_dead_code_is_not() -> None:
    files = {
        "main.py": (
            "from lib import used\ndef main(): used()\ndef dead(): used()\nif __name__ == '__main__':\n    main()\n"
        ),
        "lib.py": "def used(): helper()\ndef helper(): pass\ndef unused(): pass\nimport side\n",
        "side.py": "setup()\ndef setup(): pass\n",
        "alone.py": "print(1)\n",
    }
    assert reached(files) == {
        "main.py:",
        f"main.py:{MAIN}",
        "main.py:main",
        "lib.py:",
        "lib.py:used",
        "lib.py:helper",
        "side.py:",
        "side.py:setup",
    }


def test_an_import_runs_no_main_block() -> None:
    files = {"main.py": "import lib", "lib.py": "def f(): pass\nif __name__ == '__main__':\n    f()\n"}
    assert reached(files) == {"main.py:", f"main.py:{MAIN}", "lib.py:"}


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("run(train)", True),
        ("run(callbacks=[train])", True),
        ("run({'step': train})", True),
        ("PythonOperator(python_callable=train)", True),
        ("thread = Thread(target=lambda: train())", True),
        ("x = train", False),
        ("# train()", False),
        ("'train()'", False),
        ("if False:\n    train()", False),
    ],
)
def test_what_runs_a_function(text: str, runs: bool) -> None:
    assert ("main.py:train" in reached({"main.py": f"def train(): pass\n{text}\n"})) is runs


@pytest.mark.parametrize(
    ("decorator", "runs"),
    [
        ("flow.task", True),
        ("app.get('/')", True),
        ("click.command()", True),
        ("functools.lru_cache", False),
        ("staticmethod", False),
        ("pytest.fixture", False),
        ("pytest.fixture(scope='module')", False),
        ("pytest.mark.parametrize('x', [1])", False),
        ("torch.no_grad()", False),
        ("tf.function", False),
        ("own", False),
        ("app.prefetch_cache_fixtures", True),
    ],
)
def test_which_decorators_register(decorator: str, runs: bool) -> None:
    text = (
        "import functools, pytest, torch, click, flow\nimport tensorflow as tf\nfrom web import app\n"
        f"def own(f): return f\n@{decorator}\ndef train(x): pass\n"
    )
    assert ("main.py:train" in reached({"main.py": text})) is runs


@pytest.mark.parametrize(
    ("base", "runs"),
    [
        ("nn.Module", True),
        ("Local", True),
        ("object", False),
        ("ABC", False),
        ("Generic[T]", False),
        ("Enum", False),
    ],
)
def test_methods_of_classes_that_a_framework_drives(base: str, runs: bool) -> None:
    text = (
        "import torch.nn as nn\nfrom abc import ABC\nfrom typing import Generic\nfrom enum import Enum\n"
        f"class Local(nn.Module): pass\nclass C({base}):\n"
        "    def __init__(self): pass\n    def forward(self): pass\nC()\n"
    )
    found = reached({"main.py": text})
    assert "main.py:C.__init__" in found
    assert ("main.py:C.forward" in found) is (runs and base != "Local")


def test_methods_of_a_base_class_of_the_tree_that_a_framework_drives() -> None:
    text = "import a\nclass B(a.Base):\n    def step(self): pass\nclass C(B): pass\nC()\n"
    assert "main.py:B.step" in reached({"main.py": text})


def test_a_class_that_is_never_made_is_not_reached() -> None:
    assert reached({"main.py": "import a\nclass C(a.B):\n    def forward(self): pass\n"}) == {
        "main.py:",
        f"main.py:{MAIN}",
    }


@pytest.mark.parametrize(
    ("files", "node", "runs"),
    [
        ({"main.py": "import a\ndef f(x): x.special()\nf(1)\n", "a.py": "class C:\n    def special(self): pass\n"},
         "a.py:C.special", True),
        ({"main.py": "def f(x): x.special()\nf(1)\n", "a.py": "class C:\n    def special(self): pass\n"},
         "a.py:C.special", True),
        ({"main.py": "def f(x): x.fit()\nf(1)\n", "a.py": "class C:\n    def fit(self): pass\n"}, "a.py:C.fit", False),
        ({"main.py": "import a\ndef f(x): x.fit()\nf(1)\n", "a.py": "class C:\n    def fit(self): pass\n"},
         "a.py:C.fit", True),
        ({"main.py": "def f(x): x.split(',')\nf('a')\n", "a.py": "class C:\n    def split(self, x): pass\n"},
         "a.py:C.split", False),
        ({"main.py": "import a\ndef f(x): x.split(',')\nf('a')\n", "a.py": "class C:\n    def split(self, x): pass\n"},
         "a.py:C.split", True),
        ({"main.py": "import a\ndef f(x): x.go()\nf(1)\n",
          "a.py": "".join(f"class C{n}:\n    def go(self): pass\n" for n in range(4))}, "a.py:C0.go", False),
    ],
)  # fmt: skip
def test_methods_of_objects_that_nobody_knows(files: Mapping[str, str], node: str, runs: bool) -> None:
    assert (node in reached(files)) is runs


def test_calls_of_a_method_that_an_abstract_class_declares() -> None:
    base = "class Job:\n    def run(self): raise NotImplementedError\n"
    jobs = "".join(f"class J{n}(Job):\n    def run(self): pass\n" for n in range(4))
    files = {
        "main.py": "from jobs import pick\npick().run()\n",
        "jobs.py": f"from base import Job\ndef pick(): ...\n{jobs}class Other:\n    def run(self): pass\n",
        "base.py": base,
    }
    found = reached(files)
    assert {f"jobs.py:J{n}.run" for n in range(4)} <= found
    assert "jobs.py:Other.run" not in found


HOOKS = {
    "base.py": "class Base:\n    def fit(self): self.check(); self.prepare()\n    def check(self): pass\n"
    "    def prepare(self): self._fit()\n    def _fit(self): raise NotImplementedError\n",
    "models.py": "from base import Base\nclass A(Base):\n    def _fit(self): pass\n    def _other(self): pass\n"
    "class B(Base):\n    def _fit(self): pass\n    def check(self): pass\nclass C(Base):\n    def fit(self): pass\n"
    "    def _fit(self): pass\n",
}


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("from models import A\nA().fit()\n", {"models.py:A._fit"}),
        ("from models import A as M\nm = M()\nm.prepare()\n", {"models.py:A._fit"}),
        ("from models import B\nB().fit()\n", {"models.py:B._fit", "models.py:B.check"}),
        ("from models import C\nC().fit()\n", {"models.py:C.fit"}),
        ("from models import A\nA().check()\n", set()),
        ("from models import A\nfrom base import Base\nBase().fit()\n", set()),
    ],
    ids=["called by the base", "two methods on", "two of them", "overridden itself", "not called", "the base's object"],
)
def test_methods_that_a_base_class_calls_on_an_object(text: str, runs: set[str]) -> None:
    found = reached({**HOOKS, "main.py": text})
    assert {node for node in found if node.startswith("models.py:") and node != "models.py:"} == runs


def test_the_own_package_of_a_template() -> None:
    files = {
        "{{ cookiecutter.x }}/src/{{ cookiecutter.pkg }}/data.py": "def f(): pass\n",
        "{{ cookiecutter.x }}/src/{{ cookiecutter.pkg }}/train.py": "from {{ cookiecutter.pkg }}.data import f\nf()\n",
    }
    train = "{{ cookiecutter.x }}/src/{{ cookiecutter.pkg }}/train.py"
    assert resolved(files, train) == ["{{ cookiecutter.x }}/src/{{ cookiecutter.pkg }}/data.py:f"]


def test_the_tests_of_a_template_import_its_package() -> None:
    project = "{{ cookiecutter.x }}"
    files = {
        f"{project}/src/{{{{ cookiecutter.pkg }}}}/__init__.py": "",
        f"{project}/src/{{{{ cookiecutter.pkg }}}}/data.py": "def f(): pass\n",
        f"{project}/tests/unit/test_data.py": "from {{ cookiecutter.pkg }}.data import f\nf()\n",
        "other/test_data.py": "from {{ cookiecutter.pkg }}.data import f\nf()\n",
    }
    found = f"{project}/src/{{{{ cookiecutter.pkg }}}}/data.py:f"
    assert resolved(files, f"{project}/tests/unit/test_data.py") == [found]
    assert resolved(files, "other/test_data.py") != [found]


def test_scripts_and_modules_named_in_text_are_run() -> None:
    files = {
        "main.py": "import subprocess\nsubprocess.run(['python', 'jobs/train.py'])\nrunpy.run_module('jobs.score')\n"
        "open('jobs/other.py')\n",
        "jobs/train.py": "def f(): pass\nif __name__ == '__main__':\n    f()\n",
        "jobs/score.py": "def g(): pass\n",
        "jobs/other.py": "",
    }
    found = reached(files)
    assert {"jobs/train.py:f", "jobs/score.py:"} <= found
    assert "jobs/other.py:" not in found


def test_steps_tell_the_nearest_way() -> None:
    files = {"main.py": "import a\n\na.f()\n", "a.py": "def f():\n    g()\ndef g(): pass\n"}
    index = index_of(files)
    steps = index.reach([("main.py", ""), ("gone.py", "")])
    assert steps == {
        ("main.py", ""): Step(None, 0),
        ("a.py", ""): Step(("main.py", ""), 1),
        ("a.py", "f"): Step(("main.py", ""), 3),
        ("a.py", "g"): Step(("a.py", "f"), 2),
    }


def test_hops_are_bounded() -> None:
    text = "".join(f"def f{n}(): f{n + 1}()\n" for n in range(30)) + "def f30(): pass\nf0()\n"
    index = index_of({"main.py": text})
    assert [len(index.reach([("main.py", "")], max_hops=hops)) for hops in (0, 1, 5)] == [1, 2, 6]
    assert ("main.py", "f13") in index.reach([("main.py", "")])
    assert ("main.py", "f14") not in index.reach([("main.py", "")])


def test_loops_of_calls_end() -> None:
    files = {"main.py": "import a\ndef f(): a.g()\nf()\n", "a.py": "import main\ndef g(): main.f()\n"}
    assert reached(files) == {"main.py:", f"main.py:{MAIN}", "main.py:f", "a.py:", "a.py:g"}


def test_entries_and_calls_of_a_module() -> None:
    index = index_of({"main.py": "f()\ndef g():\n    h()\n"})
    assert index.script_entries("main.py") == (("main.py", ""), ("main.py", MAIN))
    assert index.script_entries("gone.py") == ()
    assert [call.name for call in index.calls_in("main.py", "g")] == ["*.h"]
    assert list(index.calls_in("main.py", "nothing")) == []


def test_scripts_by_the_end_of_their_path() -> None:
    index = index_of({"jobs/train.py": "", "a/score.py": "", "b/score.py": "", "t/eval.py.tmpl": ""})
    assert index.script("./jobs/train.py") == "jobs/train.py"
    assert index.script("/app/jobs/train.py") == "jobs/train.py"
    assert index.script("score.py") is None
    assert index.script("b/score.py") == "b/score.py"
    assert index.script("eval.py") == "t/eval.py.tmpl"


def test_the_order_of_questions_does_not_change_answers() -> None:
    files = {
        "main.py": "from a import f\nf().x()",
        "a.py": "from b import *\nfrom c import g as f\n",
        "b.py": "from a import *\ndef h(): pass\n",
        "c.py": "from b import h\ndef g(): return h()\n",
    }
    questions = [(path, call.name) for path, module in index_of(files).modules.items() for call in module.calls]
    questions += [("main.py", "a.f.x"), ("main.py", "a.h"), ("a.py", "*.h"), ("b.py", "*.g")]
    forward, backward = index_of(files), index_of(files)
    answers = {question: forward.resolve(*question) for question in questions}
    assert {question: backward.resolve(*question) for question in reversed(questions)} == answers
    assert answers["main.py", "a.h"] == Target("h", "b.py", "h")


_LINES = st.sampled_from(
    [
        "import a", "import b as a", "from a import f", "from b import *", "from . import a", "from .b import C as f",
        "class C(f, a.C): x: C = f()", "class f(C): pass", "def f(): return C()", "def f(a: C): return a.f()",
        "x = f()", "f = x", "C = a.C", "f().x.y()", "a.b.c()", "C().f(f)", "x.f()",
    ]
)  # fmt: skip
_TREES = st.dictionaries(
    st.sampled_from(["a.py", "b.py", "a/__init__.py", "b/a.py", "src/a.py", "a/b/__init__.py"]),
    st.lists(_LINES, max_size=8).map("\n".join),
    min_size=1,
)


@settings(max_examples=150, deadline=None)
@given(_TREES)
def test_every_tree_can_be_asked(files: dict[str, str]) -> None:
    index: CodeIndex = index_of(files)
    for path, module in index.modules.items():
        for call in module.calls:
            target = index.resolve(path, call.name)
            assert target.name
            if target.first_party and target.qualname:
                own = index.modules[target.path]
                assert target.qualname in own.functions or target.qualname in own.classes
        for node in index.reach(index.script_entries(path)):
            assert node[0] in index.modules


# -- classes that functions return -----------------------------------------------------------------------------------

MODELS = (
    "from typing import Type\n\n\nclass Model:\n    def train(self): return 1\n\n"
    "    def predict(self): raise NotImplementedError\n\n\n"
    "class Tree(Model):\n    def predict(self): return 2\n\n\n"
)


@pytest.mark.parametrize("annotation", ["Type[Model]", "type[Model]", "Model"])
def test_a_function_that_returns_a_class_gives_objects_of_it(annotation: str) -> None:
    files = {
        "models.py": f"{MODELS}def get(name) -> {annotation}:\n    return getattr(models, name)\n",
        "main.py": "from models import get\nm = get('tree')()\nm.train()\n",
    }
    assert resolved(files)[-1] == "models.py:Model.train"


def test_a_method_that_a_class_below_has_too_is_not_known_to_be_the_stated_one() -> None:
    files = {
        "models.py": f"{MODELS}def get(name) -> Type[Model]:\n    return getattr(models, name)\n",
        "main.py": "from models import get\nm = get('tree')()\nm.predict()\n",
    }
    assert resolved(files)[-1] == "?.predict"


@pytest.mark.parametrize("annotation", ["List[Model]", "dict[str, Model]", "Types[Model]", "Callable[[], Model]"])
def test_other_generic_types_are_not_their_argument(annotation: str) -> None:
    files = {
        "models.py": f"{MODELS}def get(name) -> {annotation}:\n    return getattr(models, name)\n",
        "main.py": "from models import get\nm = get('tree')\nm.train()\n",
    }
    assert resolved(files)[-1] == "?.train"


def test_what_was_not_parsed_is_not_reached() -> None:
    """Files that nothing asks for have a name that resolves, and no facts."""
    files = {
        "main.py": "from base import Base, helper\nclass A(Base): ...\nA()\nhelper()\nimport base\n",
        "base.py": "class Base:\n    def run(self): ...\ndef helper(): ...\n",
    }
    parsed = index_of(files).modules
    index = CodeIndex([parsed["main.py"]], ModuleNames(files))
    assert index.find_module("base.helper", "main.py") == ("base.py", "helper")
    assert {path for path, _ in index.reach([("main.py", "")])} == {"main.py"}


# -- reachability, asked for less --------------------------------------------------------------------------------------


def test_each_edge_once_with_its_first_line() -> None:
    index = index_of(
        {"main.py": "import util\nutil.f()\nutil.g()\nutil.f()\n", "util.py": "def f(): pass\ndef g(): pass"}
    )
    assert index.edges(("main.py", "")) == [(("util.py", ""), 1), (("util.py", "f"), 2), (("util.py", "g"), 3)]


@pytest.mark.parametrize(("line", "names"), [(1, ["f", "g"]), (2, ["g", "f"]), (3, ["f"]), (4, [])])
def test_what_runs_behind_a_line(line: int, names: list[str]) -> None:
    index = index_of(
        {"main.py": "import util\nutil.f()\nutil.g()\nutil.f()\n", "util.py": "def f(): pass\ndef g(): pass"}
    )
    assert [scope for _, scope in index.run_after(("main.py", ""), line)] == names


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20),
    st.lists(st.integers(0, 8), min_size=1, max_size=3),
    st.sets(st.integers(0, 7), min_size=1, max_size=3),
    st.integers(0, 5),
)
def test_the_nearest_is_the_first_that_is_reached(
    calls: list[tuple[int, int]], entries: list[int], wanted: set[int], hops: int
) -> None:
    bodies = [
        "".join(f"    f{callee}()\n" for caller, callee in calls if caller == i) or "    pass\n" for i in range(8)
    ]
    index = index_of({"m.py": "".join(f"def f{i}():\n{body}" for i, body in enumerate(bodies))})
    nodes = {("m.py", f"f{i}") for i in wanted}
    starts = [("m.py", f"f{i}") if i < 8 else ("none.py", "") for i in entries]
    first = next((node for node in index.reach(starts, hops) if node in nodes), None)
    assert index.nearest(starts, nodes, index.hops_to(nodes), hops) == first
    counted = index.hops_to(nodes)
    assert index.hops_to(nodes, hops) == {node: count for node, count in counted.items() if count <= hops}


# -- what a function hands over by returning it ------------------------------------------------------------------------

HANDED = "def on_start(app):\n    def start():\n        app.model = work()\n    {}\n\n\ndef work(): pass\n"


@pytest.mark.parametrize(
    ("statement", "runs"),
    [("return start", True), ("return None", False), ("pass", False), ("return start.__name__", False)],
)
def test_a_function_that_returns_one_of_its_own_hands_it_over(statement: str, runs: bool) -> None:
    files = {"main.py": "from events import on_start\nadd(on_start(1))\n", "events.py": HANDED.format(statement)}
    assert ("events.py:on_start.start" in reached(files)) is runs
    assert ("events.py:work" in reached(files)) is runs
