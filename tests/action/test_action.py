#!/usr/bin/env python3
"""Executes the steps of action.yml as a runner does, with a GITHUB_* environment of its own, and the lines of the docs for
GitLab and Jenkins. Needs PyYAML. WSCHECK names the binary."""

import hashlib
import http.server
import json
import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
import threading
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
WSCHECK = pathlib.Path(os.environ.get("WSCHECK", ROOT / "target/release/wscheck")).resolve()
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


class Server:
    """A test server of wscheck."""

    def __init__(self, folder, *faults):
        port_file = folder / "port"
        command = [WSCHECK, "serve", "--bind", "127.0.0.1:0", "--port-file", port_file, *faults]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process.stdout.readline()
        self.url = f"ws://127.0.0.1:{port_file.read_text().strip()}/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


class Releases:
    """A web server with one release, whose binary runs the one under test."""

    def __init__(self, folder, target, *, is_changed=False):
        name = f"wscheck-0.2.0-{target}"
        binary = folder / name / "wscheck"
        binary.parent.mkdir()
        binary.write_text(f'#!/bin/sh\nexec "{WSCHECK}" "$@"\n')
        binary.chmod(0o755)
        place = folder / "www/owner/repo/releases/download/v0.2.0"
        place.mkdir(parents=True)
        archive = place / f"{name}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(binary.parent, name)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        (place / "SHA256SUMS").write_text(f"{'0' * 64}  other.tar.gz\n{digest}  {name}.tar.gz\n")
        if is_changed:
            archive.write_bytes(archive.read_bytes() + b"\0")

        class Files(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=folder / "www")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Runner:
    """What GitHub's runner does for a composite action: expressions, files for outputs, and shells."""

    def __init__(self, folder, **inputs):
        self.action = yaml.safe_load((ROOT / "action.yml").read_text())
        unknown = inputs.keys() - self.action["inputs"].keys()
        assert not unknown, f"the action has no input {unknown}"
        self.inputs = {name: str(inputs.get(name, spec["default"])) for name, spec in self.action["inputs"].items()}
        self.folder = folder
        (folder / "temp").mkdir()
        files = {name: folder / name.lower() for name in ["GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"]}
        for file in files.values():
            file.touch()
        self.files = files
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_SERVER_URL": "http://127.0.0.1:1",
            "RUNNER_TEMP": str(folder / "temp"),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            **{name: str(path) for name, path in files.items()},
        }
        self.github = {"action_ref": "v0.2.0", "action_repository": "owner/repo"}
        self.outputs = {}

    def value(self, expression):
        kind, name = expression.split(".", 1)
        if kind == "inputs":
            return self.inputs[name]
        if kind == "github":
            return self.github[name]
        raise AssertionError(f"unknown expression {expression}")

    def expand(self, text):
        return EXPRESSION.sub(lambda match: self.value(match[1]), text)

    def step(self, name):
        step = next(step for step in self.action["runs"]["steps"] if step["name"] == name)
        # An input in a script could be a command.
        assert "${{" not in step["run"], step
        script = self.folder / "script.sh"
        script.write_text(step["run"])
        environment = self.environment | {key: self.expand(value) for key, value in step.get("env", {}).items()}
        path = [*reversed(self.files["GITHUB_PATH"].read_text().split()), environment["PATH"]]
        environment["PATH"] = ":".join(path)
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        lines = self.files["GITHUB_OUTPUT"].read_text().splitlines()
        self.outputs = dict(line.split("=", 1) for line in lines)
        return ran

    def summary(self):
        return self.files["GITHUB_STEP_SUMMARY"].read_text()


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def runner(self, **inputs):
        """A runner on which wscheck is installed."""
        place = self.folder / "runner"
        place.mkdir()
        runner = Runner(place, **inputs)
        runner.environment["PATH"] = f"{WSCHECK.parent}:{runner.environment['PATH']}"
        return runner


class Install(InFolder):
    def installed(self, runner):
        ran = runner.step("Install wscheck")
        self.assertEqual(ran.returncode, 0, ran)
        return ran

    def test_release_is_put_on_the_path(self):
        with Releases(self.folder, "x86_64-unknown-linux-musl") as releases:
            place = self.folder / "one"
            place.mkdir()
            runner = Runner(place)
            runner.environment["GITHUB_SERVER_URL"] = releases.url
            self.installed(runner)
        place = pathlib.Path(runner.files["GITHUB_PATH"].read_text().strip())
        self.assertTrue((place / "wscheck").exists())

    def test_release_that_was_changed_is_refused(self):
        with Releases(self.folder, "aarch64-apple-darwin", is_changed=True) as releases:
            runner = self.runner(version="v0.2.0")
            runner.environment |= {"GITHUB_SERVER_URL": releases.url, "RUNNER_OS": "macOS", "RUNNER_ARCH": "ARM64"}
            ran = runner.step("Install wscheck")
        self.assertEqual(ran.returncode, 1, ran)
        self.assertIn("is not what the release says", ran.stdout)
        self.assertEqual(runner.files["GITHUB_PATH"].read_text(), "")

    def test_missing_release_is_named(self):
        with Releases(self.folder, "x86_64-unknown-linux-musl") as releases:
            runner = self.runner(version="9.9.9")
            runner.environment["GITHUB_SERVER_URL"] = releases.url
            ran = runner.step("Install wscheck")
        self.assertEqual(ran.returncode, 1, ran)
        self.assertIn("::error title=wscheck::cannot download", ran.stdout)

    def test_installed_one_is_kept_unless_a_version_is_asked_for(self):
        self.assertIn("wscheck is installed", self.installed(self.runner()).stdout)

    def test_branch_and_other_systems_are_refused(self):
        for number, (ref, system, why) in enumerate(
            [("main", "Linux", "'main' is no version"), ("v0.2.0", "Windows", "no release for Windows on X64")]
        ):
            place = self.folder / str(number)
            place.mkdir()
            runner = Runner(place)
            runner.github["action_ref"] = ref
            runner.environment |= {"RUNNER_OS": system, "PATH": "/usr/bin:/bin"}
            ran = runner.step("Install wscheck")
            self.assertEqual(ran.returncode, 1, ran)
            self.assertIn(why, ran.stdout)


class Run(InFolder):
    def ran(self, runner, code):
        ran = runner.step("Run wscheck")
        self.assertEqual(ran.returncode, code, ran)
        return ran

    def test_endpoint_that_passes(self):
        with Server(self.folder) as server:
            runner = self.runner(url=server.url, args="ping -c 3 -i 20ms --warn 'rtt.p50>0 ms'")
            ran = self.ran(runner, 0)
        self.assertEqual((runner.outputs["result"], runner.outputs["exit-code"]), ("passed", "0"))
        self.assertIn("::warning", ran.stderr)
        self.assertIn("wscheck", runner.summary())
        document = json.loads(pathlib.Path(runner.outputs["report"]).read_text())
        self.assertEqual(document["result"], "passed")
        kept = sorted(path.name for path in pathlib.Path(runner.outputs["reports"]).iterdir())
        self.assertEqual(kept, ["wscheck.html", "wscheck.json"])

    def test_criterion_that_is_not_met_fails_the_job_unless_it_may_not(self):
        for number, (fail, code) in enumerate([("true", 1), ("false", 0)]):
            with Server(self.folder) as server, tempfile.TemporaryDirectory() as place:
                runner = Runner(
                    pathlib.Path(place), url=server.url, args="-c 2 -i 20ms --fail-if 'rtt.p50>0 ms'", fail=fail
                )
                runner.environment["PATH"] = f"{WSCHECK.parent}:{runner.environment['PATH']}"
                ran = self.ran(runner, code)
            self.assertEqual((runner.outputs["result"], runner.outputs["exit-code"]), ("failed", "1"), number)
            self.assertIn("::error", ran.stderr)

    def test_summary_can_be_left_out(self):
        with Server(self.folder) as server:
            runner = self.runner(url=server.url, args="-c 1", summary="false")
            self.ran(runner, 0)
        self.assertEqual(runner.summary(), "")

    def test_inputs_are_no_commands(self):
        runner = self.runner(
            url="ws://127.0.0.1:1/$(touch url)`touch url`;touch url", args="ping -c 1 --header 'X: $(touch args)'"
        )
        self.ran(runner, 3)
        self.assertEqual(runner.outputs["result"], "unreachable")
        left = {path.name for path in runner.folder.iterdir()}
        self.assertFalse({"url", "args"} & left, left)

    def test_url_is_no_option(self):
        ran = self.ran(self.runner(url="--version", args="ping -c 1"), 2)
        self.assertNotIn("wscheck 0", ran.stdout)

    def test_arguments_that_make_no_sense_fail_in_any_case(self):
        ran = self.ran(self.runner(url="ws://127.0.0.1:1/", args="ping --nonsense", fail="false"), 2)
        self.assertIn("--nonsense", ran.stderr)

    def test_bad_inputs_are_named(self):
        for number, (inputs, why) in enumerate(
            [
                ({"args": "ping 'open"}, "the input args ends inside quotes"),
                ({"fail": "perhaps"}, "the input fail is true or false, not 'perhaps'"),
                ({"config": "a.toml", "url": "ws://127.0.0.1:1/"}, "url and config are given together"),
            ]
        ):
            place = self.folder / str(number)
            place.mkdir()
            ran = self.ran(Runner(place, **inputs), 2)
            self.assertIn(why, ran.stdout)

    def test_checks_of_a_file(self):
        with Server(self.folder) as server:
            config = self.folder / "wscheck.toml"
            config.write_text(f'[[check]]\nname = "chat"\nurl = "{server.url}"\ncount = 2\ninterval = "20ms"\n')
            runner = self.runner(config=str(config))
            self.ran(runner, 0)
        self.assertEqual(runner.outputs["result"], "passed")

    def test_client_is_run_with_its_own_arguments(self):
        client = f"sh -c '{WSCHECK} ping -w 500ms $WSCHECK_URL'"
        # It never comes back.
        runner = self.runner(args=f"test-client --fault stall --after 100ms --for 1s -- {client}")
        self.ran(runner, 1)
        self.assertEqual(runner.outputs["result"], "failed")


def blocks(page, language):
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


class Docs(InFolder):
    """The lines of the docs for other systems, each run by a shell with WS_URL, as these systems do."""

    def check(self, script, report):
        with Server(self.folder) as server:
            environment = {
                "PATH": f"{WSCHECK.parent}:{os.environ['PATH']}",
                "LANG": "C.UTF-8",
                "WS_URL": server.url,
            }
            # Some measure for minutes.
            script = script.replace("--max 2m", "--max 2s").replace(">=55s", ">=1s")
            ran = subprocess.run(
                ["sh", "-ec", script], env=environment, cwd=self.folder, capture_output=True, text=True, timeout=60
            )
        self.assertEqual(ran.returncode, 0, ran)
        self.assertIn("<testsuite", (self.folder / report).read_text())

    def test_gitlab(self):
        job = next(yaml.safe_load(text) for text in blocks("reports.md", "yaml") if "script:" in text)["websocket"]
        self.check("\n".join(job["script"]), job["artifacts"]["reports"]["junit"])

    def test_jenkins(self):
        (text,) = blocks("reports.md", "groovy")
        # In a string with single quotes Groovy expands nothing, so that the shell alone sees the variable.
        (script,) = re.findall(r"sh '(.*)'\n", text)
        (report,) = re.findall(r"junit '(.*?)'", text)
        self.check(script, report)


if __name__ == "__main__":
    unittest.main()
