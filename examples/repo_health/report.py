"""What people look at: a chart and one HTML page that needs nothing beside it."""

import base64
from html import escape
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

import segue as dg
from repo_health.git import GitRepository

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .75rem;border-bottom:1px solid #ddd}
td.number{text-align:right;font-variant-numeric:tabular-nums}img{max-width:100%}"""


class OutputFolder(dg.ConfigurableResource):
    """Where chart and report are written."""

    path: str

    def write(self, name: str, content: bytes) -> Path:
        path = Path(self.path).resolve() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


@dg.asset(group_name="report", kinds={"matplotlib"}, owners=["team:engineering"])
def activity_chart(contributors_per_month: pl.DataFrame, output: OutputFolder) -> dg.MaterializeResult:
    """Commits and contributors per month, as a picture."""
    figure = Figure(figsize=(10, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.bar(contributors_per_month["month"], contributors_per_month["commits"], width=25, color="#7aa6c2")
    axes.set_ylabel("commits", color="#4d7c99")
    right = axes.twinx()
    right.plot(contributors_per_month["month"], contributors_per_month["contributors"], color="#c2410c")
    right.set_ylim(bottom=0)
    right.set_ylabel("contributors", color="#c2410c")
    path = output.write("activity.png", b"")
    figure.savefig(path, dpi=110)
    return dg.MaterializeResult(
        metadata={"chart": dg.MetadataValue.md(f"![activity]({_data_uri(path)})"), "path": dg.MetadataValue.path(path)}
    )


@dg.asset(group_name="report", kinds={"html"}, owners=["team:engineering"], deps=[activity_chart])
def report(
    contributors_per_month: pl.DataFrame, hotspots: pl.DataFrame, repository: GitRepository, output: OutputFolder
) -> dg.MaterializeResult:
    """The page: activity, the files to look at first, and the last twelve months."""
    months = contributors_per_month
    html = f"""<!doctype html><html lang="en"><meta charset="utf-8">
<title>Repository health</title><style>{STYLE}</style>
<h1>Health of {escape(Path(repository.path).resolve().name)}</h1>
<p>{months["commits"].sum()} commits from {months["month"].min()} to {months["month"].max()},
{months["newcomers"].sum()} contributors, {hotspots.height} files today.</p>
<h2>Activity</h2><img alt="Commits and contributors per month" src="{_data_uri(Path(output.path) / "activity.png")}">
<h2>Hotspots</h2><p>Score: lines ever changed times size in bytes today.</p>
{_table(hotspots.select("path", "score", "churn", "commits", "authors", "size").head(20))}
<h2>Last twelve months with commits</h2>{_table(months.tail(12).reverse())}</html>"""
    path = output.write("report.html", html.encode())
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(path), "bytes": path.stat().st_size})


def _data_uri(picture: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"


def _table(frame: pl.DataFrame) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in frame.columns)
    for row in frame.iter_rows():
        cells += "<tr>" + "".join(
            f'<td class="number">{value:,}</td>' if isinstance(value, int) else f"<td>{escape(str(value))}</td>"
            for value in row
        )
    return f"<table>{cells}</table>"
