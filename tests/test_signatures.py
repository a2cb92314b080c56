#!/usr/bin/env python3
"""Signatures, judged by others: the npm package standardwebhooks as the
destination. npm installs it into the build folder, as tests/npm/ pins it.
"""

import json
import os
import shutil
import signal
import tempfile

from harness import (HOOKSPOOL, Sandbox, Skip, TOP_BUILD, TOP_SRC, contains,
                     equal, main, need, run, test, wait_until)
from relay_site import BODY, Site, body, logged, section

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_" + "/+" * 42 + "/w=="
OTHER = "whsec_qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="

PINNED = os.path.join(TOP_SRC, "tests", "npm")
# What npm says where the registry cannot be reached, or where somebody between
# whom this machine's npm does not trust ends its TLS.
UNREACHABLE = ("SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_GET_ISSUER_CERT",
               "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ENOTFOUND", "EAI_AGAIN",
               "ECONNREFUSED", "ECONNRESET",
               "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ENOTCACHED",
               "ERR_SOCKET_TIMEOUT", "FETCH_ERROR")


problems = []  # of npm, found by an earlier test


def lock_bytes(folder):
    try:
        with open(os.path.join(folder, "package-lock.json"), "rb") as f:
            return f.read()
    except OSError:
        return None


def install(folder):
    """Has npm fill `folder`, which is there when it is whole."""
    with tempfile.TemporaryDirectory(prefix="npm-", dir=TOP_BUILD) as new:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(os.path.join(PINNED, name),
                            os.path.join(new, name))
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                   "--no-update-notifier", "--fetch-retries=1",
                   "--fetch-timeout=20000"]
        if not os.access(os.path.expanduser("~"), os.W_OK):
            command.append("--cache=" + os.path.join(new, "cache"))
        done = run(command, None, cwd=new, timeout=120)
        said = done.stderr.decode("utf-8", "backslashreplace")
        if done.returncode != 0 and any(code in said for code in UNREACHABLE):
            problems.append("npm cannot reach its registry")
            raise Skip(problems[0])
        equal(done.returncode, 0, "npm ci: " + said[-3000:])
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(new, folder)
        os.mkdir(new)  # for TemporaryDirectory to remove


def library():
    """The folder node_modules with the pinned library."""
    need("node", "npm")
    if problems:  # it takes a while to fail
        raise Skip(problems[0])
    folder = os.path.join(TOP_BUILD, "npm")
    if lock_bytes(folder) != lock_bytes(PINNED):
        install(folder)
    return os.path.join(folder, "node_modules")


class Receiver:
    """A destination that verifies with the library; see receiver.js."""

    def __init__(self, sandbox, modules, name, *arguments):
        self.child = sandbox.spawn(
            ["node", os.path.join(PINNED, "receiver.js")] + list(arguments),
            name, env=dict(os.environ, NODE_PATH=modules))
        wait_until(lambda: self.child.output().endswith("\n"), "its port",
                   timeout_s=60, alive=[self.child])
        self.url = "http://127.0.0.1:%s/" % self.child.output().strip()

    def got(self):
        lines = self.child.output().split("\n")
        return [json.loads(line) for line in lines[1:-1]]

    def wait_for(self, count):
        """What it said of each of `count` requests: (id, attempt, error)."""
        wait_until(lambda: len(self.got()) >= count,
                   "%d requests" % count, alive=[self.child])
        return [(r["id"], r["attempt"], r["error"]) for r in self.got()]


@test
def the_library_takes_what_is_signed_byte_for_byte():
    modules = library()
    with Sandbox() as sandbox:
        to = Receiver(sandbox, modules, "receiver", OLD)
        with Site(section("crm", to.url, "secret = " + OLD)) as site:
            site.relay()
            bodies = [BODY, body(text="\u00e9\u4e2d\U0001f600\0"),
                      body(text="x" * 900000), b' {"EventType":"a","Events":'
                      b'[],"n":1E400,"s":"\\ud800"}\r\n\t ']
            events = [site.capture(data) for data in bodies]
            equal(sorted(to.wait_for(len(events))),
                  sorted((event, "1", "") for event in events))


@test
def one_secret_replaces_another_with_no_delivery_refused():
    modules = library()
    with Sandbox() as sandbox:
        # Before and after it got the new secret.
        old = Receiver(sandbox, modules, "old", OLD)
        new = Receiver(sandbox, modules, "new", NEW)
        with Site() as site:
            secrets = site.write("secrets", OLD + "\n", 0o600)
            site.configure(
                section("old", old.url, "secret_file = " + secrets,
                        "events = before, between"),
                section("new", new.url, "secret_file = " + secrets,
                        "events = between, after"))
            relay = site.relay()

            def change(*lines):
                site.write("secrets", "\n".join(lines) + "\n", 0o600)
                count = relay.output().count("configuration loaded")
                run([HOOKSPOOL, "-c", site.conf, "reload"])
                wait_until(lambda: relay.output().count("configuration loaded")
                           > count, "the reload", alive=[relay])

            before = site.capture(body("before"))
            old.wait_for(1)
            change(NEW, OLD)
            between = site.capture(body("between"))
            equal(old.wait_for(2), [(before, "1", ""), (between, "1", "")])
            new.wait_for(1)
            change("# only this one", NEW)
            after = site.capture(body("after"))
            equal(new.wait_for(2), [(between, "1", ""), (after, "1", "")])
            relay.stop()
            for secret in (OLD, NEW):
                assert secret not in relay.output(), relay.output()


@test
def a_reload_with_a_secret_file_that_is_wrong_changes_nothing():
    modules = library()
    with Sandbox() as sandbox:
        to = Receiver(sandbox, modules, "receiver", OLD)
        with Site() as site:
            secrets = site.write("secrets", OLD + "\n", 0o600)
            site.configure(
                section("crm", to.url, "secret_file = " + secrets))
            relay = site.relay()
            site.write("secrets", "whsec_tooshort\n", 0o600)
            done = run([HOOKSPOOL, "-c", site.conf, "reload"], 1)
            contains(done.stderr.decode(), "secrets:1: ")
            relay.signal(signal.SIGHUP)
            logged(relay, "the new configuration has an error")
            event = site.capture()
            equal(to.wait_for(1), [(event, "1", "")])


@test
def the_library_refuses_another_secret_or_none():
    modules = library()
    with Sandbox() as sandbox:
        other = Receiver(sandbox, modules, "other", OTHER)
        unsigned = Receiver(sandbox, modules, "unsigned", OLD)
        with Site(section("other", other.url,
                          "secret = %s, %s" % (OLD, NEW)),
                  section("unsigned", unsigned.url)) as site:
            site.relay()
            event = site.capture()
            equal(other.wait_for(1)[0],
                  (event, "1", "No matching signature found"))
            equal(unsigned.wait_for(1)[0],
                  (event, "1", "Missing required headers"))


@test
def each_attempt_is_signed_anew():
    modules = library()
    with Sandbox() as sandbox:
        to = Receiver(sandbox, modules, "receiver", OLD, "503")
        with Site(section("crm", to.url, "secret = " + OLD)) as site:
            site.relay()
            event = site.capture()
            equal(to.wait_for(2), [(event, "1", ""), (event, "2", "")])


@test
def a_secret_file_that_is_wrong_keeps_the_relay_from_starting():
    with Site() as site:
        path = site.write("secrets", "whsec_tooshort\n", 0o600)
        site.configure(section("crm", "http://127.0.0.1:9/",
                               "secret_file = " + path))
        relay = site.spawn([HOOKSPOOL, "-c", site.conf, "relay"],
                           "relay")
        equal(relay.wait(), 1, "status")
        contains(relay.output(), "[destination crm] secret_file: ")
        contains(relay.output(), "secrets:1: ")
        assert "tooshort" not in relay.output(), relay.output()


main(__name__)
