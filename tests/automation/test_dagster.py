from __future__ import annotations

import pytest

from mlops_scan.automation.dagster import dagster_starts
from mlops_scan.automation.model import Run
from tests.automation.trees import documents_of, index_of

ASSETS = "from dagster import asset\n\n\n@asset\ndef rows(): ...\n\n\n@asset\ndef model(rows): ...\n"
HEAD = (
    "import dagster as dg\nfrom dagster import AssetSelection, ScheduleDefinition, define_asset_job, job, op\n"
    "from assets import model, rows\n\n\n@op\ndef fit(): ...\n\n\n@job\ndef train():\n    fit()\n\n\n"
    "loading = define_asset_job('load_rows', selection=AssetSelection.assets(rows))\n"
    "training: dg.JobDefinition = define_asset_job(name='train_model', selection=[rows, model])\n"
    "everything = define_asset_job('all')\nscored = define_asset_job('some', selection=AssetSelection.groups('ml'))\n"
)


BOTH = (("assets.py", "rows"), ("assets.py", "model"))


def starts(text: str) -> list[Run]:
    documents = documents_of({"assets.py": ASSETS, "defs.py": HEAD + text})
    return list(dagster_starts(index_of(documents), documents))


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("ScheduleDefinition(job=training, cron_schedule='0 3 * * *')", BOTH),
        ("ScheduleDefinition(\n    job=loading,\n    cron_schedule='0 3 * * *',\n)", (("assets.py", "rows"),)),
        ("ScheduleDefinition(job_name='train_model', cron_schedule='@daily')", BOTH),
        ("ScheduleDefinition(job=everything, cron_schedule='@daily')", (("defs.py", ""), *BOTH)),
        ("ScheduleDefinition(job=train, cron_schedule='@daily')", (("defs.py", "train"),)),
        ("@dg.schedule(job=train, cron_schedule='@daily')\ndef nightly(context): ...", (("defs.py", "train"),)),
        ("dg.build_schedule_from_partitioned_job(training)", BOTH),
    ],
)
def test_schedules(text: str, entries: tuple[tuple[str, str], ...]) -> None:
    (run,) = starts(text + "\n")
    assert (run.start.kind, run.start.blocked, run.entries) == ("schedule", "", entries)


@pytest.mark.parametrize(
    "text",
    [
        "ScheduleDefinition(job=unknown, cron_schedule='@daily')",
        "ScheduleDefinition(job=scored, cron_schedule='@daily')",  # which assets are of the group is not known
        "ScheduleDefinition(job=train)",
        "# ScheduleDefinition(job=train, cron_schedule='@daily')",
        "schedule(job=train, cron_schedule='@daily')",
        "class ScheduleDefinition: ...\n\n\nScheduleDefinition(job=train, cron_schedule='@daily')",
    ],
)
def test_what_starts_nothing_that_is_known(text: str) -> None:
    assert starts(text + "\n") == []


def of_job(selection: str, assets: str = ASSETS, folder: str = "orders/") -> list[tuple[str, str]]:
    """What a schedule starts whose job selects assets, in a folder beside another one with assets of those names."""
    job = "from dagster import AssetSelection, ScheduleDefinition, define_asset_job\n"
    job += f"job = define_asset_job({selection})\n"
    tree = {
        f"{folder}parts.py": assets,
        "other/parts.py": ASSETS,
        "orders/jobs/defs.py": f"{job}ScheduleDefinition(job=job, cron_schedule='@daily')\n",
    }
    documents = documents_of(tree)
    return [node for run in dagster_starts(index_of(documents), documents) for node in run.entries]


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ("'nightly', selection=['rows', 'model']", ["rows", "model"]),
        ("'nightly', ['model']", ["model"]),
        ("name='model', selection=['rows']", ["rows"]),
        ("'nightly', selection='+model*'", ["model"]),
        ("'nightly', selection=AssetSelection.assets('model').upstream()", ["model"]),
        ("'nightly', selection=AssetSelection.groups('model')", []),
        ("'nightly', selection=['scores']", []),
        ("'nightly', selection='*'", ["", "rows", "model"]),
    ],
)
def test_assets_that_are_told_by_their_names(selection: str, names: list[str]) -> None:
    found = of_job(selection)
    assert [name for _, name in found] == names
    assert all(path.startswith("orders/") for path, _ in found)


def test_assets_of_a_group() -> None:
    assets = ASSETS.replace("@asset\ndef model", "@asset(group_name='ml', name='champion')\ndef model")
    assert of_job("'nightly', selection=AssetSelection.groups('ml')", assets) == [("orders/parts.py", "model")]
    assert of_job("'nightly', selection='champion'", assets) == [("orders/parts.py", "model")]
    assert of_job("'nightly', selection='model'", assets) == []


def test_a_schedule_that_is_stopped() -> None:
    (run,) = starts(
        "ScheduleDefinition(job=train, cron_schedule='@daily', default_status=dg.DefaultScheduleStatus.STOPPED)\n"
    )
    assert run.start.blocked == "its `default_status` is `STOPPED`"
    (run,) = starts(
        "ScheduleDefinition(job=train, cron_schedule='@daily', default_status=dg.DefaultScheduleStatus.RUNNING)\n"
    )
    assert run.start.blocked == ""


def test_sensors() -> None:
    (run,) = starts("@dg.asset_sensor(asset_key=dg.AssetKey('rows'), job=training)\ndef new_rows(context): ...\n")
    assert (run.start.kind, run.start.label) == ("event", "asset_sensor")
    assert run.entries == (("assets.py", "rows"), ("assets.py", "model"))
    assert starts("@dg.sensor(minimum_interval_seconds=60)\ndef watch(context): ...\n") == []


@pytest.mark.parametrize(
    ("condition", "kind"), [("on_cron('@daily')", "schedule"), ("eager()", "event"), ("on_missing()", "")]
)
def test_conditions_of_assets(condition: str, kind: str) -> None:
    found = starts(
        "@dg.asset\ndef before(): ...\n\n\n"
        f"@dg.asset(deps=[rows], automation_condition=dg.AutomationCondition.{condition})\ndef scores(): ...\n\n\n"
        "@dg.asset\ndef after(): ...\n"
    )
    assert [(run.start.kind, run.entries) for run in found] == ([(kind, (("defs.py", "scores"),))] if kind else [])
