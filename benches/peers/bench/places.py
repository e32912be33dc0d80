"""Where things are, and how what is missing is said."""

from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent
ROOT = PEERS.parent.parent
TARGET = ROOT / "target" / "peers"
RUST = TARGET / "rust" / "release"
PYTHON = TARGET / "venv" / "bin" / "python"
WEBSOCAT = TARGET / "websocat" / "bin" / "websocat"
NODE_MODULES = TARGET / "node" / "node_modules"


class Failure(Exception):
    """What failed, at which step, and why."""
