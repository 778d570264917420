"""Writes the Grafana dashboards from the definitions of the metrics.

python -m deploy.grafana.generate            # into deploy/grafana/dashboards
python -m deploy.grafana.generate FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from deploy.grafana.compliance_board import compliance_board
from deploy.grafana.operations_board import operations_board

FOLDER: Final = Path(__file__).with_name("dashboards")
BOARDS: Final = {"compliance.json": compliance_board, "operations.json": operations_board}
"""File names to what makes them."""


def write(folder: Path) -> None:
    """Write every dashboard into `folder`."""
    for name, make in BOARDS.items():
        text = json.dumps(make(), indent=2, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
