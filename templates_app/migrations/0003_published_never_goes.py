"""A version that was published is named by messages, and is never deleted; nor is its template."""

from django.db import migrations

GUARD = """
CREATE FUNCTION templates_app_refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('published', 'archived') THEN
        RAISE EXCEPTION 'a published template version is never deleted' USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER version_never_goes BEFORE DELETE ON templates_app_templateversion
   FOR EACH ROW EXECUTE FUNCTION templates_app_refuse_deletion();
"""
LIFT = """
DROP TRIGGER version_never_goes ON templates_app_templateversion;
DROP FUNCTION templates_app_refuse_deletion();
"""


class Migration(migrations.Migration):
    dependencies = [("templates_app", "0002_published_never_changes")]
    operations = [migrations.RunSQL(GUARD, LIFT)]
