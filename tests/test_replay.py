#!/usr/bin/env python3
"""Replaying and dropping deliveries, as an operator does: also while a relay
works on the same ones.
"""

import json
import os
import signal
import threading

from destination import Destination
from harness import HOOKSPOOL, contains, equal, main, run, test, wait_until
from relay_site import Site, body, ids, section


def command(site, *arguments, status=0):
    done = run([HOOKSPOOL, "-c", site.conf] + list(arguments), status=status)
    return (done.stdout if status == 0 else done.stderr).decode()


def change(site, *arguments):
    """What the change says in JSON, without zeros."""
    got = json.loads(command(site, *arguments, "--json"))
    return {key: value for key, value in got.items() if value}


def states(site):
    """{event id: state} of all deliveries, or {(id, destination): state}
    where there are several destinations."""
    rows = site.query("SELECT event_id, destination, state FROM delivery")
    if len({row[1] for row in rows}) < 2:
        return {row[0]: row[2] for row in rows}
    return {row[:2]: row[2] for row in rows}


def failing(site, count, relay=None):
    """Captures events of tickets of their own, and lets a relay try each
    once at least."""
    events = [site.capture(body(TicketId=n)) for n in range(count)]
    relay = site.relay()
    wait_until(lambda: site.query(
        "SELECT count(*) FROM deliveries WHERE attempts > 0") == [(count,)],
        "the first attempts", alive=[relay])
    relay.stop()
    return events


def kill_off(site):
    """Makes the next attempt of each delivery its last one."""
    site.query("UPDATE deliveries SET attempts = 9, next_at_ms = 0, "
               "first_attempt_ms = first_attempt_ms - 73 * 3600000")
    relay = site.relay()
    wait_until(lambda: site.query("SELECT count(*) FROM deliveries "
                                  "WHERE state = 0") == [(0,)],
               "their death", alive=[relay])
    relay.stop()


@test
def a_change_of_everything_must_be_asked_for():
    for arguments in (["replay"], ["drop"], ["replay", "--to", "crm"],
                      ["drop", "--limit", "1"], ["replay", "--dry-run"]):
        done = run([HOOKSPOOL, "-c", "/nonexistent"] + arguments, status=2)
        contains(done.stderr.decode(), "nothing is selected; give the ID of an event, ")
        contains(done.stderr.decode(), ", or --all")
    with Site() as site:
        for name in ("replay", "drop"):
            equal(change(site, name, "--all"), {})
            equal(command(site, name, "--all"), "no delivery matches\n")
            contains(command(site, name, "ffff", status=1), "ffff")
        contains(command(site, "replay", "--all", "--to", "crm", status=1),
                 "no destination \"crm\" is in")


@test
def a_dead_delivery_is_replayed_with_the_same_id_and_bytes():
    with Destination("500", "500", "500", "500", "200") as to, \
            Site(section("crm", to.url())) as site:
        first, second = failing(site, 2)
        kill_off(site)
        equal(states(site), {first: "dead", second: "dead"})
        equal(change(site, "replay", "--all", "--dry-run"),
              {"dry_run": True, "replayed": 2})
        contains(command(site, "replay", "--ticket", "1", "--dry-run"),
                 "dry run, nothing was changed:\n1 delivery replayed")
        equal(states(site), {first: "dead", second: "dead"})
        relay = site.relay()
        said = command(site, "replay", second[:30])
        contains(said, "1 delivery replayed")
        assert "relay" not in said, said
        got = to.wait_for(5)[4]
        equal((got.id, json.loads(got.body)["TicketId"], got.attempt),
              (second, 1, 11))
        wait_until(lambda: states(site)[second] == "delivered", "delivery",
                   alive=[relay])
        equal(states(site)[first], "dead")
        equal(change(site, "replay", "--state", "dead", "--since", "1h"),
              {"replayed": 1, "relay": "woken"})
        equal(to.wait_for(6)[5].id, first)


@test
def dropped_deliveries_are_given_up_until_they_are_replayed():
    with Destination() as to, Site(section("crm", to.url())) as site:
        to.stop()
        events = failing(site, 4)
        contains(command(site, "drop", "--to", "erp", status=1), "erp")
        equal(change(site, "drop", events[3], events[2][:32]),
              {"dropped": 2, "relay": "not running"})
        contains(command(site, "drop", "--until", "2100-01-01", "--limit",
                         "1"), "1 delivery dropped\nno relay runs")
        equal([states(site)[e] for e in events],
              ["dropped", "pending", "dropped", "dropped"])
        to.start()
        site.relay()
        equal(change(site, "replay", events[1], events[2]),
              {"replayed": 1, "made_due": 1, "relay": "woken"})
        got = to.wait_for(2)
        equal(set(ids(got)), set(events[1:3]))
        equal(change(site, "replay", "--all", "--state", "dropped"),
              {"replayed": 2, "relay": "woken"})
        equal(set(ids(to.wait_for(4))), set(events))


@test
def a_new_destination_gets_the_past_that_it_wants():
    with Destination() as old, Destination() as new, \
            Site(section("old", old.url())) as site:
        events = [site.capture(body(kind)) for kind in ("a", "b", "a")]
        relay = site.relay()
        old.wait_for(3)
        relay.stop()
        site.conf = site.configure(
            section("old", old.url()),
            section("new", new.url(), "events = a"))
        relay = site.relay()
        equal(change(site, "replay", "--to", "new", "--since", "1h"),
              {"created": 2, "relay": "woken"})
        equal(set(ids(new.wait_for(2))), {events[0], events[2]})
        wait_until(lambda: site.query(
            "SELECT count(*) FROM delivery WHERE state = 'delivered'") ==
            [(5,)], "all deliveries", alive=[relay])
        equal(change(site, "replay", "--all", "--to", "new"),
              {"skipped": 2})
        equal(change(site, "replay", events[1], "--to", "new"),
              {"created": 1, "relay": "woken"})
        equal(new.wait_for(3)[2].id, events[1])
        equal(change(site, "replay", "--from", "new", "--state", "delivered",
                     "--type", "b"), {"replayed": 1, "relay": "woken"})
        equal(new.wait_for(4)[3].id, events[1])
        equal(len(old.got()), 3, "requests to the other one")


@test
def a_replay_delivers_no_probe_to_who_does_not_name_it():
    with Destination() as all_there_is, Destination() as named, \
            Site(section("old", named.url(), "events = none")) as site:
        site.capture(body("hookspool_probe"))
        other = site.capture(body("note"))
        relay = site.relay()
        wait_until(lambda: site.query("SELECT routed_seq FROM progress") ==
                   [(2,)], "the routing", alive=[relay])
        relay.stop()
        site.conf = site.configure(
            section("all", all_there_is.url()),
            section("named", named.url(), "events = hookspool_*"),
            section("probes", named.url(), "events = hookspool_probe"))
        relay = site.relay()
        equal(change(site, "replay", "--all", "--to", "all"),
              {"created": 1, "relay": "woken"})
        equal(change(site, "replay", "--all", "--to", "named"), {})
        equal(change(site, "replay", "--all", "--to", "probes"),
              {"created": 1, "relay": "woken"})
        named.wait_for(1)
        equal(ids(all_there_is.wait_for(1)), [other])


@test
def the_body_chooses_what_is_replayed_and_dropped():
    with Destination("500") as to, Site(section("crm", to.url())) as site:
        jane, john = [site.capture(body(TicketId=n, Events=[
            {"AuthorEmail": "%s@example.org" % n, "Text": "J\u00e4n %s" % n}]))
            for n in ("jane", "john")]
        relay = site.relay()
        wait_until(lambda: len(states(site)) == 2, "the routing",
                   alive=[relay])
        relay.stop()
        equal(change(site, "drop", "--author", "JANE@example.org"),
              {"dropped": 1, "relay": "not running"})
        equal(states(site), {jane: "dropped", john: "pending"})
        equal(change(site, "drop", "--match", "j\u00c4n", "--dry-run"),
              {"dropped": 1, "dry_run": True})
        equal(change(site, "replay", "--match", "J\u00e4n J", "--state",
                     "dropped"), {"replayed": 1, "relay": "not running"})
        equal(change(site, "drop", "--match", "nobody"), {})


@test
def what_is_dropped_while_it_is_under_way_stays_dropped():
    gate = threading.Event()

    def wait(request):
        gate.wait(20)
        return "200"

    with Destination(wait) as to, Site(section("crm", to.url())) as site:
        event = site.capture()
        relay = site.relay()
        to.wait_for(1)
        equal(change(site, "drop", event),
              {"dropped": 1, "relay": "woken"})
        gate.set()
        other = site.capture()
        wait_until(lambda: states(site).get(other) == "delivered",
                   "the next one", alive=[relay])
        equal(states(site)[event], "dropped")
        gate.clear()
        equal(change(site, "replay", event)["replayed"], 1)
        to.wait_for(3)
        equal(change(site, "drop", event)["dropped"], 1)
        equal(change(site, "replay", event)["replayed"], 1)
        gate.set()
        wait_until(lambda: states(site)[event] == "delivered",
                   "the delivery", alive=[relay])
        equal(set(ids(to.got())), {event, other})


@test
def what_is_erased_while_it_is_under_way_leaves_nothing_behind():
    gate = threading.Event()

    def wait(request):
        gate.wait(20)
        return "200"

    with Destination(wait) as to, Site(section("crm", to.url())) as site:
        event = site.capture(body(TicketId=5))
        site.capture(body(TicketId=5))  # behind it
        other = site.capture(body(TicketId=6))
        relay = site.relay()
        to.wait_for(2)
        got = json.loads(command(site, "erase", "--ticket", "5", "--json"))
        equal((got["events"], got["undelivered"], got["clean"]),
              (2, 2, True))
        gate.set()
        wait_until(lambda: states(site) == {other: "delivered"},
                   "the other one", alive=[relay])
        equal(site.query("SELECT count(*) FROM attempts WHERE seq < 3"),
              [(0,)])
        equal(set(ids(to.got())), {event, other}, "events that came")
        equal(site.query("SELECT pending, delivered FROM destinations"),
              [(0, 1)])


@test
def the_counts_are_right_after_a_storm_of_changes():
    flaky = (lambda request: "200" if request.attempt % 3 else "503")
    with Destination(flaky) as one, Destination() as two, \
            Site(section("one", one.url()),
                 section("two", two.url())) as site:
        events = [site.capture(body(TicketId=n % 5)) for n in range(40)]
        relay = site.relay()
        for _ in range(4):
            threads = [threading.Thread(target=command, args=(site,) + argv)
                       for argv in (("drop", "--all"),
                                    ("replay", "--all", "--state", "dropped"),
                                    ("replay", "--all", "--state",
                                     "delivered", "--to", "two"))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert relay.is_alive(), relay.output()
        command(site, "replay", "--all", "--state", "dropped")

        def is_done():
            command(site, "replay", "--all", "--state", "pending")
            return "pending" not in states(site).values()
        wait_until(is_done, "all deliveries", timeout_s=60, alive=[relay])
        equal(set(states(site).values()), {"delivered"})
        rows = site.query("SELECT name, pending, delivered, dead, dropped "
                          "FROM destinations ORDER BY name")
        equal(rows, [("one", 0, 40, 0, 0), ("two", 0, 40, 0, 0)])
        for there in (one, two):
            equal(set(ids(there.got())), set(events), "events that came")


@test
def an_on_demand_relay_is_started_for_what_is_replayed():
    with Destination() as to, Site(section("crm", to.url()),
                                   start="on-demand") as site:
        event = site.capture()
        to.wait_for(1)
        wait_until(lambda: states(site) == {event: "delivered"}, "delivery")
        for pid in site.strays(b"relay"):
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not site.strays(b"relay"), "the relay's end")
        equal(change(site, "replay", event),
              {"replayed": 1, "relay": "started"})
        equal(to.wait_for(2)[1].id, event)


main(__name__)
