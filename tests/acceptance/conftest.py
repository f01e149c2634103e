"""What acceptance tests share: a place of their own with the topics made."""

import pytest

from tests.acceptance.home import Home


@pytest.fixture
def home(kafka, tmp_path):
    """A name space and a folder; every topic exists, nothing is in them."""
    home = Home(kafka, tmp_path)
    home.done("topics", "apply")
    return home
