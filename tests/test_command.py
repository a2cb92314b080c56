#!/usr/bin/env python3
"""The operator's command, from outside: what each subcommand prints, what it
exits with, what it makes, as whom it works, and that nothing that a stranger
sent reaches the terminal raw.
"""

import base64
import grp
import http.server
import hashlib
import json
import os
import pwd
import re
import shutil
import sqlite3
import stat
import threading

import fastcgi
from command_site import (Site, command, complaint, event, init, need_root,
                          other_user)
from destination import Destination
from harness import (HOOKSPOOL, Sandbox, Skip, contains, equal, main, run,
                     test, wait_until)

SUBCOMMANDS = ("init", "check", "relay", "status", "list", "show", "send",
               "refused")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def snapshot(path):
    """(mode, owner, bytes) of a file."""
    st = os.stat(path)
    with open(path, "rb") as f:
        return st.st_mode, st.st_uid, st.st_gid, f.read()


def other_group(user):
    """A group that is neither root's nor the user's own."""
    for group in grp.getgrall():
        if group.gr_gid not in (0, user.pw_gid):
            return group
    raise Skip("there is no other group")


# ---- usage

@test
def every_subcommand_explains_itself():
    for name in SUBCOMMANDS:
        for argv in ([name, "--help"], ["help", name], [name, "-h"]):
            out = run([HOOKSPOOL] + argv).stdout.decode()
            contains(out, "Usage: hookspool [-c FILE] %s" % name)
    contains(run([HOOKSPOOL, "--help"]).stdout.decode(), "Usage: hookspool")
    contains(run([HOOKSPOOL, "help"]).stdout.decode(), "Usage: hookspool")
    out = run([HOOKSPOOL, "--version"]).stdout.decode()
    assert re.fullmatch(r"hookspool \d+\.\d+\.\d+\n", out), out


@test
def a_wrong_call_exits_with_2_and_says_why():
    for argv, said in (
            ([], "Usage:"), (["bogus"], 'no subcommand "bogus"'),
            (["help", "bogus"], 'no subcommand "bogus"'),
            (["stats"], 'did you mean "status"?'),
            (["--bogus", "list"], 'unknown option "--bogus"'),
            (["-c"], 'no value after "-c"'),
            (["list", "--bogus"], 'unknown option "--bogus"'),
            (["list", "-xj"], 'unknown option "-x"'),
            (["list", "-c"], "-c has no value"),
            (["list", "--limit"], "--limit has no value"),
            (["list", "--json=x"], "--json has a value but takes none"),
            (["list", "extra"], '"extra" is one argument too many'),
            (["show"], "ID is missing"),
            (["show", "a", "b"], '"b" is one argument too many'),
            (["send", "http://127.0.0.1/"], "URL|@FILE|- FILE... is missing"),
            (["send", "ftp://127.0.0.1/", "x"], "does not begin with https://"),
            (["init", "--spool", "here"], "an absolute path"),
            (["init", "--spool", "/x\n[relay]"], "an absolute path"),
            (["list", "--limit", "2", "--limit=3"], "--limit is there twice")):
        done = run([HOOKSPOOL] + argv, status=2)
        equal(done.stdout, b"", "standard output of %r" % argv)
        contains(done.stderr.decode(), said)


@test
def a_wrong_filter_exits_with_2_and_is_named():
    for option, value, said in (
            ("--state", "lost", "pending, delivered, dead"),
            ("--since", "last week", "write 2h"),
            ("--since", "26-12-24", "four digits"),
            ("--until", "0026-12-24", "before 1970"),
            ("--until", "2006-02-31", "no such day"),
            ("--limit", "few", "a whole number"),
            ("--ticket", "", "is empty")):
        for name in ("list", "replay", "drop", "export"):
            got = complaint("/nonexistent", name, option, value, status=2)
            contains(got, '%s "%s" ' % (option, value))
            contains(got, said)
    contains(complaint("/nonexistent", "list", "--since", "1h", "--until",
                       "2h", status=2), "is not after --since")
    with Sandbox() as box:
        config, _, _ = init(box)
        contains(complaint(config, "refused", "show", status=2), "one NUMBER")
        contains(complaint(config, "refused", "drop", status=2), "list")


# ---- init

@test
def init_makes_what_is_missing_and_says_what_to_paste():
    with Sandbox() as box:
        config, spool, out = init(box)
        text = snapshot(config)[3].decode()
        token = re.search(r"(?m)^verify_token = (\S+)$", text).group(1)
        key = re.search(r"(?m)^path_key = (\S+)$", text).group(1)
        assert token != key and len(token) >= 32 and len(key) >= 32, text
        contains(out, "https://YOUR-HOST/webhooks/" + key)
        contains(out, token)
        contains(out, "hookspool -c %s check" % config)
        equal(mode(config) & 0o007, 0, "what others may do")
        equal(mode(spool), 0o700, "mode of the spool")
        assert os.path.exists(os.path.join(spool, "spool.db"))
        equal(json.loads(command(config, "status", "--json"))["events"], 0)
    with Sandbox() as box:
        contains(snapshot(init(box)[0])[3].decode(), "verify_token")
        assert token not in snapshot(box.join("h.conf"))[3].decode()


@test
def a_second_init_changes_nothing_and_says_so():
    with Sandbox() as box:
        config, spool, _ = init(box)
        before = snapshot(config), sorted(os.listdir(spool))
        out = init(box)[2]
        equal((snapshot(config), sorted(os.listdir(spool))), before)
        contains(out, "nothing was changed")
        made = json.loads(command(config, "init", "--json"))
        equal((made["config_created"], made["spool_created"]), (False, False))
        contains(before[0][3].decode(), made["verify_token"])
        equal(made["url"],
              "https://YOUR-HOST/webhooks/" + made["path_key"])


@test
def the_sample_destination_gets_every_event():
    with Sandbox() as box:
        config, _, _ = init(box)
        text = snapshot(config)[3].decode()
        assert not re.search(r"(?m)^\W*events\s*=", text), text
        box.write("h.conf", re.sub(r"(?m)^#(?=\[|\w+ = )", "", text), 0o640)
        contains(command(config, "check", "--offline", status=None),
                 "destinations   1 configured")


@test
def init_shows_the_url_of_the_newest_key_and_how_the_log_names_it():
    with Sandbox() as box:
        keys = box.write("keys", "old-key\nnew-key\n", 0o600)
        config = box.write(
            "h.conf", "[endpoint]\nverify_token = old-token, new-token\n"
            "path_key_file = %s\n[spool]\npath = %s\n" %
            (keys, box.join("spool")), 0o640)
        user = pwd.getpwuid(os.geteuid()).pw_name
        out = command(config, "init", "--user", user)
        fingerprint = hashlib.sha256(b"new-key").hexdigest()[:8]
        contains(out, "https://YOUR-HOST/webhooks/new-key\n")
        contains(out, "new-token")
        contains(out, "key_fingerprint=" + fingerprint)
        contains(out, "the last of 2 path keys")
        made = json.loads(command(config, "init", "--json"))
        equal((made["url"], made["path_key"], made["verify_token"]),
              ("https://YOUR-HOST/webhooks/new-key", "new-key", "new-token"))
        contains(command(config, "check", "--offline", status=None),
                 "%s, %s" % (hashlib.sha256(b"old-key").hexdigest()[:8],
                             fingerprint))


@test
def init_makes_a_spool_for_a_configuration_that_is_there():
    with Sandbox() as box:
        config = box.write("h.conf", "[endpoint]\nverify_token = t\n[spool]\n"
                           "path = %s\n" % box.join("deep", "spool"), 0o640)
        user = pwd.getpwuid(os.geteuid()).pw_name
        made = json.loads(command(config, "init", "--json", "--user", user))
        equal((made["config_created"], made["spool_created"]), (False, True))
        equal(made["url"], "https://YOUR-HOST/webhooks")
        assert os.path.isdir(box.join("deep", "spool"))
        contains(complaint(config, "init", "--spool", "/else"),
                 'change path in [spool]')


@test
def init_refuses_users_and_groups_that_are_not_there():
    with Sandbox() as box:
        config = box.join("h.conf")
        contains(complaint(config, "init", "--user", "no-such-user"),
                 "--user")
        contains(complaint(config, "init", "--user",
                           pwd.getpwuid(os.geteuid()).pw_name, "--group",
                           "no-such-group"), "no-such-group")
        assert not os.path.exists(config)


@test
def init_by_root_gives_the_spool_to_the_user_and_the_file_to_its_group():
    need_root()
    user = other_user()
    with Sandbox() as box:
        config, spool = box.join("h.conf"), box.join("spool")
        command(config, "init", "--spool", spool, "--user", user.pw_name)
        st = os.stat(config)
        equal((st.st_uid, st.st_gid, mode(config)), (0, user.pw_gid, 0o640))
        for path in [spool] + [os.path.join(spool, name)
                               for name in os.listdir(spool)]:
            equal(os.stat(path).st_uid, user.pw_uid, "owner of " + path)


@test
def init_with_a_group_shares_the_spool():
    need_root()
    user = other_user()
    group = other_group(user)
    with Sandbox() as box:
        config, spool = box.join("h.conf"), box.join("spool")
        command(config, "init", "--spool", spool, "--user", user.pw_name,
                "--group", group.gr_name)
        equal(mode(spool), 0o2770, "mode of the spool")
        equal(os.stat(config).st_gid, group.gr_gid, "group of the file")
        for name in os.listdir(spool):
            path = os.path.join(spool, name)
            equal(mode(path), 0o660, "mode of " + path)
            equal(os.stat(path).st_gid, group.gr_gid, "group of " + path)
        command(config, "status")


# ---- the configuration

@test
def a_typo_is_named_with_file_line_and_the_nearest_key():
    with Sandbox() as box:
        config = box.write("h.conf", "[endpoint]\n\nmax_boddy = 1M\n", 0o640)
        said = ('%s:3: unknown key "max_boddy" in [endpoint]; did you mean '
                '"max_body"?' % config)
        for name in ("status", "list", "relay"):
            done = run([HOOKSPOOL, name, "-c", config], status=1)
            contains(done.stderr.decode().replace("\\\"", "\""), said)
        contains(command(config, "check", status=1), said)


@test
def the_configuration_is_found_by_the_environment():
    with Sandbox() as box:
        config, spool, _ = init(box)
        env = dict(os.environ, HOOKSPOOL_CONF=config)
        out = run([HOOKSPOOL, "status", "--json"], env=env).stdout
        equal(json.loads(out)["spool"], spool)


@test
def a_missing_spool_is_an_error_and_is_not_made():
    with Sandbox() as box:
        spool = box.join("spool")
        config = box.write("h.conf", "[spool]\npath = %s\n" % spool, 0o640)
        contains(complaint(config, "status"), "hookspool init")
        contains(command(config, "check", status=1), "hookspool init")
        assert not os.path.exists(spool)


# ---- check

def set_program(config):
    """Names our own program, so that nothing is wrong."""
    with open(config, "a", encoding="utf-8") as f:
        f.write("[relay]\nprogram = %s\n" % HOOKSPOOL)


def findings(config, status):
    report = json.loads(command(config, "check", "--offline", "--json",
                                status=status))
    equal(report["ok"], status == 0, "the verdict")
    return report["findings"]


def wrong(config, subject):
    """What is wrong with the subject, and the fix."""
    found = [f for f in findings(config, 1)
             if f["wrong"] and f["subject"] == subject]
    assert found, command(config, "check", status=1)
    assert all(f["fix"] for f in found), found
    return " ".join(f["text"] + " | " + f["fix"] for f in found)


@test
def a_fresh_site_is_found_fine():
    with Sandbox() as box:
        config, _, _ = init(box)
        set_program(config)
        out = command(config, "check")
        assert "WRONG" not in out, out
        subjects = {f["subject"] for f in findings(config, 0)}
        for subject in ("configuration", "verify token", "path key", "spool",
                        "capture", "space", "relay", "program", "destinations", "log"):
            assert subject in subjects, out


@test
def check_finds_what_is_wrong_and_says_how_to_fix_it():
    with Sandbox() as box:
        spool = init(box)[1]
        head = ("[endpoint]\nverify_token = t\n[spool]\npath = %s\n" % spool)
        program = "[relay]\nprogram = %s\n" % HOOKSPOOL

        def conf(text, file_mode=0o640):
            return box.write("x.conf", text, file_mode)

        contains(wrong(conf(head, 0o644), "configuration"), "chmod o= ")
        contains(wrong(conf("[spool]\npath = %s\n" % spool), "verify token"),
                 "verify_token")
        contains(wrong(conf("[endpoint]\npath_key_file = /nonexistent\n" +
                            "[spool]\npath = %s\n" % spool), "path key"),
                 "503")
        if shutil.disk_usage(spool).free < 1000 << 30:
            contains(wrong(conf(head + "min_free = 1024G\n" + program),
                           "space"), "min_free")
        contains(wrong(conf(head + "max_size = 1K\n" + program), "space"),
                 "raise max_size")
        contains(wrong(conf(head + "[relay]\nprogram = /nonexistent\n"),
                       "program"), "/nonexistent")
        contains(wrong(conf(head + "[relay]\nstart = never\n"), "relay"),
                 "hookspool-relay")
        contains(wrong(conf(head + program + "[log]\nto = /nonexistent/x\n"),
                       "log"), "/nonexistent/x")
        contains(wrong(conf(head + program + "[destination a]\nurl = "
                            "http://a\nca_file = /nonexistent\n"), "ca_file"),
                 "/nonexistent")
        os.chmod(spool, 0o711)
        contains(wrong(conf(head + program), "spool"), "chmod 0700 " + spool)


@test
def check_says_what_the_endpoint_does_with_a_bad_configuration():
    def endpoint(site, more):
        site.configure(site.text() + more)
        said = [f for f in findings(site.config_path, 1)
                if f["subject"] == "endpoint"]
        return said[0]["text"], said[0]["wrong"]

    with Sandbox() as box:
        site = Site(box)
        what, is_wrong = endpoint(site, "[log]\nbad\n")
        contains(what, "no last good configuration")
        equal(is_wrong, True)
        site.configure(site.text())
        site.capture(event())
        what, is_wrong = endpoint(site, "[log]\nbad\n")
        contains(what, "saved in " + site.spool)
        equal(is_wrong, False)
        contains(endpoint(site, "[destination x]\n")[0],
                 "its own sections have no error")


# ---- events

@test
def status_is_the_same_in_json_and_for_people():
    with Sandbox() as box:
        site = Site(box)
        got = site.json("status")
        equal((got["events"], got["newest_event_ms"]), (0, None))
        site.capture(event())
        site.capture(event(), CONTENT_TYPE="text/plain")
        site.refuse(b"{")
        got = site.json("status")
        equal(got["events"], 2, "events")
        equal(got["events_new"], 2, "events that are not routed")
        equal(got["events_last_hour"], 2, "events of the last hour")
        equal(got["refused"], 1, "refused")
        equal(got["relay_running"], False, "relay")
        assert got["newest_event_ms"] >= got["oldest_undelivered_ms"] > 0
        out = site.run("status")
        contains(out, "2 not routed")
        contains(out, "not running")


@test
def a_failing_destination_is_told_apart():
    with Sandbox() as box, Destination("503") as bad, Destination() as good:
        site = Site(box, "".join(
            "[destination %s]\nurl = %s\nallow_private = yes\n" %
            (name, there.url()) for name, there in (("bad", bad),
                                                    ("good", good))))
        id_ = site.capture(event())
        relay = box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"])
        wait_until(lambda: {d["last_status"] for d in
                            site.json("status")["destinations"]} ==
                   {200, 503}, "both attempts", alive=[relay])
        bad_row, good_row = sorted(site.json("status")["destinations"],
                                   key=lambda d: d["name"])
        equal((bad_row["state"], bad_row["pending"], bad_row["delivered"]),
              ("retrying", 1, 0))
        equal((good_row["state"], good_row["pending"], good_row["delivered"]),
              ("idle", 0, 1))
        assert bad_row["next_at_ms"] > bad_row["last_attempt_ms"], bad_row
        rows = site.run("status").splitlines()
        row, why = [r for r in rows if r.startswith(("bad ", "bad: "))]
        contains(row, "retrying")
        equal(why, "bad: status 503: ok")
        equal((bad_row["last_answer"], good_row["last_answer"]), ("ok", "ok"))
        assert not [r for r in rows if r.startswith("good: ")], rows
        got = site.json("status")
        version = run([HOOKSPOOL, "--version"]).stdout.decode().split()[1]
        equal((got["relay_pid"], got["relay_version"]), (relay.pid, version))
        contains("\n".join(rows), "running, pid %d, for " % relay.pid)
        equal(site.list("--state", "pending", "--to", "bad"), [id_])
        equal(site.list("--state", "delivered", "--to", "bad"), [])
        contains(site.run("list"), "bad: pending, good: delivered")
        shown = site.json("show", id_)
        equal({a["destination"]: a["status"] for a in shown["attempts"]},
              {"bad": 503, "good": 200})
        contains(site.run("show", id_), "503")


@test
def help_names_the_states_that_a_subcommand_takes():
    for name, states in (
            ("drop", "pending, orphaned or dead [pending and orphaned]"),
            ("replay", "pending, delivered, dead, dropped; with --from and "
                       "--to also orphaned [dead]"),
            ("list", "new, routed, pending, delivered, dead, dropped or")):
        contains(run([HOOKSPOOL, name, "--help"]).stdout.decode(),
                 "--state STATE         " + states)


@test
def list_filters_and_counts():
    with Sandbox() as box:
        site = Site(box)
        a = site.capture(event("ticket_status_change", TicketId=7))
        b = site.capture(event(Events=[{"NoteId": 8}]))
        c = site.capture(event("ticket_x", CommunityName="other"))
        equal(site.list(), [c, b, a], "all, newest first")
        equal(site.list("--type", "ticket_*"), [c, a])
        equal(site.list("--ticket", "7"), [a])
        equal(site.list("--note", "8"), [b])
        equal(site.list("--community", "o*"), [c])
        equal(site.list("--limit", "1"), [c])
        equal(site.list("--limit=0"), [c, b, a])
        equal(site.list("--state", "new", "--type", "note*"), [b])
        equal(site.list("--state", "dead"), [])
        contains(complaint(site.config_path, "list", "--to", "nobody"),
                 "no destination \"nobody\"")
        equal(site.list("--since", "1h"), [c, b, a])
        equal(site.list("--until", "1h"), [])
        equal(site.list("--since", "2100-01-01"), [])
        equal(site.list("--since", "1970-01-01T00:00Z"), [c, b, a])
        equal(site.list("--until", "1970-01-01T00:00Z"), [])
        equal(site.list("--until", "yesterday"), [])
        equal(site.list("--until", "2100-01-01T00:00Z"), [c, b, a])
        rows = site.run("list").splitlines()
        equal(len(rows), 5, "lines, one of titles, one of the total")
        equal(rows[4], "3 events")
        for limit, total in (
                ("2", "the newest 2 of 3 events; --limit 0 shows all"),
                ("4", "3 events"), ("0", "3 events")):
            equal(site.run("list", "--limit", limit).splitlines()[-1], total)
        equal(site.run("list", "--limit", "1", "--ticket",
                       "1").splitlines()[-1], "0 events")
        equal(site.run("list", "--limit", "1", "--since",
                       "1h").splitlines()[-1],
              "the newest 1; more may match: --limit 0 shows all")
        contains(rows[3], " " + a[-8:] + " ")
        contains(rows[3], "ticket_status_change")


@test
def the_end_of_an_id_that_list_shows_is_an_id():
    with Sandbox() as box:
        site = Site(box)
        ids = [site.capture(event()) for _ in range(3)]
        shown = [line.split()[3] for line in
                 site.run("list").splitlines()[1:-1]]
        equal(shown, [i[-8:] for i in reversed(ids)])
        for short in (shown[2], shown[2].upper(), ids[0][-17:], ids[0]):
            equal(site.json("show", short)["id"], ids[0])
        (row,) = site.run("export", shown[1]).splitlines()
        equal(json.loads(row)["id"], ids[1])
        for name in ("replay", "drop"):
            equal(site.json(name, shown[1], "--dry-run")["dry_run"], True)
        equal(site.json("show", "--last")["id"], ids[2])
        contains(complaint(site.config_path, "show", "--last", ids[0],
                           status=2), "an ID and --last cannot")
        said = complaint(site.config_path, "show", ids[0][:4])
        for i in ids:
            contains(said, i)
        # Where eight do not tell them apart, as many as do.
        with sqlite3.connect(os.path.join(site.spool, "spool.db")) as db:
            for seq, start in ((1, "a"), (2, "b")):
                db.execute("UPDATE events SET id = ? WHERE seq = ?", (
                    ids[seq][:24] + "000" + start + "12345678", seq))
        db.close()
        shown = [line.split()[3] for line in
                 site.run("list").splitlines()[1:-1]]
        equal(shown, [ids[2][-9:], "b12345678", "a12345678"])
        equal(site.json("show", "b12345678")["seq"], 2)


@test
def a_json_line_has_the_columns_of_the_view():
    with Sandbox() as box:
        site = Site(box)
        body = fastcgi.sample("ticket_status_change")
        id_ = site.capture(body)
        row = json.loads(site.run("list", "--json"))
        received = row.pop("received_at_ms")
        assert isinstance(received, int) and received > 1.5e12, received
        equal(row, {
            "seq": 1, "id": id_, "state": "new", "community": "yourCompany",
            "event_type": "ticket_status_change", "ticket_id": "4478963",
            "note_id": None, "conversation_id": None,
            "content_type": "application/json", "remote_addr": "192.0.2.7",
            "body_bytes": len(body), "deliveries": []})


@test
def show_gives_back_the_bytes():
    with Sandbox() as box:
        site = Site(box)
        body = b'{"EventType":"x\\u0000\\ud800","Events":[],\r\n "a":"\xc3\xa5\x7f"}'
        id_ = site.capture(body)
        out = run([HOOKSPOOL, "-c", site.config_path, "show", "--body", id_])
        equal(out.stdout, body, "the body")
        equal(site.json("show", id_)["body"].encode(), body, "body in JSON")
        equal(site.json("show", id_.upper()[:30])["id"], id_)
        contains(site.run("show", id_), "x")
        contains(complaint(site.config_path, "show", "ffffffff"), "ffffffff")


@test
def nothing_of_a_stranger_reaches_the_terminal_raw():
    with Sandbox() as box:
        site = Site(box)
        nasty = "\x1b[2J\x1b]0;x\x07\u009b31m\r\u202e"
        id_ = site.capture(event(nasty, CommunityName=nasty, TicketId=nasty),
                           CONTENT_TYPE="a\x1b[1m")
        raw = site.capture(event("raw\x7f", X="\u009b\u202e"))
        site.refuse(b"\x1b[2J\x9b", CONTENT_TYPE="\x1b[2J")
        for env in (dict(os.environ, LC_ALL="C"),
                    dict(os.environ, LC_ALL="C.UTF-8")):
            for arguments in (["list"], ["show", id_], ["show", raw],
                              ["status"], ["refused", "list"],
                              ["refused", "show", "1"], ["list", "--json"],
                              ["show", id_, "--json"],
                              ["refused", "list", "--json"]):
                out = site.run(*arguments, env=env)
                bad = [c for c in out if (c < " " and c != "\n") or
                       "\x7f" <= c <= "\x9f"]
                equal(bad, [], "raw characters of %r" % (arguments,))
                if "--json" not in arguments:
                    assert "\u202e" not in out, arguments
        said = complaint(site.config_path, "show", "\x1b[2J")
        assert "\x1b" not in said, repr(said)


@test
def refused_bodies_are_listed_and_shown():
    with Sandbox() as box:
        site = Site(box)
        body = b'{"a":\xff\x00}'
        site.refuse(body, CONTENT_TYPE="text/x")
        listed = site.json("refused", "list")
        equal(len(listed), 1, "rows")
        row = listed[0]
        equal((row["status"], row["sent_bytes"], row["content_type"],
               row["remote_addr"]), (400, len(body), "text/x", "192.0.2.7"))
        shown = site.json("refused", "show", str(row["seq"]))
        equal(base64.b64decode(shown["body_base64"]), body, "the body")
        out = run([HOOKSPOOL, "-c", site.config_path, "refused", "show",
                   str(row["seq"]), "--body"]).stdout
        equal(out, body, "the body alone")
        contains(site.run("refused", "list"), row["reason"])
        contains(site.run("refused", "show", str(row["seq"])), "400")
        contains(complaint(site.config_path, "refused", "show", "99"), "99")


# ---- send

class Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers as its path says, and keeps what it got."""
    got = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((dict(self.headers), body))
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"answer\x1b")

    def log_message(self, *args):
        pass


@test
def send_posts_files_as_the_sender_would():
    server = http.server.HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = "http://127.0.0.1:%d/" % server.server_port
    try:
        with Sandbox() as box:
            one = box.write("one.json", b'{"a": 1}\n')
            two = box.write("two.json", b"\x00" * 100000)
            out = run([HOOKSPOOL, "send", url + "200", one, two]).stdout
            equal([b for _, b in Endpoint.got], [b'{"a": 1}\n',
                                                 b"\x00" * 100000])
            headers = Endpoint.got[0][0]
            equal(headers["Content-Type"], "application/json")
            assert not [h for h in headers if "hook" in h.lower()], headers
            equal(len(out.splitlines()), 2, "lines")
            contains(out, b"200 in ")
            assert b"\x1b" not in out, out
            done = run([HOOKSPOOL, "send", "--json", url + "503", one],
                       status=1)
            row, = json.loads(done.stdout)
            equal((row["file"], row["status"]), (one, 503))
            run([HOOKSPOOL, "send", url + "202", one], status=1)
            done = run([HOOKSPOOL, "send", url + "200", box.join("none")],
                       status=1)
            contains(done.stdout, b"No such file")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    done = run([HOOKSPOOL, "send", url + "200", HOOKSPOOL], status=1)
    contains(done.stdout, b"connect")


# ---- as whom

def ids_of(pid):
    """The four user ids, group ids, and other groups of a process."""
    with open("/proc/%d/status" % pid) as f:
        fields = dict(line.rstrip("\n").split(":", 1) for line in f)
    return (set(fields["Uid"].split()), set(fields["Gid"].split()),
            fields["Groups"].split())


@test
def root_becomes_the_owner_of_the_spool():
    need_root()
    user = other_user()
    with Sandbox() as box:
        config, spool = box.join("h.conf"), box.join("spool")
        command(config, "init", "--spool", spool, "--user", user.pw_name)
        os.chown(box.path, user.pw_uid, -1)
        for arguments in (["status"], ["list"], ["refused", "list"],
                          ["relay", "--if-pending"], ["replay", "--all"],
                          ["drop", "--all"], ["erase", "--ticket", "1"],
                          ["export"], ["backup", box.join("copy.db")],
                          ["restore", box.join("copy.db")], ["migrate"],
                          ["reload"]):
            command(config, *arguments)
        relay = box.spawn([HOOKSPOOL, "-c", config, "relay"], "relay")
        wait_until(lambda: json.loads(command(
            config, "status", "--json"))["relay_running"], "the relay",
            alive=[relay])
        equal(ids_of(relay.pid), ({str(user.pw_uid)}, {str(user.pw_gid)}, []))
        equal(relay.stop(), 0, "exit status of the relay")
        equal(os.stat(box.join("copy.db")).st_uid, user.pw_uid,
              "owner of the backup")
        for name in os.listdir(spool):
            equal(os.stat(os.path.join(spool, name)).st_uid, user.pw_uid,
                  "owner of " + name)


@test
def check_by_root_looks_at_files_as_the_owner_would():
    need_root()
    user = other_user()
    with Sandbox() as box:
        config, spool = box.join("h.conf"), box.join("spool")
        command(config, "init", "--spool", spool, "--user", user.pw_name)
        token = box.write("token", "t\n", 0o600)
        with open(config, "r+", encoding="utf-8") as f:
            text = re.sub("(?m)^verify_token .*", "verify_token_file = " +
                          token, f.read())
            f.seek(0)
            f.truncate()
            f.write(text)
        contains(wrong(config, "verify token"), token)
        os.chmod(config, 0o600)
        contains(wrong(config, "configuration"), "cannot be read")


main(__name__)
