#!/usr/bin/env python3
"""hookspool status as README has Nagios run it, and hookspool check: whatever
loses or holds up notifications turns the one critical, and the other names the
command that fixes it.
"""

import fcntl
import json
import os
import pwd
import re
import shutil
import sqlite3

from command_site import (Site, command, complaint, event, need_root,
                          other_user)
from destination import Destination
from harness import (HOOKSPOOL, TOP_SRC, Sandbox, Skip, contains, equal, main,
                     run, test, wait_until)


def readme_limits():
    """The arguments of the line that README recommends."""
    with open(os.path.join(TOP_SRC, "README")) as f:
        text = f.read().replace("\\\n", " ")
    line, = re.findall(r"(?m)^ +hookspool status +(--warn .*)$", text)
    return line.split()


def nagios(config, status, **kwargs):
    """The plugin's line, and what follows it."""
    done = run([HOOKSPOOL, "-c", config, "status"] + readme_limits(),
               status=status, **kwargs)
    equal(done.stderr, b"", "standard error")
    first, _, rest = done.stdout.decode().partition("\n")
    return first, rest


def faults(config, **kwargs):
    """What check finds wrong, and the fix: (subject, what, fix)."""
    done = run([HOOKSPOOL, "-c", config, "check", "--offline", "--json"],
               status=None, **kwargs)
    return [(f["subject"], f["text"], f["fix"])
            for f in json.loads(done.stdout)["findings"] if f["wrong"]]


def warnings(config):
    done = run([HOOKSPOOL, "-c", config, "check", "--offline", "--json"],
               status=None)
    return [(f["subject"], f["text"], f["fix"])
            for f in json.loads(done.stdout)["findings"]
            if f["fix"] and not f["wrong"]]


def append(config, text):
    with open(config, "a", encoding="utf-8") as f:
        f.write(text)


def set_up(box, user=None, more=""):
    """A site of that user that is fine; its configuration and spool."""
    config, spool = box.join("h.conf"), box.join("spool")
    user = user or pwd.getpwuid(os.geteuid()).pw_name
    command(config, "init", "--spool", spool, "--user", user)
    if not more:
        more = "program = %s\n" % HOOKSPOOL
    append(config, "[relay]\n%s[destination crm]\nurl = http://127.0.0.1:9/\n"
           "allow_private = yes\n" % more)
    return config, spool


def expect_critical(config, said, subject, fix):
    """Both programs see it."""
    first, _ = nagios(config, 2)
    contains(first, "HOOKSPOOL CRITICAL - ")
    contains(first, said)
    found = [f for f in faults(config) if f[0] == subject]
    assert found, faults(config)
    contains(found[0][2], fix)
    return first


@test
def a_sound_site_is_fine():
    with Sandbox() as box:
        config, _ = set_up(box)
        first, rest = nagios(config, 0)
        contains(first, "HOOKSPOOL OK - ")
        contains(rest, "backlog  ")
        equal(faults(config), [])


# ---- what loses notifications

@test
def a_disk_below_min_free_is_critical():
    with Sandbox() as box:
        config, spool = set_up(box)
        if shutil.disk_usage(spool).free < 1000 << 30:
            with open(config, encoding="utf-8") as f:
                text = f.read()
            box.write("h.conf", text.replace(
                "[spool]\n", "[spool]\nmin_free = 1024G\n"), 0o640)
        expect_critical(config, "cannot capture: less than min_free",
                        "space", "df -h " + spool)


@test
def a_disk_that_is_full_is_critical_without_min_free():
    need_root()
    with Sandbox() as box:
        site = Site(box)
        done = run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs",
                    site.spool], status=None)
        if done.returncode != 0:
            raise Skip("no tmpfs can be mounted here")
        box.defer(lambda: run(["umount", site.spool]))
        os.chmod(site.spool, 0o700)
        site.make_spool()
        site.capture(event())
        filler = os.path.join(site.spool, "filler")
        free = shutil.disk_usage(site.spool).free
        with open(filler, "wb") as f:
            f.write(b"x" * (free // 4096 * 4096))
        expect_critical(site.config_path, "cannot capture: ", "capture",
                        "free some space")
        os.unlink(filler)
        equal(site.json("status")["capturing"], True)


@test
def a_spool_above_max_size_is_critical():
    with Sandbox() as box:
        site = Site(box)
        site.capture(event())
        site.configure(site.text().replace(
            "[spool]\n", "[spool]\nmax_size = 1K\n"))
        expect_critical(site.config_path, "has reached max_size", "space",
                        "raise max_size")
        body = json.dumps(event()).encode()
        # A file that was just saved is taken up a little later.
        wait_until(lambda: site.ask_cgi(site.post(body), body).status == 503,
                   "a refusal")


@test
def a_spool_folder_of_another_owner_is_critical():
    need_root()
    user = other_user()
    with Sandbox() as box:
        config, spool = set_up(box, user.pw_name)
        nagios(config, 0)
        os.chown(spool, 1, -1)
        expect_critical(
            config, "cannot capture: %s belongs to the user" % spool, "spool",
            "chown %s %s" % (user.pw_name, spool))
        os.chown(spool, user.pw_uid, -1)
        nagios(config, 0)


@test
def a_spool_that_was_given_to_root_is_critical():
    need_root()
    with Sandbox() as box:
        config, spool = set_up(box, "daemon")
        nagios(config, 0)
        for name in ["."] + os.listdir(spool):
            os.chown(os.path.join(spool, name), 0, 0)
        expect_critical(
            config, "cannot capture: %s belongs to root" % spool, "spool",
            "chown -R daemon " + spool)


@test
def a_spool_folder_that_others_can_enter_is_critical():
    with Sandbox() as box:
        config, spool = set_up(box)
        os.chmod(spool, 0o755)
        expect_critical(
            config, "cannot capture: %s is open to every user" % spool,
            "spool", "chmod 0700 " + spool)
        os.chmod(spool, 0o700)
        nagios(config, 0)


@test
def a_log_of_the_database_of_another_owner_is_critical():
    need_root()
    user = other_user()
    with Sandbox() as box:
        config, spool = set_up(box, user.pw_name)
        wal = os.path.join(spool, "spool.db-wal")
        os.chown(wal, 0, -1)
        expect_critical(config, "cannot capture: " + wal, "spool",
                        "chown %s %s" % (user.pw_name, wal))
        os.chown(wal, user.pw_uid, -1)
        nagios(config, 0)


def overwrite(spool, offset):
    with open(os.path.join(spool, "spool.db"), "r+b") as f:
        f.seek(offset)
        f.write(b"damage! " * 512)


@test
def a_damaged_database_is_critical():
    with Sandbox() as box:
        config, spool = set_up(box)
        overwrite(spool, 0)
        expect_critical(config, "cannot capture: ", "spool",
                        "hookspool restore FILE")
    with Sandbox() as box:
        config, spool = set_up(box)
        database = sqlite3.connect(os.path.join(spool, "spool.db"))
        page, = database.execute("SELECT rootpage FROM sqlite_master "
                                 "WHERE name = 'events_id'").fetchone()
        database.close()
        overwrite(spool, (page - 1) * 4096)
        expect_critical(config, "malformed", "database",
                        "hookspool restore FILE")


@test
def no_relay_where_none_is_started_on_demand_is_critical():
    with Sandbox() as box:
        config, _ = set_up(box, more="start = never\n")
        expect_critical(config, "no relay runs although start = never",
                        "relay", "systemctl enable --now hookspool-relay")
        relay = box.spawn([HOOKSPOOL, "-c", config, "relay"])
        wait_until(lambda: "started" in relay.output(), "its start",
                   alive=[relay])
        nagios(config, 0)


@test
def a_configuration_with_which_no_relay_would_start_is_critical():
    with Sandbox() as box:
        config, _ = set_up(box)
        append(config, "colour = blue\n")
        first = expect_critical(
            config, 'no relay would start with the configuration: %s:' %
            config, "configuration", "vi " + config)
        contains(first, "colour")
        assert "cannot capture" not in first, first


@test
def a_configuration_with_which_no_endpoint_would_start_is_critical():
    with Sandbox() as box:
        site = Site(box)
        site.configure(site.text("colour = blue"))
        first = expect_critical(site.config_path, "cannot capture: ",
                                "configuration", "vi " + site.config_path)
        contains(first, "colour")
        site.configure(site.text("path_key_file = /nonexistent"))
        expect_critical(site.config_path, "cannot capture: ", "path key",
                        "503")


@test
def a_bad_configuration_does_not_hide_the_spool_if_a_good_one_was_kept():
    with Sandbox() as box:
        site = Site(box)
        site.capture(event())
        site.configure(site.text("colour = blue"))
        first, rest = nagios(site.config_path, 2)
        contains(first, "no relay would start with the configuration")
        assert "cannot capture" not in first, first
        contains(rest, "events   1, ")


@test
def a_spool_that_is_not_there_is_critical():
    with Sandbox() as box:
        config, spool = set_up(box)
        shutil.rmtree(spool)
        first = expect_critical(config, "cannot capture: ", "spool",
                                "hookspool init")
        contains(first, spool + ": No such file or directory")


@test
def a_write_lock_that_nobody_gives_back_is_critical():
    with Sandbox() as box:
        site = Site(box)
        site.configure(site.text("capture_timeout = 1s"))
        with open(os.path.join(site.spool, "lock"), "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            contains(nagios(site.config_path, 2)[0],
                     "cannot capture: the write lock ")
        got = site.json("status")
        equal((got["capturing"], got["capture_problem"]), (True, None))


@test
def a_look_leaves_nothing_behind():
    with Sandbox() as box:
        site = Site(box)
        site.capture(event())
        before = {name: os.stat(os.path.join(site.spool, name)).st_size
                  for name in os.listdir(site.spool)}
        for _ in range(3):
            site.run("status", *readme_limits(), status=2)
            site.run("check", "--offline", status=1)
        equal({name: os.stat(os.path.join(site.spool, name)).st_size
               for name in os.listdir(site.spool)}, before)
        second = site.json("show", site.capture(event()))
        equal(second["seq"], 2, "the number of the next event")


# ---- what status shows

@test
def a_relay_of_an_older_version_is_named():
    with Sandbox() as box:
        config, spool = set_up(box)
        relay = box.spawn([HOOKSPOOL, "-c", config, "relay"])
        wait_until(lambda: "started" in relay.output(), "its start",
                   alive=[relay])
        assert "older" not in command(config, "status")
        with open(os.path.join(spool, "relay.lock"), "r+") as f:
            text = f.read()
            f.seek(0)
            f.truncate()
            f.write(re.sub(r"(?m)^version .*$", "version 0.0.1", text))
        out = command(config, "status")
        contains(out, "running, pid %d, for " % relay.pid)
        contains(out, "version 0.0.1\n")
        contains(out, "it is older than this program")
        (_, what, fix), = [f for f in warnings(config) if f[0] == "relay"]
        contains(what, "version 0.0.1")
        contains(fix, "hookspool reload --restart")


@test
def a_removed_destination_is_shown_while_something_of_it_is_left_to_do():
    with Sandbox() as box, Destination("500") as bad:
        def sections(*names):
            return "".join("[destination %s]\nurl = %s\nallow_private = yes\n"
                           % (name, bad.url()) for name in names)

        site = Site(box, sections("old", "crm"))
        site.capture(event())
        relay = box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"])
        wait_until(lambda: site.json("status")["events_new"] == 0, "routing",
                   alive=[relay])
        relay.stop()
        site.configure(site.text(more="[relay]\nstart = never\n" +
                                 sections("crm")))
        relay = box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"])
        wait_until(lambda: [d["configured"] for d in
                            site.json("status")["destinations"]] ==
                   [True, False], "the load", alive=[relay])
        contains(site.run("status"), "old: no longer configured; erase its "
                 "deliveries with: hookspool forget old")
        site.run("drop", "--state", "orphaned", "--to", "old")
        equal([d["name"] for d in site.json("status")["destinations"]],
              ["crm"])
        contains(complaint(site.config_path, "forget", "crm"),
                 "has a [destination crm]")
        contains(complaint(site.config_path, "forget", "odl"),
                 'did you mean "old"?')
        wanted = {"destination": "old", "dry_run": True, "orphaned": 0,
                  "delivered": 0, "dead": 0, "dropped": 1, "forgotten": False}
        equal(site.json("forget", "old", "--dry-run"), wanted)
        contains(site.run("list", "--to", "old"), "old: dropped")
        equal(site.json("forget", "old"),
              dict(wanted, dry_run=False, forgotten=True))
        contains(complaint(site.config_path, "list", "--to", "old"), "old")


@test
def events_that_nobody_wanted_are_counted():
    with Sandbox() as box:
        site = Site(box, "[destination crm]\nurl = http://127.0.0.1:9/\n"
                    "events = other\n")
        for _ in range(3):
            site.capture(event())
        equal(site.json("status")["events_unmatched"], 0)
        relay = box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"])
        wait_until(lambda: site.json("status")["events_unmatched"] == 3,
                   "routing", alive=[relay])
        contains(site.run("status"), "3 of them matched no destination\n")


# ---- the other limits

@test
def every_figure_has_a_limit():
    with Sandbox() as box, Destination("500") as bad:
        site = Site(box, "[destination bad]\nurl = %s\nallow_private = yes\n" %
                    bad.url())
        site.capture(event())
        relay = box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"])
        wait_until(lambda: site.json("status")["pending"] == 1,
                   "the delivery that waits", alive=[relay])
        site.refuse(b"{")
        site.run("pause", "bad")
        for limit, is_reached in (
                ("free=1024G", True), ("free=1K", False), ("size=1K", True),
                ("size=1024G", False), ("refused=1", True),
                ("refused=2", False), ("paused=1d", False),
                ("down=1d", False), ("orphaned=1", False), ("relay", False),
                ("config", False)):
            done = run([HOOKSPOOL, "-c", site.config_path, "status", "--warn",
                        limit], status=1 if is_reached else 0)
            contains(done.stdout.decode(), limit.split("=")[0])
        wait_until(lambda: run([HOOKSPOOL, "-c", site.config_path, "status",
                                "--warn", "paused=1s"], status=None
                               ).returncode == 1, "a second of pause")
        relay.stop()
        site.configure(site.text())
        relay = box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"])
        wait_until(lambda: run([HOOKSPOOL, "-c", site.config_path, "status",
                                "--crit", "orphaned=1"], status=None
                               ).returncode == 2, "an orphan", alive=[relay])


# ---- check

@test
def who_may_not_read_the_configuration_is_told_just_that():
    need_root()
    user = other_user()
    with Sandbox() as box:
        config, _ = set_up(box)
        first, rest = nagios(config, 3, user=user.pw_uid, group=user.pw_gid,
                             extra_groups=[])
        contains(first, "HOOKSPOOL UNKNOWN - ")
        contains(first, "cannot be read by %s; run this as root or " %
                 user.pw_name)
        equal(rest, "")
        (subject, what, fix), = faults(config, user=user.pw_uid,
                                       group=user.pw_gid, extra_groups=[])
        equal(subject, "configuration")
        contains(what, "run this as root or ")
        contains(fix, "sudo ")
        for name in ("list", "status", "reload"):
            done = run([HOOKSPOOL, "-c", config, name], status=1,
                       user=user.pw_uid, group=user.pw_gid, extra_groups=[])
            contains(done.stderr.decode(), "run this as root or ")


@test
def check_names_users_and_files_and_the_folder_that_is_closed():
    need_root()
    user = other_user()
    with Sandbox() as box:
        config, spool = set_up(box, user.pw_name)
        done = run([HOOKSPOOL, "-c", config, "check", "--offline"])
        contains(done.stdout.decode(), "mode 0700, of %s:" % user.pw_name)
        contains(done.stdout.decode(), "works as %s: " % user.pw_name)
        os.mkdir(box.join("secret"), 0o700)
        box.write("secret/token", "t" * 32, 0o640)
        append(config, "secret_file = %s\n" % box.join("secret", "token"))
        box.write("secret/token", "whsec_" + "A" * 32, 0o640)
        (subject, what, fix), = faults(config)
        equal(subject, "secret_file")
        contains(what, "cannot be read by " + user.pw_name)
        contains(fix, "chgrp ")
        contains(fix, "chmod g+x " + box.join("secret"))
        os.chown(box.join("secret"), -1, user.pw_gid)
        os.chmod(box.join("secret"), 0o710)
        (_, _, fix), = faults(config)
        contains(fix, "chmod g+r " + box.join("secret", "token"))


@test
def check_warns_where_nobody_wants_what_comes():
    with Sandbox() as box:
        site = Site(box)
        contains(str(warnings(site.config_path)), "'destinations', 'none: ")
        site.configure(site.text(more="[destination crm]\nurl = "
                                 "http://127.0.0.1:9/\nevents = other\n"))
        for _ in range(12):
            site.capture(event())
        assert "'events'" not in str(warnings(site.config_path))
        relay = box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"])
        wait_until(lambda: site.json("status")["events_new"] == 0,
                   "routing", alive=[relay])
        (what, fix), = [(f[1], f[2]) for f in warnings(site.config_path)
                         if f[0] == "events"]
        equal(what, "12 of the newest 12 events matched no destination")
        contains(fix, site.config_path)


main(__name__)
