"""The rollup: changes that the flow wrote one by one are added to the hourly figures, and taken away."""

from django.db import connection

from analytics_app.models import MEASURES

GROUP = 50_000
KEY = ("hour", "system_id", "template_id", "channel")

# One statement, so that a change is either still a tally or already in its figure. Two that run at once take
# different tallies (SKIP LOCKED), and add to the same figures in the same order, so that neither waits for
# the other in a circle. A system or template that was deleted takes its figures with it.
FOLD = """
WITH gone AS (
    DELETE FROM messaging_tally
     WHERE id = ANY(ARRAY(SELECT id FROM messaging_tally ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
    RETURNING {key}, measure, amount
), summed AS (
    SELECT {key}, {sums} FROM gone WHERE measure = ANY(%(measures)s) GROUP BY {key}
), kept AS (
    INSERT INTO analytics_app_hourlystat ({key}, {measures})
    SELECT {key}, {measures} FROM summed
     WHERE EXISTS (SELECT 1 FROM access_system s WHERE s.id = system_id)
       AND EXISTS (SELECT 1 FROM templates_app_template t WHERE t.id = template_id)
     ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET {additions}
)
SELECT count(*) FROM gone
"""

STATEMENT = FOLD.format(
    key=", ".join(KEY),
    measures=", ".join(MEASURES),
    sums=", ".join(
        f"COALESCE(SUM(amount) FILTER (WHERE measure = '{name}'), 0) AS {name}" for name in MEASURES
    ),
    additions=", ".join(f"{name} = analytics_app_hourlystat.{name} + EXCLUDED.{name}" for name in MEASURES),
)


def run() -> int:
    """Fold all tallies that there are; the task that the worker runs every minute."""
    total = 0
    while folded := fold():
        total += folded
    return total


def fold(limit: int = GROUP) -> int:
    """Fold up to ``limit`` tallies; returns how many, so that a caller goes on until there are none."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"limit": limit, "measures": list(MEASURES)})
        return int(cursor.fetchone()[0])
