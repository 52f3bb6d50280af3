"""The API's description: it is generated, complete, in the documentation, and opens offline."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from channels_app import registry
from pushcenter.access.problems import CONTENT_TYPE
from pushcenter.access.serializers.messages import SendSerializer
from tests.access.gateway import order
from tests.access.routes import CALLS

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("schema") / "openapi.yaml"
    call_command("spectacular", file=str(file), validate=True, fail_on_warn=True, skip_checks=True)
    return yaml.safe_load(file.read_text())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def resolved(document: dict[str, Any], values: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Values, each in the place of a reference to it."""
    found = []
    for value in values:
        if "$ref" in value:
            _, _, kind, name = value["$ref"].split("/")
            found.append(document["components"][kind][name])
        else:
            found.append(value)
    return found


def references_of_requests(document: dict[str, Any]) -> set[str]:
    """The names of all schemas that are a part of a request."""
    waiting = [operation.get("requestBody") for _path, _verb, operation in operations(document)]
    found: set[str] = set()
    while waiting:
        for reference in references(waiting.pop()):
            name = reference.rpartition("/")[2]
            if reference.startswith("#/components/schemas/") and name not in found:
                found.add(name)
                waiting.append(document["components"]["schemas"][name])
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (inner for name, inner in value.items() if name == "$ref")
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert set(document) == {"openapi", "info", "tags", "paths", "components"}
    assert document["info"]["title"] == "Push Center"


def test_the_documentation_holds_the_same(document: dict[str, Any]) -> None:
    hint = "run: manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn"
    assert yaml.safe_load(DOCUMENT.read_text()) == document, hint


def test_every_call_is_described(document: dict[str, Any]) -> None:
    described = {(re.sub(r"{\w+}", "{}", path), verb) for path, verb, _ in operations(document)}
    assert described == {(re.sub(r"<\w+:\w+>", "{}", route), verb) for route, _view, verb in CALLS}


def test_every_call_has_what_a_reader_needs(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _path, _verb, operation in operations(document)]
    assert len(names) == len(set(names))
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    for path, verb, operation in operations(document):
        where = f"{verb} {path}"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"]), where
        assert operation["summary"], where
        assert operation["description"], where
        assert "gate" not in operation["description"], f"{where} shows a comment of ours"
        assert [tag for tag in operation["tags"] if not tags[tag]] == [], where
        assert operation["security"] == [{"bearer": []}], where
        parameters = resolved(document, operation["parameters"])
        named = {each["name"] for each in parameters if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), where
        assert all(each.get("example") for each in parameters if each["in"] == "path"), where


#: Any call can be answered so; one with a body, or with an Idempotency-Key, so as well.
ANY = {"401", "403", "414", "429", "431", "503"}
WITH_BODY = {"400", "411", "413", "415", "422"}
POSTED = {"400", "409", "411", "413"}


def test_every_call_says_how_it_can_be_refused(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        expected = ANY | (WITH_BODY if "requestBody" in operation else set())
        expected |= POSTED if verb == "post" else set()
        expected |= {"404"} if "{" in path and operation["operationId"] != "replace_recipient" else set()
        expected -= (
            {"409"} if operation["operationId"] == "explain_request" else set()
        )  # it does nothing twice
        assert expected - set(operation["responses"]) == set(), (verb, path)


def test_every_header_that_matters_is_described(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        where = (verb, path)
        taken = {
            each["name"] for each in resolved(document, operation["parameters"]) if each["in"] == "header"
        }
        wanted = {"X-Request-Id", "Idempotency-Key"} if verb == "post" else {"X-Request-Id"}
        assert wanted <= taken, where
        for status, answer in operation["responses"].items():
            headers = set(answer["headers"])
            assert "X-Request-Id" in headers, where
            assert ("RateLimit" in headers) == (status not in {"401", "414", "431"}), where
            assert ("Retry-After" in headers) == (status in {"409", "429", "503"}), where
            assert ("Idempotent-Replayed" in headers) == (verb == "post" and status < "300"), where


def test_every_body_has_an_example_that_its_schema_takes(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        bodies = [*operation["responses"].items(), ("request", operation.get("requestBody", {}))]
        for name, body in bodies:
            for content in body.get("content", {}).values():
                where = (verb, path, name)
                examples = resolved(document, content["examples"].values())
                assert examples, where
                schema = {**content["schema"], "components": document["components"]}
                for example in examples:
                    errors = list(Draft202012Validator(schema).iter_errors(example["value"]))
                    assert errors == [], (where, errors[0].message)


def test_every_link_leads_to_a_call_and_its_parameter(document: dict[str, Any]) -> None:
    takes = {
        operation["operationId"]: {each["name"] for each in resolved(document, operation["parameters"])}
        for _path, _verb, operation in operations(document)
    }
    links = [
        link
        for _path, _verb, operation in operations(document)
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 20
    assert [link for link in links if not set(link["parameters"]) <= takes[link["operationId"]]] == []


def test_names_that_are_not_known_are_not_taken(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    asked = [name for name in references_of_requests(document) if schemas[name]["type"] == "object"]
    assert len(asked) > 15
    assert [name for name in asked if schemas[name].get("additionalProperties") is not False] == []


def test_errors_are_problem_documents(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        for status, answer in operation["responses"].items():
            kinds = set(answer.get("content", {}))
            if status == "204":
                assert not kinds, (path, verb)
                continue
            good = {"text/event-stream"} if path.endswith("/events") else {"application/json"}
            assert kinds == (good if status < "400" else {CONTENT_TYPE}), (path, verb, status)


def test_the_key_is_declared(document: dict[str, Any]) -> None:
    scheme = document["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_every_schema_is_one_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            pytest.fail(f"{name}: {error.message}")
    known = {
        f"#/components/{kind}/{name}" for kind, parts in document["components"].items() for name in parts
    }
    assert set(references(document)) - known == set()


def test_each_kind_of_address_can_be_given(document: dict[str, Any]) -> None:
    properties = set(document["components"]["schemas"]["ToRequest"]["properties"])
    assert properties == {"recipient", "name", "locale", *registry.address_kinds()}
    assert {"email", "phone"} <= properties


def test_every_option_of_sending_is_described(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["SendRequest"]
    assert set(schema["properties"]) == set(SendSerializer().fields)
    assert all(each.get("description") or each.get("$ref") for each in schema["properties"].values())


def test_the_example_is_a_good_request(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/messages"]["post"]["requestBody"]["content"]["application/json"]
    for each in [*(example["value"] for example in content["examples"].values()), order()]:
        schema = {"$ref": "#/components/schemas/SendRequest", "components": document["components"]}
        assert list(Draft202012Validator(schema).iter_errors(each)) == []
        assert SendSerializer(data=each).is_valid()


def test_the_description_is_served() -> None:
    response = Client().get("/api/schema")
    assert response.status_code == 200
    assert yaml.safe_load(response.content)["openapi"].startswith("3.1.")


@pytest.mark.django_db
def test_the_api_page_opens_without_another_server() -> None:
    page = Client().get("/api/docs").content.decode()
    links = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page)
    assert len(links) >= 3
    assert [link for link in links if re.match(r"\w+:|//", link)] == []
    assert "http://" not in page
    assert "https://" not in page
    for link in (each for each in links if each.startswith("/static/")):
        response = Client().get(link)
        assert response.status_code == 200, link
        response.close()


@pytest.mark.parametrize(
    "query", ["lang=%00", "lang=../../etc", "version=%00", "format=html", "lang=zh-hans"]
)
@pytest.mark.parametrize("path", ["/api/schema", "/api/docs"])
def test_a_strange_query_does_no_harm(path: str, query: str) -> None:
    client = Client(raise_request_exception=False)
    assert client.get(f"{path}?{query}").status_code < 500
