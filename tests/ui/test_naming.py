"""What a project is called that is made for a zip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Invalid
from appliance.model.projects import NewProject
from appliance.ui.deploy import named_after


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("blog.zip", "blog"),
        ("Blog Site (2).ZIP", "blog-site-2"),
        ("2026-campaign.zip", "campaign"),
        ("my_site.v1.2.zip", "my-site-v1-2"),
        ("--x--.zip", "x"),
        (f"{'long-name-' * 9}.zip", "long-name-long-name-long-name-long-name"),
    ],
)
def test_names(filename: str, name: str) -> None:
    assert named_after(filename) == name


@given(st.text())
def test_a_name_is_well_formed_or_empty(filename: str) -> None:
    name = named_after(filename)
    try:
        NewProject.parse({"name": name})
    except Invalid:
        assert name == ""
