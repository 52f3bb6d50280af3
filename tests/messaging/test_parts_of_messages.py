"""A message says what its version said when it was published, layouts and snippets included."""

import pytest

from pushcenter.messaging.content import compiled, context
from templates_app.models import Template, TemplateKind, TemplateVersion, Variant
from templates_app.publishing import new_draft, publish
from tests import factories


def snippet(text: str) -> None:
    """A new version of the snippet ``signature``, published."""
    template = Template.objects.filter(code="signature").first()
    if template is None:
        template = Template.objects.create(
            code="signature", name="signature", kind=TemplateKind.SNIPPET, category=factories.category()
        )
    version = new_draft(template=template, by=None)
    Variant.objects.create(version=version, channel="text", content={"source": text})
    publish(version=version, by=None)


def says(version: TemplateVersion) -> str:
    text: str = compiled(str(version.pk), "sms", "en").render(context({"order_no": "1"}, {}, leave=""))[
        "text"
    ]
    return text


@pytest.mark.django_db
def test_a_new_signature_reaches_a_template_with_its_next_version() -> None:
    snippet("-- Old")
    source = "{{ order_no }} {% include 'signature' %}"
    factories.template(channels=["sms"], content={"sms": {"text": source}}, published=False)
    first = publish(version=TemplateVersion.objects.get(template__code="order-paid"), by=None)
    snippet("-- New")
    assert says(first) == "1 -- Old"
    compiled.cache_clear()
    assert says(first) == "1 -- Old"
    template = Template.objects.get(code="order-paid")
    second = publish(version=new_draft(template=template, by=None, source=first), by=None)
    assert says(second) == "1 -- New"
