"""The revisions of what processes hold in memory, and the triggers that note each change."""

from django.db import migrations, models

FUNCTION = """
CREATE SEQUENCE pushcenter_revision_number;
CREATE FUNCTION pushcenter_revise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pushcenter_revision (topic, number)
    VALUES (TG_ARGV[0], nextval('pushcenter_revision_number'))
    ON CONFLICT (topic) DO UPDATE SET number = EXCLUDED.number;
    RETURN NULL;
END $$;
"""
DROP = "DROP FUNCTION pushcenter_revise() CASCADE; DROP SEQUENCE pushcenter_revision_number;"

#: Which tables belong to a topic. When a key was last used is no change of it.
TABLES = {
    "access_system": ("keys", ""),
    "access_apikey": (
        "keys",
        "OF system_id, name, prefix, digest, is_test, scopes, allowed_networks, expires_at, revoked_at",
    ),
    "recipients_category": ("templates", ""),
    "templates_app_template": ("templates", ""),
    "templates_app_templateversion": ("templates", ""),
    "templates_app_variant": ("templates", ""),
    "channels_app_account": ("accounts", ""),
}


def trigger(table, topic, columns):
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_revised AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE {columns} ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION pushcenter_revise('{topic}')",
        f"DROP TRIGGER IF EXISTS {table}_revised ON {table}",
    )


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("access", "0002_permissions_and_limits"),
        ("channels_app", "0001_initial"),
        ("recipients", "0001_initial"),
        ("templates_app", "0002_published_never_changes"),
    ]
    operations = [
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("topic", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
            ],
            options={"verbose_name": "revision", "verbose_name_plural": "revisions"},
        ),
        migrations.RunSQL(FUNCTION, DROP),
        *(trigger(table, topic, columns) for table, (topic, columns) in TABLES.items()),
    ]
