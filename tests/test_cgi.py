"""The endpoint as a CGI program, wired and ended in the ways of web servers:
one socket for both directions (mod_cgid), and SIGTERM as soon as they have
the answer (lighttpd, Apache).
"""

import contextlib
import os
import pwd
import signal
import socket
import sqlite3
import subprocess

from harness import (ENDPOINT, HOOKSPOOL, Sandbox, contains, equal, main, run,
                     test, wait_until)
from destination import Destination

BODY = b'{"EventType":"cgi_test","Events":[],"Fill":"%s"}' % (b"x" * 300000)


def set_up(sandbox, url="http://127.0.0.1:1/"):
    config = sandbox.write("hookspool.conf", """\
[endpoint]
verify_token = token
[spool]
path = %s
min_free = 0
[relay]
idle_exit = 1s
program = %s
[destination shop]
url = %s
allow_private = yes
""" % (sandbox.join("spool"), HOOKSPOOL, url), mode=0o600)
    run([HOOKSPOOL, "-c", config, "init", "--user",
         pwd.getpwuid(os.getuid()).pw_name])
    return config


def endpoint(config, method, length, **kwargs):
    return subprocess.Popen([ENDPOINT], env={
        "HOOKSPOOL_CONF": config, "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": method, "REQUEST_URI": "/webhooks",
        "CONTENT_LENGTH": str(length)}, **kwargs)


@test
def the_relay_is_started_though_the_server_has_sent_sigterm():
    with Sandbox() as sandbox, Destination() as destination:
        config = set_up(sandbox, destination.url())
        process = endpoint(config, "POST", len(BODY), stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
        # More than a pipe holds: once it is written, some has been read.
        process.stdin.write(BODY[:200000])
        process.stdin.flush()
        process.send_signal(signal.SIGTERM)
        answer, _ = process.communicate(BODY[200000:], timeout=30)
        contains(answer, b"Status: 200", "answer")
        equal(destination.wait_for(1, 60)[0].body, BODY)


@test
def an_answer_is_whole_though_the_body_was_not_wanted():
    with Sandbox() as sandbox:
        config = set_up(sandbox)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(30)
            process = endpoint(config, "PUT", len(BODY), stdin=theirs,
                               stdout=theirs)
            theirs.close()
            ours.sendall(BODY)
            ours.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                got = ours.recv(65536)  # fails if the other side reset
                if not got:
                    break
                answer += got
            contains(answer, b"Status: 405", "answer")
            wait_until(lambda: process.poll() is not None, "its end")
            equal(process.returncode, 0)


@test
def of_bad_requests_to_many_processes_ten_a_second_are_kept():
    with Sandbox() as sandbox:
        config = set_up(sandbox)
        processes = [endpoint(config, "POST", 4, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) for _ in range(40)]
        for process in processes:
            process.stdin.write(b"oops")
            process.stdin.flush()
        for process in processes:
            answer, _ = process.communicate(timeout=60)
            contains(answer, b"Status: 400", "answer")
        with contextlib.closing(sqlite3.connect(
                sandbox.join("spool", "spool.db"))) as db:
            kept = [row[0] for row in db.execute(
                "SELECT received_at_ms FROM refusals ORDER BY seq")]
        assert kept, "none was kept"
        for first, eleventh in zip(kept, kept[10:]):
            assert abs(eleventh - first) >= 1000, kept


main(__name__)
