from __future__ import annotations

import pytest

from mlops_scan.automation.clocks import deployments
from mlops_scan.automation.model import Run
from tests.automation.trees import documents_of, index_of, scheduled

TRAIN = {"train.py": "def main(): pass\ndef other(): pass\n"}


def test_airflow() -> None:
    text = "from airflow import DAG\nfrom train import main\ndag = DAG('x', schedule={clock}{extra})\nmain()\n"
    for clock, extra, blocked in (
        ("'@daily'", "", ""),
        ("'0 2 * * *'", "", ""),
        ("None", "", "never fires"),
        ("'@once'", "", "never fires"),
        ("'@daily'", ", is_paused_upon_creation=True", "paused"),
        ("timedelta(days=1)", "", ""),
    ):
        (run,) = scheduled({"dags/d.py": text.format(clock=clock, extra=extra), **TRAIN}, "airflow.DAG")
        assert blocked in run.start.blocked and bool(blocked) == bool(run.start.blocked), (clock, run.start)
        assert (run.start.kind, run.location.line, ("dags/d.py", "") in run.entries) == ("schedule", 3, True)
    assert scheduled({"d.py": "from airflow import DAG\ndag = DAG('x')\n"}, "airflow.DAG") == []
    (old,) = scheduled(
        {"d.py": "from airflow import DAG\nwith DAG('x', schedule_interval='@weekly') as dag:\n    pass\n"},
        "airflow.DAG",
    )
    assert old.start.label == "schedule_interval=@weekly"


TRIGGER = "from airflow.operators.trigger_dagrun import TriggerDagRunOperator\n"


def chain(
    first: str, task: str = "TriggerDagRunOperator(task_id='t', trigger_dag_id='second')", second: str = ""
) -> str:
    """What blocks the second of two DAGs, with its kind: the first has a task."""
    head = f"from airflow import DAG\n{TRIGGER}from train import main\n"
    tree = {
        "first.py": f"{head}dag = DAG('first'{first})\n{task}\n",
        "second.py": f"{head}dag = DAG('second', schedule=None{second})\nmain()\n",
        **TRAIN,
    }
    (run,) = (run for run in scheduled(tree, "airflow.DAG") if run.location.path == "second.py")
    return f"{run.start.kind} {run.start.evidence.location.path}: {run.start.blocked}"


@pytest.mark.parametrize("first", [", schedule='@daily'", ", schedule_interval=timedelta(days=1)"])
def test_dag_that_another_one_triggers_has_its_clock(first: str) -> None:
    assert chain(first) == "schedule first.py: "


@pytest.mark.parametrize("first", ["", ", schedule=None", ", schedule='@daily', is_paused_upon_creation=True"])
def test_dag_that_a_dag_without_a_clock_triggers(first: str) -> None:
    assert chain(first) == "event second.py: the DAG that triggers it has no schedule that fires"


@pytest.mark.parametrize(
    "task",
    [
        "TriggerDagRunOperator(task_id='t', trigger_dag_id='third')",
        "TriggerDagRunOperator(task_id='t', trigger_dag_id=name())",
        "ExternalTaskSensor(task_id='t', external_dag_id='second')",
        "# TriggerDagRunOperator(task_id='t', trigger_dag_id='second')",
    ],
)
def test_dag_that_no_other_one_triggers(task: str) -> None:
    assert chain(", schedule='@daily'", task) == "schedule second.py: `schedule=None` never fires by itself"


def test_dags_that_trigger_each_other_in_a_circle_or_themselves() -> None:
    head = f"from airflow import DAG\n{TRIGGER}"
    task = "TriggerDagRunOperator(task_id='t', trigger_dag_id='{}')\n"
    tree = {
        "a.py": f"{head}dag = DAG('a', schedule=None)\n{task.format('b')}",
        "b.py": f"{head}dag = DAG('b', schedule=None)\n{task.format('a')}",
        "c.py": f"{head}dag = DAG('c', schedule=None)\n{task.format('c')}",
    }
    runs = scheduled(tree, "airflow.DAG")
    assert [(run.location.path, run.start.kind) for run in runs] == [
        ("a.py", "event"), ("b.py", "event"), ("c.py", "schedule")
    ]  # fmt: skip
    assert all(run.start.blocked for run in runs)


def test_decorated_dags_trigger_by_the_names_of_their_functions() -> None:
    text = (
        f"from airflow.decorators import dag\n{TRIGGER}from train import main\n\n"
        "@dag(schedule='@daily')\ndef first():\n    TriggerDagRunOperator(task_id='t', trigger_dag_id='second')\n\n"
        "@dag(schedule=None)\ndef second():\n    main()\n\n@dag(schedule=None)\ndef third():\n    main()\n"
    )
    runs = scheduled({"d.py": text, **TRAIN}, "airflow.decorators.dag")
    assert [bool(run.start.blocked) for run in runs] == [False, False, True]
    assert [str(e.location) for e in runs[1].chain] == ["d.py:5", "d.py:7", "d.py:9"]


def test_decorated_dags_and_flows() -> None:
    text = (
        "from airflow.decorators import dag\nfrom train import main\n\n"
        "@dag(schedule='@daily')\ndef pipe():\n    main()\n\n@app.get('/')\n"
        "def page(): pass\n"
    )
    (run,) = scheduled({"d.py": text, **TRAIN}, "airflow.decorators.dag")
    assert ("d.py", "pipe") in run.entries and ("d.py", "page") not in run.entries


def test_schedule_library() -> None:
    text = """\
        import schedule
        import time
        from train import main

        def job():
            main()

        def other(): pass

        schedule.every().day.at("02:00").do(job)
        schedule.every(10).minutes.do(main, 3)

        @decorated
        def unrelated(): pass
        """
    first, second = scheduled({"s.py": text, **TRAIN})
    assert (first.entries, first.start.evidence.location.line) == ((("s.py", "job"),), 10)
    assert second.entries == (("train.py", "main"),)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("Schedule.create(ws, name='s', pipeline_id=p.id, recurrence=weekly)", "schedule"),
        ("Schedule.create(ws, name='s', pipeline_id=p.id, datastore=store, path_on_datastore='rows')", "event"),
        ("Schedule.create(ws, name='s', pipeline_id=p.id, recurrence=weekly, datastore=None)", "schedule"),
        ("Schedule.create(ws, name='s', pipeline_id=p.id)", ""),
        ("Schedule.list(ws)", ""),
        ("# Schedule.create(ws, name='s', pipeline_id=p.id, recurrence=weekly)", ""),
        ("Row.create(ws, recurrence=weekly, datastore=store)", ""),
    ],
)
def test_azureml(call: str, kind: str) -> None:
    text = (
        "from azureml.pipeline.core.schedule import Schedule, ScheduleRecurrence\nfrom rows import Row\n\n"
        f"def publish(ws, p, store):\n    weekly = ScheduleRecurrence(frequency='Week', interval=1)\n    {call}\n"
    )
    runs = scheduled({"publish.py": text})
    assert [(run.start.kind, run.entries) for run in runs] == ([(kind, (("publish.py", "publish"),))] if kind else [])


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("s.add_job(main, 'cron', hour=2)", True),
        ("s.add_job(main, trigger='interval', hours=3)", True),
        ("s.add_job(main, CronTrigger.from_crontab('0 2 * * *'))", True),
        ("s.add_job(main, trigger=CronTrigger(hour=2))", True),
        ("s.add_job(main)", False),
        ("s.add_job(main, 'date', run_date='x')", False),
        ("s.add_listener(main)", False),
    ],
)
def test_apscheduler(call: str, found: bool) -> None:
    text = (
        f"from apscheduler.schedulers.background import BackgroundScheduler\n"
        f"from apscheduler.triggers.cron import CronTrigger\nfrom train import main\n"
        f"s = BackgroundScheduler()\n{call}\n"
    )
    runs = scheduled({"s.py": text, **TRAIN})
    assert [("train.py", "main") in run.entries for run in runs] == ([True] if found else [])


def test_apscheduler_decorators() -> None:
    text = (
        "from apscheduler.schedulers.blocking import BlockingScheduler\n"
        "scheduler = BlockingScheduler()\n@scheduler.scheduled_job('cron', hour=2)\n"
        "def job(): pass\n"
    )
    (run,) = scheduled({"s.py": text})
    assert ("s.py", "job") in run.entries


def test_other_jobs_that_are_added() -> None:
    assert scheduled({"q.py": "from rq import Queue\nq = Queue()\nq.add_job(main, 'cron')\n", **TRAIN}) == []


def test_prefect_code() -> None:
    text = (
        "from prefect import flow\n@flow\ndef train_flow(): pass\n"
        "if __name__ == '__main__':\n"
        "    train_flow.serve(name='x', cron='0 2 * * *'{extra})\n"
    )
    (run,) = scheduled({"f.py": text.format(extra="")})
    assert run.entries == (("f.py", "train_flow"),) and not run.start.blocked
    (off,) = scheduled({"f.py": text.format(extra=", paused=True")})
    assert off.start.blocked
    assert scheduled({"f.py": "from prefect import flow\n@flow\ndef f(): pass\nf.serve(name='x')\n"}) == []


# -- prefect.yaml -----------------------------------------------------------------------------------------------------


FLOW = {"flows/train.py": "from prefect import flow\n@flow\ndef retrain(): pass\n"}


def deployed(schedule: str, entrypoint: str = "flows/train.py:retrain", path: str = "prefect.yaml") -> list[Run]:
    text = f"name: x\ndeployments:\n  - name: nightly\n    entrypoint: {entrypoint}\n    {schedule}\n"
    documents = documents_of({path: text, **FLOW})
    return list(deployments(documents, index_of(documents)))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("schedule: {cron: '0 2 * * *'}", [("nightly: 0 2 * * *", "")]),
        ("schedule: {interval: 3600}", [("nightly: 3600", "")]),
        (
            "schedules: [{cron: '0 2 * * *'}, {interval: 60, active: false}]",
            [("nightly: 0 2 * * *", ""), ("nightly: 60", "`active: false`")],
        ),
        ("schedules: [{schedule: {cron: '1 * * * *'}}]", [("nightly: 1 * * * *", "")]),
        ("schedule: {cron: x}\n    paused: true", [("nightly: x", "`paused: true`")]),
        ("schedule: {cron: x, active: false}", [("nightly: x", "`active: false`")]),
        ("schedule: null", []),
        ("schedule: {}", []),
        ("schedules: []", []),
        ("work_pool: {name: x}", []),
        ("schedule: '0 2 * * *'", []),
    ],
)
def test_deployments(schedule: str, expected: list[tuple[str, str]]) -> None:
    runs = deployed(schedule)
    assert [(run.start.label, run.start.blocked) for run in runs] == expected
    assert all(
        run.start.kind == "schedule" and run.entries == (("flows/train.py", ""), ("flows/train.py", "retrain"))
        for run in runs
    )


def test_deployments_of_what_is_not_there() -> None:
    clock = "schedule: {cron: x}"
    assert deployed(clock, "flows/gone.py:f") == deployed(clock, "''") == deployed(clock, "[a]") == []
    assert deployed(clock, path="docs/prefect.yaml") == deployed(clock, path="other.yaml") == []
    (run,) = deployed(clock, "flows/train.py:gone")
    assert run.entries == (("flows/train.py", ""),)
    (near,) = deployed(clock, "train.py:retrain", path="flows/prefect.yaml")
    (above,) = deployed(clock, "flows/train.py:retrain", path="flows/weekly/prefect.yaml")
    assert above.entries == near.entries
    assert near.entries[-1] == ("flows/train.py", "retrain")
    (line,) = deployed("schedules:\n      - cron: x")
    assert (line.start.evidence.location.line, line.location.line) == (6, 3)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "retrain-deployment.yaml",
            "flow_name: retrain\nschedule:\n  cron: 0 10 * * 1\nis_schedule_active: null\n",
            [""],
        ),
        (
            "retrain-deployment.yaml",
            "flow_name: retrain\nschedule:\n  cron: 0 10 * * 1\nis_schedule_active: false\n",
            ["`is_schedule_active: false`"],
        ),
        ("retrain-deployment.yaml", "flow_name: retrain\nschedule: null\n", []),
        ("retrain-deployment.yaml", "schedule:\n  cron: 0 10 * * 1\n", []),
        ("weekly_deployment.yaml", "flow_name: retrain\nschedule:\n  cron: 0 10 * * 1\n", [""]),
        ("retrain.yaml", "flow_name: retrain\nschedule:\n  cron: 0 10 * * 1\n", []),
    ],
    ids=["clock", "off", "none", "of something else", "name of its own", "another name"],
)
def test_deployment_that_prefect_2_wrote(path: str, text: str, expected: list[str]) -> None:
    documents = documents_of({path: f"name: weekly\nentrypoint: flows/train.py:retrain\n{text}", **FLOW})
    found = list(deployments(documents, index_of(documents)))
    assert [run.start.blocked for run in found] == expected
    assert all(run.entries[-1] == ("flows/train.py", "retrain") for run in found)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (
            "import modal\napp = modal.App('x')\n\n\n@app.function(schedule=modal.Cron('0 3 * * *'))\ndef f(): ...\n",
            ["f"],
        ),
        ("import modal\napp = modal.App('x')\n\n\n@app.function(gpu='any')\ndef f(): ...\n", []),
        (
            "from huey import SqliteHuey, crontab\nq = SqliteHuey()\n\n\n@q.periodic_task(crontab())\ndef f(): ...\n",
            ["f"],
        ),
        ("from huey import SqliteHuey\nq = SqliteHuey()\n\n\n@q.task()\ndef f(): ...\n", []),
        ("from fastapi_utils.tasks import repeat_every\n\n\n@repeat_every(seconds=9)\ndef f(): ...\n", ["f"]),
        ("from other import repeat_every\n\n\n@repeat_every(seconds=9)\ndef f(): ...\n", []),
        (
            "from metaflow import FlowSpec, schedule\n\n\n@schedule(weekly=True)\nclass A(FlowSpec):\n"
            "    def start(self): ...\n\n\nclass B(FlowSpec):\n    def start(self): ...\n",
            ["A.start"],
        ),
        ("from other import schedule\n\n\n@schedule(weekly=True)\nclass A:\n    def start(self): ...\n", []),
        (
            "from zenml import pipeline\nfrom zenml.config.schedule import Schedule\n\n\n@pipeline\ndef f(): ...\n\n\n"
            "f.with_options(schedule=Schedule(cron_expression='0 3 * * *'))()\n",
            ["f"],
        ),
        ("from zenml import pipeline\n\n\n@pipeline\ndef f(): ...\n\n\nf.with_options(enable_cache=False)()\n", []),
        ("from prefect import flow\n\n\n@flow\ndef f(): ...\n\n\nf.with_options(schedule=1)()\n", []),
        (
            "from prefect import flow\nfrom prefect.deployments import Deployment\n\n\n@flow\ndef f(): ...\n\n\n"
            "Deployment.build_from_flow(flow=f, name='x', schedule=CronSchedule(cron='0 3 * * *')).apply()\n",
            ["f"],
        ),
        (
            "from prefect import flow\nfrom prefect.deployments import Deployment\n\n\n@flow\ndef f(): ...\n\n\n"
            "Deployment.build_from_flow(flow=f, name='x').apply()\n",
            [],
        ),
        ("from prefect import flow\n\n\n@flow\ndef f(): ...\n\n\nf.deploy(name='x', schedules=[Interval()])\n", ["f"]),
    ],
)
def test_clocks_that_libraries_are_given(text: str, entries: list[str]) -> None:
    found = scheduled({"m.py": text})
    assert [[name for path, name in run.entries if path == "m.py" and name] for run in found] == (
        [entries] if entries else []
    )


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("main.to_deployment(name='weekly', cron='0 3 * * 1')", [("train.py", "main")]),
        ("main.to_deployment(name='weekly')", []),
        (
            "flow.from_source(source='x', entrypoint='train.py:other').deploy(name='a', cron='0 3 * * *')",
            [("train.py", "other")],
        ),
        (
            "f = flow.from_source('x', entrypoint='train.py:other')\nf.deploy(name='a', interval=60)",
            [("train.py", "other")],
        ),
        ("flow.from_source('x', entrypoint='gone.py:main').deploy(name='a', cron='0 3 * * *')", [("deploy.py", "")]),
        ("flow.from_source('x', entrypoint='train.py:gone').deploy(name='a', cron='0 3 * * *')", [("deploy.py", "")]),
    ],
)
def test_deployments_of_prefect(text: str, entries: list[tuple[str, str]]) -> None:
    found = scheduled({"deploy.py": f"from prefect import flow\nfrom train import main\n{text}\n", **TRAIN})
    assert [node for run in found for node in run.entries] == entries


@pytest.mark.parametrize(
    ("made", "entries"),
    [("training()", [("pipe.py", "training")]), ("lib.training()", [("pipe.py", "")])],
)
def test_schedules_of_azure_ml(made: str, entries: list[tuple[str, str]]) -> None:
    text = (
        "import lib\nfrom azure.ai.ml.entities import JobSchedule, RecurrenceTrigger\n\n\ndef training(): ...\n\n\n"
        f"JobSchedule(name='a', trigger=RecurrenceTrigger(frequency='week', interval=1), create_job={made})\n"
        "JobSchedule(name='a')\n"
    )
    (run,) = scheduled({"pipe.py": text})
    assert (list(run.entries), run.start.label) == (entries, "trigger=…")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("clock = APScheduler()\n@clock.task('interval', id='a', hours=24)\ndef again(): main()", "trigger=interval"),
        ("clock = APScheduler()\n@clock.task('date', id='a')\ndef again(): main()", ""),
        ("clock = Scheduler(connection=c)\nclock.cron('0 3 * * *', func=main)", "cron=0 3 * * *"),
        ("clock = Scheduler(connection=c)\nclock.cancel(main)", ""),
        ("PipelineSchedule(name='a', cron='0 3 ? * MON *')\nmain()", "cron=0 3 ? * MON *"),
        ("PipelineSchedule(name='a', at=now)\nmain()", ""),
        ("@app.task('interval')\ndef again(): main()", ""),
    ],
)
def test_schedulers_of_services(text: str, label: str) -> None:
    head = "from flask_apscheduler import APScheduler\nfrom rq_scheduler import Scheduler\n"
    head += "from sagemaker.workflow.triggers import PipelineSchedule\nfrom train import main\n"
    found = scheduled({"a.py": f"{head}{text}\n", **TRAIN})
    assert [run.start.label for run in found] == ([label] if label else [])
    assert all(run.entries[0] in (("a.py", "again"), ("train.py", "main"), ("a.py", "")) for run in found)
