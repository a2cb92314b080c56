#!/usr/bin/env python3
"""The operator's command where it is asked to judge, and to change what is in
the spool, while an endpoint and a relay work on it.
"""

import os
import re
import sqlite3

from command_site import Site, complaint, event
from harness import (HOOKSPOOL, Sandbox, contains, equal, main, run, test)


# ---- as a monitoring plugin

def plugin(config, *arguments, status):
    """The lines that `status` prints."""
    done = run([HOOKSPOOL, "-c", config, "status"] + list(arguments),
               status=status)
    equal(done.stderr, b"", "standard error")
    return done.stdout.decode().splitlines()


@test
def status_compares_with_limits_as_a_plugin():
    with Sandbox() as box:
        site = Site(box)
        for _ in range(3):
            site.capture(event())
        config = site.config_path
        first = plugin(config, "--warn", "oldest=1h,backlog=3,dead=1",
                       "--crit", "backlog=4,silence=12h", status=1)[0]
        contains(first, "HOOKSPOOL WARNING - ")
        contains(first, "backlog 3 (warning from 3)")
        assert re.search(r" \| oldest=\d+s;3600;;0 backlog=3;3;4;0 "
                         r"dead=0;1;;0 silence=\d+s;;43200;0$", first), first
        first = plugin(config, "--warn=backlog=1", "--crit=backlog=3",
                       status=2)[0]
        contains(first, "HOOKSPOOL CRITICAL - ")
        contains(first, "backlog 3 (critical from 3)")
        lines = plugin(config, "--crit", "backlog=4", status=0)
        contains(lines[0], "HOOKSPOOL OK - ")
        assert "|" not in "".join(lines[1:]), lines
        got = site.json("status", "--crit", "backlog=1", status=2)
        equal((got["level"], got["events_new"]), ("CRITICAL", 3))


@test
def silence_counts_from_the_newest_event_or_the_making_of_the_spool():
    with Sandbox() as box:
        site = Site(box)
        lock = os.path.join(site.spool, "lock")
        plugin(site.config_path, "--crit", "silence=1h", status=0)
        os.utime(lock, (1, os.stat(lock).st_mtime - 7200))
        first = plugin(site.config_path, "--crit", "silence=1h", status=2)[0]
        contains(first, "no event for 2h (critical from 1h)")
        site.capture(event())
        plugin(site.config_path, "--crit", "silence=1h", status=0)


@test
def a_plugin_that_cannot_tell_exits_with_3():
    with Sandbox() as box:
        config = box.write("h.conf", "[spool]\npath = %s\n" %
                           box.join("none"), 0o640)
        for arguments, said in (
                (["--warn", "oldest=1h"], "hookspool init"),
                (["--warn", "oldest=1"], '"oldest=1" is no limit'),
                (["--crit", "silence=1h,,dead=1"], '"" is no limit'),
                (["--crit", "dead=0"], '"dead=0" is no limit'),
                (["--crit", "dead=1,dead=2"], '"dead=2" is no limit'),
                (["--bogus", "--crit", "dead=1"], "--bogus"),
                (["--crit", "dead=1", "--warn"], "--warn needs a value"),
                (["--crit", "dead=1", "--crit", "dead=2"], "twice"),
                (["-c", box.join("no.conf"), "--crit", "dead=1"], "no.conf")):
            first, = plugin(config, *arguments, status=3)
            contains(first, "HOOKSPOOL UNKNOWN - ")
            contains(first, said)
        contains(complaint(config, "status", "--warn", status=2), "--warn")


# ---- the schema

@test
def migrate_says_which_schema_the_spool_has():
    with Sandbox() as box:
        site = Site(box)
        version = site.json("status")["schema_version"]
        contains(site.run("migrate"), "schema %d, there is nothing" % version)
        equal(site.json("migrate"),
              {"migrated": False, "schema_version": version})
        database = sqlite3.connect(os.path.join(site.spool, "spool.db"))
        database.execute("PRAGMA user_version = %d" % (version + 1))
        database.close()
        contains(complaint(site.config_path, "migrate"), "later hookspool")


main(__name__)
