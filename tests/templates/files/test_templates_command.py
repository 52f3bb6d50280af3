"""Templates to files and back: nothing is lost, nothing is done twice, and what is wrong is named by file and line."""

import io
import random
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connection

from pushcenter.recipients.models import Category
from templates_app import publishing
from templates_app.models import Change, Template, TemplateKind, TemplateVersion, Variant
from tests import factories
from tests.templates.files.test_yaml_text import anything

pytestmark = pytest.mark.django_db


def run(*args: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command("templates", *map(str, args), stdout=out, **options)
    return out.getvalue()


def fails(*args: Any) -> str:
    with pytest.raises(CommandError) as caught:
        run(*args)
    assert caught.value.returncode == 2
    return str(caught.value)


def texts(root: Path) -> dict[str, bytes]:
    return {str(each.relative_to(root)): each.read_bytes() for each in root.rglob("*") if each.is_file()}


def forget_everything() -> None:
    """As another installation would be; triggers keep what was published."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE templates_app_template, recipients_category CASCADE")


def a_few() -> None:
    """A template in a folder with an owner and a chain; one with a signature, and that signature."""
    team = Group.objects.create(name="Shop team")
    steps = {"inbox": {"until": "read", "within": 600}}
    row = factories.template(
        folder="shop/orders", owner=team, route_mode="first", steps=steps, time_to_live=3600, is_tracked=False
    )
    html = '<p>Paid: {{ order_no }}</p>\r\n{% include "signature" %}  \n'
    draft = publishing.new_draft(template=row, by=None, source=row.versions.get())
    draft.samples = [{"name": "李伟", "params": {"order_no": "SO-1"}}]
    draft.save()
    mail = {"subject": "Paid: {{ order_no }}", "html": html, "text": "Paid: {{ order_no }}"}
    Variant.objects.create(version=draft, channel="email", locale="zh-hans", content=mail)
    part = Template.objects.create(
        code="signature", name="Signature", kind=TemplateKind.SNIPPET, category=row.category
    )
    version = publishing.new_draft(template=part, by=None)
    Variant.objects.create(version=version, channel="html", content={"source": "<p>Yours</p>"})
    publishing.publish(version=version, by=None)
    publishing.publish(version=draft, by=None)


def test_there_and_back(tmp_path: Path) -> None:
    a_few()
    one, two = tmp_path / "one", tmp_path / "two"
    said = run("export", one)
    assert "2 templates: " in said
    first = texts(one)
    assert set(first) >= {
        "shop/orders/order-paid/template.yaml",
        "shop/orders/order-paid/email.zh-hans.yaml",
        "shop/orders/order-paid/email.zh-hans.html.html",
        "signature/html.yaml",
    }
    assert first["shop/orders/order-paid/email.zh-hans.html.html"].startswith(
        b"<p>Paid: {{ order_no }}</p>\r\n"
    )
    forget_everything()
    said = run("import", one, "--publish", "--create-missing", "--revision", "4f1d81a")
    assert "order-paid" in said
    assert "2 templates, 2 changed." in said
    run("export", two)
    assert texts(two) == first
    line = Change.objects.filter(kind="imported", template__code="order-paid").get()
    assert (line.detail["revision"], len(line.detail["digest"])) == ("4f1d81a", 64)
    # The second time there is nothing to do.
    before = TemplateVersion.objects.count(), Change.objects.count()
    assert "2 templates, 0 changed." in run("import", one, "--publish")
    assert (TemplateVersion.objects.count(), Change.objects.count()) == before
    assert run("diff", one) == ""


def test_whatever_contents_come_back_as_they_were(tmp_path: Path) -> None:
    dice = random.Random(7)
    for number in range(30):
        params = {str(name): anything(dice) for name in range(5)}
        row = factories.template(f"t-{number}", channels=["email"], published=False)
        row.versions.update(samples=[{"name": "One", "params": params}])
        subject, text = (str(anything(dice, 9)).replace("\r", "") or "x" for _ in range(2))
        Variant.objects.update(content={"subject": subject, "html": text + "\n", "text": text})
    run("export", tmp_path / "one")
    kept = [
        (each.variables, each.samples, [variant.content for variant in each.variants.all()])
        for each in TemplateVersion.objects.order_by("template__code")
    ]
    run("export", tmp_path / "two")
    assert texts(tmp_path / "one") == texts(tmp_path / "two")
    assert run("diff", tmp_path / "one") == ""
    from templates_app.files.importing import sheets_in

    sheets = sorted(sheets_in(tmp_path / "one").values(), key=lambda each: each.code)
    assert [(each.variables, each.samples, [*each.variants.values()]) for each in sheets] == kept


def test_an_export_touches_what_has_changed_and_nothing_else(tmp_path: Path) -> None:
    factories.template(folder="shop")
    factories.template("leave")
    run("export", tmp_path)
    (tmp_path / "shop" / "order-paid" / "README.md").write_text("ours")
    (tmp_path / "shop" / "order-paid" / "email.fr.yaml").write_text("subject: vieux\n")
    assert "0 files written, 1 removed" in run("export", tmp_path)
    Template.objects.filter(code="order-paid").update(name="Paid", folder="orders")
    said = run("export", tmp_path, "order-paid")
    assert "written  orders/order-paid/template.yaml" in said
    assert "removed  shop/order-paid/template.yaml" in said
    assert (tmp_path / "shop" / "order-paid" / "README.md").read_text() == "ours"
    assert (tmp_path / "leave" / "template.yaml").exists()
    assert "removed  leave/template.yaml" in run("export", tmp_path, "order-paid", "--delete")
    assert not (tmp_path / "leave").exists()


def test_an_export_stays_in_its_folder(tmp_path: Path) -> None:
    factories.template(folder="../etc")
    assert "no name of a folder" in fails("export", tmp_path / "out")
    Template.objects.update(folder="shop")
    factories.template("Order-Paid", folder="shop")
    assert "are one folder on some computers" in fails("export", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "shop").symlink_to(tmp_path / "elsewhere")
    assert "a link or a file" in fails("export", tmp_path, "order-paid")


def test_a_change_becomes_a_draft_and_the_settings_hold_at_once(tmp_path: Path) -> None:
    row = factories.template()
    run("export", tmp_path)
    place = tmp_path / "order-paid"
    (place / "inbox.yaml").write_text("title: Paid\nbody: 'Order {{ order_no }} is paid'\n")
    (place / "template.yaml").write_text((place / "template.yaml").read_text().replace("normal", "high"))
    with pytest.raises(SystemExit) as caught:
        run("diff", tmp_path)
    assert caught.value.code == 1
    assert "Nothing was stored." in run("import", tmp_path, "--dry-run")
    assert row.versions.count() == 1
    said = run("import", tmp_path)
    assert "v2 draft, settings changed: priority" in said
    row.refresh_from_db()
    assert (row.priority, row.published) == ("high", row.versions.get(number=1))
    assert "v2 in review" in run("import", tmp_path, "--submit")


def test_four_eyes_hold_for_files_too(tmp_path: Path) -> None:
    factories.template()
    Category.objects.update(needs_approval=True)
    run("export", tmp_path)
    (tmp_path / "order-paid" / "samples.yaml").write_text("- {name: One, params: {order_no: SO-1}}\n")
    assert "demands a review" in fails("import", tmp_path, "--publish")
    ann, bob = (User.objects.create_user(name) for name in ("ann", "bob"))
    run("import", tmp_path, "--submit", "--by", ann.username)
    assert "four eyes" in fails("import", tmp_path, "--publish", "--by", "ann")
    run("import", tmp_path, "--publish", "--by", bob.username)
    assert TemplateVersion.objects.get(state="published").approver == bob
    assert "There is no user eve" in fails("import", tmp_path, "--by", "eve")


def change(place: Path, name: str, text: str | bytes) -> None:
    (place / name).write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("template.yaml", "nmae: x\nname: x\ncategory: orders\n", "nmae is no setting. Did you mean name?"),
        ("template.yaml", "name: x\ncategory: nowhere\n", "there is no category nowhere; --create-missing makes it"),
        ("template.yaml", "name: x\ncategory: orders\nowner: Nobody\n", "there is no team Nobody"),
        ("template.yaml", "name: x\ncategory: orders\npriority: urgent\n", "priority is one of critical, high"),
        ("template.yaml", "name: x\ncategory: orders\nroute: {channels: [emial]}\n", "Did you mean email?"),
        ("template.yaml", "name: x\ncategory: orders\nroute: {channels: [{channel: sms, within: 0}]}\n", "within is"),
        ("template.yaml", "name: x\ncategory: orders\ntime_to_live: soon\n", "time_to_live is a number"),
        ("template.yaml", "name: x\ncategory: orders\nkind: snippet\n", "is a message, and stays one"),
        ("template.yaml", "- 1\n", "write the settings by their names"),
        ("template.yaml", "name: 'x\n", "template.yaml:2: "),
        ("template.yaml", b"\xff\xfe", "this is no text in UTF-8"),
        ("template.yaml", "x" * 2_000_001, "larger than"),
        ("variables.yaml", "type: string\n", 'write "type": "object"'),
        ("samples.yaml", "- {name: One}\n", "Write a list of samples"),
        ("email.yaml", "subjetc: Hello\n", "subjetc is no field of email. Did you mean subject?"),
        ("email.yaml", "subject: Hello {{ order_no\ntext: x\n", "order-paid/email.yaml:1: "),
        ("email.yaml", "subject: 12\ntext: x\n", "subject is a text: put it in quotes."),
        ("email.yaml", "subject: Hello {{ oder_no }}\ntext: x\n", "order_no"),
        ("pager.yaml", "text: x\n", "there is no channel pager"),
        ("emial.html", "", "a file of a variant is named"),
        ("sample.yml", "", "Did you mean samples.yaml?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_stored(
    tmp_path: Path, name: str, text: str | bytes, expected: str
) -> None:
    factories.template()
    factories.template("leave")
    run("export", tmp_path)
    change(tmp_path / "leave", "inbox.yaml", "title: '{{ order_no }}'\nbody: Other\n")
    change(tmp_path / "order-paid", name, text)
    said = fails("import", tmp_path)
    assert expected in said
    assert said.endswith("nothing was done.")
    assert TemplateVersion.objects.count() == 2
    assert "Traceback" not in said


def test_parts_that_name_one_another(tmp_path: Path) -> None:
    category = factories.category()
    for code, other in (("one", "two"), ("two", "one")):
        row = Template.objects.create(code=code, name=code, kind=TemplateKind.SNIPPET, category=category)
        version = publishing.new_draft(template=row, by=None)
        Variant.objects.create(
            version=version, channel="text", content={"source": '{% include "' + other + '" %}'}
        )
    run("export", tmp_path)
    assert "parts name one another" in fails("import", tmp_path)


def test_there_is_no_such_folder_or_template(tmp_path: Path) -> None:
    assert "is no folder" in fails("import", tmp_path / "nowhere")
    assert "there is no such template" in fails("export", tmp_path, "nothing")


def test_a_part_keeps_its_variables_and_samples(tmp_path: Path) -> None:
    """Else each import would take them away again, and make a draft for it."""
    row = Template.objects.create(
        code="signature", name="Signature", kind=TemplateKind.SNIPPET, category=factories.category()
    )
    version = publishing.new_draft(template=row, by=None)
    version.samples = [{"name": "One", "params": {"team": "Shop"}}]
    version.save()
    Variant.objects.create(version=version, channel="text", content={"source": "{{ team }}"})
    run("export", tmp_path)
    assert run("diff", tmp_path) == ""
    assert "1 templates, 0 changed." in run("import", tmp_path)
    assert row.versions.get().samples == version.samples


def test_a_category_that_cannot_be_is_not_made(tmp_path: Path) -> None:
    factories.template()
    run("export", tmp_path)
    change(tmp_path / "order-paid", "template.yaml", "name: x\ncategory: no such slug\n")
    assert "no such slug: " in fails("import", tmp_path, "--create-missing")
    assert Category.objects.filter(name="no such slug").count() == 0
