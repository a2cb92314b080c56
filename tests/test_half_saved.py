#!/usr/bin/env python3
"""A configuration or a file of secrets that is half saved, cut short or not to
be read, and a spool that cannot be found: no event is lost, nobody gets in who
could not before, and the last good copy stays good.
"""

import os
import pwd
import shutil
import socket
import time

import fastcgi
import harness
from command_site import command
from fastcgi import KEY, TOKEN, Site, sample
from harness import Sandbox, Skip, contains, equal, main, test, wait_until

EVENT = sample("note_deletion")
OTHER = "key-of-another-day"


def post(site, key, **more):
    return site.ask(site.post(EVENT, REQUEST_URI="/webhooks/" + key, **more),
                    EVENT)


def post_cgi(site, key, **kwargs):
    return site.ask_cgi(site.post(EVENT, REQUEST_URI="/webhooks/" + key),
                        EVENT, **kwargs)


def wait_for_line(site, process, line, key=KEY):
    """Requests make the process look; none of them may be disturbed."""
    lines = []

    def is_logged():
        answer = post(site, key)
        equal(answer.status, 200, "status of a request meanwhile")
        lines.append(answer.errors)
        return line in process.output() + "".join(lines)

    wait_until(is_logged, "the line %r" % line, alive=[process])
    return process.output() + "".join(lines)


def kept(site):
    with open(os.path.join(site.spool, "endpoint.conf")) as f:
        return f.read()


# ---- files of secrets

def key_file_site(box):
    path = box.write("keys", KEY + "\n", 0o600)
    site = Site(box, "path_key_file = " + path)
    return site, path


def empty(path):
    os.truncate(path, 0)


def open_to_all(path):
    os.chmod(path, 0o644)


@test
def a_path_key_file_that_cannot_be_used_disturbs_no_running_process():
    for damage in [empty, open_to_all, os.unlink]:
        with Sandbox() as box:
            site, path = key_file_site(box)
            process = site.start()
            equal(post(site, KEY).status, 200, "status")
            damage(path)
            text = wait_for_line(site, process, "stay in use")
            contains(text, path)
            assert KEY not in text, "the key is in the log"
            equal(post(site, OTHER).status, 404, "status of a wrong key")
            box.write("keys", OTHER + "\n", 0o600)
            wait_until(lambda: post(site, OTHER).status == 200, "the new key")
            equal(post(site, KEY).status, 404, "status of the old key")


@test
def a_start_without_its_path_keys_answers_503():
    with Sandbox() as box:
        site, path = key_file_site(box)
        equal(post_cgi(site, KEY).status, 200, "status")
        empty(path)
        equal(post_cgi(site, KEY).status, 503, "status over CGI")
        site.start()
        equal(post(site, KEY).status, 503, "status")


@test
def a_start_without_its_tokens_captures_and_answers_503_to_GET():
    with Sandbox() as box:
        site = Site(box)
        site.configure(site.text().replace(
            "verify_token = " + TOKEN, "verify_token_file = " +
            box.join("missing")))
        site.start()
        equal(site.ask(site.get()).status, 503, "status of a GET")
        equal(post(site, KEY).status, 200, "status of a POST")


# ---- the configuration

@test
def a_configuration_cut_down_to_its_spool_is_not_taken_up():
    with Sandbox() as box:
        site = Site(box, "path_key = " + KEY)
        first = site.start()
        equal(post(site, KEY).status, 200, "status")
        whole = site.text("path_key = " + KEY)
        site.configure("[spool]\npath = %s\nmin_free = 0\n"
                       "[relay]\nstart = never\n" % site.spool)
        text = wait_for_line(site, first, "has lost all of [endpoint]")
        contains(text, "remove %s/endpoint.conf" % site.spool)
        equal(post(site, OTHER).status, 404, "status of a wrong key")
        contains(kept(site), KEY)
        first.stop()
        second = site.start()
        equal(post(site, KEY).status, 200, "status of a new process")
        equal(post(site, OTHER).status, 404, "status of a wrong key")
        equal(post_cgi(site, OTHER).status, 404, "the same over CGI")
        equal(post_cgi(site, KEY).status, 200, "status over CGI")
        contains(kept(site), KEY)
        second.stop()
        site.configure(whole)
        equal(post_cgi(site, KEY).status, 200, "status when it is mended")


@test
def path_keys_that_are_really_given_up_are_gone_as_the_log_says():
    with Sandbox() as box:
        site = Site(box, "path_key = " + KEY)
        process = site.start()
        equal(post(site, KEY).status, 200, "status")
        site.configure(site.text())
        wait_for_line(site, process, "has lost its path keys")
        equal(post(site, OTHER).status, 404, "status of a wrong key")
        found = harness.run([harness.HOOKSPOOL, "-c", site.config_path,
                             "check", "--offline"], status=1).stdout.decode()
        contains(found, "has lost its path keys")
        contains(found, "rm %s/endpoint.conf" % site.spool)
        os.unlink(os.path.join(site.spool, "endpoint.conf"))
        process.stop()
        site.start()
        equal(post(site, OTHER).status, 200, "status without keys")
        assert KEY not in kept(site)


@test
def a_file_is_left_alone_until_it_is_two_seconds_old():
    with Sandbox() as box:
        site = Site(box)
        process = site.start()
        fastcgi.wait_idle(site)
        new = site.get("challenge=1&verifyToken=new-token")
        text = site.text().replace(TOKEN, "new-token")
        end = time.monotonic() + 3.5
        while time.monotonic() < end:  # an editor that saves all the time
            site.configure(text)
            equal(site.ask(new).status, 403, "status of the new token")
            time.sleep(0.2)
        changed = os.stat(site.config_path).st_ctime
        equal(site.ask_cgi(site.get()).status, 200, "the old one over CGI")
        wait_until(lambda: site.ask(new).status == 200, "the new token",
                   alive=[process])
        assert time.time() - changed >= 2, "it was taken up too early"
        wait_until(lambda: site.ask_cgi(new).status == 200,
                   "the new token over CGI")
        assert "refused" not in process.output(), process.output()


@test
def a_bad_file_that_is_mended_at_once_is_not_even_logged():
    with Sandbox() as box:
        site = Site(box)
        process = site.start()
        good = site.text()
        errors = post(site, KEY).errors
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            site.configure("[endpoint\n")
            errors += post(site, KEY).errors
        site.configure(good.replace(TOKEN, "new-token"))
        new = site.get("challenge=1&verifyToken=new-token")
        wait_until(lambda: site.ask(new).status == 200, "the new token")
        assert "the configuration file is not used" not in process.output() + errors


# ---- the spool

@test
def an_event_wakes_the_relay_of_the_spool_that_has_it():
    with Sandbox() as box:
        site = Site(box)
        relay = listening(site.spool)
        relay.setblocking(False)
        process = site.start()
        post(site, KEY)
        site.configure(site.text().replace(
            "path = " + site.spool, "path = " + box.join("nowhere")))
        wait_for_line(site, process, "spool cannot be opened")
        try:
            while True:
                relay.recv(100)
        except BlockingIOError:
            pass
        equal(post(site, KEY).status, 200, "status")
        equal(len(relay.recv(100)), 1, "bytes that wake the relay")
        relay.close()


def listening(folder):
    """What a relay of the spool hears."""
    relay = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    relay.bind(os.path.join(folder, "relay.sock"))
    relay.settimeout(20)
    return relay


@test
def a_path_that_changes_during_a_CGI_request_wakes_the_relay_of_its_spool():
    with Sandbox() as box:
        site = Site(box)
        old = site.spool
        relay = listening(old)
        process = site.start_cgi(site.post(EVENT))
        process.stdin.write(EVENT[:10])
        process.stdin.flush()
        # It has its configuration once it waits for the rest.
        wait_until(lambda: fastcgi.state_of(process.pid) == "S" and
                   process.poll() is None, "the wait for the body")
        site.spool = box.join("other")
        site.make_spool()
        other = listening(site.spool)
        site.configure(site.text())
        wait_until(lambda: time.time() - os.stat(site.config_path).st_ctime >
                   2, "the file being left alone")
        out, _ = process.communicate(EVENT[10:], timeout=60)
        contains(out.decode(), "200")
        equal(site.bodies(), [], "events in the other spool")
        site.spool = old
        equal(site.bodies(), [EVENT], "events in the old spool")
        equal(len(relay.recv(100)), 1, "bytes that wake its relay")
        other.setblocking(False)
        try:
            raise AssertionError("the other one woke: %r" % other.recv(100))
        except BlockingIOError:
            pass
        relay.close()
        other.close()


@test
def a_start_with_a_spool_that_cannot_be_opened_uses_the_last_good_one():
    with Sandbox() as box:
        site = Site(box)
        command(site.config_path, "init")  # notes where the spool is
        equal(post_cgi(site, KEY).status, 200, "status")
        site.configure(site.text().replace(
            "path = " + site.spool, "path = " + box.join("nowhere")))
        wait_until(lambda: time.time() - os.stat(site.config_path).st_ctime >
                   2, "the file being left alone")
        answer = post_cgi(site, KEY)
        equal(answer.status, 200, "status over CGI")
        contains(answer.errors, box.join("nowhere"))
        contains(answer.errors, "are stored in the spool of the last")
        process = site.start()
        equal(post(site, KEY).status, 200, "status")
        contains(process.output(), "are stored in the spool of the last")
        equal(len(site.bodies()), 3, "events")
        site.spool = box.join("nowhere")
        site.make_spool()
        wait_until(lambda: post(site, KEY).status == 200 and site.bodies(),
                   "an event in the other spool", alive=[process])


@test
def what_waits_in_the_old_spool_is_told_when_the_path_changes():
    with Sandbox() as box:
        site = Site(box)
        old = site.spool
        process = site.start()
        errors = post(site, KEY).errors
        equal(post(site, KEY).status, 200, "status")
        site.spool = box.join("other")
        site.make_spool()
        site.configure(site.text())

        def is_used():
            nonlocal errors
            errors += post(site, KEY).errors
            return site.bodies()

        wait_until(is_used, "an event in the other spool")
        text = process.output() + errors
        contains(text, "old=%s" % old)
        site.spool = old
        contains(text, "undelivered=%d" % len(site.bodies()))
        contains(text, "hookspool -c COPY relay --if-pending")


# ---- a file that the endpoint cannot read

def as_nobody():
    user = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


@test
def a_file_that_only_root_can_read_loses_no_event():
    if os.geteuid() != 0:
        raise Skip("only root can take a file away from another user")
    with Sandbox() as box:
        folder = box.join("state")
        os.mkdir(folder)
        site = Site(box, spool=False)
        site.spool = os.path.join(folder, "spool")
        site.configure(site.text())
        user = pwd.getpwnam("nobody")
        os.chmod(site.config_path, 0o640)
        os.chown(site.config_path, 0, user.pw_gid)
        command(site.config_path, "init", "--user", "nobody")
        equal(post_cgi(site, KEY, preexec_fn=as_nobody).status, 200, "status")
        shutil.copy(site.config_path, box.join("new"))
        os.chmod(box.join("new"), 0o600)
        os.rename(box.join("new"), site.config_path)
        answer = post_cgi(site, KEY, preexec_fn=as_nobody)
        equal(answer.status, 200, "status over CGI")
        contains(answer.errors, "Permission denied")
        process = site.start(preexec_fn=as_nobody)
        equal(post(site, KEY).status, 200, "status")
        contains(process.output(), "last good configuration is used")
        os.unlink(site.config_path + ".spool")  # what leads to the spool
        equal(post_cgi(site, KEY, preexec_fn=as_nobody).status, 503,
              "status where nothing says where the spool is")
        found = command(site.config_path, "check", "--offline", status=None)
        equal(os.readlink(site.config_path + ".spool"), site.spool, found)


@test
def the_owner_of_what_is_not_ours_is_in_the_log_of_the_first_request():
    if os.geteuid() != 0:
        raise Skip("only root can give a file away")
    with Sandbox() as box:
        site = Site(box)
        user = pwd.getpwnam("nobody")
        os.chown(site.spool, user.pw_uid, -1)
        site.start()
        answer = post(site, KEY)
        equal(answer.status, 503, "status")
        contains(answer.errors, "the spool cannot be opened")
        contains(answer.errors, "%s belongs to the user nobody" % site.spool)
        contains(answer.errors, "chown root %s" % site.spool)
        assert "belongs to" not in post(site, KEY).errors, "said again"


@test
def a_spool_that_was_open_to_others_is_closed_and_used():
    with Sandbox() as box:
        site = Site(box)
        os.chmod(site.spool, 0o755)
        process = site.start()
        equal(post(site, KEY).status, 200, "status")
        contains(process.output(), "had mode 0755 and has 0700 now")
        os.chmod(site.spool, 0o755)
        answer = post_cgi(site, KEY)
        equal(answer.status, 200, "status over CGI")
        contains(answer.errors, "had mode 0755 and has 0700 now")


main(__name__)
