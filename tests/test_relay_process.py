#!/usr/bin/env python3
"""The relay as a process: it wakes when there is work, sleeps when there is
none, and ends when it is idle.
"""

import os
import resource
import signal
import threading
import time
from stat import S_ISSOCK

from destination import ClosedPort, Destination
from harness import Skip, contains, equal, main, need, run, test, wait_until
from relay_site import Site, body, ids, logged, section, stat


def ticks(pid):
    """Clock ticks of CPU that a process has used."""
    return int(stat(pid)[11]) + int(stat(pid)[12])


def sleeps(pid):
    """How often a process went to sleep."""
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("voluntary_ctxt_switches"):
                return int(line.split()[1])


def is_socket(path):
    try:
        return S_ISSOCK(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def is_waiting_for_flock(pid):
    with open("/proc/locks") as f:
        return any(line.split()[1:3] == ["->", "FLOCK"] and
                   line.split()[5] == str(pid) for line in f)


# ---- waking, waiting, ending ----

@test
def a_commit_wakes_the_relay():
    with Destination() as to, Site(section("crm", to.url())) as site:
        site.relay()
        took = []
        for i in range(10):
            site.capture()
            done = time.monotonic()
            took.append(to.wait_for(i + 1)[i].at - done)
        took.sort()
        print("# from the endpoint's end to the destination: median %.1f ms, "
              "worst %.1f ms" % (took[5] * 1000, took[-1] * 1000))
        assert took[5] < 2, took


@test
def an_idle_relay_uses_no_cpu():
    with Destination() as to, ClosedPort() as closed, Site(
            section("crm", to.url()),
            section("down", closed.url(), "events = rare")) as site:
        relay = site.relay()
        site.capture()
        logged(relay, "delivered")
        wait_until(lambda: stat(relay.pid)[0] == "S", "sleep")
        time.sleep(0.5)  # whatever it does after the work
        before, slept = ticks(relay.pid), sleeps(relay.pid)
        time.sleep(2)  # the idleness that is measured
        equal(ticks(relay.pid), before, "clock ticks of CPU")
        assert sleeps(relay.pid) - slept <= 2, "it woke by itself"


def is_held(pid):
    """Whether strace holds a process, and not just for a moment."""
    for _ in range(10):
        if stat(pid)[0] != "t":
            return False
        time.sleep(0.01)
    return True


@test
def an_event_that_comes_while_the_relay_ends_is_not_lost():
    need("strace")
    if run(["strace", "-qq", "-o", "/dev/null", "true"], None).returncode:
        raise Skip("strace may not trace here")
    # The relay looks once more after it took its socket away. Of its two
    # calls of unlinkat, at the start and the end, the second is delayed.
    slow_end = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=unlinkat",
                "-e", "inject=unlinkat:delay_enter=2000000:when=2"]
    with Destination() as to, Site(
            section("crm", to.url()), idle_exit="1s") as site:
        strace = site.relay("--on-demand", wrapper=slow_end, environment={
            "ASAN_OPTIONS": "detect_leaks=0"})  # which needs ptrace itself
        pids = [pid for pid in site.strays(b"relay") if pid != strace.pid]
        equal(len(pids), 1, "relays")
        wait_until(lambda: is_held(pids[0]), "its end", alive=[strace])
        event = site.capture()
        equal(ids(to.wait_for(1)), [event])
        equal(strace.wait(), 0, "status")


@test
def an_idle_relay_ends_and_loses_no_event_around_its_end():
    with Destination() as to, Site(section("crm", to.url()),
                                   start="on-demand",
                                   idle_exit="1s") as site:
        events = []
        for i in range(24):
            events.append(site.capture())
            # Around the moment of the end: the pause of a second shifts.
            time.sleep(0 if i % 3 else 0.97 + i * 0.004)
        got = to.wait_for(len(events), timeout_s=30)
        equal(sorted(ids(got)), sorted(events))
        wait_until(lambda: not site.strays(b"relay"), "the end of the relay")
        assert not os.path.exists(site.join("spool", "relay.sock"))


@test
def a_relay_that_comes_while_another_ends_takes_over():
    with Destination() as to, Site(section("crm", to.url())) as site:
        first = site.relay()
        second = site.relay("--on-demand", listens=False)
        wait_until(lambda: is_waiting_for_flock(second.pid), "its wait",
                   alive=[second])
        third = site.relay("--on-demand", listens=False)
        equal(third.wait(), 0, "status of the third")
        contains(third.output(), "another relay")
        first.stop(signal.SIGKILL)
        event = site.capture()
        logged(second, "relay started")
        equal(ids(to.wait_for(1)), [event])


@test
def a_socket_that_is_taken_away_is_made_again():
    with Destination() as to, Site(section("crm", to.url())) as site:
        relay = site.relay()
        name = site.join("spool", "relay.sock")

        def remove():
            os.unlink(name)

        def move():
            os.rename(name, site.join("spool", "elsewhere"))

        def replace():
            site.write("spool/relay.sock.new", "", 0o600)
            os.rename(name + ".new", name)

        for count, way in enumerate([remove, move, replace]):
            way()
            event = site.capture()  # nobody but the relay can see to it
            equal(to.wait_for(count + 1, timeout_s=10)[count].id, event)
            wait_until(lambda: is_socket(name),
                       "the socket", alive=[relay])
            wait_until(lambda: relay.output().count("created again") > count,
                       "its log line", alive=[relay])


@test
def a_relay_started_while_the_socket_is_missing_does_no_harm():
    with Destination() as to, Site(section("crm", to.url()),
                                   start="on-demand") as site:
        relay = site.relay()
        os.unlink(site.join("spool", "relay.sock"))
        events = [site.capture() for _ in range(3)]
        equal(sorted(ids(to.wait_for(3, timeout_s=10))), sorted(events))
        wait_until(lambda: len(site.strays(b"relay")) == 1,
                   "the others' end", timeout_s=20, alive=[relay])
        events.append(site.capture())
        equal(to.wait_for(4)[3].id, events[3])


@test
def a_second_relay_waits_a_while_and_leaves():
    with Site() as site:
        site.relay()
        started = time.monotonic()
        second = site.relay(listens=False)
        equal(second.wait(30), 0, "status")
        took = time.monotonic() - started
        assert took > 4, "it left after %.1f s" % took
        contains(second.output(), "another relay")


@test
def if_pending_ends_at_once_where_nothing_is():
    with Destination() as to, Site(
            section("crm", to.url()), idle_exit="1s") as site:
        relay = site.relay("--if-pending", listens=False)
        equal(relay.wait(), 0, "status where nothing is pending")
        equal(relay.output(), "", "its log")
        event = site.capture()
        relay = site.relay("--if-pending")
        equal(ids(to.wait_for(1)), [event])
        equal(relay.wait(), 0, "status after the work")
        site.relay()
        started = time.monotonic()
        relay = site.relay("--if-pending", listens=False)
        equal(relay.wait(), 0, "status where a relay runs")
        took = time.monotonic() - started
        assert took < 4, "it waited %.1f s for the other" % took


# ---- limits ----

@test
def the_limit_of_descriptors_is_raised_to_what_concurrency_needs():
    release = threading.Event()

    def wait(_):
        release.wait(60)
        return "200"

    names = ["d%d" % i for i in range(3)]
    with Destination(wait) as to, Site(
            *[section(name, to.url(), "concurrency = 64")
              for name in names]) as site:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard < 1000:
            raise Skip("the hard limit of descriptors is %d" % hard)
        for i in range(64):
            site.capture(body(text=str(i)))
        site.relay(limits=(100, hard))
        to.wait_for(192)
        release.set()


@test
def a_lack_of_descriptors_counts_against_nobody():
    release = threading.Event()

    def wait(_):
        release.wait(60)
        return "200"

    with Destination(wait) as to, Site(
            section("crm", to.url(host="localhost"), "concurrency = 40",
                    "order = none")) as site:
        events = [site.capture(body(text=str(i))) for i in range(40)]
        relay = site.relay(limits=(40, 40))
        logged(relay, "no descriptor is left")
        to.wait_for(1)
        equal(site.query("SELECT count(*) FROM attempts"), [(0,)])
        release.set()
        to.wait_for(40, timeout_s=60)
        wait_until(lambda: set(site.settled()) == {("delivered", 1)},
                   "their outcomes", timeout_s=60, alive=[relay])
        equal(sorted(ids(to.got())), sorted(events))
        equal({r.attempt for r in to.got()}, {1})
        equal(relay.output().count("this machine cannot deliver"), 1, "lines")
        for line in ("first attempt failed", "destination is down"):
            assert line not in relay.output(), relay.output()


main(__name__)
