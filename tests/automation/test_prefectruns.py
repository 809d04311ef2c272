"""Flows that a command deploys with a clock."""

from __future__ import annotations

import pytest

from mlops_scan.automation.prefectruns import flow_clocks
from tests.automation.trees import resolver_of, runs

FLOW = {"flows/a.py": "def main(): ...\n"}


@pytest.mark.parametrize(
    ("command", "label"),
    [
        ("prefect deploy flows/a.py:main -n weekly --cron '0 3 * * 1'", "--cron 0 3 * * 1"),
        ("prefect --no-prompt deploy flows/a.py:main --interval=3600", "--interval 3600"),
        ("prefect deployment build ./flows/a.py:main -n weekly --rrule 'FREQ=DAILY' -q ml", "--rrule FREQ=DAILY"),
        ("prefect deploy flows/a.py:main -n weekly", ""),
        ("prefect deploy flows/a.py:gone --cron '0 3 * * 1'", ""),
        ("prefect deploy flows/gone.py:main --cron '0 3 * * 1'", ""),
        ("prefect deploy --all --cron '0 3 * * 1'", ""),
        ("echo prefect deploy flows/a.py:main --cron '0 3 * * 1'", ""),
    ],
)
def test_commands(command: str, label: str) -> None:
    found = list(flow_clocks(runs(command, FLOW), resolver_of(FLOW).index))
    assert [run.start.label for run in found] == ([label] if label else [])
    assert all(run.entries == (("flows/a.py", ""), ("flows/a.py", "main")) for run in found)
