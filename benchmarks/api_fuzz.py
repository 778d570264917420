"""Generated requests against the API's own document (result 5 of "The operator's dashboard").

python -m benchmarks.api_fuzz [--cases 2000]

Schemathesis makes requests from the OpenAPI document, those that keep to it and those that do not,
and sends them to a real dashboard over a real Redis. Counts answers of 500 and above, and answers
that are not as the document says. Nothing that is probed is opened: no jobs process runs.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks.system import machine, print_result, running_dashboard

CHECKS: Final = [
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
CAMERAS: Final = 3


@dataclass
class Findings:
    """What came back."""

    cases: Counter[str] = field(default_factory=Counter)
    """By operation."""
    statuses: Counter[int] = field(default_factory=Counter)
    server_errors: list[str] = field(default_factory=list)
    """`METHOD path: status`."""
    unlike_the_document: list[str] = field(default_factory=list)


def fuzz(
    url: str,
    headers: dict[str, str],
    cases: int,
    camera_ids: Callable[[], list[str]],
    seed_number: int = 1,
) -> Findings:
    """Send at least `cases` generated requests.

    About half of those that name a camera name one that exists, the first of `camera_ids`, and
    about half of those that carry an address carry a good one.
    """
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", headers=headers)
    results: list[Any] = list(schema.get_all_operations())
    operations = [one for one in (result.ok() for result in results) if not _is_endless(one)]
    findings = Findings()
    each = -(-cases // (2 * len(operations)))
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _put(operation, mode, headers, each, camera_ids, findings, seed_number)
    return findings


def _is_endless(operation: Any) -> bool:
    """A stream of events, of which no answer ever ends."""
    return "text/event-stream" in str(operation.definition.raw["responses"])


def _put(
    operation: Any,
    mode: GenerationMode,
    headers: dict[str, str],
    cases: int,
    camera_ids: Callable[[], list[str]],
    findings: Findings,
    seed_number: int,
) -> None:
    try:
        strategy = operation.as_strategy(generation_mode=mode)
    except Exception:  # an operation that takes nothing cannot be asked wrongly
        strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    left = cases

    @seed(seed_number)
    @settings(
        max_examples=cases,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, existing=st.booleans())
    def send(case: Any, existing: bool) -> None:
        nonlocal left
        if existing and "camera_id" in (case.path_parameters or {}):
            case.path_parameters["camera_id"] = camera_ids()[0]
        if existing and isinstance(case.body, dict) and "source" in case.body:
            case.body["source"] = "demo:"  # hardly any generated text is an address
        _look_at(case, case.call(headers=headers), findings)
        left -= 1

    send()
    while left > 0:  # few different requests exist; the same ones again count as well
        before = left
        send()
        if left == before:
            return


def _look_at(case: Any, response: Any, findings: Findings) -> None:
    name = f"{case.method} {case.path}"
    findings.cases[name] += 1
    findings.statuses[response.status_code] += 1
    if response.status_code >= 500:
        findings.server_errors.append(f"{name}: {response.status_code} {response.text[:200]}")
        return
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as failures:
        findings.unlike_the_document += [
            f"{name}: {response.status_code} {failure}" for failure in failures.exceptions
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with running_dashboard() as system:

        def camera_ids() -> list[str]:
            cameras = system.cameras()
            for number in range(CAMERAS - len(cameras)):
                body = {"name": f"again {number} {time.time()}", "source": "demo:"}
                system.call("POST", "/api/v1/cameras", body)
            return [camera.id for camera in cameras or system.cameras()]

        findings = fuzz(system.url, system.authorization(), options.cases, camera_ids)
        log = system.log.read_text(errors="replace")
    print(f"{findings.cases.total()} requests, {machine()}")
    for name, count in sorted(findings.cases.items()):
        print(f"  {count:5} {name}")
    print("  by status:", dict(sorted(findings.statuses.items())))
    for line in [*findings.server_errors, *findings.unlike_the_document][:20]:
        print("  !", line)
    errors, unlike = len(findings.server_errors), len(findings.unlike_the_document)
    enough = findings.cases.total() >= options.cases
    print_result("D5 answers of 500 and above", errors, "", "0", errors == 0 and enough)
    print_result("D5 answers unlike the document", unlike, "", "0", unlike == 0)
    tracebacks = log.count("Traceback")
    print_result("D5 tracebacks in the log", tracebacks, "", "0", tracebacks == 0)
    if errors or unlike or tracebacks or not enough:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
