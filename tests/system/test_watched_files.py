"""`segue dev` reloads code when its files change: each change, and what stands in the file then."""

from __future__ import annotations

from pathlib import Path

from command_line import Project
from control_plane import control_plane

CODE = """
@sg.asset
def {name}():
    return 1


defs = sg.Definitions(assets=[{name}])
"""


def project_in(folder: Path, asset: str) -> Project:
    project = Project(folder / "project")
    project.define(CODE.format(name=asset))
    return project


def test_a_change_of_code_is_served_as_soon_as_it_is_written(tmp_path: Path) -> None:
    project = project_in(tmp_path, "a")
    with control_plane(project.folder, environment={"PYTHONDONTWRITEBYTECODE": ""}) as plane:
        seen = len(plane.lines)
        # As long as before, and most likely in the same second: to Python the compiled file looks up to date.
        project.define(CODE.format(name="b"))
        plane.wait_for_line("is loaded", after=seen)
        assert plane.run(assets=["b"])["status"] == "SUCCESS"
        assert plane.post("/api/runs", {"assets": ["a"]}).status == 422


def test_a_change_before_files_are_watched_is_not_lost(tmp_path: Path) -> None:
    project = project_in(tmp_path, "a")
    with control_plane(project.folder, served=False) as plane:
        plane.wait_for_line("is loaded")  # said before anything is served, and files are watched last of all
        seen = len(plane.lines)
        project.define(CODE.format(name="other"))
        plane.wait_for_line("is loaded", after=seen)
        plane.wait_until_served()
        assert plane.run(assets=["other"])["status"] == "SUCCESS"
