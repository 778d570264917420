"""Generates reference pages from the code: settings, metrics, API and commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Container, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from flask import Flask

from bus.bus import Bus
from contract.cameras.status import FAULT_KINDS
from dashboard.accounts.access import rule_of
from dashboard.api_document.document import METHODS, make_document
from dashboard.app import create_app
from dashboard.operations.metric_definitions import DEFINITIONS, Definition
from deploy.docs.markdown import code, no_html, page, table
from maskwatch import __version__
from maskwatch.cli import main
from runtime.settings import PREFIX as SETTING
from runtime.settings import Settings, load_settings
from runtime.vault import create_key_file, load_vault

HELP_WIDTH: Final = 100
KINDS: Final = "one of the [fault kinds](faults.md)"

_SETTINGS: Final = """\
Maskwatch reads its settings from the environment. It refuses an unknown name or an unusable value
and says what to write instead. [`.env` files and secrets](../how-to/compose.md) are the business
of whatever starts the processes."""
_METRICS: Final = """\
Prometheus reads these at `GET /metrics`. A scrape configuration, alert rules and two Grafana
dashboards are in `deploy/prometheus` and `deploy/grafana`. Redis keeps the totals: restarting or
adding a process changes none of them."""
_METRICS_END: Final = """\
For each camera, captured = analysed + dropped (without `malformed`) + in flight. `malformed`
counts entries that no frame could be read from. A refused commit changes nothing: `lease_lost`
means that another worker owns the camera, `not_newer` that the frame had been committed already.

**Many cameras.** An analysed camera takes 6 kB of each scrape. `GET /metrics?detail=summary` has
1.2 kB a camera: people, frames, faults, crossings, state, fitness, and quality problems only while
they exist. Faces in view, drops, discarded tracks, refused commits and ages of frames are added up
over all cameras, with an empty label `camera`; what one camera contributes is on its page. Set it
with `params: {detail: [summary]}` in the scrape configuration."""
_API: Final = """\
Every route needs a session or an API key, except where the role is *anyone*. A running dashboard
shows the whole document at `/api`, with every field, and serves it at `/api/v1/openapi.json`
(OpenAPI 3.1). [Using the API](../how-to/api.md) explains compliance over time, events, `ETag`s
and errors."""
_COMMANDS: Final = """\
After `make run`, `maskwatch` is in `.venv/bin`. Every command reads the [settings](settings.md)
from the environment."""


def _allowed(schema: dict[str, Any]) -> str:
    """Return the allowed values of a setting, from its JSON schema."""
    schema = schema | schema.get("anyOf", [{}])[0]
    if choices := schema.get("enum"):
        return ", ".join(map(code, choices))
    if schema["type"] == "boolean":
        return "`true`, `false`"
    bounds = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    return ", ".join(f"{words} {schema[name]}" for name, words in bounds.items() if name in schema)


def settings_page() -> str:
    """Return the page of settings: default, allowed values and meaning of each."""
    schemas = Settings.model_json_schema()["properties"]
    rows = []
    for name, one in Settings.model_fields.items():
        default = "unset" if one.default is None else code(one.default) or "empty"
        words = no_html(one.description or "")
        rows.append((code(SETTING + name.upper()), default, words, _allowed(schemas[name])))
    return page("Settings", _SETTINGS, table(("Setting", "Default", "Meaning", "Allowed"), rows))


def metric_name(definition: Definition) -> str:
    """Return a metric's name in Prometheus, with its labels."""
    labels = f"{{{','.join(definition.labels)}}}" if definition.labels else ""
    return definition.name + ("_total" if definition.kind == "counter" else "") + labels


def _meaning(definition: Definition) -> str:
    values = (
        f"`{label}`: {KINDS if known is FAULT_KINDS else ', '.join(map(code, known))}."
        for label, known in definition.labels.items()
        if known is not None
    )
    return " ".join([no_html(definition.help), *values])


def metrics_page() -> str:
    """Return the page of metrics: labels with their values, kind and meaning of each."""
    rows = [(code(metric_name(one)), one.kind, _meaning(one)) for one in DEFINITIONS]
    table_of_them = table(("Metric", "Kind", "Meaning"), rows)
    return page("Metrics", _METRICS, table_of_them, _METRICS_END)


def make_app() -> Flask:
    """Return the dashboard's application, which connects to nothing before the first request."""
    with TemporaryDirectory() as folder:
        key = Path(folder) / "secret.key"
        create_key_file(key)
        vault = load_vault(key)
        settings = load_settings({}, redis_url="redis://127.0.0.1")
        return create_app(settings, Bus.open(settings, "documentation", vault), vault)


def in_document(rule: str) -> str:
    """Return a Flask route's path in the form of OpenAPI: `<int:id>` is `{id}`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def _summary(view: Any) -> str:
    return " ".join(inspect.cleandoc(view.__doc__ or "").partition("\n\n")[0].split())


def _role(role: str | None) -> str:
    return role or "anyone"


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            query = [p["name"] for p in one.get("parameters", ()) if p["in"] == "query"]
            answers = [status for status in one["responses"] if status < "300"]
            yield (
                one["tags"][0],
                (
                    code(f"{method.upper()} {path}"),
                    _role(one.get("x-role")),
                    "Deprecated. " * one.get("deprecated", False) + no_html(one["summary"]),
                    ", ".join(map(code, query)),
                    ", ".join(answers),
                ),
            )


def _other_routes(app: Flask, documented: Container[str]) -> Iterator[tuple[str, ...]]:
    for route in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        view = app.view_functions[route.endpoint]
        methods = [method for method in METHODS if method in (route.methods or ())]
        if route.endpoint == "static" or in_document(route.rule) in documented:
            continue
        rule = rule_of(view)
        yield (
            code(f"{', '.join(methods)} {in_document(route.rule)}"),
            _role(rule.role if rule else None),
            no_html(_summary(view)),
        )


def api_page() -> str:
    """Return the page of routes; those of the API come with parameters and answers."""
    app = make_app()
    document = make_document(app, __version__)
    by_tag: dict[str, list[tuple[str, ...]]] = {}
    for tag, row in _operations(document):
        by_tag.setdefault(tag, []).append(row)
    head = ("Route", "Role", "What it does", "Query", "Answers")
    blocks = [block for tag, rows in by_tag.items() for block in (f"## {tag}", table(head, rows))]
    others = table(("Route", "Role", "What it does"), _other_routes(app, document["paths"]))
    return page("API", _API, *blocks, "## Pages, pictures and health", others)


def commands(
    command: click.Command = main, names: tuple[str, ...] = ("maskwatch",)
) -> Iterator[tuple[str, click.Command]]:
    """Yield every command and subcommand with its full name."""
    yield " ".join(names), command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from commands(command.commands[name], (*names, name))


def commands_page() -> str:
    """Return the page of commands, each with the output of `--help`."""
    blocks = []
    for name, command in commands():
        context = click.Context(
            command,
            info_name=name,
            terminal_width=HELP_WIDTH,
            help_option_names=["-h", "--help"],
        )
        words = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        blocks += [f"## {name}", f"```text\n{words}\n```"]
    return page("Commands", _COMMANDS, *blocks)
