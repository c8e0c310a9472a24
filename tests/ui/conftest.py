"""Who looks at the pages."""

from collections.abc import Iterator

import httpx
import pytest

from tests.appliance import Appliance
from tests.ui.pages import owner_of, stranger_of


@pytest.fixture(scope="module")  # a session that grows old is asked who is there
def owner(server: Appliance) -> Iterator[httpx.Client]:
    client = owner_of(server)
    yield client
    client.close()


@pytest.fixture
def stranger(server: Appliance) -> Iterator[httpx.Client]:
    client = stranger_of(server)
    yield client
    client.close()
