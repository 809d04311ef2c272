from __future__ import annotations

import pickle

from mlops_scan.documents.node import DocumentError, Node


def scalar(text: str, value: object = None, **more: str) -> Node:
    return Node("scalar", 1, 1, 1, text if value is None else value, text, **more)  # type: ignore[arg-type]


def test_strings_flatten_nested_sequences() -> None:
    inner = Node("sequence", 1, 1, items=(scalar("b"), scalar("1.10", 1.1), scalar("true", True)))
    assert Node("sequence", 1, 1, items=(scalar("a"), inner)).strings() == ("a", "b", "1.10")
    assert scalar("a").strings() == ("a",)


def test_numbers() -> None:
    assert scalar("1e-4").number() == 1e-4
    assert scalar("x").number() is None
    assert scalar("true", True).number() is None
    assert scalar("9", 10**400).number() is None


def test_text_line() -> None:
    assert scalar("a", style="|").text_line == 2
    assert scalar("a", style='"').text_line == 1


def test_errors_can_be_pickled_and_say_their_line() -> None:
    error = pickle.loads(pickle.dumps(DocumentError("broken", 3, (scalar("a"),))))
    assert (error.reason, error.line, len(error.partial)) == ("broken", 3, 1)
    assert str(error) == "line 3: broken"
    assert str(DocumentError("large")) == "large"
