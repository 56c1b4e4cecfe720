"""What the API's description promises of every operation."""

from __future__ import annotations

from doorstep.app import openapi_document


def test_every_operation_declares_its_problems() -> None:
    document = openapi_document()
    assert document["openapi"] == "3.1.0"
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) > 10
    for operation in operations:
        for status, declared in operation["responses"].items():
            if int(status) >= 400:
                assert list(declared["content"]) == ["application/problem+json"], operation
        assert {"400", "500", "503"} <= set(operation["responses"])


def test_only_public_operations_need_no_token() -> None:
    paths = openapi_document()["paths"]
    assert paths["/api/me"]["get"]["security"] == [{"bearer": []}]
    assert "security" not in paths["/api/sign-in"]["post"]
