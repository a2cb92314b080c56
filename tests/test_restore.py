"""Putting a backup in the place of the spool, as an administrator does."""

import json
import os
import pwd
import re
import shutil
import sqlite3
import stat

from command_site import Site, command, complaint, event
from harness import (HOOKSPOOL, Sandbox, Skip, contains, equal, main, need,
                     run, test, wait_until)


def files(folder):
    return sorted(os.listdir(folder))


@test
def a_backup_is_put_in_place_and_what_was_there_is_kept():
    with Sandbox() as box:
        os.chmod(box.path, 0o777)
        site = Site(box)
        first = site.capture(event())
        copy = box.join("copy.db")
        site.run("backup", copy)
        later = site.capture(event())
        said = site.run("restore", copy)
        contains(said, "1 event\n")
        kept = [name for name in files(site.spool)
                if name.startswith("spool.db.2")]
        contains(said, os.path.join(site.spool, kept[0]))
        equal(site.list(), [first])
        third = site.capture(event())
        equal(site.list(), [third, first])
        contains(site.run("check", "--offline", status=None), "ok")
        # And back to what was there.
        got = site.json("restore", os.path.join(site.spool, kept[0]))
        equal((got["events"], got["spool"]), (2, site.spool))
        equal(site.list(), [later, first])
        equal(stat.S_IMODE(os.stat(
            os.path.join(site.spool, "spool.db")).st_mode), 0o600, "mode")


@test
def it_refuses_while_an_endpoint_or_a_relay_runs():
    with Sandbox() as box:
        os.chmod(box.path, 0o777)
        site = Site(box)
        copy = box.join("copy.db")
        site.run("backup", copy)
        site.capture(event())
        before = files(site.spool)
        endpoint = site.start()
        body = json.dumps(event()).encode()
        equal(site.ask(site.post(body), body).status, 200)
        contains(complaint(site.config_path, "restore", copy),
                 "stop the web server")
        equal(endpoint.stop(), 0)
        relay = box.spawn([HOOKSPOOL, "-c", site.config_path, "relay"],
                          "relay")
        wait_until(lambda: site.json("status")["relay_running"], "the relay",
                   alive=[relay])
        contains(complaint(site.config_path, "restore", copy),
                 "a relay uses the spool (pid %d)" % relay.pid)
        equal(relay.stop(), 0)
        equal(len(site.list()), 2)
        equal([name for name in files(site.spool) if name not in before],
              [name for name in ("relay.sock",) if name in before], "left")
        site.run("restore", copy)
        equal(site.list(), [])


@test
def what_cannot_be_read_or_is_no_spool_is_refused():
    with Sandbox() as box:
        site = Site(box)
        contains(complaint(site.config_path, "restore", box.join("none")),
                 "No such file")
        contains(complaint(site.config_path, "restore", box.path),
                 "not a regular file")
        text = box.write("text", "x" * 5000)
        contains(complaint(site.config_path, "restore", text),
                 "not a complete database")
        complaint(site.config_path, "restore", status=2)


@test
def a_log_that_was_left_beside_a_copy_is_named_and_restore_mends_it():
    with Sandbox() as box:
        os.chmod(box.path, 0o777)
        site = Site(box, "[log]\nto = stderr\n")
        body = json.dumps(event()).encode()
        endpoint = site.start()  # one process: its log is not emptied

        def capture():
            return json.loads(site.ask(site.post(body), body).body)["id"]
        first = [capture() for _ in range(60)]
        copy = box.join("copy.db")
        site.run("backup", copy)
        for _ in range(10):
            capture()
        equal(endpoint.stop(), 0)
        database = os.path.join(site.spool, "spool.db")
        with open(copy, "rb") as f, open(database, "wb") as to:
            shutil.copyfileobj(f, to)
        endpoint = site.start()
        equal(site.ask(site.post(body), body).status, 503)
        for said in (endpoint.output(),
                     site.run("check", "--offline", status=1)):
            contains(said, database + "-wal is the log of another")
            contains(said, "hookspool restore FILE")
        site.run("restore", copy)
        equal(site.list("--limit", "0"), first[::-1])
        site.run("check", "--offline", status=None)
        wait_until(lambda: site.ask(site.post(body), body).status == 200,
                   "the endpoint captures again")
        equal(len(site.list("--limit", "0")), 61)


def content(database, log=True):
    """How many events a database has, with or without its log."""
    store = sqlite3.connect("file:%s?%s=%s" % (
        (database,) + (("mode", "ro") if log else ("immutable", "1"))),
        uri=True)
    try:
        return store.execute("SELECT count(*) FROM event").fetchone()[0]
    finally:
        store.close()


def left(site):
    """Which spool there is, whole: the old one, the new one or none; then what
    was there is kept."""
    database = os.path.join(site.spool, "spool.db")
    kept = [os.path.join(site.spool, name) for name in files(site.spool)
            if re.fullmatch(r"spool\.db\.\d+T[\d.]+Z", name)]
    if not os.path.exists(database):
        equal(content(*kept), 1, "what is kept")
        return "none"
    if kept and not os.path.samefile(database, *kept):
        equal(content(*kept), 1, "what is kept")
        equal(content(database), 0, "what the copy has")
        return "new"
    equal(content(database), 1, "what was there")
    return "old"


@test
def whatever_ends_it_leaves_the_old_spool_the_new_one_or_none():
    need("strace")
    with Sandbox() as box:
        os.chmod(box.path, 0o777)
        site = Site(box)
        copy = box.join("copy.db")
        site.run("backup", copy)
        body = json.dumps(event()).encode()
        endpoint = site.start()
        equal(site.ask(site.post(body), body).status, 200)
        equal(endpoint.stop(), 0)
        database = os.path.join(site.spool, "spool.db")
        equal((content(database), content(database, log=False)), (1, 0),
              "events, with the log and without")
        shutil.copytree(site.spool, box.join("before"))
        seen = set()
        for call in ("fchmod", "linkat", "unlinkat", "?renameat,?renameat2",
                     "fsync"):
            for number in range(1, 100):
                shutil.rmtree(site.spool)
                shutil.copytree(box.join("before"), site.spool)
                os.chmod(site.spool, 0o700)
                done = run(["strace", "-f", "-o", "/dev/null", "-e",
                            "trace=" + call, "-e",
                            "inject=%s:signal=SIGKILL:when=%d" % (
                                call, number), HOOKSPOOL, "-c",
                            site.config_path, "restore", copy], status=None,
                           env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
                if done.returncode == 0:
                    break
                seen.add(left(site))
                site.run("restore", copy)
                equal(site.list(), [], "after another one")
            assert number > 1, call
        equal(seen, {"old", "none", "new"})


@test
def root_restores_what_only_root_can_read_for_the_owner():
    if os.geteuid() != 0:
        raise Skip("needs root")
    user = pwd.getpwnam("daemon")
    with Sandbox() as box:
        config, spool = box.join("h.conf"), box.join("spool")
        command(config, "init", "--spool", spool, "--user", user.pw_name)
        os.mkdir(box.join("backups"), 0o700)
        copy = box.join("backups", "copy.db")
        run(["sqlite3", os.path.join(spool, "spool.db"),
             "VACUUM INTO '%s'" % copy])
        for name in ("spool.db-wal", "spool.db-shm"):
            if os.path.exists(os.path.join(spool, name)):
                os.chown(os.path.join(spool, name), user.pw_uid, user.pw_gid)
        command(config, "restore", copy)
        for name in files(spool):
            equal(os.stat(os.path.join(spool, name)).st_uid, user.pw_uid,
                  "owner of " + name)
        # Another user may not.
        config = shutil.copy(config, box.join("other.conf"))
        os.chmod(box.join("backups"), 0o755)
        os.chmod(copy, 0o644)
        nobody = pwd.getpwnam("nobody")
        os.chmod(config, 0o600)
        os.chown(config, nobody.pw_uid, nobody.pw_gid)
        done = run([HOOKSPOOL, "-c", config, "restore", copy], status=1,
                   user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
        contains(done.stderr.decode(), spool)


main(__name__)
