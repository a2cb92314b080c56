"""What every web server must do with the file that is shipped for it: the
same cases for all, run by one small test file for each server.

    server_cases.run(__name__, webserver.Nginx)
"""

import http.client
import os
import re
import signal
import socket
import threading

import harness
from destination import Destination
from harness import TOP_SRC, contains, equal, test, wait_until
from webserver import IS_ROOT, WEB_USER, Site

CHALLENGE = "?challenge=2135675231&verifyToken="
EVENT = b'{"CommunityName":"acme","EventType":"server_test","Events":[]}'
MEBIBYTE = 1 << 20

server_class = None


def run(name, chosen):
    global server_class
    server_class = chosen
    harness.main(name)


def sample(name):
    with open(os.path.join(TOP_SRC, "tests", "data", name), "rb") as f:
        return f.read()


def event(number, size=0):
    """An event that is like no other, of at least `size` bytes."""
    return (b'{"EventType":"server_test","Events":[],"Number":%d,"Fill":"%s"}'
            % (number, b"x" * size))


class Stage:
    """A site and a destination; a relay too, where the server's way has it
    run as a service."""

    def __enter__(self):
        self.destination = Destination()
        try:
            self.site = Site(server_class, self.destination.url())
            self.site.__enter__()
        except BaseException:
            self.destination.stop()
            raise
        self.start_relay()
        return self

    def start_relay(self):
        if server_class.starts_relay:
            return
        user = dict(user=WEB_USER, group=WEB_USER,
                    extra_groups=[]) if IS_ROOT else {}
        self.site.sandbox.spawn(
            [self.site.hookspool, "-c", self.site.config, "relay"], "relay",
            cwd="/", **user)

    def __exit__(self, *error):
        self.site.__exit__(*error)
        self.destination.stop()

    def arrives(self, body, timeout_s=60):
        wait_until(lambda: body in [r.body for r in self.destination.got()],
                   "the arrival of %r" % body[:80], timeout_s)

    def verify(self):
        """Makes the verification request; its status."""
        return self.site.curl(
            self.site.path(CHALLENGE + self.site.token))[0]


@test
def a_probe_from_outside_finds_nothing_wrong():
    with Stage() as stage:
        site = stage.site
        done = site.command(
            "probe", "--ca-file", site.join("ca.pem"),
            "https://localhost:%d%s" % (site.server.port, site.path()))
        out = done.stdout.decode()
        contains(out, "captured as %s" % list(site.events())[0])
        for secret in (site.token, site.key):
            assert secret not in out, out


@test
def the_verification_request_echoes_the_challenge_and_no_more():
    with Stage() as stage:
        site = stage.site
        right = CHALLENGE + site.token
        status, head, body = site.curl(site.path(right))
        equal((status, body), (200, b"2135675231"))
        contains(head.lower(), "content-type: text/plain; charset=utf-8")
        contains(head.lower(), "cache-control: no-store")
        status, _, body = site.curl(site.path(CHALLENGE + "wrong"))
        equal(status, 403, "a wrong token")
        assert b"2135675231" not in body, body
        equal(site.curl(site.path(right, key="wrong"))[0], 404, "a wrong key")
        equal(site.curl("/webhooks" + right)[0], 404, "no key")
        equal(site.curl(site.path(right), "--head")[0], 200, "HEAD")
        status, head, _ = site.curl(site.path(), "-X", "PUT", "-d", "x")
        equal(status, 405, "PUT")
        contains(head.lower(), "allow: get, head, post")


@test
def a_query_made_to_look_like_arguments_is_harmless():
    with Stage() as stage:
        site = stage.site
        evil = site.sandbox.write("evil.conf", "[endpoint]\nnonsense = 1\n")
        equal(site.post(EVENT, query="?-c+" + evil)[0], 200)
        equal(site.curl(site.path("?--help"))[0], 400, "GET")
        equal(list(site.events().values()), [EVENT])


@test
def both_samples_reach_spool_and_destination_byte_for_byte():
    bodies = [sample("ticket_status_change.json"),
              sample("note_deletion.json")]
    with Stage() as stage:
        ids = []
        for body in bodies:
            status, _, answer = stage.site.post(
                body, "-H", "Proxy: http://127.0.0.1:9/")
            equal(status, 200, answer)
            ids.append(answer.split(b'"')[3].decode())
        equal(stage.site.events(), dict(zip(ids, bodies)), "the spool")
        got = {r.id: r.body for r in stage.destination.wait_for(2, 60)}
        equal(got, dict(zip(ids, bodies)), "the destination")


@test
def a_destination_that_was_down_gets_it_once_it_is_up():
    with Stage() as stage:
        stage.destination.stop()
        equal(stage.site.post(EVENT)[0], 200)
        stage.destination.start()
        stage.arrives(EVENT)


@test
def chunked_uploads_arrive_whole():
    with Stage() as stage:
        bodies = [event(1, 100), event(2, 300000)]
        for body in bodies:
            equal(stage.site.post(body, "--http1.1", "-H",
                                  "Transfer-Encoding: chunked")[0], 200)
        equal(sorted(stage.site.events().values()), sorted(bodies))


@test
def the_endpoint_itself_refuses_what_is_over_max_body():
    with Stage() as stage:
        site = stage.site
        equal(site.post(event(1, MEBIBYTE - 200))[0], 200, "the largest")
        for framing in ([], ["-H", "Transfer-Encoding: chunked"]):
            status, head, body = site.post(event(2, MEBIBYTE + 1),
                                           "--http1.1", *framing)
            equal(status, 413, body)
            contains(head.lower(), "x-content-type-options: nosniff",
                     "our answer")
        equal(len(site.events()), 1, "events")


@test
def a_body_over_the_servers_own_limit_is_answered_as_it_documents():
    with Stage() as stage:
        status, head, _ = stage.site.post(event(1, 3 * MEBIBYTE), "--http1.1")
        is_ours = "x-content-type-options: nosniff" in head.lower()
        equal(is_ours, server_class.own_limit_status is None, "who answers")
        equal(status, server_class.own_limit_status or 413)
        equal(stage.site.events(), {})
        equal(stage.verify(), 200, "afterwards")


@test
def logs_tell_refusals_and_neither_token_nor_key():
    with Stage() as stage:
        site = stage.site
        right = CHALLENGE + site.token
        site.curl(site.path(right))
        site.curl(site.path(CHALLENGE + "wrong"))
        site.curl(site.path("/below" + right))
        site.curl("/%77ebhooks/" + site.key + right)
        site.curl("//webhooks/" + site.key + right)
        site.curl("/x/../webhooks/" + site.key + right, "--path-as-is")
        site.curl("/webhooks/" + site.key + "%2f" + right)
        site.curl(site.path(right), "-H", "Content-Length: x", "--http1.1")
        site.curl(site.path(right), "-X", "POST", "--http1.1")
        try:
            site.post(event(1, 3 * MEBIBYTE), "--http1.1", query=right)
        except AssertionError as refusal:
            # A server may close before all of what it refuses is sent.
            assert re.search(r"curl: \((55|56)\)", str(refusal)), refusal
        site.curl("/elsewhere")
        wait_until(lambda: "status=403" in site.log(server_class.refusal_log),
                   "our line about the wrong token")
        site.server.stop()  # so that what is buffered is written
        contains(site.log("access.log"), '"GET /webhooks HTTP/', "access log")
        contains(site.log("access.log"), "/elsewhere", "access log")
        for name in os.listdir(site.join("log")):
            for secret in (site.token, site.key):
                assert secret not in site.log(name), "%s tells %s:\n%s" % (
                    name, secret, site.log(name))


class Load(threading.Thread):
    """Posts one event after the other until it is told to stop."""

    def __init__(self, site, first):
        super().__init__(daemon=True)
        self.site = site
        self.number = first
        self.accepted = {}
        self.others = []
        self.is_stopping = threading.Event()

    def run(self):
        while not self.is_stopping.is_set():
            self.number += 1
            body = event(self.number)
            try:
                status, answer = self._post(body)
            except (OSError, http.client.HTTPException) as error:
                self.others.append(repr(error))
                continue
            if status == 200:
                self.accepted[answer.split(b'"')[3].decode()] = body
            else:
                self.others.append(status)

    def _post(self, body):
        connection = http.client.HTTPConnection("localhost")
        # By address: not every machine can look up its own name.
        connection.sock = self.site.tls().wrap_socket(
            socket.create_connection(
                ("127.0.0.1", self.site.server.port), 30),
            server_hostname="localhost")
        try:
            connection.request("POST", self.site.path(), body, {
                "Content-Type": "application/json", "Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@test
def a_reload_under_load_loses_nothing():
    with Stage() as stage:
        loads = [Load(stage.site, n * 1000000) for n in range(3)]

        def count():
            return sum(len(load.accepted) for load in loads)

        for load in loads:
            load.start()
        for _ in range(2):
            wait_until(lambda so_far=count(): count() > so_far + 30,
                       "thirty more answers of 200", 60)
            stage.site.server.reload()
        wait_until(lambda so_far=count(): count() > so_far + 30,
                   "thirty answers of 200 after the reload", 60)
        for load in loads:
            load.is_stopping.set()
        for load in loads:
            load.join(60)
        accepted = {k: v for load in loads for k, v in load.accepted.items()}
        others = [other for load in loads for other in load.others]
        stored = stage.site.events()
        for event_id, body in accepted.items():
            equal(stored.get(event_id), body, event_id)
        wrong = [other for other in others
                 if not server_class.may_answer_at_reload(other)]
        equal(wrong, [], "answers that were not 200")


@test
def an_event_arrives_though_the_endpoint_was_killed_after_200():
    with Stage() as stage:
        equal(stage.site.post(EVENT)[0], 200)
        for pid in stage.site.endpoints():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        equal(list(stage.site.events().values()), [EVENT])
        wait_until(lambda: stage.verify() == 200, "the next endpoint")
        if server_class.is_cgi:  # nobody lives on who could start the relay
            stage.site.command("relay", "--if-pending")
        stage.arrives(EVENT)


@test
def what_a_hard_stop_left_over_is_delivered_by_relay_if_pending():
    with Stage() as stage:
        stage.destination.stop()
        for number in range(3):
            equal(stage.site.post(event(number))[0], 200)
        stage.site.server.kill()
        # A process that was killed has no command line any more for an
        # instant before it lets go of its locks.
        wait_until(lambda: b'"relay_running":false' in
                   stage.site.command("status", "--json").stdout,
                   "the end of the relay")
        stage.destination.start()
        stage.site.command("relay", "--if-pending")
        for number in range(3):
            stage.arrives(event(number))
        stage.site.server.start()
        equal(stage.verify(), 200, "after the start")
