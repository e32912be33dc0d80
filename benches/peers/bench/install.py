"""Brings what is measured: wscheck itself, the Rust peers, websocat, Python websockets and Node ws."""

import filecmp
import os
import shutil
import subprocess
import sys

from .places import NODE_MODULES, PEERS, PYTHON, ROOT, RUST, TARGET, WEBSOCAT, Failure

WEBSOCAT_VERSION = "1.14.1"
# Without TLS, which is not measured and wants OpenSSL's headers.
WEBSOCAT_FEATURES = "unix_stdio,signal_handler,tokio-process"
NEEDED = {
    "cargo": "Rust's toolchain",
    "node": "Debian: nodejs",
    "npm": "Debian: npm",
}


def everything(build_wscheck):
    """Installs all of it into target/peers; what is there already is kept."""
    check()
    TARGET.mkdir(parents=True, exist_ok=True)
    if build_wscheck:
        step("wscheck", ["cargo", "build", "--release", "--locked"], cwd=ROOT)
    step("the Rust peers", ["cargo", "build", "--release", "--locked", "--target-dir", RUST.parent], cwd=PEERS / "rust")
    websocat()
    python_websockets()
    node_ws()


def check():
    if sys.platform != "linux":
        raise Failure("the bench captures packets on Linux' loopback interface; this is " + sys.platform)
    missing = [f"{name} ({hint})" for name, hint in NEEDED.items() if not shutil.which(name)]
    if missing:
        raise Failure("missing: " + ", ".join(missing))
    if os.geteuid() != 0:
        raise Failure("the packet capture needs root (CAP_NET_RAW)")


def websocat():
    if WEBSOCAT.exists():
        return
    features = ["--no-default-features", "--features", WEBSOCAT_FEATURES]
    where = ["--root", WEBSOCAT.parent.parent, "--target-dir", TARGET / "websocat-build"]
    step("websocat", ["cargo", "install", "websocat", "--version", WEBSOCAT_VERSION, "--locked", *features, *where])


def python_websockets():
    if not PYTHON.exists():
        step("a Python environment", [sys.executable, "-m", "venv", PYTHON.parent.parent])
    requirements = ROOT / "tests/peers/python/requirements.txt"
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    step("Python websockets", [*pip, "-r", requirements])


def node_ws():
    folder, wanted = NODE_MODULES.parent, ROOT / "tests/peers/node/package.json"
    if NODE_MODULES.exists() and filecmp.cmp(wanted, folder / "package.json", shallow=False):
        return
    folder.mkdir(exist_ok=True)
    shutil.copy(wanted, folder)
    npm = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    step("Node ws", npm, cwd=folder)


def step(name, command, cwd=None):
    print(f"installing {name}", file=sys.stderr)
    done = subprocess.run([str(part) for part in command], cwd=cwd, stdout=sys.stderr)
    if done.returncode:
        raise Failure(f"cannot install {name}: {command[0]} ended with {done.returncode}")
