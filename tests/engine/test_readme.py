"""What a README says of its repository, and what it says of something else."""

from __future__ import annotations

import pytest

from mlops_scan.engine.readme import Telling


@pytest.mark.parametrize(
    "text",
    [
        "# A\n\nThis repository demonstrates how to run\na training pipeline.\n",
        "# A\n\nThis repo\nshows how you deploy it.\n",
        "# A\n\nThis repository contains a series of example projects.\n",
        "# A\n\nA is a set of example templates to begin with.\n",
        "# A\n\nIt is a collection of reusable modules.\n",
        "# A\n\n## Overview\n\nIn this course, we build a model.\n",
        "# A\n\n## Overview\n\nThe goal of this book is to build a system.\n",
        "# A\n\nThis *workshop* contains the sample application.\n",
        "# A\n\nThis workshop will demonstrate how to begin.\n",
        "# A\n\nMaterials that accompany the talk [B](https://example.com).\n",
        "# A\n\nCode for my blog post.\n",
        "# A\n\n## Start\n\nYou can clone and run this example.\n",
        "# A\n\nThis example implements the whole process.\n",
        "# A\n\nIn this example, we will automate a pipeline.\n",
        "# A\n\nThis is an example of MLOps implementation.\n",
        "[![a](b)](c)\n\n# Spam quick start\n",
        "![a](b)\n<p align=center>\n# A\n\nThis is a sample application.\n",
    ],
)
def test_a_sample(text: str) -> None:
    assert Telling(text).sample() is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# A\n\nThis project predicts churn for the example shop.\n",
        "# A\n\nThis repository contains the service and example notebooks.\n",
        "# A\n\n```\nThis repository shows how to run it.\n```\n",
        "# A\n\n<!-- This repository shows how to run it. -->\n",
        "# A\n\n" + "text " * 400 + "\n\nThis repository shows how to run it.\n",
        "# A\n\nText.\n\n## Usage\n\nIn this example, we ask the service.\n",
        "# A\n\nText.\n\n## Output\n\nThis is an example of MLOps implementation.\n",
        "# A\n\nThis is an example of a request.\n",
        "# A\n\nThe goal of this course project is to predict prices.\n",
        "# A\n\nCode for the workshop paper on spam.\n",
        "# A\n\nWe took part in this workshop.\n",
        "# A\n\nSee the blog post.\n",
        "# A\n\n## Quick start\n\nRun it.\n",
        "# Adversarial examples\n\nOur service.\n",
    ],
)
def test_no_sample(text: str) -> None:
    assert Telling(text).sample() is None


def test_where_it_is_said() -> None:
    text = "# A\n\n```sh\nrun\n```\n\nSpam. This repository shows\nhow to cook it.\n"
    assert Telling(text).sample() == ("This repository shows how", 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n\nThis repository provides examples and best practices.\n", True),
        ("# A\n\nThis repository contains a collection of small examples.\n", True),
        ("# Spam Examples\n\nText.\n", True),
        ("# A\n\nA repository to share extended spam examples.\n", True),
        ("# Examples of spam\n\nText.\n", False),
        ("# A\n\n## Examples\n\nText.\n", False),
        ("# A\n\nCode for spam tutorials and examples.\n", True),
        ('---\ndescription: "Spam. A collection of examples."\n---\n', True),
        ("# A\n\nThis repository contains the library and examples.\n", False),
        ("# A\n\nThe docs have a collection of examples.\n", False),
        ("# A\n\nSee the examples.\n", False),
    ],
)
def test_a_collection(text: str, expected: bool) -> None:
    assert Telling(text).collection() is expected


def test_hostile_lines_are_bounded() -> None:
    assert Telling("<" * 300_000 + "[" * 300_000).sample() is None
    assert Telling("![" * 100_000 + "\n" * 100_000).collection() is False
