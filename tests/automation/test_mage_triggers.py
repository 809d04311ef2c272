"""The clocks of Mage pipelines."""

from __future__ import annotations

import pytest

from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines import declared
from mlops_scan.automation.pipelines.mage_triggers import clocked
from mlops_scan.documents.store import Documents

METADATA = "ml/pipelines/retrain/metadata.yaml"
TRIGGERS = "ml/pipelines/retrain/triggers.yaml"
BLOCKS = "blocks:\n- {type: data_loader, uuid: load}\n- {type: transformer, uuid: train}\n"


def clock(text: str, path: str = TRIGGERS) -> Pipeline:
    """The pipeline with a file of triggers."""
    documents = Documents.of({METADATA: BLOCKS, path: text})
    (found,) = clocked(declared(METADATA, documents.nodes(METADATA)), documents)
    return found


def trigger(kind: str = "time", interval: str = "'@weekly'", status: str = "active") -> str:
    """One trigger of a file."""
    return f"- name: a\n  schedule_type: {kind}\n  schedule_interval: {interval}\n  status: {status}\n"


@pytest.mark.parametrize("interval", ["@weekly", "0 3 * * 1", "@always_on"])
def test_a_clock_that_ticks(interval: str) -> None:
    found = clock(f"triggers:\n{trigger(interval=f'{interval!r}')}")
    assert (found.schedule, found.schedule_off) == (interval, "")
    assert (found.schedule_path, found.schedule_line) == (TRIGGERS, 4)


def test_one_that_ticks_is_enough() -> None:
    assert not clock(f"triggers:\n{trigger(status='inactive')}{trigger(interval='daily')}").schedule_off


@pytest.mark.parametrize(("status", "off"), [("inactive", "`status: inactive`"), ("", "`status: inactive`")])
def test_a_clock_that_is_off(status: str, off: str) -> None:
    assert clock(f"triggers:\n{trigger(status=status)}").schedule_off == off


@pytest.mark.parametrize(
    "text",
    [
        "triggers: []\n",
        f"triggers:\n{trigger(kind='api', interval='null')}",
        f"triggers:\n{trigger(kind='event')}",
        f"triggers:\n{trigger(interval='@once')}".replace("@once", "'@once'"),
        f"triggers:\n{trigger(interval='null')}",
        "other: [{schedule_type: time, schedule_interval: '@daily', status: active}]\n",
        "# triggers: []\n",
    ],
)
def test_no_clock(text: str) -> None:
    assert clock(text).schedule == ""


def test_a_file_beside_another_pipeline() -> None:
    assert clock(f"triggers:\n{trigger()}", "ml/pipelines/other/triggers.yaml").schedule == ""
