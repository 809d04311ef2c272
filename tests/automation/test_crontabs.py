"""What cron starts in images and compose services."""

from __future__ import annotations

import pytest

from mlops_scan.automation.crontabs import cron_runs
from mlops_scan.automation.starts import service_runs
from tests.automation.trees import resolver_of

IMAGE = "FROM python:3.12\nWORKDIR /app\nCOPY . /app\n"
TAKEN = f"{IMAGE}COPY jobs/table /etc/cron.d/table\n"
DAEMON = 'CMD ["cron", "-f"]\n'
NIGHTLY = "0 3 * * * cd /app && python train.py >> /var/log/a.log 2>&1\n"


def started(tree: dict[str, str]) -> list[tuple[str, int, str, list[str]]]:
    """The starts of crontabs: the file and line that says when, the label, the files that are entered."""
    resolver = resolver_of({"train.py": "print(1)\n", "other.py": "print(2)\n", **tree})
    runs = list(service_runs(resolver.documents, resolver))
    found: dict[tuple[str, int, str], list[str]] = {}
    for run in cron_runs(resolver.documents, resolver, runs):
        place = run.start.evidence.location
        found.setdefault((place.path, place.line, run.start.label), []).extend(path for path, _ in run.entries)
    return [(*key, sorted(set(paths))) for key, paths in found.items()]


@pytest.mark.parametrize(
    "start",
    [
        DAEMON,
        "CMD cron && tail -f /var/log/cron.log\n",
        'ENTRYPOINT ["/usr/sbin/crond", "-f"]\n',
        'CMD ["/usr/bin/supervisord"]\n',
        'ENTRYPOINT ["/app/start.sh"]\n',
        'CMD ["supercronic", "/etc/cron.d/table"]\n',
    ],
)
def test_image_that_runs_cron(start: str) -> None:
    tree = {
        "Dockerfile": TAKEN + start,
        "jobs/table": f"SHELL=/bin/bash\n# at night\n{NIGHTLY}",
        "supervisord.conf": "[program:cron]\ncommand=cron -f\n",
        "start.sh": "#!/bin/sh\nservice cron start\nexec uvicorn app:app\n",
    }
    assert started(tree) == [("jobs/table", 3, "cron 0 3 * * *", ["train.py"])]


@pytest.mark.parametrize(
    ("image", "table"),
    [
        (f"{TAKEN}CMD python app.py\n", NIGHTLY),
        (f"{TAKEN}CMD python cronyism.py\n", NIGHTLY),
        (f"{IMAGE}COPY jobs/table /app/table\n{DAEMON}", NIGHTLY),
        (f"{TAKEN}{DAEMON}", f"# {NIGHTLY}"),
        (f"{TAKEN}{DAEMON}", "at night python train.py\n"),
        (f"{TAKEN}{DAEMON}", "3 * * python train.py\n"),
        (f'{TAKEN}ENTRYPOINT ["/app/start.sh"]\n', NIGHTLY),
        (f'{TAKEN}CMD ["supervisord"]\n', NIGHTLY),
    ],
    ids=[
        "no daemon",
        "other word",
        "other place",
        "comment",
        "prose",
        "two fields less",
        "no daemon in script",
        "none",
    ],
)
def test_what_starts_nothing(image: str, table: str) -> None:
    tree = {"Dockerfile": image, "jobs/table": table, "start.sh": "# cron -f\nuvicorn app:app\n"}
    assert started({**tree, "supervisord.conf": "[program:api]\ncommand=uvicorn app:app\n"}) == []


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("0 3 * * 1 root cd /app && python train.py", "cron 0 3 * * 1"),
        ("*/30 1-5 * JAN,FEB MON appuser /usr/local/bin/python /app/train.py", "cron */30 1-5 * JAN,FEB MON"),
        ("@weekly bash /app/run.sh", "cron @weekly"),
        ("0 3 * * * /app/run.sh > /proc/1/fd/1 2>&1", "cron 0 3 * * *"),
    ],
)
def test_lines(line: str, label: str) -> None:
    tree = {"Dockerfile": TAKEN + DAEMON, "jobs/table": f"{line}\n", "run.sh": "#!/bin/bash\npython train.py\n"}
    assert started(tree) == [("jobs/table", 1, label, ["train.py"])]


def test_a_line_in_the_image(tmp_path: object) -> None:
    for write in (
        "RUN echo '0 3 * * * cd /app && python train.py' > /etc/cron.d/a && crontab /etc/cron.d/a",
        "RUN apt-get install -y cron && echo '0 3 * * * python /app/train.py' | crontab -",
    ):
        assert started({"Dockerfile": f"{IMAGE}{write}\n{DAEMON}"}) == [
            ("Dockerfile", 4, "cron 0 3 * * *", ["train.py"])
        ]
    assert started({"Dockerfile": f"{IMAGE}RUN echo '0 3 * * * python train.py' > note.txt # cron\n{DAEMON}"}) == []


def test_services() -> None:
    compose = "services:\n  jobs:\n    build: {{context: ., dockerfile: docker/Dockerfile}}\n    command: {}\n"
    tree = {"docker/Dockerfile": f"{TAKEN}CMD python app.py\n", "jobs/table": NIGHTLY}
    assert len(started({**tree, "compose.yaml": compose.format("cron -f")})) == 1
    assert started({**tree, "compose.yaml": compose.format("python app.py")}) == []
    supercronic = {"compose.yaml": compose.format("supercronic -debug /app/jobs/table"), "jobs/table": NIGHTLY}
    assert len(started({**supercronic, "docker/Dockerfile": IMAGE})) == 1


@pytest.mark.parametrize(
    ("image", "labels", "found"),
    [
        (
            "mcuadros/ofelia",
            "{ofelia.enabled: 'true', ofelia.job-exec.a.schedule: '@daily', ofelia.job-exec.a.command: W}",
            1,
        ),
        ("mcuadros/ofelia", "[ofelia.job-local.a.schedule=@daily, ofelia.job-local.a.command=W]", 1),
        ("mcuadros/ofelia", "{ofelia.job-exec.a.schedule: '@daily', ofelia.job-exec.b.command: W}", 0),
        ("redis", "{ofelia.job-exec.a.schedule: '@daily', ofelia.job-exec.a.command: W}", 0),
    ],
)
def test_labels_of_ofelia(image: str, labels: str, found: int) -> None:
    labels = labels.replace("W", "python train.py")
    compose = f"services:\n  clock: {{image: {image}}}\n  model:\n    build: .\n    labels: {labels}\n"
    runs = started({"compose.yaml": compose, "Dockerfile": IMAGE})
    assert runs == [("compose.yaml", 5, "cron @daily", ["train.py"])] * found
