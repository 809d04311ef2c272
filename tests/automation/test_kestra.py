"""The flows of Kestra."""

from __future__ import annotations

import pytest

from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines import declared
from mlops_scan.documents.store import Documents

PATH = "flows/train.yml"
PYTHON = "io.kestra.plugin.scripts.python.Commands"
HEAD = "id: nightly\nnamespace: team\n"
TASKS = f"tasks:\n  - {{id: load, type: {PYTHON}, commands: [python load.py]}}\n"
CLOCK = "{id: c, type: io.kestra.plugin.core.trigger.Schedule, cron: '0 3 * * *'}"


def flows(text: str) -> list[Pipeline]:
    """The pipelines of a file."""
    return list(declared(PATH, Documents.of({PATH: text}).nodes(PATH)))


def test_tasks() -> None:
    text = f"""{HEAD}tasks:
  - id: folder
    type: io.kestra.plugin.core.flow.WorkingDirectory
    tasks:
      - {{id: clone, type: io.kestra.plugin.git.Clone, url: https://example.org/a}}
      - id: load
        type: {PYTHON}
        beforeCommands: [pip install pandas]
        commands:
          - python load.py
          - python clean.py
  - id: fit
    type: io.kestra.plugin.scripts.python.Script
    script: |
      LogisticRegression().fit(x, y)
  - {{id: note, type: io.kestra.plugin.scripts.shell.Script, script: echo done}}
"""
    (found,) = flows(text)
    assert (found.tool, found.name, found.line, found.schedule) == ("kestra", "nightly", 3, "")
    assert [(step.name, step.command, set(step.does)) for step in found.steps] == [
        ("load", "python load.py\npython clean.py", set()),
        ("fit", "", {"train"}),
        ("note", "echo done", set()),
    ]
    assert found.steps[0].command_line == 12


@pytest.mark.parametrize(
    ("trigger", "schedule", "on_data", "off"),
    [
        (CLOCK, "0 3 * * *", False, ""),
        ("{id: c, type: io.kestra.core.models.triggers.types.Schedule, cron: '@daily'}", "@daily", False, ""),
        (CLOCK.replace("}", ", disabled: true}"), "0 3 * * *", False, "`disabled: true`"),
        ("{id: c, type: io.kestra.plugin.aws.s3.Trigger, bucket: a}", "io.kestra.plugin.aws.s3.Trigger", True, ""),
        ("{id: c, type: io.kestra.plugin.core.trigger.Webhook, key: a}", "", False, ""),
        ("{id: c, type: io.kestra.plugin.core.trigger.Flow}", "", False, ""),
        ("{id: c, type: io.kestra.plugin.core.trigger.Schedule}", "", False, ""),
    ],
)
def test_what_starts_a_flow(trigger: str, schedule: str, on_data: bool, off: str) -> None:
    (found,) = flows(f"{HEAD}{TASKS}triggers:\n  - {trigger}\n")
    assert (found.schedule, found.schedule_on_data, found.schedule_off) == (schedule, on_data, off)


def test_a_clock_that_ticks_is_enough() -> None:
    (found,) = flows(f"{HEAD}{TASKS}triggers:\n  - {CLOCK.replace('}', ', disabled: true}')}\n  - {CLOCK}\n")
    assert (found.schedule_off, found.schedule_line) == ("", 7)
    (found,) = flows(f"{HEAD}disabled: true\n{TASKS}triggers:\n  - {CLOCK}\n")
    assert found.schedule_off == "`disabled: true`"


@pytest.mark.parametrize(
    "text",
    [
        f"namespace: team\n{TASKS.replace('io.kestra', 'org.other')}",
        f"id: nightly\n{TASKS}",
        f"{HEAD}tasks: []\n",
        f"{HEAD}tasks:\n  - {{id: log, type: io.kestra.plugin.core.log.Log, message: done}}\n",
    ],
)
def test_what_is_no_flow_or_runs_nothing(text: str) -> None:
    assert [found.tool for found in flows(text) if found.tool == "kestra"] == []
