"""Web and workers of the installation under fire, under the product's own supervisor: ``CLUSTERS PAUSE [SWEEP]``.

PAUSE is how long a program that died waits for its next start; with SWEEP seconds, a sweep runs that often.
"""

import sys

from pushcenter import programs
from pushcenter.supervisor import Supervisor


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(clusters: str, pause: str, sweep: str = "") -> None:
    # A short lease is against the rules for real adapters, and the checks would say so.
    options = ["--skip-checks"] if sweep else []
    those = [programs.web()]
    those += [
        programs.manage(f"worker-{number}", "qcluster", *options) for number in range(1, int(clusters) + 1)
    ]
    if sweep:
        those.append(programs.manage("sweep", "sweep", "--every", sweep, *options))
    Supervisor(those, say=say, first_pause=float(pause)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
