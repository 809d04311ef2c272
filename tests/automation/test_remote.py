"""What `ssh` and its like run on another machine."""

from __future__ import annotations

import shlex

import pytest

from mlops_scan.automation.remote import is_remote, remote_text


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("ssh -i key.pem -o StrictHostKeyChecking=no u@h 'cd app && git pull'", "cd app && git pull"),
        ("ssh h docker compose up -d", "docker compose up -d"),
        ("ssh u@h -p 2222 -- uptime", "uptime"),
        ("ssh h", "given"),
        ("ssh h 'bash -s'", "given"),
        ("ssh -T h bash", "given"),
        ("ssh -N -L 1:h:1 u@h", "given"),
        ("gcloud compute ssh vm --zone z --command 'docker pull r/x'", "docker pull r/x"),
        ("gcloud compute ssh vm '--command=docker pull r/x'", "docker pull r/x"),
        ("gcloud compute ssh vm", ""),
        ("az vm run-command invoke -n vm --scripts 'docker pull r/x'", "docker pull r/x"),
    ],
)
def test_what_is_run_there(command: str, text: str) -> None:
    words = tuple(shlex.split(command))
    assert is_remote(words)
    assert remote_text(words, "given") == text


@pytest.mark.parametrize("command", ["ssh-keygen -t rsa", "gcloud compute instances list", "az vm list", "scp a h:b"])
def test_other_commands(command: str) -> None:
    assert not is_remote(tuple(command.split()))
