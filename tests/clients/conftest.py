"""What the tests share: servers and texts."""

import os
from collections.abc import Iterator

import pytest

from model_server import ModelServer

# The servers are here; a proxy of the machine at hand is not the way to them.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    """A server with no flags but its address: whoever may reach it may ask."""
    with ModelServer() as server:
        yield server


@pytest.fixture
def civil() -> str:
    """A text that no label flags."""
    return "Thanks for sharing the sources."


@pytest.fixture
def insult() -> str:
    """A text that is flagged as toxic, obscene and an insult, and as nothing else."""
    return "You are a stupid idiot."
