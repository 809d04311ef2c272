"""The command of a program that a command line asks for."""

from __future__ import annotations

import pytest

from mlops_scan.automation.commands import chosen
from tests.automation.trees import documents_of, index_of

HEAD = "import joblib\n"  # so that the file is worth a parse
BODY = "@{0}.command()\ndef fit_all(path):\n    pass\n\n\n@{0}.command('predict')\ndef run_scoring(path):\n    pass\n"
TYPER = f"{HEAD}import typer\napp = typer.Typer()\n\n\n{BODY.format('app')}"
CLICK = f"{HEAD}import click\n\n\n@click.group()\ndef cli():\n    pass\n\n\n{BODY.format('cli')}"
ARGPARSE = f"""{HEAD}import argparse


def fit_all(args):
    pass


def run_scoring(args):
    pass


def main():
    parser = argparse.ArgumentParser()
    sub = parser.add_subparsers()
    fit = sub.add_parser("fit-all")
    fit.add_argument("--path")
    fit.set_defaults(func=fit_all)
    score = sub.add_parser("predict")
    score.set_defaults(func=run_scoring)
    args = parser.parse_args()
    args.func(args)
"""
FIRE = f"{HEAD}import fire\n\n\ndef fit_all():\n    pass\n\n\ndef predict():\n    pass\n\n\nfire.Fire()\n"
ENTRIES = (("cli.py", ""), ("cli.py", "__main__"))


def asked(text: str, words: str) -> tuple[tuple[str, str], ...]:
    """What runs of a program that is called with some words."""
    return chosen(index_of(documents_of({"cli.py": text})), ENTRIES, tuple(words.split()))


@pytest.mark.parametrize(
    ("text", "words", "function"),
    [
        (TYPER, "predict data.csv", "run_scoring"),
        (TYPER, "--verbose fit-all x", "fit_all"),
        (CLICK, "predict", "run_scoring"),
        (ARGPARSE, "predict --path x", "run_scoring"),
        (ARGPARSE, "fit-all", "fit_all"),
        (FIRE, "predict", "predict"),
    ],
)
def test_the_command_that_is_asked_for(text: str, words: str, function: str) -> None:
    assert asked(text, words) == (("cli.py", function),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TYPER, ""),
        (TYPER, "run_scoring"),
        (TYPER, "data.csv predict"),
        (TYPER, "$COMMAND"),
        (TYPER.replace("@app.command('predict')", "# @app.command('predict')"), "fit-all"),
        (ARGPARSE.replace("set_defaults(func", "set_other(func"), "predict"),
        (FIRE.replace("fire.Fire()", "fire.Fire(predict)"), "predict"),
        (f"{HEAD}def predict():\n    pass\n", "predict"),
    ],
    ids=["none", "another name", "an argument", "variable", "one command", "no function", "one function", "no command"],
)
def test_all_of_a_program_where_no_command_is_told(text: str, words: str) -> None:
    assert asked(text, words) == ENTRIES
