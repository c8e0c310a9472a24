"""The pages of variables, as a browser without script gets them."""

import html
import os
import re

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.appliance import Appliance
from tests.servers import eventually
from tests.ui.pages import Parsed

TYPED = st.text(alphabet="ab \t\n'\"\\$`#=%é😀\u2028\u0085\ufeff<>&", max_size=30) | st.text(
    st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=60
)
SECRET = "correct horse battery"


@pytest.fixture
def project(server: Appliance) -> str:
    return server.project(f"variable-pages-{os.urandom(3).hex()}")


def page_of(project: str) -> str:
    return f"/projects/{project}/environments/production/variables"


def sent(value: str) -> str:
    """As a browser sends what is in a text area."""
    return value.replace("\n", "\r\n")


def value_on(text: str) -> str:
    """What a browser puts into the text area: one newline at its beginning is not part of it."""
    found = re.search(r"<textarea[^>]* name=\"value\"[^>]*>(.*?)</textarea>", text, re.DOTALL)
    assert found
    return html.unescape(found[1]).removeprefix("\n")


def kept(server: Appliance, project: str, name: str) -> str | None:
    for one in server.get(f"/projects/{project}/environments/production/variables")["items"]:
        if one["name"] == name:
            value: str | None = one["value"]
            return value
    return None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TYPED)
def test_what_is_typed_is_what_is_kept(owner: httpx.Client, server: Appliance, project: str, value: str) -> None:
    page = page_of(project)
    answer = owner.post(page, data={"name": "TYPED", "value": sent(value)})
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert kept(server, project, "TYPED") == value
    form = owner.get(f"{page[:-1]}/TYPED").text
    assert value_on(form) == value
    assert owner.post(f"{page[:-1]}/TYPED", data={"value": sent(value_on(form))}).status_code == 303
    assert kept(server, project, "TYPED") == value


def test_saving_what_no_browser_can_send_back_leaves_it_as_it_is(
    owner: httpx.Client, server: Appliance, project: str
) -> None:
    path = f"/projects/{project}/environments/production/variables/ENDS"
    server.ask("PUT", path, json={"value": "a\r\nb\rc\n"})
    one = f"{page_of(project)[:-1]}/ENDS"
    shown = value_on(owner.get(one).text).replace("\r\n", "\n").replace("\r", "\n")
    assert owner.post(one, data={"value": sent(shown), "secret": "true"}).status_code == 303
    assert owner.post(one, data={"value": sent("typed\n")}).status_code == 303
    assert kept(server, project, "ENDS") == "typed\n"
    server.ask("PUT", path, json={"value": "a\r\nb\rc\n"})
    assert owner.post(one, data={"value": sent(shown)}).status_code == 303
    assert kept(server, project, "ENDS") == "a\r\nb\rc\n"


def test_a_secret_is_not_on_any_page(owner: httpx.Client, server: Appliance, project: str) -> None:
    page = page_of(project)
    wrong = owner.post(page, data={"name": "1", "value": SECRET, "secret": "true"})
    assert wrong.status_code == 422 and "Enter a name that starts with a letter" in wrong.text
    assert SECRET not in wrong.text
    assert owner.post(page, data={"name": "KEY", "value": SECRET, "secret": "true"}).status_code == 303
    one = f"{page[:-1]}/KEY"
    for path in (page, one, f"{one}/remove", f"/projects/{project}/environments/production", "/activity"):
        assert SECRET not in owner.get(path).text
    assert "checked" in owner.get(one).text
    plain = owner.post(one, data={"value": ""})
    assert plain.status_code == 422 and "enter its value again" in plain.text
    assert owner.post(one, data={"value": "", "secret": "true"}).status_code == 303, "it stays as it is"
    assert owner.post(one, data={"value": "no secret"}).status_code == 303
    assert kept(server, project, "KEY") == "no secret"
    assert owner.post(f"{one}/remove").status_code == 303
    assert owner.get(one).status_code == 404


def test_what_is_not_live_yet_is_one_click_away(owner: httpx.Client, server: Appliance, project: str) -> None:
    page = page_of(project)
    home = page.removesuffix("/variables")
    owner.post(page, data={"name": "REGION", "value": "eu"})
    assert "static files, and those can't" in owner.get(page).text
    assert "not live yet" not in owner.get(home).text, "nothing is live"
    deployed = server.deploy(project, {"index.html": "hello"})
    assert "not live yet" not in owner.get(home).text
    owner.post(page, data={"name": "REGION", "value": "us"})
    for path in (page, home):
        text = owner.get(path).text
        assert "1 variable saved but not live yet" in text and "<code>REGION</code>" in text
        assert "read no variables" in text
        assert f"Apply: #{deployed['number']} goes live once more" in text
    answer = owner.post(f"{page}/apply")
    assert answer.status_code == 303
    number = answer.headers["location"].removeprefix("/deployments/")
    assert f"New variables for #{deployed['number']}" in owner.get(home).text
    assert server.get(f"/deployments/{number}")["source"] == "variables"
    eventually(lambda: server.get(f"/deployments/{number}")["live"])
    assert "not live yet" not in owner.get(page).text


def test_which_one_counts_is_shown(owner: httpx.Client, project: str) -> None:
    owner.post(f"/projects/{project}/variables", data={"name": "REGION", "value": "eu"})
    owner.post(page_of(project), data={"name": "REGION", "value": "us"})
    text = owner.get(page_of(project)).text
    assert "In place of the shared one" in text and "Not used here: production has its own" in text
    assert "Set <code>REGION</code>, shared" in text, "who changed what"
    removing = owner.get(f"{page_of(project)[:-1]}/REGION/remove").text
    assert "gets the shared REGION instead" in removing


def test_an_import_is_shown_before_it_is_made(owner: httpx.Client, server: Appliance, project: str) -> None:
    page = page_of(project)
    file = "REGION='eu'\r\nGREETING=\"two\r\nlines\"\r\n"
    seen = owner.post(f"{page}/import", data={"text": file, "act": "look"})
    assert seen.status_code == 200 and "Import 2 variables" in seen.text
    assert kept(server, project, "REGION") is None
    wrong = owner.post(f"{page}/import", data={"text": "A=1\r\nno line", "act": "import"})
    assert wrong.status_code == 422 and "Line 2: Write NAME=value" in wrong.text and "no line</textarea>" in wrong.text
    assert kept(server, project, "A") is None
    assert owner.post(f"{page}/import", data={"text": file, "act": "import"}).status_code == 303
    assert kept(server, project, "GREETING") == "two\nlines"
    shared = f"/projects/{project}/variables/import"
    assert owner.post(shared, data={"text": "A=1", "act": "import", "secret": "true"}).status_code == 303
    assert "Secret" in owner.get(f"/projects/{project}/variables").text


def test_a_dialog_over_the_list_names_nothing_twice(owner: httpx.Client, project: str) -> None:
    owner.post(page_of(project), data={"name": "REGION", "value": "eu"})
    under, over = (Parsed(owner.get(path).text) for path in (page_of(project), f"{page_of(project)[:-1]}/REGION"))
    fields = {attrs["id"] for form in over.forms for attrs in form.fields if "id" in attrs}
    assert fields and not fields & set(under.ids())
