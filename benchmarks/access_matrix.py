"""Every route times every role and no role (result 4 of "The operator's dashboard").

python -m benchmarks.access_matrix

Tries each route of the URL map as thirteen kinds of visitors, and prints who came in where. The
same runs as a test, which also fails for a route without a rule.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.system import print_result
from bus.connection.client import connect
from bus.server.embedded import EmbeddedRedis
from dashboard.accounts.access import rule_of
from dashboard.live import picture_streams
from tests.accounts import make_app
from tests.integration.test_dashboard_access import WHO, Cell, matrix, routes


def main() -> None:
    picture_streams.SNAPSHOT_WAIT_S = 0.01  # type: ignore[misc]  # there is no picture to wait for
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            redis = connect(server.url)
            for who in WHO:
                redis.flushall()
                cells += matrix(make_app(redis), redis, who)
            app = make_app(redis)
        finally:
            server.stop()
    for request in dict.fromkeys(cell.request for cell in cells):
        admitted = [cell.who for cell in cells if cell.request == request and cell.admitted]
        print(f"{request:48} {', '.join(admitted)}")
    wrong = [cell for cell in cells if cell.expected is not cell.admitted]
    for cell in wrong:
        print("  !", cell)
    silent = [r.rule for _, r in routes(app) if rule_of(app.view_functions[r.endpoint]) is None]
    print_result("D4 routes without a rule", len(silent), "", "0", not silent)
    print_result(
        "D4 wrong answers",
        len(wrong),
        f"of {len(cells)} ({len(routes(app))} routes, {len(WHO)} visitors)",
        "0",
        not wrong,
    )
    if wrong or silent:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
