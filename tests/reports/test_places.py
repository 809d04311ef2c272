"""Where scanned files stand on platforms."""

from __future__ import annotations

import pytest

from mlops_scan.reports.places import Places, forge_of
from mlops_scan.words import Location

SHA = "0123456789abcdef0123456789abcdef01234567"
GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "some/thing", "GITHUB_SHA": SHA}


def _link(environment: dict[str, str], location: Location, prefix: str = "") -> str:
    return Places(prefix, forge=forge_of(environment, SHA)).web(location)


@pytest.mark.parametrize(
    ("environment", "link"),
    [
        (GITHUB, f"https://github.com/some/thing/blob/{SHA}/src/a%20b%23.py#L3-L5"),
        (
            {**GITHUB, "GITHUB_SERVER_URL": "https://codeberg.org", "FORGEJO_ACTIONS": "true"},
            f"https://codeberg.org/some/thing/src/commit/{SHA}/src/a%20b%23.py#L3-L5",
        ),
        (
            {"CI_PROJECT_URL": "https://gitlab.com/g/s/p", "CI_COMMIT_SHA": SHA},
            f"https://gitlab.com/g/s/p/-/blob/{SHA}/src/a%20b%23.py#L3-5",
        ),
        (
            {
                "BUILD_REPOSITORY_URI": "https://someone@dev.azure.com/o/p/_git/r",
                "BUILD_SOURCEVERSION": SHA,
                "BUILD_REPOSITORY_PROVIDER": "TfsGit",
            },
            f"https://dev.azure.com/o/p/_git/r?version=GC{SHA}&path=/src/a%20b%23.py"
            "&line=3&lineEnd=5&lineStartColumn=1&lineEndColumn=1000&_a=contents",
        ),
        (
            {
                "BUILD_REPOSITORY_URI": "https://github.com/some/thing.git",
                "BUILD_SOURCEVERSION": SHA,
                "BUILD_REPOSITORY_PROVIDER": "GitHub",
            },
            f"https://github.com/some/thing/blob/{SHA}/src/a%20b%23.py#L3-L5",
        ),
        (
            {"BITBUCKET_GIT_HTTP_ORIGIN": "http://bitbucket.org/w/r", "BITBUCKET_COMMIT": SHA},
            f"http://bitbucket.org/w/r/src/{SHA}/src/a%20b%23.py#lines-3:5",
        ),
    ],
)
def test_links_of_the_known_forges(environment: dict[str, str], link: str) -> None:
    assert _link(environment, Location("src/a b#.py", 3, 5)) == link


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {**GITHUB, "GITHUB_SHA": "f" * 40},
        {**GITHUB, "GITHUB_SERVER_URL": "javascript:alert(1)"},
        {**GITHUB, "GITHUB_REPOSITORY": ""},
        {"CI_PROJECT_URL": "https://[", "CI_COMMIT_SHA": SHA},
        {
            "BUILD_REPOSITORY_URI": "https://svn.example/r",
            "BUILD_SOURCEVERSION": SHA,
            "BUILD_REPOSITORY_PROVIDER": "Svn",
        },
    ],
)
def test_no_link_without_a_forge_that_has_this_commit(environment: dict[str, str]) -> None:
    assert _link(environment, Location("a.py", 1)) == ""


def test_no_link_without_a_commit() -> None:
    assert forge_of(GITHUB, None) is None


def test_a_password_in_the_variable_stays_there() -> None:
    forge = forge_of({"CI_PROJECT_URL": "https://u:secret@gitlab.example:8443/g/p/", "CI_COMMIT_SHA": SHA}, SHA)
    assert forge is not None
    assert forge.repository == "https://gitlab.example:8443/g/p"


def test_braces_in_names_are_no_placeholders() -> None:
    link = _link({**GITHUB, "GITHUB_REPOSITORY": "some/{path}"}, Location("{{cookiecutter.x}}/a.py", 1))
    assert link == f"https://github.com/some/%7Bpath%7D/blob/{SHA}/%7B%7Bcookiecutter.x%7D%7D/a.py#L1-L1"


def test_the_scanned_folder_is_part_of_the_path() -> None:
    places = Places("services/a b", "/home/me/repo/services/a b")
    assert places.path("x.py") == "services/a b/x.py"
    assert places.uri("x.py") == "services/a%20b/x.py"
    assert places.file(Location("x.py", 2)) == "file:///home/me/repo/services/a%20b/x.py"
    assert Places().path("x.py") == "x.py"
    assert Places().file(Location("x.py", 2)) == ""
