#!/usr/bin/env python3
"""The relay from outside: real programs, a real spool, scripted destinations.
What is captured (by the endpoint, run as a CGI program) reaches its
destinations byte for byte, whatever they do.
"""

import threading
import time

from destination import Destination
from harness import HOOKSPOOL, equal, main, need, run, test, wait_until
from relay_site import BODY, Site, body, ids, logged, section


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


@test
def a_connection_that_died_while_idle_costs_no_attempt():
    large = body(text="0123456789abcdef" * 30000)
    with Destination("200", "close", "200", "reset", "200") as to, Site(
            section("crm", to.url(), "concurrency = 1")) as site:
        site.relay()
        # libcurl sends once more what the old connection did not answer.
        for count, data in ((1, body()), (3, body()), (5, large)):
            event = site.capture(data)
            last = to.wait_for(count)[-1]
            equal((last.id, last.attempt, last.body), (event, 1, data))
            wait_until(lambda: site.settled()[-1:] == [("delivered", 1)],
                       "its outcome")
        equal(site.settled(), [("delivered", 1)] * 3)


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


# So that no retry comes before the relay is stopped.
LATER = "500 Retry-After: 60"


@test
def a_delivery_dies_after_retry_for_and_ten_attempts():
    with Destination(LATER, "500") as to, \
            Site(section("crm", to.url())) as site:
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
    with Destination(LATER, "200") as to, \
            Site(section("crm", to.url())) as site:
        site.capture()
        relay = site.relay()
        logged(relay, "first attempt failed")
        relay.stop()
        site.query("UPDATE deliveries SET next_at_ms = next_at_ms + "
                   "3 * 86400000")
        site.relay()
        equal(to.wait_for(2)[1].attempt, 2)


# ---- memory ----

BIG = 8 * 1048576


def put_big(site, kind, count):
    """Puts events with large bodies into the spool, by hand."""
    site.query("INSERT INTO events (id, received_at_ms, event_type, body) "
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
               "FROM n WHERE i < %d) SELECT '%s-' || i, 1, '%s', "
               "zeroblob(%d) FROM n" % (count, kind, kind, BIG))


def peak_bytes(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024


class Held:
    """Destinations that hold each request until they are released, and keep
    no body."""

    def __init__(self, box, count):
        self.event = threading.Event()
        self.to = [Destination(self._answer) for _ in range(count)]
        self.sizes = set()
        for destination in self.to:
            box.defer(destination.stop)
        box.defer(self.event.set)

    def _answer(self, request):
        self.sizes.add(len(request.body))
        request.body = b""
        self.event.wait(60)
        return "200"

    def got(self):
        return [len(destination.got()) for destination in self.to]


@test
def the_bodies_under_way_have_a_budget_and_none_waits_for_ever():
    with open(HOOKSPOOL, "rb") as f:
        is_sanitized = b"__asan_init" in f.read()
    with Site() as site:
        held = Held(site, 4)
        site.configure(*[
            section("d%d" % i, to.url(), "events = t%d" % i, "order = none")
            for i, to in enumerate(held.to)])
        for i in range(4):
            put_big(site, "t%d" % i, 8)
        relay = site.relay()
        wait_until(lambda: min(held.got()) >= 1 and sum(held.got()) >= 8,
                   "as many as fit", timeout_s=60, alive=[relay])
        # One for each destination, the rest within 64 MiB.
        assert sum(held.got()) <= 8 + 3, held.got()
        held.event.set()
        wait_until(lambda: held.got() == [8] * 4, "the others", timeout_s=60,
                   alive=[relay])
        equal(held.sizes, {BIG})
        peak = peak_bytes(relay.pid)
        print("# at most %d MiB in memory" % (peak // 1048576))
        assert is_sanitized or peak < 150 * 1048576, peak


@test
def a_body_that_goes_to_several_at_once_is_in_memory_once():
    with open(HOOKSPOOL, "rb") as f:
        is_sanitized = b"__asan_init" in f.read()
    with Site() as site:
        held = Held(site, 4)
        site.configure(*[section("d%d" % i, to.url(), "order = none")
                         for i, to in enumerate(held.to)])
        put_big(site, "x", 8)
        relay = site.relay()
        wait_until(lambda: held.got() == [8] * 4, "all at once", timeout_s=60,
                   alive=[relay])
        peak = peak_bytes(relay.pid)
        print("# at most %d MiB in memory" % (peak // 1048576))
        assert is_sanitized or peak < 150 * 1048576, peak
        held.event.set()
        wait_until(lambda: set(site.settled()) == {("delivered", 1)},
                   "their outcomes", timeout_s=60, alive=[relay])


@test
def the_relay_leaves_no_memory_behind():
    with open(HOOKSPOOL, "rb") as f:
        is_sanitized = b"__asan_init" in f.read()
    valgrind = [] if is_sanitized else [
        "valgrind", "-q", "--error-exitcode=99", "--leak-check=full"]
    need(*valgrind[:1])
    with Destination("503 Retry-After: 0", "reset", "200") as to, \
            Site(section("crm", to.url(), "concurrency = 2",
                         "secret = whsec_" + "a" * 32),
                 idle_exit="1s") as site:
        events = [site.capture() for _ in range(5)]
        relay = site.relay("--on-demand", wrapper=valgrind)
        got = to.wait_for(7, timeout_s=60)
        equal(set(ids(got)), set(events))
        equal(relay.wait(60), 0, "status")


main(__name__)
