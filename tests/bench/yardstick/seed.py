"""Makes the yardstick's database and what it sends; prints how to call it."""

import os

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.yardstick.settings"
    django.setup()
    from django.core.management import call_command

    from tests.bench.yardstick.models import Client, Person, Template

    call_command("migrate", run_syncdb=True, verbosity=0)
    Client.objects.create(key=os.environ["BENCH_SECRET"], name="shop")
    for code in ("order-paid", "order-hook"):
        Template.objects.create(code=code, subject="Order {{ order_no }}", body="We received {{ amount }}.")
    Person.objects.bulk_create(
        Person(external_id=f"u-{number}", name="Li Wei", email=f"u-{number}@example.com")
        for number in range(int(os.environ["BENCH_PEOPLE"]))
    )


if __name__ == "__main__":
    main()
