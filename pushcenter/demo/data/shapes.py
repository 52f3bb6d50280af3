"""The forms in which the demo's data are written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pushcenter.lanes import Lane
from templates_app.models import DoubtPolicy, RouteMode
from templates_app.steps import Step

ENGLISH, CHINESE = "en", "zh-hans"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSeed:
    external_id: str
    name: str
    locale: str
    time_zone: str
    groups: Sequence[str]
    addresses: Mapping[str, str]
    #: Whether the bundled receiver stands for a program of this person's.
    has_webhook: bool = False
    muted: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one channel says: by default, which is in English, and in Chinese. Both have the same fields."""

    default: Mapping[str, str]
    chinese: Mapping[str, str] | None = None

    def by_locale(self) -> dict[str, Mapping[str, str]]:
        return {"": self.default} | ({CHINESE: self.chinese} if self.chinese else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSeed:
    """A template with its one version. ``says`` has an entry for each channel, in the order of the route."""

    code: str
    name: str
    category: str
    variables: Mapping[str, Mapping[str, Any]]
    required: Sequence[str]
    sample: Mapping[str, Any]
    says: Mapping[str, Said]
    priority: Lane = Lane.NORMAL
    route_mode: RouteMode = RouteMode.ALL
    steps: Mapping[str, Step] = field(default_factory=dict)
    time_to_live: int | None = None
    doubt_policy: DoubtPolicy = field(default=DoubtPolicy.RESEND)

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {name: dict(rule) for name, rule in self.variables.items()},
            "required": list(self.required),
            "additionalProperties": False,
        }
