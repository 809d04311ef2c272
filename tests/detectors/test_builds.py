"""Jobs that cannot succeed because of a file that is not there, and pushes that are deployments."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, findings, grade, practice, scan_tree

CD, CODE = "cd/model-deploy", "deploy/as-code"
CI = ".github/workflows/ci.yml"
HEAD = "name: ci\non: push\njobs:\n  ship:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"
ACTION = "      - uses: docker/build-push-action@v6\n        with:\n          context: .\n          push: true\n"
IMAGE = "FROM python:3.12-slim\nCOPY train.py data.py ./\nCOPY figures.json /app/\nCMD python train.py\n"


def script(*lines: str) -> str:
    """A step that runs a script."""
    return "      - run: |\n" + "".join(f"          {line}\n" for line in lines)


PUSH = script("docker build -t r.example/a .", "docker push r.example/a")


@pytest.mark.parametrize(
    ("steps", "image"),
    [
        (ACTION, IMAGE),
        (PUSH, IMAGE),
        (script("echo start") + ACTION, IMAGE),
        (ACTION, IMAGE.replace("FROM", "FROM python:3.12 AS made\nRUN true\nFROM")),
        (ACTION, "FROM python:3.12 AS made\nCOPY figures.json .\nFROM python:3.12\nCOPY --from=made /figures.json .\n"),
        (ACTION, "FROM python:3.12 AS base\nCOPY figures.json .\nFROM base\nCOPY train.py .\n"),
        (ACTION, IMAGE.replace("figures.json", "./models/best.pkl")),
    ],
    ids=["action", "commands", "echo", "stages", "copied from", "built on", "folder"],
)
def test_an_image_that_copies_what_is_not_there(tmp_path: Path, steps: str, image: str) -> None:
    report = scan_tree(tmp_path, {**ML, "Dockerfile": image, CI: HEAD + steps})
    result = practice(report, CD)
    assert result.grade is Grade.TRACE
    assert "which is not in the repository" in result.reason
    (found,) = findings(report, "MLS303")
    assert found.location.path == CI
    assert found.related[0].location.path == "Dockerfile"


@pytest.mark.parametrize(
    ("steps", "image", "more"),
    [
        (ACTION, IMAGE, {"figures.json": "{}\n"}),
        (ACTION, IMAGE.replace("figures.json", "models"), {"models/a.json": "{}\n"}),
        (ACTION, IMAGE.replace("figures.json", "figures.json*"), {}),
        (ACTION, IMAGE.replace("figures.json", "$FIGURES"), {}),
        (ACTION, IMAGE.replace("COPY figures.json", "# COPY figures.json"), {}),
        (ACTION, IMAGE.replace("COPY figures.json", "COPY --from=ghcr.io/a/b /figures.json"), {}),
        (ACTION, "FROM python:3.12 AS tests\nCOPY figures.json .\nFROM python:3.12\nCOPY train.py .\n", {}),
        (script("python train.py") + ACTION, IMAGE, {}),
        (script("dvc pull") + ACTION, IMAGE, {}),
        (script("curl -o figures.json https://r.example/f") + ACTION, IMAGE, {}),
        ("      - uses: actions/download-artifact@v4\n" + ACTION, IMAGE, {}),
        ("      - uses: ./.github/actions/prepare\n" + ACTION, IMAGE, {}),
        ("      - uses: actions/checkout@v4\n        with:\n          repository: a/figures\n" + ACTION, IMAGE, {}),
        (ACTION, IMAGE, {".gitmodules": '[submodule "figures"]\n\tpath = figures.json\n\turl = ../f\n'}),
        (script("cd app", "docker build -t r.example/a .", "docker push r.example/a"), IMAGE, {}),
        (script("docker build --target tests -t r.example/a .", "docker push r.example/a"), IMAGE, {}),
    ],
    ids=[
        "there", "folder", "pattern", "variable", "comment", "other image", "stage that is not built", "made",
        "pulled", "fetched", "artifact", "own action", "second check-out", "submodule", "elsewhere", "target",
    ],
)  # fmt: skip
def test_an_image_that_may_be_complete(tmp_path: Path, steps: str, image: str, more: Tree) -> None:
    report = scan_tree(tmp_path, {**ML, "Dockerfile": image, CI: HEAD + steps, **more})
    assert grade(report, CD) is Grade.WIRED
    assert not [f for f in findings(report, "MLS303") if "copies" in f.message]


def test_a_job_that_needs_an_image_which_cannot_be_built(tmp_path: Path) -> None:
    roll = "  roll:\n    runs-on: ubuntu-latest\n    needs: ship\n    steps:\n      - run: kubectl apply -f k8s/\n"
    report = scan_tree(tmp_path, {**ML, "Dockerfile": IMAGE, CI: HEAD + ACTION + roll})
    assert grade(report, CD) is Grade.TRACE
    assert grade(report, CODE) is Grade.TRACE


# -- definitions that actions are given --------------------------------------------------------------------------------

TASK = "task.json"
ECS = (
    "      - uses: aws-actions/amazon-ecs-render-task-definition@v1\n        id: task\n        with:\n"
    f"          task-definition: {TASK}\n          container-name: scoring\n          image: r.example/a\n"
    "      - uses: aws-actions/amazon-ecs-deploy-task-definition@v2\n        with:\n"
    "          task-definition: ${{ steps.task.outputs.task-definition }}\n          service: scoring\n"
)


@pytest.mark.parametrize(
    ("steps", "more", "expected"),
    [
        (ECS, {}, Grade.TRACE),
        (ECS, {TASK: "{}\n"}, Grade.WIRED),
        (ECS.replace(TASK, "${{ env.TASK }}"), {}, Grade.WIRED),
        (script(f"aws ecs describe-task-definition --task-definition a > {TASK}") + ECS, {}, Grade.WIRED),
    ],
    ids=["missing", "there", "variable", "downloaded"],
)
def test_a_definition_that_is_not_there(tmp_path: Path, steps: str, more: Tree, expected: Grade) -> None:
    report = scan_tree(tmp_path, {**ML, **more, CI: HEAD + steps})
    assert grade(report, CODE) is expected
    assert grade(report, CD) is expected


@pytest.mark.parametrize(
    ("steps", "more", "missing"),
    [
        (ACTION, {}, "Dockerfile"),
        (ACTION, {"app/Dockerfile": IMAGE}, "Dockerfile"),
        (ACTION.replace("push: true", "push: true\n          context: ./app"), {"Dockerfile": IMAGE}, "app/Dockerfile"),
        (ACTION.replace("push: true", "push: true\n          file: a/serve.Dockerfile"), {}, "a/serve.Dockerfile"),
        (ACTION, {"Dockerfile": "FROM python:3.12\nCOPY train.py .\n"}, ""),
        (ACTION, {"dockerfile": "FROM python:3.12\nCOPY train.py .\n"}, ""),
        (ACTION.replace("push: true", "push: true\n          file: ${{ env.FILE }}"), {}, ""),
        (ACTION.replace("push: true", "push: true\n          context: https://github.com/a/b.git"), {}, ""),
        (script("python train.py") + ACTION, {}, ""),
    ],
    ids=["none", "in another folder", "context", "file", "there", "lower case", "variable", "remote", "made before"],
)
def test_an_action_without_its_dockerfile(tmp_path: Path, steps: str, more: Tree, missing: str) -> None:
    report = scan_tree(tmp_path, {**ML, **more, CI: HEAD + steps})
    assert (grade(report, CD) is Grade.TRACE) is bool(missing)
    told = [f.message for f in findings(report, "MLS303")]
    assert len(told) == bool(missing)
    assert all(f"`{missing}`, which is not in the repository" in message for message in told)


@pytest.mark.parametrize(
    ("given", "context", "told"),
    [
        ("fetch-depth: 0", ".", True),
        ("ref: '${{ github.sha }}'", ".", True),
        ("ref: release", ".", False),
        ("repository: a/b", ".", False),
        ("fetch-depth: 0", "app", True),
        ("path: app", "app", False),
    ],
)
def test_what_is_checked_out_before_an_image_is_built(tmp_path: Path, given: str, context: str, told: bool) -> None:
    steps = f"        with: {{{given}}}\n{ACTION.replace('context: .', f'context: {context}')}"
    more = {"Dockerfile": "FROM python:3.12\nCOPY train.py .\n"} if context != "." else {}
    assert bool(findings(scan_tree(tmp_path, {**ML, **more, CI: HEAD + steps}), "MLS303")) is told


def test_a_workflow_of_a_template_finds_the_files_of_the_template(tmp_path: Path) -> None:
    tree = {**ML, CI: HEAD + ACTION, "Dockerfile": IMAGE.replace("COPY figures.json /app/\n", "")}
    template = {f"{{{{cookiecutter.name}}}}/{path}": text for path, text in tree.items()}
    report = scan_tree(tmp_path, {"cookiecutter.json": "{}", **template})
    assert findings(report, "MLS303") == []


# -- git pushes that deploy --------------------------------------------------------------------------------------------

SPACE = "https://user:$HF_TOKEN@huggingface.co/spaces/${{ secrets.SPACE }}"


@pytest.mark.parametrize(
    "lines",
    [
        (f"git push --force {SPACE} main",),
        (f"git remote add hub {SPACE} || true", "git push -f hub HEAD:main"),
        ("git remote add hub https://example.org/a", f"git remote set-url hub {SPACE}", "git push hub main"),
        ("git push https://heroku:$KEY@git.heroku.com/scoring.git HEAD:main",),
        ("git remote add dokku dokku@host.example:scoring", "git push dokku main"),
    ],
)
def test_a_push_to_a_place_that_runs_it(tmp_path: Path, lines: tuple[str, ...]) -> None:
    report = scan_tree(tmp_path, {**ML, CI: HEAD + script(*lines)})
    assert grade(report, CD) is Grade.WIRED
    assert grade(report, CODE) is Grade.WIRED


@pytest.mark.parametrize(
    "lines",
    [
        ("git push origin main",),
        (f"# git push {SPACE} main", "git status"),
        (f"git remote add hub {SPACE}", "git push origin main"),
        (f"git remote add hub {SPACE}", "git fetch hub"),
        (f'echo "git push {SPACE} main"',),
        (f"git push --dry-run {SPACE} main",),
        ("git push https://user:$HF_TOKEN@huggingface.co/datasets/a/rows main",),
    ],
)
def test_a_push_that_only_keeps_files(tmp_path: Path, lines: tuple[str, ...]) -> None:
    report = scan_tree(tmp_path, {**ML, CI: HEAD + script(*lines)})
    assert grade(report, CD) is Grade.ABSENT
    assert grade(report, CODE) is Grade.ABSENT


# -- images of something else ------------------------------------------------------------------------------------------

WEB = 'FROM node:22\nCOPY package.json .\nRUN npm ci\nCMD ["node", "server.js"]\n'
API = 'FROM python:3.12\nCOPY . .\nRUN pip install scikit-learn==1.5.2\nCMD ["python", "train.py"]\n'
RUN = "gcloud run deploy web --region europe-west1 --image"


@pytest.mark.parametrize(
    ("files", "build", "deploy", "found"),
    [
        ({}, "docker build -t reg/web:1 web", f"{RUN} reg/web:1", Grade.TRACE),
        ({}, "docker build -t reg/web:1 web", f"{RUN}=reg/web:1", Grade.TRACE),
        ({"Dockerfile": API}, "docker build -t reg/web:1 .", f"{RUN} reg/web:1", Grade.WIRED),
        ({}, "docker build -t reg/web:1 web", f"{RUN} reg/model:1", Grade.WIRED),
        ({}, "docker build -t reg/web:1 web", "gcloud run deploy web --source .", Grade.WIRED),
    ],
    ids=["web", "with =", "of the model", "another image", "from the source"],
)
def test_an_image_without_a_model_is_rolled_out(
    tmp_path: Path, files: Tree, build: str, deploy: str, found: Grade
) -> None:
    steps = "".join(f"      - run: {command}\n" for command in (build, "docker push reg/web:1", deploy))
    workflow = f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"
    tree = {**ML, "web/package.json": "{}\n", "web/Dockerfile": WEB, **files, ".github/workflows/a.yml": workflow}
    assert grade(scan_tree(tmp_path, tree), "cd/model-deploy") is found
