#!/usr/bin/env python3
"""The operator's command where it is asked to judge, and to change what is in
the spool, while an endpoint and a relay work on it.
"""

import json
import os
import re
import shutil
import signal
import sqlite3
import stat

from command_site import Site, complaint, event
from harness import (HOOKSPOOL, TOP_SRC, Sandbox, contains, equal, main, run,
                     test)


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
        assert re.search(
            r" \| oldest=\d+s;3600;;0 backlog=3;3;4;0 dead=0;1;;0 "
            r"silence=\d+s;;43200;0 down=0s;;;0 paused=0s;;;0 refused=0;;;0 "
            r"orphaned=0;;;0 size=\d+B;;;0 free=\d+B;;;0 relay=1;;;0 "
            r"config=0;;;0$", first), first
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
        config = Site(box).config_path
        for arguments, said in (
                (["--warn", "oldest=1"], '"oldest=1" is not a limit'),
                (["--warn", "relay=1"], '"relay=1" is not a limit'),
                (["--warn", "free"], '"free" is not a limit'),
                (["--crit", "silence=1h,,dead=1"], '"" is not a limit'),
                (["--crit", "dead=0"], '"dead=0" is not a limit'),
                (["--crit", "dead=1,dead=2"], '"dead=2" is not a limit'),
                (["--bogus", "--crit", "dead=1"], "--bogus"),
                (["--crit", "dead=1", "--warn"], "--warn has no value"),
                (["--crit", "dead=1", "--crit", "dead=2"], "twice")):
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
        contains(site.run("migrate"), "schema %d already: nothing" % version)
        equal(site.json("migrate"),
              {"migrated": False, "schema_version": version})
        database = sqlite3.connect(os.path.join(site.spool, "spool.db"))
        database.execute("PRAGMA user_version = %d" % (version + 1))
        database.close()
        contains(complaint(site.config_path, "migrate"), "later hookspool")


def schema(path):
    """What the database is made of; columns, not how they are written."""
    database = sqlite3.connect(path)
    names = [row[0] for row in database.execute(
        "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' "
        "ORDER BY name")]
    made = {name: database.execute("SELECT * FROM pragma_table_xinfo(?)",
                                   (name,)).fetchall() or
            database.execute("SELECT * FROM pragma_index_xinfo(?)",
                             (name,)).fetchall() for name in names}
    database.close()
    return made


def put_version_1(site):
    """Puts a spool of schema 1 in the place of the site's; its path."""
    path = os.path.join(site.spool, "spool.db")
    for name in (path, path + "-wal", path + "-shm"):
        if os.path.exists(name):
            os.unlink(name)
    with open(os.path.join(TOP_SRC, "tests/data/schema_1.sql")) as f:
        database = sqlite3.connect(path)
        database.executescript(f.read())
        database.close()
    os.chmod(path, 0o600)
    return path


@test
def a_spool_of_version_1_captures_and_is_brought_up_to_date():
    with Sandbox() as box:
        site = Site(box)
        made = schema(os.path.join(site.spool, "spool.db"))
        path = put_version_1(site)
        contains(complaint(site.config_path, "status"), "migrate")
        captured = site.capture(event(TicketId=14))
        equal(site.json("migrate")["migrated"], True)
        equal(schema(path), made, "what the upgraded spool is made of")
        equal(site.list()[0], captured)
        equal(len(site.list()), 4, "events after the upgrade")
        shown = site.json("show", "01932c00-0000-7000-8000-000000000002")
        equal([(d["state"], d["attempts"], d["last_status"])
               for d in shown["deliveries"]], [("pending", 1, 500)])


@test
def the_view_attempt_shows_each_attempt():
    with Sandbox() as box:
        site = Site(box)
        path = put_version_1(site)
        site.run("migrate")
        database = sqlite3.connect(path)
        rows = database.execute(
            "SELECT event_id, destination, number, outcome, status, error, "
            "CAST(answer AS TEXT) FROM attempt ORDER BY event_id").fetchall()
        conversation = database.execute(
            "SELECT conversation_id FROM event WHERE seq = 2").fetchone()
        database.close()
        equal([row[1:] for row in rows],
              [("crm", 1, "delivered", 200, None, "ok"),
               ("crm", 1, "retry", 500, "HTTP 500", None)])
        equal(conversation, ("c7",))


# ---- copies

def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@test
def export_writes_what_matches_with_its_bytes_oldest_first():
    with Sandbox() as box:
        site = Site(box)
        odd = b'{"EventType":"x\\u0000\\ud800","Events":[],\r\n "\xc3\xa5":1.0}'
        ids = [site.capture(odd), site.capture(event(TicketId=7)),
               site.capture(event(TicketId=7))]
        got = lines(site.run("export"))
        equal([row["id"] for row in got], ids)
        equal(got[0]["body"].encode(), odd, "the body")
        equal(got[0]["body_bytes"], len(odd))
        equal(got[0]["deliveries"], [])
        equal([row["id"] for row in lines(site.run("export", "--ticket", "7",
                                                   "--limit", "1"))],
              ids[1:2])
        equal([row["id"] for row in lines(site.run("export", ids[2],
                                                   ids[0]))],
              [ids[2], ids[0]])
        contains(complaint(site.config_path, "export", "ffff"), "ffff")
        contains(complaint(site.config_path, "export", ids[0], "--note", "1",
                           status=2), "an ID and a filter")


@test
def a_pipe_that_closes_ends_an_export_quietly():
    with Sandbox() as box:
        site = Site(box)
        for _ in range(3):
            site.capture(event(text="x" * 100000))
        ours, theirs = os.pipe()
        child = box.spawn([HOOKSPOOL, "-c", site.config_path, "export"],
                          "export", stdout=theirs)
        os.close(theirs)
        os.read(ours, 1)
        os.close(ours)
        equal(child.wait(), -signal.SIGPIPE, "exit status")
        equal(child.output(), "")


@test
def a_backup_is_a_spool_of_its_own():
    with Sandbox() as box:
        os.chmod(box.path, 0o777)
        site = Site(box)
        ids = [site.capture(event()) for _ in range(5)]
        copy = box.join("copy.db")
        got = site.json("backup", copy)
        equal((got["file"], got["size_bytes"]),
              (copy, os.stat(copy).st_size))
        equal(stat.S_IMODE(os.stat(copy).st_mode), 0o600, "its mode")
        database = sqlite3.connect(copy)
        equal([row[0] for row in database.execute(
            "SELECT id FROM event ORDER BY seq")], ids)
        equal(database.execute("PRAGMA integrity_check").fetchall(),
              [("ok",)])
        database.close()
        contains(complaint(site.config_path, "backup", copy), copy)
        equal(os.stat(copy).st_size, got["size_bytes"])
        contains(complaint(site.config_path, "backup",
                           box.join("none", "copy.db")), "none")
        os.unlink(os.path.join(site.spool, "spool.db"))
        for name in ("spool.db-wal", "spool.db-shm"):
            if os.path.exists(os.path.join(site.spool, name)):
                os.unlink(os.path.join(site.spool, name))
        shutil.copy(copy, os.path.join(site.spool, "spool.db"))
        equal(site.list(), ids[::-1])
        site.capture(event())


# ---- searching

@test
def bodies_are_searched_by_author_and_by_text():
    with Sandbox() as box:
        site = Site(box, more="[destination to]\nurl = http://127.0.0.1:1/\n"
                    "allow_private = yes\n")
        jane = site.capture(event(Events=[{
            "Note": {"AuthorEmail": "Jane@example.org",
                     "Text": "the J\u00e5n case"}}]))
        other = site.capture(event(Events=[{
            "Text": "write to jane@EXAMPLE.org, <b>\u00c5sa/Jo</b>"}]))
        equal(site.list("--author", "jane@example.org"), [jane])
        equal(site.list("--match", "jane@example.org"), [other, jane])
        equal(site.list("--match", "J\u00c5N CASE"), [jane])
        equal(site.list("--match", "\u00e5sa/jo"), [other])
        equal(site.list("--match", "case", "--author", "j"), [])
        contains(site.run("list", "--match", "case"), jane[-8:])
        rows = site.run("export", "--match", "jane@", "--limit", "1")
        equal([json.loads(row)["id"] for row in rows.splitlines()], [jane])
        for name in ("list", "export", "replay", "drop"):
            for option in ("--author", "--match"):
                contains(complaint("/nonexistent", name, option, "",
                                   status=2), "is empty")
                contains(site.run(name, "--help"), option)


# ---- erasing

def files_hold(site, text):
    """The files of the spool that hold the text."""
    found = []
    for name in os.listdir(site.spool):
        path = os.path.join(site.spool, name)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                if text.encode() in f.read():
                    found.append(name)
    return found


@test
def erase_needs_to_be_told_what():
    for arguments, said in (
            ([], "nothing is selected"), (["--dry-run"], "nothing is selected"),
            (["--ticket", ""], "--ticket"), (["--author="], "--author"),
            (["--before", "old"], "write 2h"),
            (["--before", "26-12-24"], "four digits"),
            (["--before", "99999d"], "before 1970"),
            (["--match", "x"], "--match needs --dry-run"),
            (["--dry-run", "--match="], "--match"),
            (["--note", "7", "--list"], "--list needs --dry-run"),
            (["--note", "1", "2"], '"2" is one argument')):
        done = run([HOOKSPOOL, "-c", "/nonexistent", "erase"] + arguments,
                   status=2)
        equal(done.stdout, b"")
        contains(done.stderr.decode(), said)


@test
def erase_removes_a_person_and_says_how_much():
    who = "eve.of.the.test@example.org"
    with Sandbox() as box:
        site = Site(box)
        site.capture(event(Events=[{}, {"Ticket": {
            "Id": 5, "Author": {"Email": who, "Name": "Eve Testperson"}}}]))
        kept = site.capture(event(Events=[{"Ticket": {"Id": 6}}]))
        site.refuse(json.dumps({"x": {"Email": who}}).encode())
        assert files_hold(site, who)
        dry = site.json("erase", "--author", who, "--dry-run")
        equal((dry["dry_run"], dry["events"], dry["refused"]), (True, 1, 1))
        assert files_hold(site, who)
        contains(site.run("erase", "--author", who, "--dry-run"),
                 "dry run, nothing was erased")
        said = site.run("erase", "--author", who.upper())
        contains(said, "       1  events, 1 of them not routed yet\n")
        contains(said, "       1  refused bodies")
        equal(files_hold(site, who), [], "files that hold the address")
        equal(files_hold(site, "Eve Testperson"), [])
        equal(site.list(), [kept])
        got = site.json("erase", "--author", who)
        equal((got["events"], got["refused"], got["clean"]), (0, 0, True))


@test
def a_dry_run_of_erase_lists_what_would_go():
    who = "eve@example.org"
    with Sandbox() as box:
        site = Site(box)
        first, second = [site.capture(event(Events=[
            {"AuthorEmail": who, "Text": text}])) for text in ("J\u00e5", "x")]
        other = site.capture(event(Events=[{"Text": "of " + who}]))
        got = site.json("erase", "--author", who, "--dry-run", "--list")
        equal([row["id"] for row in got["matches"]], [second, first])
        equal((got["events"], got["mentioned"]), (2, 1))
        equal(sorted(got["matches"][0]), sorted(json.loads(
            site.run("list", "--json", "--limit", "1"))))
        lines = site.run("erase", "--author", who, "--dry-run",
                         "--list").splitlines()
        equal([line.split()[3] for line in lines[1:3]],
              [second[-8:], first[-8:]])
        contains(lines[3], "dry run, nothing was erased")
        got = site.json("erase", "--match", "j\u00c5", "--dry-run", "--list",
                        "--before", "2100-01-01")
        equal([row["id"] for row in got["matches"]], [first])
        got = site.json("erase", "--match", who, "--dry-run", "--list")
        equal([row["id"] for row in got["matches"]], [other, second, first])
        equal(got["mentioned"], 0)
        equal(len(site.list()), 3)


@test
def erase_says_how_many_texts_it_leaves_that_have_the_address():
    who = "eve@example.org"
    with Sandbox() as box:
        site = Site(box)
        site.capture(event(Events=[{"Author": {"Email": who}, "NoteId": 5}]))
        texts = [site.capture(event(Events=[{"Text": text}])) for text in (
            "write to EVE@example.org", "eve\\u0040example.org", who)]
        site.capture(event(Events=[{"Text": "adam@example.org"}]))
        for arguments in (["--dry-run"], []):
            said = site.run("erase", "--author", who, *arguments)
            contains(said, "       2  events with the address elsewhere")
            contains(said, "hookspool list --limit 0 --match '%s'" % who)
        equal(site.list("--match", who), [texts[2], texts[0]])
        equal(site.json("erase", "--author", who)["mentioned"], 2)
        equal(site.json("erase", "--author", who, "--note", "5")["mentioned"],
              0)
        said = site.run("erase", "--author", "adam@example.com")
        assert "stay" not in said, said


def words(text):
    return " ".join(text.split())


@test
def erase_help_and_the_manual_say_the_same_of_what_is_looked_for():
    with open(os.path.join(TOP_SRC, "man", "hookspool.8.in")) as f:
        manual = words(f.read())
    for said in ("with TicketId, or Id of a Ticket, anywhere in the body",
                 "with NoteId, or Id of a Note, anywhere in the body",
                 "with this address in a member whose name ends in Email"):
        contains(words(run([HOOKSPOOL, "erase", "--help"]).stdout.decode()),
                 said)
        contains(manual, said)


@test
def erase_goes_by_ticket_note_and_age():
    with Sandbox() as box:
        site = Site(box)
        ticket = site.capture(event(Events=[{}, {"TicketId": 71}]))
        note = site.capture(event(Events=[{"NoteId": 72}]))
        rest = site.capture(event(TicketId=7))
        equal(site.json("erase", "--ticket", "71")["events"], 1)
        equal(site.list(), [rest, note])
        equal(site.json("erase", "--note", "72", "--before", "1h")["events"],
              0)
        equal(site.json("erase", "--note", "72")["events"], 1)
        equal(site.list(), [rest])
        equal(site.json("erase", "--before", "1d")["events"], 0)
        equal(site.json("erase", "--before", "2100-01-01")["events"], 1)
        equal(site.list(), [])
        assert ticket


# ---- accepting what was refused

@test
def a_refused_body_can_be_accepted_after_all():
    with Sandbox() as box:
        site = Site(box)
        text = site.text
        site.configure(text("community = other"))
        body = json.dumps(event("ticket_x", TicketId=9)).encode()
        site.refuse(body, CONTENT_TYPE="text/x")
        site.configure(text())
        lost = b'{"Type": "y", "Events": []}'
        site.refuse(lost)
        site.refuse(b"{")
        got, = site.json("refused", "accept", "1")
        equal(got["seq"], 1)
        shown = site.json("show", got["id"])
        equal((shown["body"].encode(), shown["event_type"],
               shown["content_type"], shown["remote_addr"],
               shown["ticket_id"], shown["state"]),
              (body, "ticket_x", "text/x", "192.0.2.7", "9", "new"))
        equal([row["seq"] for row in site.json("refused", "list")], [3, 2])
        contains(complaint(site.config_path, "refused", "accept", "1"), "1")
        contains(complaint(site.config_path, "refused", "accept", "2"),
                 "without --type: ")
        said = site.run("refused", "accept", "2", "--type", "y")
        contains(said, "refused body 2 is now the event ")
        contains(said, "no relay runs")
        newest, = lines(site.run("list", "--limit", "1", "--json"))
        equal(newest["event_type"], "y")
        site.run("refused", "accept", "3", "--type", "y", status=1)
        equal(len(site.json("refused", "list")), 1)
        contains(complaint(site.config_path, "refused", "accept", "x",
                           status=2), '"x"')


main(__name__)
