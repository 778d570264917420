"""The `maskwatch` command."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from contract.cameras.camera import Camera, make_camera
from contract.errors import CameraConfigError, CameraNotFoundError, MaskwatchError
from maskwatch import (
    __version__,
    accounts,
    backup_commands,
    camera_files,
    networks,
    redis_commands,
)
from maskwatch.connection import bus_here, cameras_here
from maskwatch.shapes import parse_named, parse_points
from runtime.logs import configure_logging
from runtime.own_files import keep_private, words_at_the_edge
from runtime.settings import Settings, load_settings
from runtime.stage import run_stage

if TYPE_CHECKING:
    from models.cli import ModelStatus


class _Commands(click.Group):
    """Prints Maskwatch's own errors, and those of files, as one line on standard error.

    The exit status is 2 then.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MaskwatchError as error:
            click.echo(f"maskwatch: {error}", err=True)
            sys.exit(2)
        except OSError as error:
            if not (words := words_at_the_edge(error)):
                raise
            click.echo(f"maskwatch: {words}", err=True)
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="maskwatch")
def main() -> None:
    """Watch many cameras at once and count how many people wear a mask."""
    keep_private()


@main.command()
@click.argument("cameras", nargs=-1, metavar="[NAME=URL]...")
@click.option("--cameras", "more", envvar="CAMERAS", default="", help="The same pairs as one text.")
def run(cameras: tuple[str, ...], more: str) -> None:
    """Run the whole system on this machine. Without registered cameras, demo cameras are added."""
    from maskwatch.run import parse_cameras, run_everything

    settings = load_settings()
    configure_logging("run", settings.log_level, settings.log_format)
    run_everything(settings, parse_cameras(" ".join([*cameras, more])))


def _stage(name: str, load: Callable[[], Callable[[Settings], None]], words: str) -> None:
    @main.command(name, help=words)
    def command() -> None:
        run_stage(name, lambda settings: load()(settings))


def _ingest() -> Callable[[Settings], None]:
    from ingest.process.service import run

    return run


def _worker() -> Callable[[Settings], None]:
    from worker.service import run

    return run


def _jobs() -> Callable[[Settings], None]:
    from ingest.process.jobs import run

    return run


def _images() -> Callable[[Settings], None]:
    from worker.uploads.image_jobs import run

    return run


def _recordings() -> Callable[[Settings], None]:
    from worker.uploads.recording_jobs import run

    return run


def _alerts() -> Callable[[Settings], None]:
    from alerts.service import run

    return run


def _dashboard() -> Callable[[Settings], None]:
    from dashboard.serving.server import run

    return run


_stage("ingest", _ingest, "Run an ingest process; several share the cameras.")
_stage("worker", _worker, "Run a worker; several share the cameras.")
_stage("jobs", _jobs, "Run a worker for camera tests.")
_stage("images", _images, "Run a worker for uploaded images.")
_stage("recordings", _recordings, "Run a worker for uploaded recordings.")
_stage("alerts", _alerts, "Run an alerts process, which evaluates alert rules and notifies people.")
_stage("dashboard", _dashboard, "Run the dashboard.")


for _group in (
    networks.train,
    networks.refine,
    networks.evaluate,
    networks.export,
    accounts.user,
    accounts.api_key,
    accounts.secret_key,
    backup_commands.backup,
    backup_commands.restore,
    backup_commands.redis_loss,
    redis_commands.redis_acl,
):
    main.add_command(_group)


@main.group()
def camera() -> None:
    """Register, list and remove cameras."""


camera.add_command(camera_files.export_cameras)
camera.add_command(camera_files.import_cameras)


def _camera_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for a camera's settings other than its name and source."""
    options = [
        click.option("--group", help="The camera's location, such as 'Terminal 2'."),
        click.option("--analysis-fps", type=float, help="Frames analysed per second (default 8)."),
        click.option("--jpeg-quality", type=int, help="30 to 100 (default 85)."),
        click.option("--max-width", type=int, help="Widest frame kept, in pixels (default 1920)."),
        click.option(
            "--rotate",
            type=click.Choice(["0", "90", "180", "270"]),
            help="Degrees clockwise to turn the picture; shapes turn with it.",
        ),
        click.option(
            "--aspect",
            metavar="W:H",
            help="Width to height of the whole picture before it is turned, such as 16:9; '' keeps "
            "what the stream says.",
        ),
        click.option(
            "--stream", type=int, help="Which of several videos, from 1; 0 chooses the best."
        ),
        click.option(
            "--detector",
            type=click.Choice(["maskwatch", "yunet", "ssd"]),
            help="Face detector for this camera.",
        ),
        click.option(
            "--detector-width",
            type=click.Choice(["640", "960", "1280", "auto", ""]),
            help="Pixels to which pictures are scaled for the detector; auto follows the faces, "
            "'' takes the setting of all cameras.",
        ),
        click.option(
            "--line",
            "lines",
            multiple=True,
            metavar="NAME=POINTS",
            help="Count people who cross this line, such as 'Door=0.1,0.6 0.9,0.6'; points are "
            "0..1 of the picture. For a line from left to right, `in` is downwards. May be given "
            "several times.",
        ),
        click.option(
            "--zone",
            "zones",
            multiple=True,
            metavar="NAME=POINTS",
            help="Count only people who enter this area (or another zone).",
        ),
        click.option(
            "--ignore",
            "ignored",
            multiple=True,
            metavar="POINTS",
            help="Ignore faces in this area, such as a poster, a screen or a mirror.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the given options as fields of a camera."""
    shapes: dict[str, list[Any]] = {
        "lines": [parse_named(text, "line") for text in options.pop("lines")],
        "zones": [parse_named(text, "zone") for text in options.pop("zones")],
        "ignored": [parse_points(text, "ignore") for text in options.pop("ignored")],
    }
    given = {option: value for option, value in options.items() if value is not None}
    return {**given, **{field: found for field, found in shapes.items() if found}}


@camera.command("add")
@click.argument("name")
@click.argument("source")
@_camera_options
def camera_add(name: str, source: str, **options: Any) -> None:
    """Register the camera NAME. SOURCE: rtsp:// or http:// address, webcam (0), file, or demo:."""
    added = cameras_here().add(make_camera(name=name, source=source, **_given(options)))
    click.echo(f"{added.id}  {added.name}  {added.redacted_source}")


@camera.command("change")
@click.argument("name_or_id")
@_camera_options
@click.option(
    "--clear",
    multiple=True,
    type=click.Choice(["lines", "zones", "ignored"]),
    help="Remove all shapes of this kind first.",
)
def camera_change(name_or_id: str, clear: tuple[str, ...], **options: Any) -> None:
    """Change a camera's settings. New lines, zones and ignored areas replace existing ones."""
    registry = cameras_here()
    changes = {**dict.fromkeys(clear, ()), **_given(options)}
    if not changes:
        raise CameraConfigError("nothing to change; see `maskwatch camera change --help`")
    changed = registry.update(_find(registry.all(), name_or_id).id, **changes)
    shapes = f"{len(changed.lines)} lines, {len(changed.zones)} zones"
    click.echo(f"{changed.id}  {changed.name}  {shapes}, {len(changed.ignored)} ignored areas")


@camera.command("list")
def camera_list() -> None:
    """Show every camera, its state and its error."""
    bus = bus_here()
    cameras = bus.cameras.all()
    states = bus.statuses.read(cameras)
    for one in cameras:
        status = states[one.id]
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(status.since_s))
        picture = f"{status.width}x{status.height} {status.fps:.1f} fps {status.codec}"
        detail = picture if status.state == "live" else status.error
        click.echo(
            f"{one.id}  {one.name:<24} {status.state:<10} since {since}  "
            f"{one.redacted_source}  {detail}"
        )
    if not cameras:
        click.echo("no cameras; add one with `maskwatch camera add NAME SOURCE`")


@camera.command("remove")
@click.argument("name_or_id")
def camera_remove(name_or_id: str) -> None:
    """Remove a camera and delete its counts."""
    registry = cameras_here()
    found = _find(registry.all(), name_or_id)
    registry.remove(found.id)
    click.echo(f"removed {found.name}")


def _find(cameras: list[Camera], name_or_id: str) -> Camera:
    for one in cameras:
        if name_or_id in {one.id, one.name}:
            return one
    raise CameraNotFoundError(f"no camera has the name or id {name_or_id!r}")


@main.group()
def models() -> None:
    """Download and check the files of networks."""


@models.command("list")
def models_list() -> None:
    """Show the known files, their paths and their terms."""
    from models.cli import list_models

    _show_models(list_models(load_settings().where_models_are))


@models.command("verify")
def models_verify() -> None:
    """Check every downloaded file against its published sha256."""
    from models.cli import verify_models

    statuses = verify_models(load_settings().where_models_are)
    _show_models(statuses)
    if any(status.state == "wrong" for status in statuses):
        sys.exit(1)


def _show_models(statuses: Sequence[ModelStatus]) -> None:
    for status in statuses:
        where = str(status.path or "")
        click.echo(
            f"{status.file.name:<26} {status.state:<8} {status.file.size_bytes / 1e6:6.1f} MB  "
            f"{status.file.purpose} ({status.file.terms})  {where}"
        )


@models.command("pull")
@click.argument("names", nargs=-1)
def models_pull(names: tuple[str, ...]) -> None:
    """Download the named networks, which do not ship with Maskwatch, and verify them."""
    from models.cli import pull_models

    settings = load_settings()
    if not names:
        click.echo("nothing to download; name a network from `maskwatch models list`")
    for path in pull_models(names, settings.where_models_are, settings.models_url):
        click.echo(f"downloaded and verified {path}")


if __name__ == "__main__":
    main()
