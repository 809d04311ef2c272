"""Scripts for Windows shells in the spelling of a POSIX shell, line by line, so that their commands can be followed."""

from __future__ import annotations

import re

_VARIABLE = re.compile(r"%(\w+)%")
_EXECUTABLE = re.compile(r"(?<=[\w/}])\.exe\b", re.I)
_QUIET = re.compile(r"^[ \t]*@?(?:rem\b|::).*|^([ \t]*)@?(?:call[ \t]+|(?<=@))(?=\S)", re.I | re.M)


def as_posix(script: str) -> str:
    r"""The commands of a batch or PowerShell text with POSIX paths and variables; the lines stay where they are.

    `%PYTHON%\python.exe -m pytest` is `${PYTHON}/python -m pytest`; `REM` lines are emptied.
    """
    plain = _VARIABLE.sub(r"${\1}", script.replace("\\", "/"))
    return _EXECUTABLE.sub("", _QUIET.sub(lambda match: match.group(1) or "", plain))
