"""The clocks of Azure ML pipelines in files of their own."""

from __future__ import annotations

import pytest

from mlops_scan.automation.azureclocks import azure_clocks
from mlops_scan.automation.pipelines import declared
from mlops_scan.automation.pipelines.azure_schedules import clock_of, scheduled
from mlops_scan.documents.store import Documents
from tests.automation.trees import documents_of, index_of

PIPELINE = "ml/pipeline.yml"
JOBS = "type: pipeline\njobs:\n  train: {type: command, command: python train.py}\n"
CRON = "trigger: {type: cron, expression: '0 3 * * *'}\n"


def clock(text: str) -> tuple[str, str, str, int]:
    """The schedule of the pipeline with a file of a clock: itself, the file, the reason why it is off, the line."""
    documents = Documents.of({PIPELINE: JOBS, "ml/clocks/a.yml": text})
    (node,) = documents.nodes("ml/clocks/a.yml")
    found = clock_of("ml/clocks/a.yml", node)
    clocks = {found.pipeline: found} if found is not None else {}
    (pipeline,) = scheduled(declared(PIPELINE, documents.nodes(PIPELINE)), clocks)
    return pipeline.schedule, pipeline.schedule_path, pipeline.schedule_off, pipeline.schedule_line


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        (f"{CRON}create_job: ../pipeline.yml\n", "0 3 * * *"),
        (f"{CRON}create_job: file:../pipeline.yml\n", "0 3 * * *"),
        (f"{CRON}create_job: {{type: pipeline, job: ../pipeline.yml}}\n", "0 3 * * *"),
        ("trigger: {type: recurrence, frequency: week, interval: 2}\ncreate_job: ../pipeline.yml\n", "every 2 week"),
    ],
)
def test_a_clock_that_names_the_pipeline(text: str, schedule: str) -> None:
    assert clock(text) == (schedule, "ml/clocks/a.yml", "", 1)


@pytest.mark.parametrize(
    "text",
    [
        f"{CRON}create_job: ../other.yml\n",
        f"{CRON}create_job: azureml:weekly@latest\n",
        f"{CRON}create_monitor: ../pipeline.yml\n",
        "trigger: {type: manual}\ncreate_job: ../pipeline.yml\n",
        "create_job: ../pipeline.yml\n",
    ],
)
def test_what_sets_no_clock(text: str) -> None:
    assert clock(text) == ("", "", "", 0)


def test_a_clock_that_holds_the_pipeline() -> None:
    text = f"{CRON}create_job:\n  type: pipeline\n  jobs:\n    train: {{type: command, command: python train.py}}\n"
    documents = Documents.of({"clock.yml": text})
    (found,) = declared("clock.yml", documents.nodes("clock.yml"))
    assert (found.tool, found.schedule, found.steps[0].command) == ("azure-ml", "0 3 * * *", "python train.py")


@pytest.mark.parametrize(
    ("made", "pipelines"),
    [
        ("load_job('pipeline.yml')", [("ml/pipeline.yml",)]),
        ("load_job(source='./ml/pipeline.yml')", [("ml/pipeline.yml",)]),
        ("load_job(path)", []),
        ("load_job('gone.yml')", []),
        ("load('pipeline.yml')", []),
    ],
)
def test_clocks_of_code(made: str, pipelines: list[tuple[str, ...]]) -> None:
    code = (
        "from azure.ai.ml import load_job\n"
        "from azure.ai.ml.entities import CronTrigger, JobSchedule\nfrom a import load\n"
        f"job = {made}\nJobSchedule(name='a', trigger=CronTrigger(expression='0 3 * * *'), create_job=job)\n"
    )
    documents = documents_of({PIPELINE: JOBS, "ml/clock.py": code})
    assert [run.pipelines for run in azure_clocks(index_of(documents), documents)] == pipelines
