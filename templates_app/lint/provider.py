"""What the providers of the active accounts demand."""

from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels_app import registry
from channels_app.channels import of_adapter
from channels_app.contract import Adapter
from templates_app.lint.draft import Written
from templates_app.lint.examples import draft, on
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, rule

ALIYUN = {"sms": frozenset({"aliyun_sms"})}


@rule(
    code="provider-template",
    severity=Severity.ERROR,
    title=_("The provider's template is not named"),
    why=_(
        "This provider sends texts that it has approved before, and nothing else; WhatsApp takes a text of one's own "
        "within a day of the person's last message alone. Without the template's code the message fails."
    ),
    todo=_("Have the text approved in the provider's console, and write its code into the field."),
    bad=draft(on("sms", text="Your order is paid."), accounts=ALIYUN),
    good=draft(on("sms", template_code="SMS_1"), accounts=ALIYUN),
)
def provider_template(reading: Reading) -> Iterator[Finding]:
    for written in reading.known:
        active = _active(reading, written.channel)
        demanding = [kind for kind in active if _lacks(written, kind)]
        # Where another account can send it, only what falls to this one fails.
        is_hopeless = len(demanding) == len(active) and all(
            each.capabilities.only_templates for each in demanding
        )
        for kind in demanding:
            message = gettext("%(provider)s wants the code of a template that it has approved.") % {
                "provider": kind.label
            }
            yield Finding(
                message=message,
                channel=written.channel,
                locale=written.locale,
                field=kind.capabilities.template_field,
                severity=None if is_hopeless else Severity.WARNING,
            )


def _active(reading: Reading, channel: str) -> list[type[Adapter]]:
    names = sorted((reading.draft.accounts or {}).get(channel, ()))
    return [registry.adapters()[name] for name in names if name in registry.adapters()]


def _lacks(written: Written, kind: type[Adapter]) -> bool:
    field = kind.capabilities.template_field
    return bool(field) and not of_adapter(str(written.content.get(field) or ""), kind.name)


RULES = (provider_template,)
