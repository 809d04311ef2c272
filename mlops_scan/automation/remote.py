"""Commands that run others on another machine: `ssh host "cd app && docker compose up -d"`.

Facts: https://man.openbsd.org/ssh (the options with a value; what follows the host is joined by spaces and given to a
shell there, which reads its input where nothing follows), https://cloud.google.com/sdk/gcloud/reference/compute/ssh and
https://learn.microsoft.com/cli/azure/vm/run-command#az-vm-run-command-invoke.
"""

from __future__ import annotations

from itertools import pairwise

from mlops_scan.automation.model import Run

_VALUES = frozenset(f"-{letter}" for letter in "BbcDEeFIiJLlmOoPpQRSWw")
_READERS = frozenset(
    {"bash", "sh", "zsh", "sudo", "-s", "-e", "-l", "-ex", "-se", "-es", "-x", "-T", "--", "/bin/bash"}
)
_REACHED_BY = ("ssh ", "sshpass ", "gcloud compute ssh ", "az vm run-command ")
_CLOUDS = {("gcloud", "compute", "ssh"): "--command", ("az", "vm", "run-command", "invoke"): "--scripts"}


def is_remote(words: tuple[str, ...]) -> bool:
    """Whether a command may run others on another machine."""
    return words[:1] == ("ssh",) or words[:3] in _CLOUDS or words[:4] in _CLOUDS


def runs_remotely(run: Run) -> bool:
    """Whether a command runs on a machine that another command reaches, which outlives a job of CI."""
    return any(hop.text.startswith(_REACHED_BY) for hop in run.chain)


def remote_text(words: tuple[str, ...], given: str) -> str:
    """What a command has a shell of another machine run; empty for a session or a tunnel.

    `given` is the here-document that it reads.
    """
    if words[:1] == ("ssh",):
        asked = _after_host(words)
        return given if all(word in _READERS for word in " ".join(asked).split()) else " ".join(asked)
    option = next((option for names, option in _CLOUDS.items() if words[: len(names)] == names), "")
    inline = (word.partition("=")[2] for word in words if option and word.startswith(f"{option}="))
    following = (after for word, after in pairwise(words) if word == option)
    return next(inline, "") or next(following, "")


def _after_host(words: tuple[str, ...]) -> tuple[str, ...]:
    """What follows the host of `ssh`."""
    position = 1
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] in _VALUES else 1
    rest = words[position + 1 :]
    while rest and rest[0].startswith("-"):  # options may also follow the host
        rest = rest[2:] if rest[0] in _VALUES else rest[1:]
    return rest
