"""Custom jobs of Vertex AI: the code that their containers run."""

from __future__ import annotations

import pytest

from tests.automation.trees import commands, entered, runs

CREATE = "gcloud ai custom-jobs create --region europe-west4 --config job.yaml"
TRAIN = {"src/train.py": "print(1)\n", "docker/train.dockerfile": 'FROM x\nENTRYPOINT ["python", "src/train.py"]\n'}
BUILD = (
    "steps:\n- name: gcr.io/cloud-builders/docker\n"
    "  args: [build, ., -t, 'europe-docker.pkg.dev/$PROJECT_ID/r/$_NAME', -f, docker/train.dockerfile]\n"
    "substitutions: {_NAME: trainer}\n"
)
IMAGE = "workerPoolSpecs:\n  containerSpec:\n    imageUri: europe-docker.pkg.dev/p/r/trainer:latest\n    args: [a=b]\n"


@pytest.mark.parametrize(
    "build",
    [
        {"gcp/build.yaml": BUILD},
        {"build.sh": "docker build \\\n  -f docker/train.dockerfile \\\n  --tag=eu/trainer:1 .\n"},
        {"a.yml": "jobs: {a: {steps: [{run: docker build -t trainer -f docker/train.dockerfile .}]}}"},
    ],
    ids=["cloud build", "script", "workflow"],
)
def test_an_image_that_the_repository_builds(build: dict[str, str]) -> None:
    assert entered(CREATE, {**TRAIN, **build, "job.yaml": IMAGE}) == ["src/train.py"]


@pytest.mark.parametrize(
    ("build", "job"),
    [
        (BUILD, IMAGE.replace("trainer", "another")),
        (BUILD, IMAGE.replace("trainer", "$NAME")),
        ("# docker build -t trainer -f docker/train.dockerfile .\n", IMAGE),
        (BUILD, "# " + IMAGE.replace("\n", "\n# ")),
        (BUILD, "other: {containerSpec: {imageUri: eu/trainer}}\n"),
    ],
    ids=["another", "variable", "comment", "commented job", "other keys"],
)
def test_an_image_that_is_not_known(build: str, job: str) -> None:
    assert entered(CREATE, {**TRAIN, "gcp/build.yaml": build, "job.yaml": job}) == []


def test_two_images_of_one_name() -> None:
    other = {"docker/other.dockerfile": "FROM x\n", "b.sh": "docker build -t trainer -f docker/other.dockerfile .\n"}
    assert entered(CREATE, {**TRAIN, **other, "gcp/build.yaml": BUILD, "job.yaml": IMAGE}) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("containerSpec: {imageUri: x, command: [python, src/train.py], args: [--a]}", "python src/train.py --a"),
        ("pythonPackageSpec: {executorImageUri: x, pythonModule: src.train}", "python -m src.train"),
    ],
)
def test_a_command_in_a_pool(spec: str, expected: str) -> None:
    tree = {**TRAIN, "job.yaml": f"workerPoolSpecs:\n- machineSpec: {{}}\n  {spec}\n"}
    assert commands(CREATE, tree)[1:] == [expected]
    assert entered(CREATE, tree) == ["src/train.py"]
    assert entered(CREATE.replace("custom-jobs", "hp-tuning-jobs"), {**tree, "job.yaml": f"a: {spec}\n"}) == []


def test_trials_of_a_tuning_job() -> None:
    job = "trialJobSpec:\n  workerPoolSpecs:\n  - containerSpec: {imageUri: x, command: [python, src/train.py]}\n"
    command = "gcloud beta ai hp-tuning-jobs create --config=job.yaml"
    assert entered(command, {**TRAIN, "job.yaml": job}) == ["src/train.py"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("machine-type=n1,executor-image-uri=x,local-package-path=src,script=train.py", ["src/train.py"]),
        ("machine-type=n1,executor-image-uri=x,python-module=src.train", ["src/train.py"]),
        ("replica-count=1,container-image-uri=eu/trainer", ["src/train.py"]),
        ("replica-count=1,container-image-uri=eu/another", []),
        ("replica-count=1", []),
    ],
)
def test_a_pool_in_one_line(spec: str, expected: list[str]) -> None:
    command = f"gcloud ai custom-jobs create --worker-pool-spec={spec} --display-name=a"
    assert entered(command, {**TRAIN, "gcp/build.yaml": BUILD}) == expected
    assert entered(command.replace("create", "list"), {**TRAIN, "gcp/build.yaml": BUILD}) == []


def test_a_file_of_the_image_is_not_missing() -> None:
    job = "workerPoolSpecs:\n- containerSpec: {imageUri: x, command: [python, /app/gone.py]}\n"
    assert [run.missing for run in runs(CREATE, {"job.yaml": job})] == ["", ""]
