"""The database is away for a while, or of another version: the control plane goes on by itself, or says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg
import pytest
from command_line import Project
from control_plane import control_plane
from outage import DEFINITIONS, go_through, times
from postgres_server import Server

from segue.daemon.loop import LEASE_SECONDS
from segue.storage.opening import open_control, open_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")


def test_loops_go_on_when_the_database_is_back_and_nothing_is_lost_or_doubled(
    tmp_path: Path, postgres_server: Server, postgres_url: str
) -> None:
    go_through(tmp_path, postgres_server, postgres_url, LEASE_SECONDS + 1.0)  # every lease has run out


@pytest.mark.parametrize(
    ("revision", "cure"),
    [("0001", "segue db upgrade"), ("9999", "pip install --upgrade segue")],
    ids=["older", "newer"],
)
def test_a_control_plane_of_another_version_is_refused_and_the_other_one_goes_on(
    tmp_path: Path, postgres_url: str, revision: str, cure: str
) -> None:
    project = Project(tmp_path, DEFINITIONS)
    environment = {"SEGUE_DATABASE": postgres_url}
    store = open_store(tmp_path / "unused", postgres_url)
    control = open_control(store)
    with control_plane(project.folder, command="serve", environment=environment) as plane:
        plane.wait_for(lambda: len(times(control)) >= 1)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            [(known,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
            other = project.run("serve", "--port", "0", environment=dict(environment))
            assert other.code == 1
            assert cure in other.err
            before = len(times(control))
            plane.wait_for(lambda: len(times(control)) > before)
            connection.execute("UPDATE alembic_version SET version_num = %s", [known])
    store.close()
