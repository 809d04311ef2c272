from __future__ import annotations

import pytest

from mlops_scan.automation import images, starts
from mlops_scan.automation.model import Run
from mlops_scan.ci.find import workflows
from mlops_scan.rulebook import load
from mlops_scan.words import Hop
from tests.automation.trees import ci_runs_of, documents_of, index_of, resolver_of, scheduled

TRAIN = {"train.py": "def main(): pass\ndef other(): pass\n"}


def github(text: str, **files: str) -> list[Run]:
    """The runs of a workflow, without checkouts."""
    return ci_runs_of({".github/workflows/ci.yml": text, **TRAIN, **files})


def workflow(on: str, job: str = "", step: str = "") -> str:
    return (
        f"on:\n  {on}\njobs:\n  a:\n    {job or 'runs-on: x'}\n    steps:\n"
        f"      - run: python train.py\n        {step}\n"
    )


# -- CI ---------------------------------------------------------------------------------------------------------------


def test_a_job_on_push() -> None:
    (run,) = github(
        "name: CI\non: [push]\njobs:\n  a:\n    environment: prod\n    steps:\n      - run: python train.py\n"
    )
    assert (run.start.kind, run.start.label, run.start.workflow, run.start.job) == (
        "ci",
        "CI / a",
        ".github/workflows/ci.yml",
        "a",
    )
    assert (run.start.triggers, run.start.blocked, run.start.environment) == (frozenset({"push"}), "", "prod")
    assert (run.start.evidence.location.line, run.start.evidence.hop, run.start.evidence.text) == (
        2,
        Hop.TRIGGER,
        "on: push",
    )
    assert run.entries[0] == ("train.py", "")
    assert run.location.line == 7


@pytest.mark.parametrize(
    ("on", "condition", "triggers", "blocked"),
    [
        ("schedule: [{cron: '0 2 * * *'}]", "", {"schedule"}, ""),
        ("workflow_dispatch:", "", {"manual"}, "only a person can start it"),
        (
            "{push: , workflow_dispatch: }",
            "github.event_name == 'workflow_dispatch'",
            {"manual"},
            "only a person can start it",
        ),
        ("{push: , schedule: [{cron: '0 2 * * *'}]}", "github.event_name == 'schedule'", {"schedule"}, ""),
        ("{push: , schedule: [{cron: '0 2 * * *'}]}", "github.event_name != 'schedule'", {"push"}, ""),
        (
            "{push: , pull_request: , schedule: [{cron: '0 2 * * *'}]}",
            "github.event_name == 'push' || github.event_name == 'schedule'",
            {"push", "schedule"},
            "",
        ),
        ("{push: , pull_request: }", "github.event_name == 'push' && github.ref == 'refs/heads/main'", {"push"}, ""),
        ("{push: , pull_request: }", "github.event_name == 'push' || vars.FORCE", {"push", "pull_request"}, ""),
        (
            "{push: , pull_request: }",
            "github.ref == 'refs/heads/main' || github.event_name == 'pull_request'",
            {"push", "pull_request"},
            "",
        ),
        ("push:", "github.event_name == 'schedule'", set(), "nothing starts it"),
        ("push:", "false", {"push"}, "`if: false` is never true"),
        ("push:", "${{ github.event_name == 'push' }}", {"push"}, ""),
        ("issues:", "", {"other"}, "nothing starts it"),
        ("workflow_run: {workflows: [Train]}", "", {"chained"}, ""),
    ],
)
def test_conditions(on: str, condition: str, triggers: set[str], blocked: str) -> None:
    (run,) = github(workflow(on, f"if: {condition}" if condition else ""))
    assert (run.start.triggers, run.start.blocked) == (frozenset(triggers), blocked)
    if condition and condition != "false":
        (run,) = github(workflow(on, step=f"if: {condition}"))
        assert (run.start.triggers, run.start.blocked) == (frozenset(triggers), blocked)


def test_the_clock_is_shown() -> None:
    (run,) = github("on:\n  workflow_dispatch:\n  schedule:\n    - cron: '0 2 * * *'\njobs: {a: {steps: [{run: x}]}}\n")
    assert (run.start.evidence.location.line, run.start.evidence.text) == (4, "on: manual, schedule (0 2 * * *)")
    (run,) = github(
        "on:\n  push:\n  schedule:\n    - cron: '0 2 * * *'\njobs:\n  a:\n"
        "    if: github.event_name == 'schedule'\n    steps: [{run: x}]\n"
    )
    assert run.start.evidence.location.line == 4


def test_steps_that_never_run_and_failures_without_effect() -> None:
    (never,) = github(workflow("push:", step="if: false"))
    assert "false" in never.start.blocked
    (lost,) = github(workflow("push:", step="continue-on-error: true"))
    assert "continue-on-error" in lost.toothless
    (job,) = github(workflow("push:", "continue-on-error: true"))
    assert "the job has" in job.toothless
    (piped,) = [
        run
        for run in github("on: push\njobs: {a: {steps: [{run: pytest | tee x, shell: bash}]}}\n")
        if run.words[0] == "pytest"
    ]
    assert not piped.toothless


def test_unloaded_workflows_run_nothing() -> None:
    assert (
        ci_runs_of(
            {
                "docs/.github/workflows/ci.yml": workflow("push:"),
                ".github/workflows/x.yml.disabled": workflow("push:"),
                **TRAIN,
            }
        )
        == []
    )


def test_manual_jobs_of_gitlab() -> None:
    (run,) = ci_runs_of({".gitlab-ci.yml": "t: {script: python train.py, when: manual, environment: prod}", **TRAIN})
    assert (run.start.blocked, run.start.environment) == ("a person must start this job", "prod")


def test_scripts_of_included_files_keep_their_place() -> None:
    tree = {
        ".gitlab-ci.yml": "include: ci/base.yml\nt: {extends: .base}\n",
        "ci/base.yml": "\n.base:\n  script:\n    - python train.py\n",
        **TRAIN,
    }
    (run,) = ci_runs_of(tree)
    assert (run.location.path, run.location.line, run.start.evidence.location.path) == (
        "ci/base.yml",
        4,
        ".gitlab-ci.yml",
    )


CALLER = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n    with: {script: train.py}\n"
CALLED = (
    "on:\n  workflow_call:\n    inputs: {script: {type: string}}\njobs:\n  inner:\n"
    "    environment: prod\n    steps:\n      - run: python ${{ inputs.script }}\n"
    "  off:\n    if: false\n    steps: [{run: python train.py}]\n"
)


def test_reusable_workflows() -> None:
    runs = github(CALLER, **{".github/workflows/b.yml": CALLED})
    first, second = runs
    assert (first.location.path, first.location.line, first.entries[0]) == (
        ".github/workflows/b.yml",
        8,
        ("train.py", ""),
    )
    assert [(e.location.path, e.location.line, e.hop) for e in first.chain] == [
        (".github/workflows/ci.yml", 1, Hop.TRIGGER),
        (".github/workflows/ci.yml", 3, Hop.USE),
    ]
    assert (first.start.triggers, first.start.environment, first.start.job, first.start.blocked) == (
        frozenset({"push"}),
        "prod",
        "a",
        "",
    )
    assert second.start.blocked


def test_a_reusable_workflow_that_nothing_calls() -> None:
    assert ci_runs_of({".github/workflows/b.yml": CALLED, **TRAIN}) == []


def test_reusable_workflows_in_circles_and_elsewhere() -> None:
    circle = "on: [push, workflow_call]\njobs: {a: {uses: ./.github/workflows/ci.yml}}\n"
    assert github(circle) == []
    (run,) = github("on: push\njobs: {a: {uses: o/r/.github/workflows/t.yml@v1, with: {tests_folder: tests}}}\n")
    assert (
        run.words == ("uses", "o/r/.github/workflows/t.yml@v1", "tests_folder=tests")
        and "another repository" in run.unresolved
    )


ACTION = (
    "runs:\n  using: composite\n  steps:\n    - run: python ${{ inputs.script }}\n"
    "      shell: bash\n    - uses: ./.github/actions/train\n"
)


@pytest.mark.parametrize("name", ["action.yml", "action.yaml"])
def test_composite_actions(name: str) -> None:
    step = (
        "on: push\n"
        "jobs: {a: {steps: [{uses: ./.github/actions/train, with: {script: train.py}, "
        "continue-on-error: true}]}}\n"
    )
    first, *others = github(step, **{f".github/actions/train/{name}": ACTION})
    assert (first.entries[0], first.location.path, first.location.line) == (
        ("train.py", ""),
        f".github/actions/train/{name}",
        4,
    )
    assert [e.location.path for e in first.chain] == [".github/workflows/ci.yml"] * 2
    assert first.toothless and len(others) <= 3


def test_an_action_at_the_root() -> None:
    first, *_ = github(
        "on: push\njobs: {a: {steps: [{uses: ./, with: {script: train.py}}]}}\n", **{"action.yml": ACTION}
    )
    assert first.entries[0] == ("train.py", "")


@pytest.mark.parametrize(
    ("uses", "given", "path", "missing"),
    [
        ("appleboy/ssh-action@v1", "script: cd ~/churn && python train.py", "train.py", ""),
        ("google-github-actions/ssh-compute@v0", "command: git pull && python train.py", "train.py", ""),
        ("appleboy/ssh-action@v1", "script: python other.py", "", ""),  # a file of the other machine
        ("azure/cli@v2", "inlineScript: python other.py", "", "other.py"),
        ("nick-fields/retry@v3", "command: python train.py", "train.py", ""),
        ("hashicorp/setup@v1", "command: apply", "", ""),
    ],
)
def test_shell_texts_given_to_actions(uses: str, given: str, path: str, missing: str) -> None:
    runs = github(f"on: push\njobs: {{a: {{steps: [{{uses: {uses}, with: {{{given}}}}}]}}}}\n")
    assert [run.entries[0][0] for run in runs if run.entries] == ([path] if path else [])
    assert [run.missing for run in runs if run.missing] == ([missing] if missing else [])


def test_commands_and_images_given_to_actions() -> None:
    runs = github("on: push\njobs: {a: {steps: [{uses: o/ssh@v1, with: {script: python train.py}}]}}\n")
    assert [run.entries[:1] for run in runs] == [(), (("train.py", ""),)]
    image = (
        "on: push\njobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {context: ., file: d/Dockerfile}}]}}\n"
    )
    runs = github(image, **{"d/Dockerfile": "FROM x\nRUN python train.py\n"})
    assert [run.location.path for run in runs if run.entries] == ["d/Dockerfile"]
    assert (
        len(
            github(
                "on: push\njobs: {a: {steps: [{uses: actions/github-script@v7, with: {script: python train.py}}]}}\n"
            )
        )
        == 1
    )


def test_ci_start_of_jobs_that_only_others_call() -> None:
    (found,) = workflows(documents_of({".github/workflows/b.yml": CALLED}))
    assert starts.ci_start(found, found.jobs[0]) is None


# -- clocks in code ---------------------------------------------------------------------------------------------------


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
    assert chain(", schedule='@daily'", task) == "schedule second.py: `schedule=none` never fires by itself"


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
    return list(starts.deployments(documents, index_of(documents)))


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
    assert near.entries[-1] == ("flows/train.py", "retrain")
    (line,) = deployed("schedules:\n      - cron: x")
    assert (line.start.evidence.location.line, line.location.line) == (6, 3)


# -- pipelines and services -------------------------------------------------------------------------------------------


def test_declared_pipelines() -> None:
    resolver = resolver_of({"dvc.yaml": "stages:\n  a: {cmd: python train.py}\n", **TRAIN})
    (run,) = starts.pipeline_runs(resolver.pipelines, resolver)
    assert (run.start.kind, run.entries[0], run.location.line) == ("pipeline", ("train.py", ""), 2)


def test_processes_of_a_platform() -> None:
    text = "# web: python train.py\nweb: uvicorn main:app --port $PORT\n\nworker: python worker.py\nnot a process\n"
    tree = {"app/Procfile": text, "app/worker.py": "x = 1\n", "docs/Procfile": "web: python train.py\n"}
    resolver = resolver_of({"app/main.py": "app = 1\n", **TRAIN, **tree})
    runs = [run for run in starts.service_runs(resolver.documents, resolver) if run.entries]
    assert [(run.start.kind, run.location.line, run.entries[0][0]) for run in runs] == [
        ("service", 2, "app/main.py"),
        ("service", 4, "app/worker.py"),
    ]


def services(tree: dict[str, str]) -> list[tuple[str, list[str]]]:
    resolver = resolver_of({"app/main.py": "app = 1\n", **TRAIN, **tree})
    runs = starts.service_runs(resolver.documents, resolver)
    return [(run.start.label, [path for path, _ in run.entries]) for run in runs]


@pytest.mark.parametrize(
    ("lines", "entries"),
    [
        ('CMD ["uvicorn", "app.main:app"]', ["app/main.py"]),
        ("CMD uvicorn app.main:app --port $PORT", ["app/main.py"]),
        ('ENTRYPOINT ["python"]\nCMD ["app/main.py"]', ["app/main.py"]),
        ('ENTRYPOINT ["python", "app/main.py"]\nCMD ["--help"]', ["app/main.py"]),
        ("CMD python train.py\nCMD python app/main.py", ["app/main.py"]),
        ('CMD ["python", "train.py"]\nFROM y\nCMD ["python", "app/main.py"]', ["app/main.py"]),
        ('ENTRYPOINT ["./entry.sh"]\nCMD ["python", "app/main.py"]', ["app/main.py"]),
        ("RUN python train.py", []),
    ],
)
def test_dockerfiles(lines: str, entries: list[str]) -> None:
    found = [paths for _, paths in services({"Dockerfile": f"FROM x\n{lines}\n"}) if paths]
    assert sorted({path for paths in found for path in paths}) == entries


def test_dockerfiles_of_examples() -> None:
    assert (
        services(
            {
                "examples/Dockerfile": "FROM x\nCMD python train.py\n",
                "docs/docker-compose.yml": "services: {a: {command: x}}",
            }
        )
        == []
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("compose.yaml", True),
        ("docker-compose.prod.yml", True),
        ("app-docker-compose.yml", True),
        ("app.compose.yaml", True),
        ("decompose.yaml", False),
        ("compose.md", False),
    ],
)
def test_names_of_compose_files(name: str, expected: bool) -> None:
    assert images.is_compose(name) is expected


def test_compose_services() -> None:
    tree = {
        "deploy/docker-compose.yml": """\
            services:
              web:
                build: {context: .., dockerfile: deploy/Dockerfile}
              job:
                image: x
                command: ["python", "train.py", "--name", "a b"]
              shell:
                image: x
                entrypoint: python
                command: train.py
              db: {image: y}
              broken: 3
            """,
        "deploy/Dockerfile": "FROM x\nCMD python app/main.py\n",
    }
    assert [(label, paths[:1]) for label, paths in services(tree)] == [
        ("compose service web", ["app/main.py"]),
        ("compose service job", ["train.py"]),
        ("compose service shell", ["train.py"]),
        ("deploy/Dockerfile", ["app/main.py"]),
    ]
    resolver = resolver_of({**tree, **TRAIN})
    (job,) = [run for run in starts.service_runs(resolver.documents, resolver) if run.start.label.endswith("job")]
    assert (job.location.line, job.words[-1], job.start.evidence.location.line) == (6, "a b", 4)


# -- actions that run a command ---------------------------------------------------------------------------------------

ARGO = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  templates:\n"
    "  - {name: t, container: {image: i, command: [python, train.py]}}\n"
)


def submits(step: str) -> list[Run]:
    texts = {".github/workflows/ci.yml": f"on: [push]\njobs:\n  a:\n    steps:\n{step}", "p/w.yaml": ARGO, **TRAIN}
    return ci_runs_of(texts, load().tools.values())


@pytest.mark.parametrize(
    ("step", "entered"),
    [
        ("      - uses: machine-learning-apps/gke-argo@master\n        with: {WORKFLOW_YAML_PATH: p/w.yaml}\n", True),
        ("      - uses: machine-learning-apps/gke-argo@master\n        with: {WORKFLOW_YAML_PATH: p/v.yaml}\n", False),
        ("      - uses: other/gke-argo@master\n        with: {WORKFLOW_YAML_PATH: p/w.yaml}\n", False),
        ("      # - uses: machine-learning-apps/gke-argo@master\n      - run: cat p/w.yaml\n", False),
    ],
)
def test_an_action_that_submits_a_pipeline(step: str, entered: bool) -> None:
    assert any(("train.py", "") in run.entries for run in submits(step)) is entered


def test_an_action_that_runs_a_command_may_be_switched_off() -> None:
    found = submits(
        "      - uses: machine-learning-apps/gke-argo@master\n        if: false\n"
        "        with: {WORKFLOW_YAML_PATH: p/w.yaml}\n"
    )
    assert found
    assert all(run.start.blocked for run in found)


# -- reusable workflows of other repositories --------------------------------------------------------------------------

TESTED = {"tests/test_a.py": "def test_a(): assert True\n", "docs/test_b.py": "def test_b(): pass\n"}


def reused(given: str, uses: str = "o/r/.github/workflows/ci.yml@main") -> list[Run]:
    return github(f"on: [push]\njobs:\n  a:\n    uses: {uses}\n    with:\n{given}", **TESTED)


@pytest.mark.parametrize(
    ("given", "tests"),
    [
        ("      tests_folder: tests\n", ("tests/test_a.py",)),
        ("      test-path: ./tests/test_a.py\n", ("tests/test_a.py",)),
        ("      tests_folder: 'None'\n", ()),
        ("      tests_folder: none\n      tests_matrix: true\n", ()),
        ("      tests_folder: other\n", ()),
        ("      tests_folder: ${{ vars.TESTS }}\n", ()),
        ("      path: tests\n", ()),  # what for?
        ("      testbed-path: tests\n", ()),
        ("      # tests_folder: tests\n      x: y\n", ()),
    ],
)
def test_a_workflow_elsewhere_is_given_tests(given: str, tests: tuple[str, ...]) -> None:
    (run,) = reused(given)
    assert (run.tests, run.words[0]) == (tests, "uses")
    assert run.unresolved == "the reusable workflow o/r/.github/workflows/ci.yml@main is in another repository"


@pytest.mark.parametrize(
    ("given", "entered"),
    [
        ("      script: |\n        set -e\n        python train.py\n", True),
        ("      train-command: python train.py\n", True),
        ("      command: 'true'\n", False),
        ("      description: python train.py\n", False),
        ("      # script: python train.py\n      x: y\n", False),
    ],
)
def test_a_workflow_elsewhere_is_given_commands(given: str, entered: bool) -> None:
    assert any(("train.py", "") in run.entries for run in reused(given)) is entered


# -- inputs that nobody gives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "entered"),
    [
        ("${{ inputs.file || 'train.py' }}", True),
        ("${{ github.event.inputs.file || 'train.py' }}", True),
        ("${{ inputs.file || vars.FILE }}", False),
        ("${{ inputs.file }}", False),
        ("${{ inputs.file || 'other.py' }}", False),
    ],
)
def test_the_default_of_an_expression(value: str, entered: bool) -> None:
    found = github(f"on: [push]\njobs:\n  a:\n    steps:\n      - run: python {value}\n")
    assert any(("train.py", "") in run.entries for run in found) is entered


@pytest.mark.parametrize(("given", "entered"), [("", True), ("        with: {file: other.py}\n", False)])
def test_the_default_of_a_composite_action(given: str, entered: bool) -> None:
    action = (
        "inputs:\n  file: {default: train.py}\nruns:\n  using: composite\n  steps:\n"
        "    - run: python ${{ inputs.file }}\n      shell: bash\n"
    )
    text = f"on: [push]\njobs:\n  a:\n    steps:\n      - uses: ./act\n{given}"
    found = github(text, **{"act/action.yml": action, "other.py": ""})
    assert any(("train.py", "") in run.entries for run in found) is entered


@pytest.mark.parametrize(("given", "entered"), [("", True), ("    with: {file: other.py}\n", False)])
def test_the_default_of_a_reusable_workflow(given: str, entered: bool) -> None:
    called = (
        "on:\n  workflow_call:\n    inputs:\n      file: {default: train.py, type: string}\njobs:\n  b:\n    steps:\n"
        "      - run: python ${{ inputs.file }}\n"
    )
    text = f"on: [push]\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n{given}"
    found = github(text, **{".github/workflows/b.yml": called, "other.py": ""})
    assert any(("train.py", "") in run.entries for run in found) is entered
