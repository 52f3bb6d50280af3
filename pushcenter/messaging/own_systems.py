"""The systems as which Push Center sends by itself, without a key."""

#: Alerts to operators.
ALERTS = "push-center"
#: Tests of templates from the console.
TESTS = "push-center-tests"
OWN_SYSTEMS = frozenset({ALERTS, TESTS})
