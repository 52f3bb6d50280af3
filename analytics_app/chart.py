"""A report as a chart, in the form that Chart.js reads."""

import json
from typing import Any

from django.utils.translation import gettext as _

from analytics_app.report import Report

MOST_BARS = 20
#: Read well on light and on dark ground.
COLOURS = {
    "accepted": "#94a3b8",
    "sent": "#3b82f6",
    "delivered": "#10b981",
    "opened": "#a855f7",
    "lost": "#ef4444",
}
GREY = "#8a94a6"

OPTIONS = json.dumps({
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {
        "legend": {"display": True, "align": "start", "labels": {"color": GREY, "boxWidth": 10, "boxHeight": 10}}
    },
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"color": GREY, "maxRotation": 0, "autoSkipPadding": 16}},
        "y": {"beginAtZero": True, "ticks": {"color": GREY, "precision": 0}, "grid": {}},
    },
})  # fmt: skip


def chart(report: Report) -> dict[str, Any]:
    """``kind`` (line or bar), ``data`` and ``options``."""
    lines = report.lines if report.query.group == "day" else report.lines[:MOST_BARS]
    names = {
        "accepted": _("Accepted"),
        "sent": _("Sent"),
        "delivered": _("Delivered"),
        "opened": _("Opened"),
        "lost": _("Failed"),
    }
    datasets = [
        {
            "label": label,
            "data": [getattr(line.figures, name) for line in lines],
            "borderColor": COLOURS[name],
            "backgroundColor": COLOURS[name],
            "borderWidth": 2,
            "pointRadius": 0 if len(lines) > 1 else 3,
            "tension": 0.25,
            "maxBarThickness": 18,
        }
        for name, label in names.items()
    ]
    data = {"labels": [line.label for line in lines], "datasets": datasets}
    kind = "line" if report.query.group == "day" else "bar"
    return {"kind": kind, "data": json.dumps(data), "options": OPTIONS}
