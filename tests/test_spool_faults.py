#!/usr/bin/env python3
"""What is called stored is there afterwards: the Nth system call of a capture
fails or kills the process, the disk is full, several processes capture at
once. tests/capture_tool.c prints an id only after store_capture said so.
"""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fastcgi import Site, sample
from harness import (HOOKSPOOL, Sandbox, Skip, TOP_BUILD, contains, equal,
                     main, need, run, test, wait_until)

TOOL = os.path.join(TOP_BUILD, "capture_tool")
MAKE_SPOOL = os.path.join(TOP_BUILD, "make_spool")
BODY_BYTES = 30000  # about ten captures make a checkpoint due
COUNT = 14
# Which of the some 300 writes fail: of the opening, of a commit, of a
# checkpoint; all syncs are tried.
WRITES = [1] + list(range(9, 27, 2)) + list(range(30, 330, 37))
SYNCS = range(1, 60)


def make_spool(sandbox, name):
    path = sandbox.join(name)
    run([MAKE_SPOOL, path])
    return path


def body_of(event_id, size=BODY_BYTES):
    return (event_id * (size // len(event_id) + 1))[:size].encode()


def printed_ids(output):
    return [line for line in output.decode().split("\n") if len(line) == 36]


def check_stored(path, ids, size=BODY_BYTES):
    """Every id is there once with equal bytes, and the database is sound."""
    db = sqlite3.connect(os.path.join(path, "spool.db"))
    try:
        found = dict(db.execute("SELECT id, body FROM event"))
        equal(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
    finally:
        db.close()
    equal(len(set(ids)), len(ids), "printed ids that differ")
    for event_id in ids:
        assert event_id in found, "%s was printed and is not there" % event_id
    for event_id, body in found.items():
        assert body == body_of(event_id, size), "%s: other bytes" % event_id
    return len(found)


def need_strace():
    need("strace")
    done = subprocess.run(
        ["strace", "-f", "-e", "trace=fdatasync",
         "-e", "inject=fdatasync:error=EIO:when=1", "true"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, timeout=60)
    if done.returncode != 0:
        raise Skip("strace may not trace here: %s" %
                   done.stderr.decode("utf-8", "replace").strip()[-80:])


def inject(sandbox, path, what, threads=1):
    """Captures under strace; what the tool said, and its status."""
    call = what.split(":")[0]
    return subprocess.run(
        ["strace", "-f", "-qq", "-o", sandbox.join("strace.log"),
         "-e", "trace=" + call, "-e", "inject=" + what,
         TOOL, path, str(threads), str(COUNT), str(BODY_BYTES)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=120)


def capture_more(path):
    """The next process: all is well again."""
    done = run([TOOL, path, "2", "3", str(BODY_BYTES)])
    equal(os.path.exists(os.path.join(path, "failed-sync")), False, "mark")
    return printed_ids(done.stdout)


def sweep(call, fault, status, numbers):
    """The fault at the Nth call, until there is no such call."""
    need_strace()
    with Sandbox() as sandbox:
        hits = 0
        for n in numbers:
            path = make_spool(sandbox, "%s-%d" % (call, n))
            done = inject(sandbox, path, "%s:%s:when=%d" % (call, fault, n))
            ids = printed_ids(done.stdout)
            if done.returncode == 0:
                equal(len(ids), COUNT, "ids printed with status 0")
                break
            assert done.returncode == status or (
                done.returncode == 1 and not ids), (
                    "status %d: %s" % (done.returncode, done.stderr))
            hits += 1
            yield sandbox, path, ids
            ids += capture_more(path)
            check_stored(path, ids)
        assert hits > 0, "the fault was never reached"


@test
def a_kill_at_any_sync_loses_nothing_that_was_called_stored():
    for _ in sweep("fdatasync", "signal=SIGKILL", -9, SYNCS):
        pass


@test
def a_kill_at_any_write_loses_nothing_that_was_called_stored():
    for _ in sweep("pwrite64", "signal=SIGKILL", -9, WRITES):
        pass


@test
def a_kill_while_the_log_is_emptied_loses_nothing():
    for _ in sweep("ftruncate", "signal=SIGKILL", -9, SYNCS):
        pass


@test
def a_failed_sync_leaves_the_mark_and_ends_the_process():
    for _, path, ids in sweep("fdatasync", "error=EIO", 75, SYNCS):
        assert len(ids) < COUNT, "all were called stored"
        assert os.path.exists(os.path.join(path, "failed-sync")), "no mark"


@test
def a_failed_write_ends_the_process_and_loses_nothing():
    for _, path, ids in sweep("pwrite64", "error=EIO", 75, WRITES):
        assert len(ids) < COUNT, "all were called stored"


@test
def a_full_disk_at_any_write_is_said_and_loses_nothing():
    need_strace()
    with Sandbox() as sandbox:
        for n in WRITES:
            path = make_spool(sandbox, "full-%d" % n)
            done = inject(sandbox, path, "pwrite64:error=ENOSPC:when=%d" % n)
            assert done.returncode in (0, 1), done.stderr
            ids = printed_ids(done.stdout)
            if b"could not open" not in done.stderr:
                assert len(ids) >= COUNT - 1, "%d ids" % len(ids)
            ids += capture_more(path)
            equal(check_stored(path, ids), len(ids), "stored")


@test
def what_fails_for_one_thread_is_told_to_all_of_the_group():
    need_strace()
    with Sandbox() as sandbox:
        # Counted for each thread by itself. After a failed sync the events
        # may be there all the same; after a failed write they are not.
        for what in ("fdatasync:error=EIO:when=2+",
                     "pwrite64:error=EIO:when=70+"):
            path = make_spool(sandbox, what.split(":")[0])
            done = inject(sandbox, path, what, 8)
            equal(done.returncode, 75, "status")
            ids = printed_ids(done.stdout)
            ids += capture_more(path)
            check_stored(path, ids)


@test
def processes_and_threads_capture_side_by_side():
    with Sandbox() as sandbox:
        path = make_spool(sandbox, "many")
        tools = [subprocess.Popen([TOOL, path, "8", "25", "1000"],
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
                 for _ in range(4)]
        ids = []
        for tool in tools:
            ids += printed_ids(tool.communicate(timeout=120)[0])
            equal(tool.returncode, 0, "status")
        equal(len(ids), 800, "ids")
        equal(check_stored(path, ids, 1000), 800, "stored")


def make_shared(sandbox):
    """A spool for the users 54321 and 54322 of the group 54321, and a tool
    that they may run."""
    if os.getuid() != 0:
        raise Skip("not root: cannot become two users")
    path = make_spool(sandbox, "shared")
    try:
        os.chown(path, 54321, 54321)
    except OSError:
        raise Skip("there are no other users here")
    os.chmod(path, 0o2770)
    for name in os.listdir(path):
        os.chown(os.path.join(path, name), 54321, 54321)
        os.chmod(os.path.join(path, name), 0o660)
    return path, shutil.copy(TOOL, sandbox.join("capture_tool"))


def start_as(user, argv):
    return subprocess.Popen(argv, user=user, group=54321, extra_groups=[],
                            umask=0o077, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end_all(tools):
    """The ids that they printed."""
    ids = []
    for process in tools:
        out, err = process.communicate(timeout=120)
        equal(process.returncode, 0, "status: %s" % err)
        ids += printed_ids(out)
    return ids


@test
def two_users_of_one_group_share_a_spool():
    with Sandbox() as sandbox:
        path, tool = make_shared(sandbox)
        ids = end_all([start_as(user, [tool, path, "4", "10", "1000"])
                       for user in (54321, 54322)])
        equal(check_stored(path, ids, 1000), 80, "stored")
        stranger = subprocess.run([tool, path, "1", "1", "1000"], user=54323,
                                  group=54323, extra_groups=[],
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=60)
        equal(stranger.returncode, 75, "a stranger's status")


def slow_to_make_the_log(sandbox, path, argv):
    """Runs it for one user, without a log at first (as after a backup was put
    back), and with a pause before a file that was made gets its mode. Returns
    when the first file is made."""
    for name in ("spool.db-wal", "spool.db-shm"):
        os.unlink(os.path.join(path, name))
    log = sandbox.join("strace.log")
    if os.path.exists(log):
        os.unlink(log)
    with open(log, "w"):
        os.chown(log, 54321, 54321)
    tool = start_as(54321, [
        "strace", "-f", "-qq", "-o", log, "-e", "trace=fchmod",
        "-e", "inject=fchmod:delay_enter=300000"] + argv)
    wait_until(lambda: tool.poll() is not None or os.path.exists(
        os.path.join(path, "spool.db-wal")), "the log is made")
    return tool


@test
def who_opens_a_shared_spool_while_its_log_is_made_waits_for_it():
    need_strace()
    with Sandbox() as sandbox:
        path, tool = make_shared(sandbox)
        writer = [tool, path, "1", "3", "1000"]
        reader = [tool, path, "0", "0", "0"]
        count = 0
        for first, second in ((writer, writer), (writer, reader),
                              (reader, writer)):
            slow = slow_to_make_the_log(sandbox, path, first)
            other = start_as(54322, second)
            count += len(end_all([other, slow]))
        equal(count, 12, "events")


@test
def a_disk_that_is_full_refuses_events_and_takes_them_again():
    if os.getuid() != 0:
        raise Skip("not root: no small disk can be mounted")
    with Sandbox() as sandbox:
        disk = sandbox.join("disk")
        os.mkdir(disk)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        if mounted.returncode != 0:
            raise Skip("no tmpfs can be mounted here")
        sandbox.defer(lambda: run(["umount", disk]))
        path = os.path.join(disk, "spool")
        run([MAKE_SPOOL, path])
        filler = os.path.join(disk, "filler")
        with open(filler, "wb") as f:
            f.write(b"x" * 300000)
        done = run([TOOL, path, "2", "30", str(BODY_BYTES)], status=1)
        ids = printed_ids(done.stdout)
        assert 0 < len(ids) < 60, "%d ids" % len(ids)
        check_stored(path, ids)
        os.unlink(filler)
        ids += printed_ids(run([TOOL, path, "1", "1",
                                str(BODY_BYTES)]).stdout)
        check_stored(path, ids)


# ---- the endpoint and the command

def post(site, body):
    return site.ask(site.post(body), body).status


def limit_files(process, size):
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE,
                     (size, resource.RLIM_INFINITY))


@test
def a_limit_of_the_size_of_files_is_answered_503_and_kills_nothing():
    with Sandbox() as sandbox:
        site = Site(sandbox)
        process = site.start()
        event = sample("note_deletion")
        equal(post(site, event), 200, "status")
        limit_files(process, 65536)
        statuses = [200]
        while statuses[-1] == 200:
            statuses.append(post(site, event))
        equal(statuses[-1], 503, "status")
        equal(process.wait(), 75, "exit status")
        process = site.start()
        equal(post(site, event), 200, "status without a limit")
        equal(process.stop(), 0, "exit status")
        equal(len(site.bodies()), len(statuses), "events")


@test
def a_log_at_the_limit_of_the_size_of_files_costs_lines_alone():
    with Sandbox() as sandbox:
        log = sandbox.write("log", "x" * 70000)
        site = Site(sandbox, more="[relay]\nstart = never\n[log]\nto = %s\n"
                    % log)
        process = site.start()
        event = sample("note_deletion")
        equal(post(site, event), 200, "status")
        limit_files(process, 65536)
        equal(post(site, event), 200, "status without a log")
        limit_files(process, resource.RLIM_INFINITY)
        equal(post(site, event), 200, "status")
        equal(process.stop(), 0, "exit status")
        with open(log) as f:
            contains(f.read(), "log lines were dropped count=1")


@test
def a_limit_of_the_size_of_files_does_not_kill_the_command():
    with Sandbox() as sandbox:
        site = Site(sandbox)
        event = b'{"EventType":"a","Events":[],"Fill":"%s"}' % (b"x" * 100000)
        equal(site.ask_cgi(site.post(event), event).status, 200, "status")
        with open(sandbox.join("export"), "wb") as out:
            done = subprocess.run(
                [HOOKSPOOL, "-c", site.config_path, "export"], stdout=out,
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60,
                preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (65536, 65536)))
        equal(done.returncode, 1, "exit status")
        contains(done.stderr, b"cannot write")


@test
def a_failed_write_of_a_refused_body_is_a_failure_of_the_spool():
    need_strace()
    with Sandbox() as sandbox:
        site = Site(sandbox)
        process = site.start(wrapper=[
            "strace", "-f", "-qq", "-o", sandbox.join("strace.log"),
            "-P", os.path.join(site.spool, "spool.db-wal"),
            "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EIO"])
        equal(post(site, b"oops"), 400, "status")
        equal(process.wait(), 75, "exit status")
        equal(os.path.exists(os.path.join(site.spool, "failed-sync")), True,
              "the mark")


main(__name__)
