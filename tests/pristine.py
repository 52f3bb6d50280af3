"""The database as the migrations leave it: remembered once, and restored after each test that commits.

Django would truncate every table and make all permissions and schedules anew, some five hundred statements; here one
statement looks at each table, and writes only where a test has written.
"""

from django.db import connection

#: Foreign keys and triggers rest meanwhile, since all tables together are as they were.
REMEMBER = """
CREATE SCHEMA pristine;
CREATE FUNCTION pristine.remember() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    each name;
    filled boolean;
BEGIN
    FOR each IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (TABLE public.%I)', each) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE pristine.%1$I AS TABLE public.%1$I', each);
        END IF;
    END LOOP;
END $$;
CREATE FUNCTION pristine.restore() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE
    each name;
    filled boolean;
    changed boolean;
BEGIN
    FOR each, filled IN
        SELECT tablename, to_regclass('pristine.' || quote_ident(tablename)) IS NOT NULL
        FROM pg_tables WHERE schemaname = 'public'
    LOOP
        EXECUTE format(
            CASE WHEN filled
            THEN 'SELECT EXISTS (
                (TABLE public.%1$I EXCEPT TABLE pristine.%1$I) UNION ALL (TABLE pristine.%1$I EXCEPT TABLE public.%1$I)
            )'
            ELSE 'SELECT EXISTS (TABLE public.%1$I)' END, each
        ) INTO changed;
        CONTINUE WHEN NOT changed;
        EXECUTE format('DELETE FROM public.%I', each);
        IF filled THEN
            EXECUTE format('INSERT INTO public.%1$I TABLE pristine.%1$I', each);
        END IF;
    END LOOP;
END $$;
SELECT pristine.remember();
"""


def remember() -> None:
    """Keep what is in the database now."""
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER)


def restore(*_: object) -> None:
    """Let the database be again as it was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pristine.restore()")
