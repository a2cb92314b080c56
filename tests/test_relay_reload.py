#!/usr/bin/env python3
"""A running relay that is told to read its configuration again: destinations
come, go and change, and what is under way is neither lost nor repeated.
"""

import signal
import threading

from destination import ClosedPort, Destination
from harness import (HOOKSPOOL, contains, equal, main, need, test, wait_until)
from relay_site import Site, body, ids, logged, section


class Gate:
    """Answers 200, but not before it is opened."""

    def __init__(self):
        self.event = threading.Event()
        self.open = self.event.set

    def __call__(self, _):
        self.event.wait(60)
        return "200"


def reload(site, relay, *sections):
    """Configures, asks for a reload, returns when it is done."""
    before = relay.output().count("configuration loaded again")
    site.configure(*sections)
    site.command("reload")
    wait_until(lambda: relay.output().count("configuration loaded again")
               > before, "the reload", alive=[relay])


@test
def destinations_come_and_go_and_come_back():
    with Destination() as one, Destination() as two, Site(
            section("one", one.url())) as site:
        relay = site.relay()
        first = site.capture()
        one.wait_for(1)
        both = section("one", one.url()), section("two", two.url())
        reload(site, relay, *both)
        contains(relay.output(), "destination added to=two")
        second = site.capture()
        one.wait_for(2)
        equal(ids(two.wait_for(1)), [second], "from now on")
        logged(relay, "delivered id=%s to=two" % second)

        two.stop()
        third = site.capture()
        one.wait_for(3)
        logged(relay, "first attempt failed id=" + third)
        reload(site, relay, section("one", one.url()))
        contains(relay.output(),
                 "destination removed; its deliveries are kept to=two")
        equal(site.query("SELECT event_id FROM delivery "
                         "WHERE state = 'orphaned'"), [(third,)])
        site.change("UPDATE deliveries SET next_at_ms = next_at_ms + 3600000 "
                    "WHERE state = 0")
        fourth = site.capture()
        one.wait_for(4)

        two.start()
        reload(site, relay, *both)
        equal(ids(two.wait_for(2))[1], third, "alive again")
        fifth = site.capture()
        equal(ids(one.wait_for(5)), [first, second, third, fourth, fifth])
        equal(ids(two.wait_for(3)), [second, third, fifth])


@test
def what_is_under_way_ends_as_it_began():
    gate = Gate()
    with Destination(gate) as old, Destination() as new, Site(
            section("crm", old.url(), "concurrency = 4"),
            section("gone", old.url(), "concurrency = 2")) as site:
        events = [site.capture(body(text=str(i))) for i in range(8)]
        relay = site.relay()
        old.wait_for(6)
        for url in (new.url(), new.url("/again")):  # twice
            reload(site, relay, section("crm", url, "concurrency = 1",
                                        "header = X-New: 1"))
        equal(len(new.got()), 0, "requests while four are under way")
        gate.open()
        got = new.wait_for(4)
        equal(ids(got), events[4:], "the rest")
        equal([(r.path, r.header("X-New")) for r in got],
              [("/again", "1")] * 4)
        wait_until(lambda: relay.output().count("delivered") == 10,
                   "their record", alive=[relay])
        equal(len(old.got()), 6, "requests to the old one")
        reload(site, relay, section("crm", new.url()),
               section("gone", new.url("/gone")))
        got = new.wait_for(10)
        equal(sorted(r.id for r in got if r.path == "/gone"),
              sorted(set(events) - {
                  r.id for r in old.got()
                  if ids(old.got()).count(r.id) == 2}), "what it had not")


@test
def one_that_leaves_and_returns_with_attempts_under_way_repeats_nothing():
    gate = Gate()
    with Destination(gate) as to, Site(section("crm", to.url())) as site:
        event = site.capture()
        relay = site.relay()
        to.wait_for(1)
        reload(site, relay)
        reload(site, relay, section("crm", to.url()))
        reload(site, relay)
        reload(site, relay, section("crm", to.url("/new")))
        gate.open()
        logged(relay, "delivered id=" + event)
        again = site.capture()
        equal([(r.id, r.path) for r in to.wait_for(2)],
              [(event, "/hook"), (again, "/new")])


@test
def a_bad_file_is_reported_and_the_old_one_stays():
    with Destination() as to, Site(section("crm", to.url())) as site:
        relay = site.relay()
        site.configure("[destination crm]", "url = %s" % to.url("/bad"),
                       "concurency = 3")
        relay.signal(signal.SIGHUP)
        logged(relay, "the new configuration has an error; the old one stays")
        contains(relay.output(), "concurency")
        site.capture()
        equal(to.wait_for(1)[0].path, "/hook")
        reload(site, relay, section("crm", to.url("/good")))
        site.capture()
        equal(to.wait_for(2)[1].path, "/good")


@test
def sighup_reloads_a_relay_that_was_started_on_demand():
    with Destination() as to, Site(section("crm", to.url()),
                                   idle_exit="30s") as site:
        relay = site.relay("--on-demand")
        site.idle_exit = "1s"
        site.configure(section("crm", to.url("/new")))
        relay.signal(signal.SIGHUP)
        logged(relay, "configuration loaded again")
        site.capture()
        equal(to.wait_for(1)[0].path, "/new")
        equal(relay.wait(), 0, "status")
        contains(relay.output(), "nothing to do")


@test
def a_mended_url_is_tried_at_once():
    with ClosedPort() as closed, Destination() as to, Site(
            section("crm", closed.url())) as site:
        events = [site.capture() for _ in range(10)]
        relay = site.relay()
        logged(relay, "destination is down")
        wait_until(lambda: site.query(
            "SELECT count(*) FROM deliveries WHERE attempts > 0")[0][0] >= 5,
            "the record of the failures")
        site.change("UPDATE deliveries SET next_at_ms = next_at_ms + 3600000")
        reload(site, relay, section("crm", to.url()))
        equal(sorted(ids(to.wait_for(10))), sorted(events))
        logged(relay, "destination is back")


@test
def another_order_holds_from_the_reload_on():
    gate = Gate()
    with Destination(gate) as to, Site(section("crm", to.url())) as site:
        events = [site.capture(body(TicketId=1, text=str(i)))
                  for i in range(5)]
        relay = site.relay()
        equal(ids(to.wait_for(1)), events[:1])
        reload(site, relay, section("crm", to.url(), "order = none"))
        equal(sorted(ids(to.wait_for(5))), sorted(events), "all at once")
        gate.open()


@test
def the_log_and_the_limits_follow_and_the_spool_does_not():
    with Destination() as to, Site(section("crm", to.url())) as site:
        relay = site.relay()
        log = site.join("new.log")
        crm = section("crm", to.url())
        site.spool = site.join("elsewhere")
        site.configure(crm, "[log]\nto = %s\nformat = json\n" % log)
        site.spool = site.join("spool")
        relay.signal(signal.SIGHUP)

        def text():
            try:
                with open(log) as f:
                    return f.read()
            except FileNotFoundError:
                return ""

        wait_until(lambda: "restart the relay to use" in text(), "the warning",
                   alive=[relay])
        contains(text(), '"message":"configuration loaded again"')
        site.configure(crm, "[log]\nto = %s\n" % log)
        site.capture()
        to.wait_for(1)


@test
def the_level_of_the_log_is_taken_up():
    with Destination("200", "500", "200") as to, Site(
            section("crm", to.url()), "[log]\nlevel = notice\n") as site:
        relay = site.relay()
        site.capture()
        to.wait_for(1)
        second = site.capture()
        logged(relay, "first attempt failed id=" + second)
        assert "delivered id=" not in relay.output()
        reload(site, relay, section("crm", to.url()))
        logged(relay, "delivered id=" + second)
        site.configure(section("crm", to.url()), "[log]\nlevel = error\n")
        relay.signal(signal.SIGHUP)
        said = relay.output()
        site.capture()
        wait_until(lambda: {state for state, _ in site.settled()} ==
                   {"delivered"}, "the third", alive=[relay])
        contains(relay.output(), said)


@test
def reloads_leave_no_memory_behind():
    with open(HOOKSPOOL, "rb") as f:
        is_sanitized = b"__asan_init" in f.read()
    valgrind = [] if is_sanitized else [
        "valgrind", "-q", "--error-exitcode=99", "--leak-check=full"]
    need(*valgrind[:1])
    gate = Gate()
    with Destination(gate) as to, Site(
            section("crm", to.url()), section("gone", to.url())) as site:
        relay = site.relay(wrapper=valgrind)
        for i in range(3):
            site.capture()
            to.wait_for(2 + i)
            reload(site, relay, section("crm", to.url("/%d" % i)))
        site.configure("[nonsense]")
        relay.signal(signal.SIGHUP)
        logged(relay, "the old one stays")
        gate.open()
        wait_until(lambda: relay.output().count("delivered") == 4,
                   "the deliveries", alive=[relay])


main(__name__)
