"""Containers that CI starts where they stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.detectors.rollouts import started
from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, practice, scan_tree

NAME = "deploy/as-code"
APP = (
    "import joblib\nfrom flask import Flask, request\n\napp = Flask(__name__)\nmodel = joblib.load('m')\n\n\n"
    "@app.route('/p')\ndef p():\n    return model.predict(request.json)\n"
)
IMAGE: Tree = {**ML, "app.py": APP, "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["flask", "run"]\n'}
RUN = (
    "docker run -d -p 80:8080 --name=scorer -e 'KEY=${{ secrets.KEY }}' "
    "${{ secrets.REGISTRY }}/${{ secrets.NAME }}:latest"
)


def workflow(run: str = RUN, machine: str = "self-hosted", push: str = "docker push $REGISTRY/$NAME:latest") -> str:
    return (
        "on: [push]\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"
        f"      - run: docker build -t $REGISTRY/$NAME:latest .\n      - run: {push}\n"
        f"  deploy:\n    needs: build\n    runs-on: {machine}\n    steps:\n{run}"
    )


def step(text: str) -> str:
    return f"      - run: |\n          {text}\n"


SSH = f"      - uses: appleboy/ssh-action@v1\n        with:\n          host: h\n          script: {RUN}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (workflow(step(RUN)), Grade.WIRED),
        (workflow(step(RUN), "[self-hosted, gpu]"), Grade.WIRED),
        (workflow(step(RUN), "{labels: [self-hosted]}"), Grade.WIRED),
        (workflow(SSH, "ubuntu-latest"), Grade.WIRED),
        (workflow(step("docker run -d -p 80:80 scorer:1"), push="docker push r/scorer:1"), Grade.WIRED),
        (workflow(step(RUN), "ubuntu-latest"), Grade.ABSENT),  # it ends with the job
        (workflow(step(f"# {RUN}")), Grade.ABSENT),
        (workflow(step(f"echo '{RUN}'")), Grade.ABSENT),
        (workflow(step(RUN.replace("-d ", ""))), Grade.ABSENT),
        (workflow(step("docker run -d -p 5432:5432 postgres:16")), Grade.ABSENT),
        (workflow(step("docker run -d -p 5432:5432 postgres:${{ env.PG }}")), Grade.ABSENT),
        (workflow(step(RUN) + step("curl localhost") + step("docker stop scorer")), Grade.ABSENT),
        (workflow(step("docker rm -f scorer || true") + step(RUN)), Grade.WIRED),
        (workflow(step(RUN), push="docker images"), Grade.ABSENT),
        (workflow(step(RUN)).replace("on: [push]", "on: [workflow_dispatch]"), Grade.IMPLEMENTED),
    ],
)
def test_what_ci_starts(tmp_path: Path, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**IMAGE, ".github/workflows/ci.yml": text}), NAME) is expected


def test_an_image_without_a_model(tmp_path: Path) -> None:
    site = {**ML, "web/Dockerfile": "FROM nginx\nCOPY index.html /\n", "web/index.html": "<html></html>"}
    text = workflow(step(RUN)).replace("latest .", "latest web")
    assert grade(scan_tree(tmp_path, {**site, ".github/workflows/ci.yml": text}), NAME) is Grade.ABSENT


def test_the_evidence(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**IMAGE, ".github/workflows/ci.yml": workflow(step(RUN))})
    assert [evidence.location.line for evidence in practice(report, NAME).evidence][:2] == [14, 8]


@pytest.mark.parametrize(
    ("command", "image"),
    [
        ("docker run -d -p 80:80 a", "a"),
        ("docker run -dp 80:80 a", "a"),
        ("docker run -itd -p80:80 a", "a"),
        ("docker run -edata=1 -p 80:80 a", ""),
        ("podman run --detach --publish=80:80 a b", "a"),
        ("docker run --network host -d a", "a"),
        ("docker run --network net -d a", ""),
        ("docker run -d a", ""),
        ("docker run --rm -p 80:80 a", ""),
        ("docker start -d -p 80:80 a", ""),
        ("docker run -d -p 80:80", ""),
        ("docker run", ""),
    ],
)
def test_the_image_of_a_command(command: str, image: str) -> None:
    assert started(tuple(command.split())) == image


PULLS = "ssh -o StrictHostKeyChecking=no app@${{ secrets.HOST }} "
COPY = "      - uses: appleboy/scp-action@v1\n        with: {host: h, source: ., target: /opt/app}\n"


def deploying(*lines: str, machine: str = "ubuntu-latest", before: str = "") -> str:
    """A workflow with one job that runs some lines in one step."""
    body = "".join(f"          {line}\n" for line in lines)
    return f"on: [push]\njobs:\n  up:\n    runs-on: {machine}\n    steps:\n{before}      - run: |\n{body}"


def by_action(*lines: str, before: str = "") -> str:
    body = "".join(f"            {line}\n" for line in lines)
    head = "on: [push]\njobs:\n  up:\n    runs-on: ubuntu-latest\n    steps:\n"
    return f"{head}{before}      - uses: appleboy/ssh-action@v1\n        with:\n          script: |\n{body}"


@pytest.mark.parametrize(
    "text",
    [
        deploying(PULLS + '"cd app && git pull && docker compose up -d --build"'),
        deploying(PULLS + '"cd app && git pull && sudo systemctl restart scorer"'),
        deploying("rsync -az . app@h:/opt/app", PULLS + "'sudo service scorer restart'"),
        deploying(PULLS + "<< 'END'", "  cd app", "  git pull", "  sudo systemctl restart scorer.service", "END"),
        deploying(PULLS + "'bash -s' <<END", "git pull", "pm2 restart scorer", "END"),
        deploying("sshpass -p $PASS " + PULLS + "'git pull && nohup uvicorn app:app --port 80'"),
        deploying("gcloud compute ssh vm --zone=z --command='docker pull r/scorer && docker restart scorer'"),
        by_action("pip install -r requirements.txt", "sudo systemctl restart scorer", before=COPY),
        deploying("git pull", "sudo systemctl restart scorer", machine="self-hosted"),
    ],
)
def test_services_that_are_started_again_on_a_machine_of_ones_own(tmp_path: Path, text: str) -> None:
    tree = {**IMAGE, "docker-compose.yml": "services:\n  api:\n    build: .\n", ".github/workflows/ci.yml": text}
    assert grade(scan_tree(tmp_path, tree), "cd/model-deploy") is Grade.WIRED


@pytest.mark.parametrize(
    "text",
    [
        deploying("git pull", "sudo systemctl restart scorer"),  # the machine ends with the job
        deploying(PULLS + "'git pull && sudo systemctl restart nginx'"),
        deploying(PULLS + "'git pull && sudo systemctl restart postgres-exporter'"),
        deploying(PULLS + "'sudo systemctl restart scorer'"),  # with what it had before
        deploying(PULLS + "'git pull && systemctl status scorer'"),
        deploying(f'# {PULLS}"git pull && systemctl restart scorer"', "ls"),
        deploying(f"echo '{PULLS} git pull && systemctl restart scorer'"),
        deploying("ssh -N -L 5000:localhost:5000 app@h", "ssh-keyscan h >> known_hosts"),
        deploying("cat << END", "git pull", "systemctl restart scorer", "END"),
        deploying("pip install -r requirements.txt", "uvicorn app:app & sleep 5", machine="self-hosted"),
    ],
)
def test_what_starts_no_service_that_stays(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**IMAGE, ".github/workflows/ci.yml": text}), "cd/model-deploy") is Grade.ABSENT


def test_a_service_that_is_started_again_where_there_is_none_here(tmp_path: Path) -> None:
    text = deploying(PULLS + '"cd app && git pull && sudo systemctl restart scorer"')
    assert grade(scan_tree(tmp_path, {**ML, ".github/workflows/ci.yml": text}), "cd/model-deploy") is Grade.ABSENT
