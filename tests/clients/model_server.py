"""The real model server with the bundled model, on a free port of the loopback."""

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import requests

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL_FOLDER = REPOSITORY / "models/toxic-minilm"
MODEL = MODEL_FOLDER.name
BINARY = REPOSITORY / "target/debug/toxicity-model-server"
LABELS = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]

# Longest wait for the server to come up or to reach a state, in seconds. Only failures take that long.
PATIENCE = 60.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class ModelServer:
    """A server process. It ends with the `with` block."""

    def __init__(self, *flags: str) -> None:
        if not BINARY.is_file():
            raise FileNotFoundError(f"{BINARY} is missing: run `cargo xtask test clients`, which builds it")
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        self._log = tempfile.TemporaryFile("w+")
        # Flags of the machine at hand would make it another server.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOXICITY_")}
        self._process = subprocess.Popen(
            [BINARY, "serve", "--listen", self.address, *flags],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> "ModelServer":
        try:
            self.wait_for("/readyz", 200)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def wait_for(self, path: str, status: int) -> None:
        """Waits until a GET is answered with `status`."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended with {self._process.returncode}: {self.log()}")
            try:
                if requests.get(self.url + path, timeout=PATIENCE).status_code == status:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.01)
        raise TimeoutError(f"{self.url}{path} does not answer with {status}: {self.log()}")

    def log(self) -> str:
        """What the server wrote so far."""
        self._log.seek(0)
        return self._log.read()

    def post(self, path: str, body: object, **options: object) -> requests.Response:
        """Sends JSON."""
        return requests.post(self.url + path, json=body, timeout=PATIENCE, **options)

    def scores(self, text: str) -> dict[str, float]:
        """Score per label by the native protocol, which the others are compared with."""
        response = self.post("/v1/analyze", {"text": text})
        response.raise_for_status()
        return response.json()["results"][0]["scores"]

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._log.close()
