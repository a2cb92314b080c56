#!/usr/bin/env python3
"""hookspool show, where it says why a delivery waits, and why a destination
gets none.
"""

import os

from command_site import Site, event
from destination import Destination
from harness import (HOOKSPOOL, Sandbox, contains, equal, main, run, test,
                     wait_until)


def section(name, url, more=""):
    return ("[destination %s]\nurl = %s\nallow_private = yes\n%s\n" %
            (name, url, more))


def start_relay(site):
    return site.box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"])


def waiting(site, id_):
    """Why its only delivery that waits does."""
    found = site.json("show", id_)["waiting"]
    equal(len(found), 1, "deliveries that wait: %r" % found)
    return found[0]


def is_waiting(site, id_, why):
    return [w["reason"] for w in site.json("show", id_)["waiting"]] == [why]


@test
def a_delivery_that_failed_or_is_behind_or_paused_says_so():
    with Sandbox() as box, Destination("500") as bad:
        site = Site(box, section("crm", bad.url()))
        first = site.capture(event(TicketId=7))
        second = site.capture(event(TicketId=7))
        contains(site.run("show", first), "no relay has routed it yet")
        relay = start_relay(site)
        wait_until(lambda: is_waiting(site, first, "retry"),
                   "the first attempt", alive=[relay])
        got = waiting(site, first)
        assert got["until_ms"] > site.json("show", first)["received_at_ms"]
        contains(site.run("show", first), "crm waits: the last attempt failed")
        got = waiting(site, second)
        equal((got["reason"], got["behind_id"]), ("behind", first))
        contains(site.run("show", second),
                 "crm waits: an earlier event of its ticket comes first: " +
                 first)
        run([HOOKSPOOL, "-c", site.config_path, "pause", "crm", "--reason",
             "moving"], env=dict(os.environ, SUDO_USER="jane"))
        got = waiting(site, first)
        equal((got["reason"], got["paused_by"], got["pause_reason"]),
              ("paused", "jane", "moving"))
        contains(site.run("show", first), "ago by jane (moving); end the "
                 "pause with: hookspool resume crm")
        relay.stop()
        site.run("resume", "crm")
        site.run("replay", first)
        wait_until(lambda: is_waiting(site, first, "no relay"), "its time")
        contains(site.run("show", first), "hookspool relay --if-pending")


@test
def a_delivery_to_a_destination_that_asked_for_a_pause_says_until_when():
    with Sandbox() as box, Destination("503 Retry-After: 3000") as busy:
        site = Site(box, section("crm", busy.url()))
        id_ = site.capture(event())
        relay = start_relay(site)
        wait_until(lambda: is_waiting(site, id_, "held"), "the hold",
                   alive=[relay])
        got = waiting(site, id_)
        assert got["until_ms"] > 0, got
        contains(site.run("show", id_), "crm waits: the destination asked by "
                                        "Retry-After to wait until 2")


@test
def a_delivery_to_a_destination_that_is_down_says_when_that_is_probed():
    with Sandbox() as box, Destination("500") as bad:
        site = Site(box, section("crm", bad.url()))
        ids = [site.capture(event(TicketId=i)) for i in range(8)]
        relay = start_relay(site)
        wait_until(lambda: is_waiting(site, ids[-1], "down"), "its being down",
                   alive=[relay])
        contains(site.run("show", ids[-1]),
                 "crm waits: the destination has been down for ")
        contains(site.run("show", ids[-1]), "; the next probe: ")


@test
def a_destination_that_did_not_want_it_says_why():
    with Sandbox() as box, Destination() as good:
        site = Site(box, section("crm", good.url()) +
                    section("bi", good.url(), "events = ticket_*, x") +
                    section("erp", good.url(), "community = other"))
        id_ = site.capture(event())
        relay = start_relay(site)
        wait_until(lambda: site.json("show", id_)["deliveries"] and
                   site.json("show", id_)["waiting"] == [], "the delivery",
                   alive=[relay])
        got = site.json("show", id_)
        equal([(u["destination"], u["reason"]) for u in got["unmatched"]],
              [("bi", "event_type"), ("erp", "community")])
        out = site.run("show", id_)
        contains(out, "bi gets nothing: events = ticket_*, x does not match "
                      "the type note_deletion\n")
        contains(out, "erp gets nothing: community = other does not match the "
                      "community yourCompany\n")
        relay.stop()
        site.configure(site.text(more="[relay]\nstart = never\n" +
                                 section("crm", good.url()) +
                                 section("new", good.url())))
        (unwanted,) = site.json("show", id_)["unmatched"]
        equal((unwanted["destination"], unwanted["reason"]),
              ("new", "configured later"))
        contains(unwanted["text"], "hookspool replay --to new " + id_)
        site.configure(site.text(more="[relay]\nstart = never\n"
                                 "[destination x]\n"))
        contains(site.run("show", id_), "the destinations that it does not "
                 "match are not known: ")
        equal(site.run("show", "--body", id_)[0], "{")


main(__name__)
