"""What wide.json calls join.py: make folds of the raw data, or a summary of the models."""

import json
import sys
from pathlib import Path

HOME = Path("/opt/ml/processing")
ROWS = "rows.txt"

if (HOME / "folds").is_dir():
    rows = (HOME / "input" / ROWS).read_text().split()
    (HOME / "folds" / ROWS).write_text("\n".join(reversed(rows)))
else:
    (HOME / "summary" / "models.json").write_text(json.dumps(sys.argv[1:]))
