"""The errors that end a command. Each message is one sentence a user can act on."""

from __future__ import annotations


class ScanError(Exception):
    """Wrong usage, bad configuration or unreadable input: exit code 2."""


class RuleError(ScanError):
    """A rule file that does not follow its schema; the message names file, entry and expectation."""
