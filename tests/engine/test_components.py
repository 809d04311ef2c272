"""Components: a monorepo's parts are judged apart, and what stands above them counts for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.components import Components, belongs
from mlops_scan.engine.copies import originals
from mlops_scan.engine.report import ComponentResult, PracticeResult, Report
from mlops_scan.engine.scan import ScanOptions
from mlops_scan.errors import ScanError
from mlops_scan.words import Evidence, Grade, Location, Signal
from tests.trees import ML, TRAIN, Tree, context_of, scan_tree

REQUIREMENTS = "scikit-learn==1.5.2\npandas==2.2.3\njoblib==1.4.2\n"
DVC = "stages:\n  prepare:\n    cmd: python data.py\n  train:\n    cmd: python train.py\n"


def service(name: str, **more: str) -> dict[str, str | bytes]:
    """A folder with training code and dependencies of its own."""
    tree: dict[str, str | bytes] = {f"{name}/{path}": text for path, text in ML.items()}
    tree[f"{name}/requirements.txt"] = REQUIREMENTS
    tree.update({f"{name}/{path.replace('__', '.')}": text for path, text in more.items()})
    return tree


def component(report: Report, path: str) -> ComponentResult:
    """One component."""
    return next(item for item in report.components if item.path == path)


def of(report: Report, path: str, practice: str) -> PracticeResult:
    """A practice of one component."""
    return next(result for result in component(report, path).practices if result.id == practice)


TWO: Tree = {**service("services/churn", dvc__yaml=DVC), **service("services/ranking")}


def test_two_services_are_two_components(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, TWO)
    assert [item.path for item in report.components] == ["services/churn", "services/ranking"]
    assert of(report, "services/churn", "pipeline/orchestration").met
    assert of(report, "services/ranking", "pipeline/orchestration").grade is Grade.ABSENT


def test_evidence_of_one_component_never_helps_the_other(tmp_path: Path) -> None:
    tracked = TRAIN.replace("import joblib\n", "import joblib\nimport mlflow\n").replace(
        "    model.fit(x, y)\n", "    model.fit(x, y)\n    mlflow.log_metric('a', 1)\n"
    )
    report = scan_tree(tmp_path, {**TWO, "services/ranking/train.py": tracked})
    assert of(report, "services/ranking", "experiment/tracking").met
    assert of(report, "services/churn", "experiment/tracking").grade is Grade.ABSENT
    assert component(report, "services/churn").level == component(report, "services/ranking").level == 1


def test_what_stands_above_counts_for_both(tmp_path: Path) -> None:
    report = scan_tree(
        tmp_path,
        {
            **TWO,
            "data/rows.csv": "a\n1\n",
            "CODEOWNERS": "* @acme/ml\n",
            ".gitattributes": "*.csv filter=lfs diff=lfs merge=lfs -text\n",
        },
    )
    for path in ("services/churn", "services/ranking"):
        assert of(report, path, "governance/ownership").met
        assert of(report, path, "data/versioning").met


def workflow(run: str) -> str:
    """A workflow at the root."""
    return f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {run}\n"


TEST = "from data import read\n\n\ndef test_read():\n    x, y = read('s.csv')\n    assert len(x) == len(y)\n"


def test_root_level_ci_that_tests_both_counts_for_both(tmp_path: Path) -> None:
    tree = {
        **TWO,
        "services/churn/tests/test_data.py": TEST,
        "services/ranking/tests/test_ranks.py": TEST,
        ".github/workflows/ci.yml": workflow("pytest services"),
    }
    report = scan_tree(tmp_path, tree)
    assert of(report, "services/churn", "ci/code-tests").grade is Grade.WIRED
    assert of(report, "services/ranking", "ci/code-tests").grade is Grade.WIRED


def test_ci_of_one_component_does_not_count_for_the_other(tmp_path: Path) -> None:
    tree = {
        **TWO,
        "services/churn/tests/test_data.py": TEST,
        ".github/workflows/ci.yml": workflow("pytest services/churn"),
    }
    report = scan_tree(tmp_path, tree)
    assert of(report, "services/churn", "ci/code-tests").grade is Grade.WIRED
    assert of(report, "services/ranking", "ci/code-tests").grade is Grade.ABSENT


ROLLS_OUT = "aws lambda update-function-code --function-name x --image-uri x.dkr.ecr.eu-west-1.amazonaws.com/x"
CHURN, RANKING = "services/churn", "services/ranking"


def released(steps: str, on: str = "push") -> str:
    """A workflow at the root that releases something."""
    return f"on: {on}\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"


def changes(*patterns: str, event: str = "push") -> str:
    """An event that asks for changes of some files."""
    return f"{{{event}: {{paths: [{', '.join(repr(pattern) for pattern in patterns)}]}}}}"


RUN = f"      - run: {ROLLS_OUT}\n"


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (released(f"{RUN}        working-directory: {CHURN}\n"), [CHURN]),
        (released(f"{RUN}        working-directory: ./{CHURN}/deploy\n"), [CHURN]),
        (released(f"      - run: cd {CHURN} && {ROLLS_OUT}\n"), [CHURN]),
        (
            released(RUN).replace("    steps", f"    defaults: {{run: {{working-directory: {CHURN}}}}}\n    steps"),
            [CHURN],
        ),
        (released(RUN, changes(f"{CHURN}/**")), [CHURN]),
        (released(RUN, changes(f"./{CHURN}/*.py", f"{CHURN}/Dockerfile", ".github/workflows/ci.yml")), [CHURN]),
        (released(RUN, changes(f"{CHURN}/**", f"{RANKING}/**")), [CHURN, RANKING]),
        # about all of them, or not only about one
        (released(RUN), [CHURN, RANKING]),
        (released(f"{RUN}        working-directory: services\n"), [CHURN, RANKING]),
        (released(f"{RUN}        working-directory: ${{{{ inputs.folder }}}}\n"), [CHURN, RANKING]),
        (released(f"      - run: cd {CHURN} && ls\n{RUN}"), [CHURN, RANKING]),
        (released(f"      # - run: cd {CHURN}\n{RUN}"), [CHURN, RANKING]),
        (released(RUN, changes(f"{CHURN}/**", "shared/**")), [CHURN, RANKING]),
        (released(RUN, changes("**")), [CHURN, RANKING]),
        (released(RUN, changes(f"{CHURN}*")), [CHURN, RANKING]),
        (released(RUN, changes(f"{CHURN}/**")[:-1] + ", pull_request: {}}"), [CHURN, RANKING]),
    ],
)
def test_a_job_that_works_for_one_component(tmp_path: Path, definition: str, expected: list[str]) -> None:
    report = scan_tree(tmp_path, {**TWO, "shared/x.py": "", ".github/workflows/ci.yml": definition})
    assert [path for path in (CHURN, RANKING) if of(report, path, "cd/model-deploy").met] == expected


def test_an_image_belongs_to_the_component_it_is_built_from(tmp_path: Path) -> None:
    image = "FROM python:3.12\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python train.py\n"
    tree = {**TWO, f"{CHURN}/Dockerfile": image, f"{RANKING}/Dockerfile": image}
    push = f"      - uses: docker/build-push-action@v6\n        with: {{context: {CHURN}, push: true}}\n"
    report = scan_tree(tmp_path / "a", {**tree, ".github/workflows/ci.yml": released(push)})
    assert of(report, CHURN, "cd/model-deploy").met
    assert not of(report, RANKING, "cd/model-deploy").met
    whole = {**tree, "Dockerfile": image, ".github/workflows/ci.yml": released(push.replace(CHURN, "."))}
    assert of(scan_tree(tmp_path / "b", whole), RANKING, "cd/model-deploy").met


def test_a_script_that_two_jobs_run_counts_for_both(tmp_path: Path) -> None:
    one = released(f"      - run: ../../deploy.sh\n        working-directory: {CHURN}\n")
    other = one.replace(CHURN, RANKING)
    tree = {**TWO, "deploy.sh": f"set -e\n{ROLLS_OUT}\n", ".github/workflows/a.yml": one}
    report = scan_tree(tmp_path / "a", tree)
    assert of(report, CHURN, "cd/model-deploy").met
    assert not of(report, RANKING, "cd/model-deploy").met
    report = scan_tree(tmp_path / "b", {**tree, ".github/workflows/b.yml": other})
    assert of(report, RANKING, "cd/model-deploy").met


def test_a_job_of_one_lesson_counts_for_no_other(tmp_path: Path) -> None:
    tree: dict[str, str | bytes] = {f"0{n}-part/{path}": text for n in (1, 2, 3) for path, text in ML.items()}
    job = released(f"{RUN}        working-directory: 02-part\n")
    report = scan_tree(tmp_path, {**tree, ".github/workflows/ci.yml": job})
    assert [item.path for item in report.components if of(report, item.path, "cd/model-deploy").met] == ["02-part"]


@pytest.mark.parametrize(
    "tree",
    [
        ML,
        service("services/churn"),
        {
            **service("services/churn"),
            "services/web/requirements.txt": "flask==3.0.0\n",
            "services/web/app.py": "import flask\n",
        },
        {**{path: text for path, text in TWO.items() if not path.endswith("requirements.txt")}},
        {**TWO, "train.py": ML["train.py"], "data.py": ML["data.py"]},
    ],
    ids=["root", "one service", "one of two trains", "no manifests", "training at the root"],
)
def test_one_project_is_one_component(tmp_path: Path, tree: Tree) -> None:
    report = scan_tree(tmp_path, tree)
    assert [item.path for item in report.components] == ["."]


def test_a_folder_inside_a_component_is_none_of_its_own(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**TWO, **service("services/churn/batch")})
    assert [item.path for item in report.components] == ["services/churn", "services/ranking"]


def test_prefix_of_a_name_is_no_folder(tmp_path: Path) -> None:
    """`churn` does not hold what `churn_v2` holds."""
    report = scan_tree(tmp_path, {**service("churn", dvc__yaml=DVC), **service("churn_v2")})
    assert [item.path for item in report.components] == ["churn", "churn_v2"]
    assert not of(report, "churn_v2", "pipeline/orchestration").met


def test_headline_is_the_largest_or_the_wanted_one(tmp_path: Path) -> None:
    big = TRAIN + "".join(f"\n\ndef helper_{n}(x):\n    y = x + {n}\n    return y\n" for n in range(30))
    tree = {**TWO, "services/ranking/train.py": big}
    assert scan_tree(tmp_path, tree).headline.path == "services/ranking"
    assert scan_tree(tmp_path, tree, ScanOptions(component="services/churn/")).headline.path == "services/churn"
    with pytest.raises(ScanError, match="no such component; known: services/churn, services/ranking"):
        scan_tree(tmp_path, tree, ScanOptions(component="services/none"))


def test_lessons_of_a_course(tmp_path: Path) -> None:
    tree: dict[str, str | bytes] = {f"0{n}-part/{path}": text for n in (1, 2, 3) for path, text in ML.items()}
    tree["02-part/dvc.yaml"] = DVC
    report = scan_tree(tmp_path, tree)
    assert report.kind == "course"
    assert [item.path for item in report.components] == ["01-part", "02-part", "03-part"]
    assert report.headline.path == "02-part"
    assert not of(report, "01-part", "pipeline/orchestration").met


def test_of_equal_lessons_the_richest_speaks_then_the_last(tmp_path: Path) -> None:
    tree: dict[str, str | bytes] = {f"week_{n}/{path}": text for n in (1, 9, 10) for path, text in ML.items()}
    assert scan_tree(tmp_path / "a", tree).headline.path == "week_10"
    owned = {**tree, "week_9/tests/test_data.py": TEST}
    report = scan_tree(tmp_path / "b", owned)
    assert report.headline.path == "week_9"
    assert len({(item.level, item.progress) for item in report.components}) == 1


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("a/x.py",), True),
        (("b/x.py",), False),
        (("x.py",), True),
        ((".github/workflows/ci.yml",), True),
        ((".github/workflows/ci.yml", "b/x.py"), False),
        ((".github/workflows/ci.yml", "b/x.py", "a/x.py"), True),
        (("ab/x.py",), True),  # in no component at all
    ],
)
def test_belongs(paths: tuple[str, ...], expected: bool) -> None:
    signal = Signal("ci/code-tests", "pytest", Grade.WIRED, tuple(Evidence(Location(path, 1)) for path in paths))
    assert belongs(signal, "a", Components(("a", "b"))) is expected
    assert belongs(signal, ".", Components()) is True


# -- what makes a component --------------------------------------------------------------------------------------------

OTHER = TRAIN.replace("C=1.0", "C=2.0")
PYPROJECT = "[project]\nname = 'x'\nversion = '1'\ndependencies = ['scikit-learn']\n"


def paths(folder: Path, tree: Tree) -> list[str]:
    """The components of a literal tree."""
    return [item.path for item in scan_tree(folder, tree).components]


def project(
    name: str, manifest: str = "requirements.txt", text: str = REQUIREMENTS, **more: str
) -> dict[str, str | bytes]:
    """A project whose training differs from that of any other one."""
    train = TRAIN.replace("C=1.0", f"C={len(name)}.{sum(map(ord, name))}")
    tree: dict[str, str | bytes] = {
        f"{name}/train.py": train,
        f"{name}/data.py": ML["data.py"],
        f"{name}/{manifest}": text,
    }
    tree.update({f"{name}/{path}": content for path, content in more.items()})
    return tree


@pytest.mark.parametrize(
    ("part", "manifest"),
    [("src", "requirements.txt"), ("docker", "requirements.txt"), ("requirements", "base.txt"),
     ("requirements", "requirements.txt"), ("conda", "environment.yml"), ("app/src", "pyproject.toml")],
)  # fmt: skip
def test_parts_of_a_project_are_no_components(tmp_path: Path, part: str, manifest: str) -> None:
    tree = {**project("churn"), "src/train.py": OTHER, "src/data.py": ML["data.py"], f"{part}/{manifest}": REQUIREMENTS}
    assert paths(tmp_path, tree) == ["."]


@pytest.mark.parametrize("folder", ["docs", "tests", "examples", "vendor/lib", "build/dist"])
def test_other_peoples_folders_are_no_components(tmp_path: Path, folder: str) -> None:
    assert paths(tmp_path, {**project("churn"), **project(folder)}) == ["."]


def test_a_part_with_dependencies_speaks_for_its_project(tmp_path: Path) -> None:
    def layout(name: str) -> Tree:
        return {
            **{f"{name}/src/{p.rpartition('/')[2]}": t for p, t in project(name).items() if p.endswith(".py")},
            f"{name}/docker/requirements.txt": REQUIREMENTS,
        }

    assert paths(tmp_path, {**layout("projects/churn"), **layout("projects/ranking")}) == [
        "projects/churn",
        "projects/ranking",
    ]


@pytest.mark.parametrize("manifest", ["pyproject.toml", "environment.yml", "requirements-dev.txt", "requirements.in"])
def test_dependency_files(tmp_path: Path, manifest: str) -> None:
    text = (
        PYPROJECT
        if manifest.endswith("toml")
        else "dependencies: [scikit-learn]\n"
        if "yml" in manifest
        else REQUIREMENTS
    )
    assert paths(tmp_path, {**project("a", manifest, text), **project("b", manifest, text)}) == ["a", "b"]


def test_a_folder_that_only_holds_projects_is_none(tmp_path: Path) -> None:
    tree = {"services/requirements.txt": "pytest\n", **project("services/churn"), **project("services/ranking")}
    assert paths(tmp_path, tree) == ["services/churn", "services/ranking"]
    tree = {**tree, "services/train.py": OTHER, "services/data.py": ML["data.py"], **project("batch")}
    assert paths(tmp_path / "b", tree) == ["batch", "services"]


LIBRARY = TRAIN.partition("\n\nif __name__")[0] + "\n"
CALLER = "from common.trainer import train\n\nif __name__ == '__main__':\n    train('{0}.csv', '{0}.joblib')\n"


@pytest.mark.parametrize("manifest", ["common/pyproject.toml", "README.md"])
def test_a_library_that_projects_share_is_no_component(tmp_path: Path, manifest: str) -> None:
    """Neither with a package of its own, nor as a folder that would be work outside the projects."""
    tree: Tree = {
        "common/trainer.py": LIBRARY.replace("from data", "from common.data"),
        "common/data.py": ML["data.py"],
        "common/__init__.py": "",
        manifest: PYPROJECT,
        "churn/run.py": CALLER.format("churn"),
        "churn/requirements.txt": REQUIREMENTS,
        "ranking/run.py": CALLER.format("ranking"),
        "ranking/requirements.txt": REQUIREMENTS,
    }
    report = scan_tree(tmp_path, tree)
    assert [item.path for item in report.components] == ["churn", "ranking"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["."]),  # the clock of the only project
        ({"batch/run.py": CALLER.format("batch"), "batch/requirements.txt": REQUIREMENTS}, ["batch", "common", "jobs"]),
        ({"jobs/own.py": OTHER, "jobs/data.py": ML["data.py"]}, ["common", "jobs"]),
        (project("ranking"), ["common", "ranking"]),  # what orchestrates one of them is shared
    ],
    ids=["one project", "two start it", "work of its own", "another project"],
)
def test_a_folder_that_only_starts_another_is_shared(tmp_path: Path, more: Tree, expected: list[str]) -> None:
    tree: Tree = {
        "common/trainer.py": TRAIN.replace("from data", "from common.data"),
        "common/data.py": ML["data.py"],
        "common/__init__.py": "",
        "common/requirements.txt": REQUIREMENTS,
        "jobs/run.py": CALLER.format("jobs"),
        "jobs/requirements.txt": REQUIREMENTS,
        **more,
    }
    assert paths(tmp_path, tree) == expected


def test_a_script_at_the_root_makes_one_project(tmp_path: Path) -> None:
    assert paths(tmp_path, {**project("a"), **project("b"), "train.py": OTHER, "data.py": ML["data.py"]}) == ["."]


# -- workspaces --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["uv", "rye"])
def test_declared_members_may_have_any_name(tmp_path: Path, tool: str) -> None:
    tree = {**project("training", "pyproject.toml", PYPROJECT), **project("scripts", "pyproject.toml", PYPROJECT)}
    assert paths(tmp_path, tree) == ["."]
    declared = f"[tool.{tool}.workspace]\nmembers = ['training', './scripts']\n"
    assert paths(tmp_path, {**tree, "pyproject.toml": declared}) == ["scripts", "training"]
    excluded = f"[tool.{tool}.workspace]\nmembers = ['*']\nexclude = ['scripts']\n"
    assert paths(tmp_path, {**tree, "pyproject.toml": excluded}) == ["."]


def test_path_dependencies_are_members(tmp_path: Path) -> None:
    tree = {
        **project("app/training", "pyproject.toml", PYPROJECT),
        **project("app/serving", "pyproject.toml", PYPROJECT),
    }
    root = "[tool.poetry.dependencies]\na = {path = 'app/training', develop = true}\nb = {path = './app/serving'}\n"
    assert paths(tmp_path, {**tree, "pyproject.toml": root}) == ["app/serving", "app/training"]


@pytest.mark.parametrize(
    ("marker", "name", "text"),
    [
        ("pants.toml", "BUILD", "python_sources()\npex_binary(name='train', entry_point='train.py')\n"),
        ("MODULE.bazel", "BUILD.bazel", "py_binary(\n    name = 'train',\n)\n"),
        ("WORKSPACE", "BUILD", "py_binary(name = 'train')\n"),
        ("nx.json", "project.json", '{"projectType": "application"}\n'),
    ],
)
def test_build_systems(tmp_path: Path, marker: str, name: str, text: str) -> None:
    tree = {**project("churn", name, text), **project("ranking", name, text)}
    assert paths(tmp_path / "a", {**tree, marker: "{}\n" if marker == "nx.json" else "\n"}) == ["churn", "ranking"]
    assert paths(tmp_path / "b", tree) == ["."]


@pytest.mark.parametrize("text", ["python_sources()\n", "# py_binary(name = 'train')\n", "my_py_binary(name='x')\n"])
def test_build_files_of_libraries_are_none(tmp_path: Path, text: str) -> None:
    tree = {**project("churn", "BUILD", text), **project("ranking", "BUILD", text), "MODULE.bazel": "\n"}
    assert paths(tmp_path, tree) == ["."]


# -- copies ------------------------------------------------------------------------------------------------------------


def copy_of(tree: Tree, old: str, new: str) -> dict[str, str | bytes]:
    """The files below one folder under another name."""
    return {path.replace(f"{old}/", f"{new}/", 1): text for path, text in tree.items() if path.startswith(f"{old}/")}


def test_a_copied_project_is_no_second_component(tmp_path: Path) -> None:
    tree = {**project("churn"), **project("ranking")}
    tree.update(copy_of(tree, "churn", "v2/churn"))
    report = scan_tree(tmp_path, tree)
    assert [item.path for item in report.components] == ["churn", "ranking"]
    assert "`v2/churn` is a copy of `churn` and counts with it" in report.notices


def test_a_project_and_its_copy_are_one_project(tmp_path: Path) -> None:
    tree = project("churn")
    assert paths(tmp_path, {**tree, **copy_of(tree, "churn", "churn_old")}) == ["."]


@pytest.mark.parametrize("changed", ["train.py", "params.yaml", "Dockerfile"])
def test_a_changed_copy_is_a_project_of_its_own(tmp_path: Path, changed: str) -> None:
    tree = {**project("churn"), "churn/params.yaml": "c: 1\n", "churn/Dockerfile": "FROM python:3.12\n"}
    copied = copy_of(tree, "churn", "next")
    copied[f"next/{changed}"] = {"train.py": OTHER, "params.yaml": "c: 2\n", "Dockerfile": "FROM python:3.13\n"}[
        changed
    ]
    assert paths(tmp_path, {**tree, **copied}) == ["churn", "next"]


TRACKED = TRAIN.replace("import joblib\n", "import joblib\nimport mlflow\n").replace(
    "    model.fit(x, y)\n", "    model.fit(x, y)\n    mlflow.log_metric('a', 1)\n"
)


def test_evidence_in_a_copied_folder_counts_for_its_original_only(tmp_path: Path) -> None:
    tree = {**project("churn"), **project("ranking"), "churn/train.py": TRACKED}
    copied = {"old_things/train.py": TRACKED}  # no dependencies of its own: no candidate
    report = scan_tree(tmp_path, {**tree, **copied})
    assert [item.path for item in report.components] == ["churn", "ranking"]
    found = of(report, "churn", "experiment/tracking").evidence
    assert [str(item.location) for item in found] == ["churn/train.py:14"]
    assert of(report, "ranking", "experiment/tracking").grade is Grade.ABSENT


def test_the_copy_that_is_started_counts(tmp_path: Path) -> None:
    """Of the two the stronger claim stays, so that nothing wired is lost."""
    tree: Tree = {
        "train.py": TRACKED,
        "data.py": ML["data.py"],
        "prod/train.py": TRACKED,
        "prod/data.py": ML["data.py"],
        "requirements.txt": REQUIREMENTS,
        ".github/workflows/ci.yml": workflow("python prod/train.py"),
    }
    result = of(scan_tree(tmp_path, tree), ".", "experiment/tracking")
    assert result.grade is Grade.WIRED
    assert {item.location.path for item in result.evidence if item.location.path.endswith(".py")} == {"prod/train.py"}


def test_small_equal_files_are_no_copies(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"a/__init__.py": "import sklearn\n", "b/__init__.py": "import sklearn\n", **ML})
    assert originals(context) == {}


def test_the_file_with_the_fewest_folders_stands(tmp_path: Path) -> None:
    tree: Tree = {
        "zz.py": TRAIN,
        "a/b/train.py": TRAIN,
        "a/train.py": TRAIN,
        "tests/train.py": TRAIN,
        "data.py": ML["data.py"],
    }
    assert originals(context_of(tmp_path, tree)) == {"a/b/train.py": "zz.py", "a/train.py": "zz.py"}


def test_copies_and_uncounted_files_do_not_make_a_component_larger(tmp_path: Path) -> None:
    big = TRAIN + "".join(f"\n\ndef helper_{n}(x):\n    y = x + {n}\n    return y\n" for n in range(30))
    tree = {**project("churn"), **project("ranking"), "churn/helpers.py": big, "ranking/one.py": OTHER}
    assert scan_tree(tmp_path / "a", tree).headline.path == "churn"
    attributes = "churn/helpers.py linguist-detectable=false\n"
    assert scan_tree(tmp_path / "b", {**tree, ".gitattributes": attributes}).headline.path == "ranking"
    copies = {f"ranking/copy_{n}.py": OTHER for n in range(20)}
    assert scan_tree(tmp_path / "c", {**tree, **copies}).headline.path == "churn"
