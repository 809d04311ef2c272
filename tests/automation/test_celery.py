from __future__ import annotations

import pytest

from mlops_scan.automation.celery import beats
from tests.automation.trees import documents_of, index_of

TASKS = (
    "from celery import Celery, shared_task\n\napp = Celery('x')\n\n\n@app.task\ndef retrain(): ...\n\n\n"
    "@shared_task\ndef clean(): ...\n\n\ndef plain(): ...\n"
)


def started(files: dict[str, str]) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    documents = documents_of({"worker/tasks.py": TASKS, **files})
    return [(run.start.label, run.entries) for run in beats(index_of(documents), documents)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app.conf.beat_schedule = {'a': {'task': 'worker.tasks.retrain', 'schedule': 60}}", ["retrain"]),
        ("CELERY_BEAT_SCHEDULE = {'a': {'task': 'tasks.clean', 'schedule': 60}}", ["clean"]),
        ("# app.conf.beat_schedule = {}\nA = {'task': 'worker.tasks.retrain'}", []),
        ("app.conf.beat_schedule = {'a': {'task': 'worker.tasks.plain', 'schedule': 60}}", []),
        ("app.conf.beat_schedule = {'a': {'task': 'other.tasks.retrain', 'schedule': 60}}", []),
        ("app.conf.beat_schedule = {'a': {'task': 'retrain', 'schedule': 60}}", []),
    ],
)
def test_schedule_of_the_beat(text: str, expected: list[str]) -> None:
    found = started({"settings.py": f"from worker.tasks import app\n{text}\n"})
    assert [entries for _, entries in found] == [(("worker/tasks.py", name),) for name in expected]
    assert all(label.startswith("beat_schedule: ") for label, _ in found)


@pytest.mark.parametrize(("name", "found"), [("retrain_model", 1), ("worker.tasks.fit", 1), ("fit", 0), ("other", 0)])
def test_tasks_with_names_of_their_own(name: str, found: int) -> None:
    tasks = f"{TASKS}\n@app.task(\n    bind=True, name='retrain_model'\n)\ndef fit(self): ...\n"
    settings = f"app.conf.update(beat_schedule={{'a': {{'task': {name!r}, 'schedule': 60}}}})\n"
    entries = [entries for _, entries in started({"worker/tasks.py": tasks, "settings.py": settings})]
    assert entries == [(("worker/tasks.py", "fit"),)] * found


def test_a_name_that_two_tasks_have() -> None:
    tasks = "from celery import shared_task\n\n\n"
    tasks += "@shared_task(name='a')\ndef one(): ...\n\n\n@shared_task(name='a')\ndef two(): ...\n"
    assert not started({"worker/tasks.py": tasks, "settings.py": "BEAT_SCHEDULE = {'task': 'a'}\nbeat_schedule = {}\n"})


def test_tasks_that_are_added() -> None:
    text = (
        "from celery.schedules import crontab\nfrom worker.tasks import app, clean, plain, retrain\n\n\n"
        "@app.on_after_configure.connect\ndef setup(sender, **kwargs):\n"
        "    sender.add_periodic_task(crontab(hour=3), retrain.s())\n    sender.add_task(clean.s())\n"
    )
    assert started({"beat.py": text}) == [("add_periodic_task", (("worker/tasks.py", "retrain"),))]


def test_without_celery_nothing_is_scheduled() -> None:
    text = "class App:\n    def task(self, f): ...\n\n\napp = App()\n\n\n@app.task\ndef retrain(): ...\n"
    documents = documents_of({"tasks.py": text, "settings.py": "BEAT_SCHEDULE = {'task': 'tasks.retrain'}\n"})
    assert list(beats(index_of(documents), documents)) == []
