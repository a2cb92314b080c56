#!/usr/bin/env python3
"""The relay from outside: real programs, a real spool, scripted destinations.
What is captured (by the endpoint, run as a CGI program) reaches its
destinations byte for byte, whatever they do and whenever the relay dies.
"""

import fcntl
import os
import shutil
import signal
import socket
import time

from destination import ClosedPort, Destination
from harness import (HOOKSPOOL, Skip, contains, equal, main, need, run, test,
                     wait_until)
from relay_site import BODY, Site, body, ids, logged, section


def stat(pid):
    """The fields of /proc/PID/stat from the state on."""
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rpartition(")")[2].split()


def ticks(pid):
    """Clock ticks of CPU that a process has used."""
    return int(stat(pid)[11]) + int(stat(pid)[12])


def sleeps(pid):
    """How often a process went to sleep."""
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("voluntary_ctxt_switches"):
                return int(line.split()[1])


def is_waiting_for_flock(pid):
    with open("/proc/locks") as f:
        return any(line.split()[1:3] == ["->", "FLOCK"] and
                   line.split()[5] == str(pid) for line in f)


# ---- what arrives ----

@test
def the_bytes_and_headers_arrive_exactly():
    with Destination() as to, Site(section(
            "crm", to.url("/in?a=1"), "header = X-Api-Key: k 1",
            "header = X-Other: 2")) as site:
        site.relay()
        event = site.capture(BODY, "text/x-odd; q=\"1\"")
        request = to.wait_for(1)[0]
        equal(request.line, "POST /in?a=1 HTTP/1.1", "request line")
        equal(request.body, BODY, "body")
        equal(request.id, event, "webhook-id")
        stamp = int(request.header("webhook-timestamp"))
        assert abs(stamp - request.wall_s) < 60, "timestamp %d" % stamp
        for name, value in {
                "Content-Type": "text/x-odd; q=\"1\"",
                "Content-Length": str(len(BODY)),
                "Hookspool-Event-Type": "ticket_status_change",
                "Hookspool-Attempt": "1", "X-Api-Key": "k 1", "X-Other": "2",
                "Expect": None, "Transfer-Encoding": None,
                "webhook-signature": None}.items():
            equal(request.header(name), value, name)
        version = run([HOOKSPOOL, "--version"]).stdout.decode().split()[-1]
        equal(request.header("User-Agent"), "hookspool/" + version)


@test
def strange_types_are_made_fit_for_a_header():
    with Destination() as to, Site(section("crm", to.url())) as site:
        site.relay()
        for kind, sent, encoded, content_type in (
                ("a b%", "text/plain\x01", "a%20b%25", "application/json"),
                ("\u00e9\r\nX: y", "a" * 257, "%C3%A9%0D%0AX:%20y",
                 "application/json"),
                ("plain", "a" * 256, "plain", "a" * 256),
                ("none", None, "none", "application/json")):
            before = len(to.got())
            site.capture(body(kind), sent)
            request = to.wait_for(before + 1)[-1]
            equal(request.header("Hookspool-Event-Type"), encoded)
            equal(request.header("Content-Type"), content_type)
            equal(request.header("X"), None, "injected header")
            equal(request.body, body(kind))


@test
def a_large_body_arrives_whole():
    with Destination() as to, Site(section("crm", to.url())) as site:
        site.relay()
        large = body(text="0123456789abcdef" * 65000)
        site.capture(large)
        assert to.wait_for(1)[0].body == large, "the body differs"


@test
def filters_choose_by_event_type_and_community():
    with Destination() as to, Site(
            section("notes", to.url("/notes"), "events = note_*, other"),
            section("north", to.url("/north"), "community = North"),
            section("all", to.url("/all"))) as site:
        wanted = set()
        for kind, community, paths in (
                ("note_deletion", "South", ("/notes", "/all")),
                ("ticket", "North", ("/north", "/all")),
                ("other", "North", ("/notes", "/north", "/all")),
                ("ticket", "South", ("/all",))):
            event = site.capture(body(kind, community))
            wanted |= {(path, event) for path in paths}
        site.relay("--on-demand")
        got = to.wait_for(len(wanted))
        equal({(r.path, r.id) for r in got}, wanted)
        equal(len(to.got()), len(wanted), "number of requests")


@test
def connections_are_reused_and_concurrency_is_kept():
    with Destination() as to, Site(
            section("crm", to.url(), "concurrency = 1")) as site:
        events = [site.capture() for _ in range(20)]
        site.relay()
        got = to.wait_for(20)
        equal(ids(got), events, "the order of one at a time")
        equal(to.connections, 1, "connections")


# ---- destinations that fail ----

@test
def whatever_a_destination_does_it_gets_the_event_in_the_end():
    faults = ["500", "404", "204 X: y", "302 Location: /elsewhere",
              "hang", "close", "reset", "short", "slow", "huge", "headers"]
    # 2xx, and no retry, whatever becomes of the rest of the answer.
    delivering = ("204 X: y", "short", "slow", "huge", "headers")
    endless = ("hang", "slow")
    names = ["d%d" % i for i in range(len(faults))]
    to = [Destination(fault, "200") for fault in faults]
    with Site(*[section(name, d.url(), "timeout = 2s" if fault in endless
                        else "timeout = 60s")
                for name, fault, d in zip(names, faults, to)]) as site:
        for d in to:
            site.defer(d.stop)
        event = site.capture(BODY)
        relay = site.relay()
        for fault, d in zip(faults, to):
            count = 1 if fault in delivering else 2
            got = d.wait_for(count, timeout_s=40)
            equal([(r.id, r.attempt, r.method, r.path, r.body) for r in got],
                  [(event, i + 1, "POST", "/hook", BODY)
                   for i in range(count)], fault)
        wait_until(lambda: relay.output().count("delivered") == len(faults),
                   "a line for each delivery", alive=[relay])
        for fault, d in zip(faults, to):
            equal(len(d.got()), 1 if fault in delivering else 2, fault)
        relay.stop()
        equal(sorted(site.settled()), sorted(
            ("delivered", 1 if f in delivering else 2) for f in faults))


@test
def a_destination_that_was_down_gets_what_it_missed():
    to = Destination()
    to.stop()
    with Site(section("crm", to.url())) as site:
        site.defer(to.stop)
        events = [site.capture(body(text=str(i))) for i in range(5)]
        relay = site.relay()
        logged(relay, "destination is down")
        equal(len(to.got()), 0)
        to.start()
        got = to.wait_for(5, timeout_s=40)
        equal(sorted(ids(got)), sorted(events))
        logged(relay, "destination is back")
        log = relay.output()
        assert log.count("first attempt failed") <= 5, log
        equal(log.count("destination is down"), 1, log)


@test
def retry_after_is_waited_for():
    with Destination("503 Retry-After: 6", "200") as to, \
            Site(section("crm", to.url())) as site:
        site.capture()
        site.relay()
        first, second = to.wait_for(2)
        waited = second.at - first.at  # longer than the first back-off
        assert 5.9 < waited, "tried again after %.1f s" % waited


@test
def a_destination_that_hangs_delays_no_other():
    with Destination("hang") as hung, Destination() as to, Site(
            section("hung", hung.url(), "concurrency = 2", "timeout = 60s"),
            section("crm", to.url())) as site:
        site.capture()
        site.relay()
        hung.wait_for(1)
        started = time.monotonic()
        events = [site.capture() for _ in range(20)]
        got = to.wait_for(21)
        equal(set(ids(got[1:])), set(events))
        took = time.monotonic() - started
        assert took < 15, "%.1f s for 20 events" % took
        equal(len(hung.wait_for(2)), 2, "attempts under way at the other")


@test
def a_delivery_dies_after_retry_for_and_ten_attempts():
    with Destination("500") as to, Site(section("crm", to.url())) as site:
        site.capture()
        relay = site.relay()
        logged(relay, "first attempt failed")
        relay.stop()
        site.query("UPDATE deliveries SET attempts = 9, next_at_ms = 0, "
                   "first_attempt_ms = first_attempt_ms - 73 * 3600000")
        relay = site.relay()
        logged(relay, "delivery is dead")
        equal(to.wait_for(2)[1].attempt, 10)
        relay.stop()
        equal(site.settled(), [("dead", 10)])


@test
def a_time_too_far_ahead_is_due_now():
    with Destination("500", "200") as to, \
            Site(section("crm", to.url())) as site:
        site.capture()
        relay = site.relay()
        logged(relay, "first attempt failed")
        relay.stop()
        site.query("UPDATE deliveries SET next_at_ms = next_at_ms + "
                   "3 * 86400000")
        site.relay()
        equal(to.wait_for(2)[1].attempt, 2)


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


# ---- crashes and stops ----

@test
def a_relay_killed_before_it_records_delivers_again_with_the_same_id():
    with Site() as site:
        def stop_the_relay(_):
            # It cannot take notice of the answer any more.
            site.relays[0].signal(signal.SIGSTOP)
            return "200"

        with Destination("200", stop_the_relay, "200") as to:
            site.configure(section("crm", to.url(), "concurrency = 1"))
            events = [site.capture(body(text=str(i))) for i in range(4)]
            relay = site.relay()
            to.wait_for(2)
            wait_until(lambda: stat(relay.pid)[0] == "T", "the relay's stop")
            relay.stop(signal.SIGKILL)
            equal(ids(to.got()), events[:2])
            site.relay()
            got = to.wait_for(5)
            equal(ids(got), [events[i] for i in (0, 1, 1, 2, 3)])
            equal(got[1].body, got[2].body)
            equal([r.attempt for r in got], [1] * 5)


@test
def sigterm_breaks_off_an_attempt_that_does_not_count():
    with Destination("hang", "200") as to, Site(
            section("crm", to.url(), "timeout = 60s")) as site:
        event = site.capture()
        relay = site.relay()
        to.wait_for(1)
        started = time.monotonic()
        relay.signal(signal.SIGTERM)
        equal(relay.wait(30), 0, "status")
        took = time.monotonic() - started
        assert took < 5, "%.1f s" % took
        equal(site.settled(), [("pending", 0)])
        site.relay()
        equal([(r.id, r.attempt) for r in to.wait_for(2)], [(event, 1)] * 2)


@test
def a_relay_whose_spool_was_replaced_ends_to_be_started_again():
    with Destination() as to, Site(section("crm", to.url())) as site:
        relay = site.relay()
        site.capture()
        logged(relay, "delivered")
        database = site.join("spool", "spool.db")
        shutil.copy(database, database + ".new")
        os.rename(database + ".new", database)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", site.join("spool", "relay.sock"))
        equal(relay.wait(), 75, "status")
        contains(relay.output(), "replaced")
        site.relays.remove(relay)


@test
def an_outcome_that_cannot_be_recorded_is_kept_and_not_repeated():
    with Site() as site:
        lock = open(site.join("spool", "lock"), "rb+")

        def hold_the_lock(_):
            fcntl.flock(lock, fcntl.LOCK_EX)
            return "200"

        with Destination(hold_the_lock, "200") as to:
            site.configure(section("crm", to.url()))
            site.capture()
            relay = site.relay()
            to.wait_for(1)
            logged(relay, "the spool cannot be used now", 60)
            fcntl.flock(lock, fcntl.LOCK_UN)
            logged(relay, "delivered")
            relay.stop()
            equal(len(to.got()), 1, "requests")
            equal(site.settled(), [("delivered", 1)])


# ---- memory ----

@test
def the_relay_leaves_no_memory_behind():
    with open(HOOKSPOOL, "rb") as f:
        is_sanitized = b"__asan_init" in f.read()
    valgrind = [] if is_sanitized else [
        "valgrind", "-q", "--error-exitcode=99", "--leak-check=full"]
    need(*valgrind[:1])
    with Destination("503 Retry-After: 0", "reset", "200") as to, \
            Site(section("crm", to.url(), "concurrency = 2"),
                 idle_exit="1s") as site:
        events = [site.capture() for _ in range(5)]
        relay = site.relay("--on-demand", wrapper=valgrind)
        got = to.wait_for(7, timeout_s=60)
        equal(set(ids(got)), set(events))
        equal(relay.wait(60), 0, "status")


main(__name__)
