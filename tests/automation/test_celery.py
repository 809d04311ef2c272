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
