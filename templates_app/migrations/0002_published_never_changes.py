"""A published version and its variants never change: the database refuses it, whoever asks."""

from django.db import migrations

GUARD = """
CREATE FUNCTION templates_app_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'templates_app_templateversion' THEN
        IF OLD.state IN ('published', 'archived') AND
           (NEW.variables, NEW.template_id, NEW.number) IS DISTINCT FROM
           (OLD.variables, OLD.template_id, OLD.number) THEN
            RAISE EXCEPTION 'a published template version never changes' USING ERRCODE = 'check_violation';
        END IF;
        IF OLD.state IN ('published', 'archived') AND NEW.state IN ('draft', 'in_review') THEN
            RAISE EXCEPTION 'a published template version is never a draft again'
                  USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    -- Both ends of a move count: OLD is null when a row is inserted, NEW when it is deleted.
    IF EXISTS (SELECT FROM templates_app_templateversion
                WHERE id IN (OLD.version_id, NEW.version_id) AND state IN ('published', 'archived')) THEN
        RAISE EXCEPTION 'a variant of a published template version never changes'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER version_never_changes BEFORE UPDATE ON templates_app_templateversion
   FOR EACH ROW EXECUTE FUNCTION templates_app_refuse_change();
CREATE TRIGGER variant_never_changes BEFORE INSERT OR UPDATE OR DELETE ON templates_app_variant
   FOR EACH ROW EXECUTE FUNCTION templates_app_refuse_change();
"""

LIFT = """
DROP TRIGGER version_never_changes ON templates_app_templateversion;
DROP TRIGGER variant_never_changes ON templates_app_variant;
DROP FUNCTION templates_app_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("templates_app", "0001_initial")]
    operations = [migrations.RunSQL(GUARD, LIFT)]
