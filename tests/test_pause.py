#!/usr/bin/env python3
"""Pausing and resuming a destination, and reloading the configuration, by the
operator's command, while a relay runs.
"""

import json
import os
import time

from destination import Destination
from harness import HOOKSPOOL, contains, equal, main, run, test, wait_until
from relay_site import Site, ids, section


def command(site, *arguments, status=0):
    done = run([HOOKSPOOL, "-c", site.conf] + list(arguments), status=status)
    return (done.stdout if status == 0 else done.stderr).decode()


def as_json(site, *arguments):
    return json.loads(command(site, *arguments, "--json"))


def destination(site, name):
    row, = [d for d in as_json(site, "status")["destinations"]
            if d["name"] == name]
    return row


def row_of(site, name):
    """Its lines of `status`."""
    return "\n".join(line for line in command(site, "status").splitlines()
                     if line.startswith((name + " ", name + ": ")))


@test
def a_paused_destination_gets_nothing_until_it_is_resumed():
    with Destination() as crm, Destination() as erp, \
            Site(section("crm", crm.url()),
                 section("erp", erp.url())) as site:
        relay = site.relay()
        first = site.capture()
        crm.wait_for(1)
        equal(as_json(site, "pause", "crm", "--reason", "moving | \x1b[1m"),
              {"paused": ["crm"], "unchanged": [], "relay": "woken"})
        second = site.capture()
        erp.wait_for(2)
        wait_until(lambda: destination(site, "crm")["pending"] == 1,
                   "the delivery that waits", alive=[relay])
        got = destination(site, "crm")
        equal((got["state"], got["pause_reason"]),
              ("paused", "moving | \x1b[1m"))
        assert got["paused_at_ms"] > 0, got
        said = row_of(site, "crm")
        contains(said, "paused")
        contains(said, ": moving / \\x1b[1m")
        relay.stop()
        relay = site.relay()  # it knows that still
        third = site.capture()
        erp.wait_for(3)
        equal(len(crm.got()), 1, "requests to the paused one")
        equal(command(site, "resume", "crm"), "crm is resumed\n")
        equal(set(ids(crm.wait_for(3))), {first, second, third})
        wait_until(lambda: destination(site, "crm")["state"] == "idle",
                   "its settling", alive=[relay])
        equal(destination(site, "crm")["paused_at_ms"], None)


@test
def what_cannot_be_paused_is_named():
    with Destination() as to, Site(section("crm", to.url())) as site:
        contains(command(site, "pause", "crm", status=1), "crm")
        site.relay().stop()
        contains(command(site, "pause", "cmr", "crm", status=1), "cmr")
        equal(destination(site, "crm")["state"], "paused")
        contains(command(site, "resume", "cmr", status=1), "cmr")
        contains(command(site, "resume", "crm"), "no relay runs")
        equal(destination(site, "crm")["state"], "idle")
        contains(command(site, "resume", "crm"),
                 "crm is not paused, held or down")
        equal(as_json(site, "resume", "crm"),
              {"resumed": [], "unchanged": ["crm"], "relay": "not running"})
        contains(run([HOOKSPOOL, "pause"], status=2).stderr.decode(),
                 "NAME... is missing")


@test
def a_second_pause_keeps_what_the_first_said():
    with Destination() as to, Site(section("crm", to.url())) as site:
        site.relay().stop()
        env = dict(os.environ, SUDO_USER="jane")
        run([HOOKSPOOL, "-c", site.conf, "pause", "crm", "--reason", "moving"],
            env=env)
        first = destination(site, "crm")
        equal((first["paused_by"], first["pause_reason"]), ("jane", "moving"))
        contains(row_of(site, "crm"), "ago by jane: moving")
        contains(command(site, "pause", "crm", "--reason", "again"),
                 "crm is paused already, by jane (moving); the first time and "
                 "reason are kept")
        equal(as_json(site, "pause", "crm"),
              {"paused": [], "unchanged": ["crm"], "relay": "not running"})
        equal(destination(site, "crm"), first)


@test
def a_destination_that_is_not_there_is_named_with_the_nearest():
    with Destination() as to, Site(section("crm", to.url()),
                                   section("old", to.url())) as site:
        event = site.capture()
        site.relay().stop()
        site.conf = site.configure(section("crm", to.url()),
                                   section("erp", to.url()))
        for arguments in (["list", "--to"], ["export", "--to"],
                          ["drop", "--all", "--to"], ["pause"], ["resume"],
                          ["replay", "--all", "--to"],
                          ["replay", event, "--to"],
                          ["replay", "--all", "--state", "dead", "--to"],
                          ["replay", "--from"],
                          ["replay", "--all", "--to", "erp", "--from"]):
            said = command(site, *arguments, "crn", status=1)
            contains(said, "no destination \"crn\" is in ", arguments)
            contains(said, 'did you mean "crm"?', arguments)
        contains(command(site, "list", "--to", "zzzzz", status=1),
                 "known are crm, erp, old")
        # Known are those that are configured, loaded or not, and those that
        # were.
        equal(command(site, "list", "--json", "--to", "erp"), "")
        contains(command(site, "list", "--to", "old"), "old: ")
        site.conf = site.configure(section("crm", "ftp://wrong"),
                                   section("new", to.url()))
        equal(command(site, "list", "--json", "--to", "new"), "")
        contains(command(site, "list", "--to", "ne", status=1),
                 'did you mean "new"?')


def wait_for_far_probe(site, relay):
    """Until it is down, and the next probe is some seconds ahead."""
    wait_until(lambda: (destination(site, "crm")["probe_at_ms"] or 0) >
               time.time() * 1000 + 4000, "a probe that is far ahead",
               timeout_s=90, alive=[relay])


@test
def one_that_is_down_is_tried_at_once_when_it_is_resumed():
    with Destination("500") as to, Site(section("crm", to.url())) as site:
        for _ in range(20):
            site.capture()
        relay = site.relay()
        wait_for_far_probe(site, relay)
        site.change("UPDATE deliveries SET next_at_ms = next_at_ms + 3600000")
        before = len(to.got())
        equal(command(site, "resume", "crm"), "crm is resumed\n")
        # As if it had never failed: all of it, until it is down again.
        to.wait_for(before + 5, timeout_s=3)
        wait_until(lambda: site.query("SELECT retry_asked FROM destinations")
                   == [(0,)], "the end of that", alive=[relay])
        relay.stop()
        site.change("UPDATE deliveries SET next_at_ms = next_at_ms + 3600000")
        contains(command(site, "resume", "crm"), "no relay runs")
        before = len(to.got())
        site.relay()  # knows of it all the same
        to.wait_for(before + 5, timeout_s=3)


@test
def a_replay_of_what_waits_says_what_keeps_it_back():
    with Destination("500") as to, Site(section("crm", to.url())) as site:
        events = [site.capture() for _ in range(10)]
        relay = site.relay()
        wait_for_far_probe(site, relay)
        before = len(to.got())
        said = command(site, "replay", "--state", "pending")
        contains(said, "crm is down: one delivery is tried now")
        to.wait_for(before + 1, timeout_s=2)
        equal(as_json(site, "replay", events[0])["blocked"],
              [{"destination": "crm", "state": "down", "hold_until_ms": None}])
        command(site, "pause", "crm")
        said = command(site, "replay", "--state", "pending")
        contains(said, "crm is paused: no delivery is tried until "
                 "`hookspool resume crm`")
        assert "nothing to do" not in said, said


@test
def what_was_rejected_is_tried_again_at_once_after_a_reload():
    with Destination("401") as to, Site(section("crm", to.url())) as site:
        for _ in range(7):
            site.capture()
        relay = site.relay()
        wait_until(lambda: site.query(
            "SELECT min(attempts) FROM deliveries") == [(1,)],
            "the first attempts", alive=[relay])
        site.change("UPDATE deliveries SET next_at_ms = next_at_ms + 3600000")
        to.script = ["200"]
        before = len(to.got())
        contains(command(site, "reload"), "tried at once")
        to.wait_for(before + 7, timeout_s=5)


@test
def a_held_destination_says_until_when():
    with Destination("503 Retry-After: 3000") as to, \
            Site(section("crm", to.url())) as site:
        relay = site.relay()
        site.capture()
        wait_until(lambda: destination(site, "crm")["state"] == "held",
                   "the hold", alive=[relay])
        got = destination(site, "crm")
        assert got["hold_until_ms"] > got["last_attempt_ms"] + 2900000, got
        said = row_of(site, "crm")
        contains(said, " in 49m ")
        contains(said, "Retry-After: status 503")


@test
def a_destination_that_is_down_says_since_when_and_until_when():
    with Destination("500") as to, Site(section("crm", to.url())) as site:
        relay = site.relay()
        for _ in range(8):
            site.capture()
        wait_until(lambda: destination(site, "crm")["state"] == "down",
                   "its going down", alive=[relay])
        got = destination(site, "crm")
        assert 0 < got["down_since_ms"] < got["probe_at_ms"], got
        contains(row_of(site, "crm"), "\ncrm: down for ")
        to.script[:] = ["200"]
        command(site, "reload")  # which probes at once
        wait_until(lambda: [destination(site, "crm")[key] for key in (
            "state", "down_since_ms", "probe_at_ms")] ==
            ["idle", None, None], "its coming back", alive=[relay])


@test
def reload_checks_the_file_before_the_relay_hears_of_it():
    with Destination() as crm, Destination() as erp, \
            Site(section("crm", crm.url())) as site:
        contains(command(site, "reload"), "no relay runs")
        equal(as_json(site, "reload"), {"relay": "not running"})
        relay = site.relay()
        site.configure(section("crm", crm.url(), "concurency = 1"))
        said = command(site, "reload", status=1)
        contains(said, 'did you mean "concurrency"?')
        first = site.capture()
        equal(crm.wait_for(1)[0].id, first)
        site.configure(section("crm", crm.url()), section("erp", erp.url()))
        equal(as_json(site, "reload"), {"relay": "asked"})
        wait_until(lambda: {d["name"] for d in
                            as_json(site, "status")["destinations"]} ==
                   {"crm", "erp"}, "the reload", alive=[relay])
        second = site.capture()
        equal(erp.wait_for(1)[0].id, second)
        equal(ids(crm.wait_for(2)), [first, second])


main(__name__)
