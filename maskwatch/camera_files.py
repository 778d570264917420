"""`maskwatch camera export` and `maskwatch camera import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract.errors import CameraFileError
from maskwatch.connection import bus_here, cameras_here
from runtime.own_files import write_whole

if TYPE_CHECKING:
    from dashboard.cameras.file.forms import Form
    from dashboard.cameras.file.plan import Plan, Row

WHO = "the command line"


def _form(path: Path) -> Form:
    ending = path.suffix.lower()
    if ending == ".csv":
        return "csv"
    if ending in {".yaml", ".yml"}:
        return "yaml"
    raise CameraFileError(f"{path}: expected a name that ends in .yaml, .yml or .csv")


@click.command("export")
@click.argument("path", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export_cameras(path: Path) -> None:
    """Write all cameras into a .yaml or .csv file, without passwords."""
    from dashboard.cameras.file.forms import write_cameras

    cameras = [camera for camera in cameras_here().all() if not camera.owner]
    write_whole(path, write_cameras(_form(path), cameras).encode())
    click.echo(f"{len(cameras)} cameras in {path}")


@click.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the changes without making them.")
@click.option("--partial", is_flag=True, help="Apply the valid cameras even if others have errors.")
@click.option(
    "--remove-missing",
    is_flag=True,
    help="Remove cameras that are not in the file, and delete their counts.",
)
def import_cameras(path: Path, dry_run: bool, partial: bool, remove_missing: bool) -> None:
    """Add and change cameras from a .yaml or .csv file. If one has errors, nothing is changed."""
    from dashboard.cameras.file.forms import read_cameras
    from dashboard.cameras.file.plan import carry_out, make_plan

    if partial and remove_missing:
        raise CameraFileError(
            "--partial and --remove-missing together would remove cameras whose row has errors; "
            "use one of them"
        )
    entries = read_cameras(_form(path), path.read_bytes())
    registry = cameras_here()
    revision = registry.revision()
    plan = make_plan(
        entries, registry.all(), lambda _role, _group: True, lambda _source: True, remove_missing
    )
    _show(plan)
    if dry_run:
        return
    refused = plan.of("refused")
    if refused and not partial:
        raise CameraFileError(f"{len(refused)} cameras have errors, so nothing was changed")
    carry_out(plan, registry, revision)
    bus_here().audit.write(WHO, "imported cameras", plan.words())


def _show(plan: Plan) -> None:
    for row in plan.rows:
        if row.outcome != "unchanged":
            click.echo("\n  ".join([_head(row), *_details(row)]))
    click.echo(plan.words())


def _head(row: Row) -> str:
    where = f"line {row.line}: " if row.line else ""
    return f"{where}{row.outcome}: {row.name}"


def _details(row: Row) -> list[str]:
    changed = [f"{change.field}: {change.before} -> {change.after}" for change in row.changes]
    wrong = [": ".join(filter(None, (found.field, found.detail))) for found in row.problems]
    return changed + wrong
