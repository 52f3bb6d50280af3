"""Messages, attempts and events are only inserted; deliveries are updated in place, so their pages keep room."""

from django.db import migrations

# Erasing a person's data rewrites to, params, metadata, plan and recipient; a key may go; nothing else changes.
GUARD = """
CREATE FUNCTION messaging_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are only inserted', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER message_only_inserted
BEFORE UPDATE OF id, system_id, is_test, batch_id, version_id, template_id, category, reference, lane,
                 request_id, send_at, expires_at, accepted_at ON messaging_message
   FOR EACH ROW EXECUTE FUNCTION messaging_refuse_change();
CREATE TRIGGER event_only_inserted BEFORE UPDATE ON messaging_event
   FOR EACH ROW EXECUTE FUNCTION messaging_refuse_change();
CREATE TRIGGER attempt_only_inserted
BEFORE UPDATE OF id, delivery_id, number, adapter, outcome, code, provider_id, started_at, finished_at
    ON messaging_attempt
   FOR EACH ROW EXECUTE FUNCTION messaging_refuse_change();
ALTER TABLE messaging_delivery SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE messaging_tally SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE django_q_ormq SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
"""

LIFT = """
DROP TRIGGER message_only_inserted ON messaging_message;
DROP TRIGGER event_only_inserted ON messaging_event;
DROP TRIGGER attempt_only_inserted ON messaging_attempt;
DROP FUNCTION messaging_refuse_change();
ALTER TABLE messaging_delivery RESET (fillfactor, autovacuum_vacuum_scale_factor);
ALTER TABLE messaging_tally RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE django_q_ormq RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial"), ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more")]
    operations = [migrations.RunSQL(GUARD, LIFT)]
