"""Asset bundles: whether the clocks of their jobs tick in one of the targets, and what their tasks run."""

from __future__ import annotations

from textwrap import dedent

import pytest

from mlops_scan.automation.pipelines import declared
from mlops_scan.automation.pipelines.bundles import settled
from mlops_scan.documents.store import Documents

JOBS = "resources/jobs.yml"
VARIABLE = "${var.clock}"


def off(status: str, bundle: str, path: str = "databricks.yml", text: str = "") -> str:
    clock = f"        pause_status: {status}\n" if status else ""
    job = (
        "resources:\n  jobs:\n    retrain:\n      schedule:\n        quartz_cron_expression: '0 0 2 * * ?'\n"
        f"{clock}      tasks:\n        - task_key: train\n          spark_python_task: {{python_file: ../train.py}}\n"
    )
    documents = Documents.of({path: dedent(bundle), JOBS: text or job})
    (found,) = settled(declared(JOBS, documents.nodes(JOBS)), documents)
    return found.schedule_off


ALL = """\
    bundle: {name: a}
    variables:
      clock: {default: PAUSED}
    targets:
      dev: {mode: development}
      prod: {mode: production}
    """
EVERY = "it is paused in every target of databricks.yml"


@pytest.mark.parametrize(
    ("status", "bundle", "expected"),
    [
        (VARIABLE, ALL, EVERY),
        (VARIABLE, ALL.replace("{mode: production}", "{mode: production, variables: {clock: PAUSED}}"), EVERY),
        (VARIABLE, ALL.replace("{mode: production}", "{variables: {clock: {default: PAUSED}}}"), EVERY),
        (VARIABLE, ALL.replace("{mode: production}", "{variables: {clock: UNPAUSED}}"), ""),
        (VARIABLE, ALL.replace("{default: PAUSED}", "{description: given when it is deployed}"), ""),
        (VARIABLE, ALL.replace("{default: PAUSED}", "{default: UNPAUSED}"), ""),
        ("${var.other}", ALL, ""),
        ("PAUSED", ALL, "`pause_status: PAUSED`"),
        ("UNPAUSED", "bundle: {name: a}\ntargets: {dev: {mode: development}}\n", ""),
        ("", "bundle: {name: a}\ntargets: {dev: {mode: development}}\n", EVERY),
        ("", "bundle: {name: a}\ntargets: {dev: {mode: development, presets: {trigger_pause_status: UNPAUSED}}}\n", ""),
        ("", "bundle: {name: a}\ntargets: {prod: {presets: {trigger_pause_status: PAUSED}}}\n", EVERY),
        ("", ALL, ""),
        ("PAUSED", "bundle: {name: a}\n", "`pause_status: PAUSED`"),
        ("", "bundle: {name: a}\n", ""),
        (VARIABLE, "variables: {clock: {default: PAUSED}}\n", ""),
        ("PAUSED", "x: [\n", "`pause_status: PAUSED`"),
    ],
)
def test_clocks_of_a_bundle(status: str, bundle: str, expected: str) -> None:
    assert off(status, bundle) == expected


def test_a_target_may_start_a_paused_clock() -> None:
    own = "{resources: {jobs: {NAME: {schedule: {pause_status: UNPAUSED}}}}}"
    assert not off("PAUSED", ALL.replace("{mode: production}", own.replace("NAME", "retrain")))
    assert off("PAUSED", ALL.replace("{mode: production}", own.replace("NAME", "other")))


def test_a_bundle_speaks_for_the_files_below_it() -> None:
    assert off(VARIABLE, ALL, "resources/databricks.yml") == "it is paused in every target of resources/databricks.yml"
    assert not off(VARIABLE, ALL, "other/databricks.yml")
    assert not off(VARIABLE, ALL, "databricks-old.yml")


def test_a_job_without_a_bundle_and_a_job_of_the_api() -> None:
    job = "name: a\nschedule: {quartz_cron_expression: '0 0 2 * * ?', pause_status: PAUSED}\ntasks: [{task_key: a}]\n"
    assert off("", ALL, text=job) == "`pause_status: PAUSED`"


@pytest.mark.parametrize(
    ("file", "command", "folder"),
    [
        ("${var.jobs}/train.py", "python churn/jobs/train.py", ""),
        ("${workspace.file_path}/churn/train.py", "python churn/train.py", ""),
        ("/Workspace/${workspace.root_path}/files/train.py", "python /Workspace/train.py", ""),
        ("${var.unknown}/train.py", "python ${var.unknown}/train.py", "resources"),
        ("../churn/train.py", "python ../churn/train.py", "resources"),
        ("/Workspace/Shared/files/train.py", "python /Workspace/Shared/files/train.py", "resources"),
    ],
    ids=["variable", "files", "root", "unknown", "beside", "of others"],
)
def test_what_a_task_of_a_bundle_runs(file: str, command: str, folder: str) -> None:
    bundle = (
        "bundle: {name: a}\nvariables:\n  jobs:\n"
        "    default: /Workspace/Users/${workspace.current_user.userName}/.bundle/${bundle.name}/dev/files/churn/jobs\n"
    )
    job = (
        "resources:\n  jobs:\n    retrain:\n      tasks:\n        - task_key: train\n"
        f"          spark_python_task: {{python_file: '{file}'}}\n"
    )
    documents = Documents.of({"databricks.yml": bundle, JOBS: job})
    (found,) = settled(declared(JOBS, documents.nodes(JOBS)), documents)
    assert [(step.command, step.folder) for step in found.steps] == [(command, folder)]
