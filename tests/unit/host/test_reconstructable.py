"""Jobs that are found again by the place of their code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import segue as sg
from segue.host.reconstruct import ReconstructableJob


@sg.op
def one() -> int:
    return 1


@sg.op
def plus(x: int) -> int:
    return x + 1


@sg.job(name="counting")
def count() -> None:
    plus(one())


@sg.graph
def counting_graph() -> None:
    plus(one())


def made() -> sg.JobDefinition:
    return count


def made_with(step: str, twice: bool = False) -> sg.JobDefinition:
    return counting_graph.to_job(name=f"{step}_{twice}")


def nothing() -> None:
    pass


made_by_lambda = lambda: count  # noqa: E731 reason: that one is refused is what is tested
put_together = counting_graph.to_job(name="put_together")


def test_a_decorated_job_and_a_function_are_found_again() -> None:
    assert sg.reconstructable(count).get_definition() is count
    assert sg.reconstructable(made).get_definition() is count
    assert sg.reconstructable(count).job_name == "counting"
    assert sg.reconstructable(count) == sg.reconstructable(count)


def test_it_survives_json() -> None:
    job = sg.build_reconstructable_job(__name__, "made_with", ("a",), {"twice": True})
    again = ReconstructableJob.from_dict(json.loads(json.dumps(job.to_dict())))
    assert again == job
    assert again.get_definition().name == "a_True"
    part = sg.reconstructable(count).get_subset(op_selection=["one"])
    assert ReconstructableJob.from_dict(json.loads(json.dumps(part.to_dict()))).op_selection == {"one"}


def test_a_part_of_a_job_of_assets_survives_json() -> None:
    key, check = sg.AssetKey(["shop", "orders"]), sg.AssetCheckKey(sg.AssetKey("a"), "full")
    part = sg.reconstructable(count).get_subset(asset_selection={key}, asset_check_selection={check})
    again = ReconstructableJob.from_dict(json.loads(json.dumps(part.to_dict())))
    assert again == part
    assert (again.asset_selection, again.asset_check_selection) == ({key}, {check})
    assert part.describe().startswith('"counting" in ')
    assert __name__ in part.describe()


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (made_by_lambda, "does not accept a lambda"),
        (made_with, r"must not require arguments.*build_reconstructable_job\(.*'made_with'"),
        (put_together, "write a function without parameters"),
        (counting_graph, "write a function without parameters"),
        (42, "a function that returns the job"),
        (nothing, "must be a job or a function that returns one, got None"),
    ],
)
def test_what_cannot_be_found_again_is_refused(target: Any, said: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match=said):
        sg.reconstructable(target)


def test_what_stands_inside_of_a_function_is_refused() -> None:
    @sg.job
    def inner() -> None:
        one()

    with pytest.raises(sg.InvariantViolationError, match="module scope"):
        sg.reconstructable(inner)


def test_by_file_and_by_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nightly_jobs.py").write_text(
        "import segue as sg\n@sg.op\ndef step(): pass\n@sg.job\ndef nightly(): step()\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert ReconstructableJob.for_file("nightly_jobs.py", "nightly").get_definition().name == "nightly"
    assert ReconstructableJob.for_module("nightly_jobs", "nightly").get_module() == "nightly_jobs"
    with pytest.raises(sg.InvariantViolationError, match="'weekly' must be a name"):
        ReconstructableJob.for_file("nightly_jobs.py", "weekly")
    with pytest.raises(sg.LoadError):
        sg.build_reconstructable_job("no_such_module_here", "made")
