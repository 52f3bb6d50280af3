"""Judges that are written for Node: each a small program here, which reads JSON and answers JSON.

Tests that ask one are marked ``node``; `make judges` installs what the programs import.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def ask(judge: str, question: Any) -> Any:
    """What the program ``judge``.js says."""
    run = subprocess.run(
        ["node", f"{judge}.js"],
        cwd=HERE,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
