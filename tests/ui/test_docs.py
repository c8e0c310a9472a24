"""The API docs page shows what the API says of itself."""

import httpx

from appliance.ui.docs import groups
from tests.appliance import Appliance
from tests.ui.pages import Parsed


def test_every_operation_is_on_the_page(server: Appliance, owner: httpx.Client) -> None:
    document = server.http.get(
        f"{server.url}/api/v1/openapi.json", headers={"Authorization": f"Bearer {server.key}"}
    ).json()
    shown = Parsed(owner.get("/docs").text)
    tried = {(form.attrs["data-method"], form.attrs["data-path"]) for form in shown.forms if "data-try" in form.attrs}
    said = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert said == tried
    names = [operation.id for group in groups(document) for operation in group.operations]
    assert len(names) == len(set(names))
    assert set(names) <= set(shown.ids())


def test_every_field_says_what_it_is(server: Appliance) -> None:
    document = server.http.get(
        f"{server.url}/api/v1/openapi.json", headers={"Authorization": f"Bearer {server.key}"}
    ).json()
    inputs = [field for group in groups(document) for one in group.operations for field in one.inputs]
    assert inputs
    assert [field.name for field in inputs if not field.about] == []
