"""Reading back what was acknowledged: over the API, as its callers would, and by the command that operators have."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException

from tests.faults.load import Acknowledged, Line, Load
from tests.faults.site import ROOT

#: So many singles are read over the API, and every batch; all messages are read from the tables.
SINGLES = 200
ANSWER_WITHIN_S = 60
AUDIT_WITHIN_S = 120
BUSY = "try again"


def by_audit(acknowledged: Sequence[Acknowledged]) -> list[str]:
    """What ``manage.py audit`` says that does not fit; the workers have to have ended."""
    ids = "".join(f"{each.id}\n" for each in acknowledged if not each.is_batch)
    while True:
        run = subprocess.run(
            [sys.executable, "manage.py", "audit", "--skip-checks", "--ids", "-"],
            cwd=ROOT,
            input=ids,
            capture_output=True,
            text=True,
            timeout=AUDIT_WITHIN_S,
            check=False,
        )
        if run.returncode == 0:
            return []
        # The server may still hold what a killed worker had locked.
        if BUSY not in run.stderr:
            return [f"the audit: {run.stdout[-3000:]} {run.stderr[-1000:]}"]
        time.sleep(0.5)


def over_api(load: Load) -> list[str]:
    """Ask for some of what was acknowledged, as its caller would; what is not as it should be."""
    line = Line(port=load.port, secret=load.secret)
    batches = [each for each in load.acknowledged if each.is_batch]
    singles = [each for each in load.acknowledged if not each.is_batch]
    differences = []
    for each in batches:
        status, answer = _asked_for(line, f"/api/v1/batches/{each.id}")
        if status != 200 or answer.get("accepted") != each.messages:
            differences.append(f"batch {each.name} reads as {status} {answer}")
    for each in singles[:: max(1, len(singles) // SINGLES)]:
        status, answer = _asked_for(line, f"/api/v1/messages/{each.id}")
        if status != 200 or answer.get("reference") != f"{each.name}-0":
            differences.append(f"message {each.name} reads as {status} {answer}")
    line.hang_up()
    return differences


def _asked_for(line: Line, path: str) -> tuple[int, Mapping[str, object]]:
    until = time.monotonic() + ANSWER_WITHIN_S
    while True:
        try:
            return line.get(path)
        except (OSError, HTTPException, ValueError):
            line.hang_up()
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
