"""A report as a file for spreadsheets."""

import csv
import io

from analytics_app.models import MEASURES
from analytics_app.report import Report

#: Tells spreadsheets that the file is UTF-8, without which they show Chinese as nonsense.
BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report) -> str:
    """One line for each row of the report, with every measure."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([report.query.group, *MEASURES])
    for line in report.lines:
        writer.writerow([harmless(line.label), *(line.figures.sums[name] for name in MEASURES)])
    return BOM + out.getvalue()


def harmless(text: str) -> str:
    """Text that a spreadsheet does not take for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(FORMULA) else text
