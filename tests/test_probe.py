#!/usr/bin/env python3
"""hookspool probe: what it does to an endpoint, what it says of each that is
wrong, and that it shows neither token nor path key. The endpoint is an HTTPS
server here that answers as it is told; behind real web servers the probe is
one of server_cases.py.
"""

import http.server
import json
import os
import shutil
import ssl
import threading
import time
import urllib.parse

from certificates import Certificate
from command_site import Site, need_root, other_user
from destination import ClosedPort, Destination, answer_once
from harness import HOOKSPOOL, Sandbox, contains, equal, main, run, test

TOKEN = "correct horse+battery&staple"
KEY = "k3y0123456789abcdefghijklmnopZyXw"
ID = "01930000-1111-7222-8333-444455556666"


class Endpoint:
    """An HTTPS server. `answers` maps "challenge", "wrong token" and "event"
    to (status, body) or (status, body, headers), or a function of the request
    that returns that; what it does not name is answered as by hookspool."""

    def __init__(self, tls, **answers):
        self.answers = {k.replace("_", " "): v for k, v in answers.items()}
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do_GET(self):
                outer.serve(self, b"")

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                outer.serve(self, self.rfile.read(length))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True,
            do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever,
                         kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def url(self, host="localhost", query=""):
        return "https://%s:%d/webhooks/%s%s" % (
            host, self.server.server_port, KEY, query)

    def serve(self, handler, body):
        query = dict(urllib.parse.parse_qsl(
            urllib.parse.urlsplit(handler.path).query))
        if handler.command == "POST":
            kind, usual = "event", (200, '{"id":"%s"}' % ID)
        elif query.get("verifyToken") == TOKEN:
            kind, usual = "challenge", (200, query["challenge"])
        else:
            kind, usual = "wrong token", (403, "the token is wrong\n")
        self.requests.append((kind, handler.path, query, body))
        answer = self.answers.get(kind, usual)
        if callable(answer):
            answer = answer(query)
        status, text = answer[:2]
        handler.send_response(status)
        for name, value in (answer[2] if len(answer) > 2 else {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode())


class Place:
    """A sandbox with an authority, a certificate for localhost and a file
    with the token."""

    def __enter__(self):
        self.box = Sandbox().__enter__()
        self.root = Certificate(self.box, "root", is_authority=True)
        self.token_file = self.box.write("token", TOKEN + "\n", 0o600)
        return self

    def __exit__(self, *error):
        self.box.__exit__(*error)

    def endpoint(self, certificate=None, **answers):
        c = certificate or Certificate(self.box, "leaf", self.root)
        return Endpoint(c if isinstance(c, tuple) else (c.pem, c.key),
                        **answers)

    def run(self, url, *arguments, status=None):
        return run([HOOKSPOOL, "probe", "--ca-file", self.root.pem,
                    "--token-file", self.token_file, url] + list(arguments),
                   status=status)

    def probe(self, url, *arguments):
        """subject to (wrong, what, fix), after a look at what must hold of
        every run."""
        done = self.run(url, "--json", *arguments)
        out = done.stdout.decode()
        for secret in (TOKEN, urllib.parse.quote(TOKEN), KEY, "s3same"):
            assert secret not in out, out
        equal(done.stderr, b"", "standard error")
        report = json.loads(out)
        equal(done.returncode, 0 if report["ok"] else 1, "exit status")
        equal(report["ok"],
              not any(f["wrong"] for f in report["findings"]))
        return {f["subject"]: (f["wrong"], f["text"], f["fix"])
                for f in report["findings"]}

    def last(self, url, *arguments):
        """(subject, what, fix) of the only thing that is wrong."""
        found = self.probe(url, *arguments)
        bad = [(k, v[1], v[2]) for k, v in found.items() if v[0]]
        equal(len(bad), 1, "what is wrong in %r" % (found,))
        return bad[0]


@test
def an_endpoint_that_is_fine_is_found_fine():
    with Place() as place, place.endpoint() as endpoint:
        found = place.probe(endpoint.url())
        equal(list(found), ["url", "name", "connection", "certificate",
                            "challenge", "wrong token", "event"])
        contains(found["url"][1], "https://localhost:%d/...ZyXw" %
                 endpoint.server.server_port)
        contains(found["certificate"][1], "issued by CN = the root here")
        contains(found["event"][1], "200 in ")
        contains(found["event"][1], ID)
        right, wrong, event = endpoint.requests
        equal([r[0] for r in endpoint.requests],
              ["challenge", "wrong token", "event"])
        assert right[2]["challenge"] != wrong[2]["challenge"]
        equal(json.loads(event[3]), {"CommunityName": "hookspool",
                                     "EventType": "hookspool_probe",
                                     "Events": []})


@test
def for_people_it_is_a_line_a_step():
    with Place() as place, place.endpoint() as endpoint:
        done = place.run(endpoint.url(), "--no-event", status=0)
        lines = done.stdout.decode().splitlines()
        equal([line.split()[0] for line in lines if "fix:" not in line],
              ["ok", "warn", "ok", "ok", "ok", "ok"])
        contains(lines[1], "localhost has the address 127.0.0.1")
        equal([r[0] for r in endpoint.requests], ["challenge", "wrong token"])


@test
def a_url_with_a_query_and_a_password_is_used_whole_and_shown_in_part():
    with Place() as place, place.endpoint() as endpoint:
        url = endpoint.url(query="?site=s3same").replace(
            "//", "//user:s3same@")
        place.probe(url, "--community", 'a "b" c')
        equal([r[1].partition("?")[2].partition("&challenge")[0]
               for r in endpoint.requests], ["site=s3same"] * 3)
        equal(json.loads(endpoint.requests[2][3])["CommunityName"],
              'a "b" c')


@test
def http_is_wrong_and_nothing_is_sent():
    with Place() as place, place.endpoint() as endpoint:
        subject, what, fix = place.last(endpoint.url().replace("https", "http"))
        equal(subject, "url")
        contains(fix, "https://")
        equal(endpoint.requests, [])


@test
def a_name_without_an_address_is_found():
    with Place() as place:
        subject, what, fix = place.last(
            "https://nowhere.hookspool.invalid/webhooks/" + KEY)
        equal(subject, "name")
        contains(what.lower(), "resolv")
        contains(fix, "DNS")


@test
def a_closed_port_is_found():
    with Place() as place, ClosedPort() as port:
        subject, what, fix = place.last(
            port.url("/webhooks/" + KEY).replace("http", "https"))
        equal(subject, "connection")
        contains(what, "127.0.0.1: Connection refused")
        contains(fix, "firewall")


def certificate_case(make):
    """(what, fix) about a certificate that `make` makes of the place."""
    with Place() as place, place.endpoint(make(place)) as endpoint:
        subject, what, fix = place.last(endpoint.url())
        equal(subject, "certificate")
        equal(endpoint.requests, [])
        return what, fix


@test
def a_self_signed_certificate_is_found():
    what, fix = certificate_case(lambda p: Certificate(p.box, "alone"))
    contains(what, "self-signed (CN = the alone here)")
    contains(fix, "public authority")


@test
def an_expired_certificate_is_found_with_its_date():
    what, fix = certificate_case(lambda p: Certificate(
        p.box, "late", p.root, end="20210704120000Z"))
    contains(what, "CN = the late here expired on 2021-07-04")
    contains(fix, "renew")


@test
def an_expired_intermediate_certificate_is_found_as_that():
    def make(place):
        middle = Certificate(place.box, "middle", place.root,
                             is_authority=True, end="20210704120000Z")
        return Certificate(place.box, "below", middle).with_chain(middle)

    what, _ = certificate_case(make)
    contains(what, "CN = the middle here expired on 2021-07-04")


@test
def a_certificate_of_the_future_is_found():
    what, fix = certificate_case(lambda p: Certificate(
        p.box, "early", p.root, start="20900704120000Z"))
    contains(what, "valid only from 2090-07-04")
    contains(fix, "clock")


@test
def a_certificate_for_other_names_is_found_with_them():
    what, fix = certificate_case(lambda p: Certificate(
        p.box, "named", p.root, names="DNS:www.example.com,DNS:example.com"))
    contains(what, "www.example.com")
    contains(what, "DNS:example.com, and not for localhost")
    contains(fix, "for the name in the URL")


@test
def a_missing_intermediate_is_found_with_its_name():
    def make(place):
        middle = Certificate(place.box, "middle", place.root,
                             is_authority=True)
        return Certificate(place.box, "below", middle)

    what, fix = certificate_case(make)
    contains(what, "incomplete: the certificate was issued by "
                   "CN = the middle here, and the server does not send")
    contains(fix, "fullchain.pem")


@test
def an_authority_that_is_not_known_is_found_sent_along_or_not():
    def make(place, is_root_sent):
        other = Certificate(place.box, "other", is_authority=True)
        middle = Certificate(place.box, "middle", other, is_authority=True)
        above = (middle, other) if is_root_sent else (middle,)
        return Certificate(place.box, "below", middle).with_chain(*above)

    for is_root_sent in (True, False):
        what, fix = certificate_case(lambda p: make(p, is_root_sent))
        contains(what, "not trusted")
        contains(what, "CN = the other here")
        contains(fix, "public authority")


@test
def a_port_that_speaks_no_tls_is_found():
    with Place() as place:
        port = answer_once(place.box, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        subject, what, fix = place.last("https://127.0.0.1:%d/" % port)
        equal(subject, "certificate")
        contains(what, "answers, but not with TLS")
        contains(fix, "port")


@test
def a_redirect_is_found_and_shown_without_its_secrets():
    def answer(query):
        return 301, "moved", {"Location": "https://www.example.com/webhooks/"
                              "%s?%s" % (KEY, urllib.parse.urlencode(query))}

    with Place() as place, place.endpoint(challenge=answer) as endpoint:
        subject, what, fix = place.last(endpoint.url())
        equal(subject, "challenge")
        contains(what, "301 in ")
        contains(what, "a redirect to https://www.example.com/...")
        contains(fix, "redirects")
        equal(len(endpoint.requests), 1, "requests")


@test
def another_page_is_found_and_shown_escaped_and_cut():
    text = "<html>\n\x1b[31mIt works!" + "x" * 5000
    with Place() as place, \
            place.endpoint(challenge=(200, text)) as endpoint:
        subject, what, fix = place.last(endpoint.url())
        equal(subject, "challenge")
        contains(what, "with an answer that begins: <html>\n\x1b[31mIt works!xxx")
        assert len(what) < 400, what
        contains(fix, "pass this path to hookspool.fcgi")
        out = place.run(endpoint.url(), status=1).stdout
        contains(out, b"with an answer that begins: <html>\\x0a\\x1b[31mIt works!xxx")
        assert b"\x1b" not in out, out


@test
def an_answer_that_repeats_the_url_is_shown_without_its_secrets():
    def answer(query):
        return 404, "no such page: /webhooks/%s?verifyToken=%s or %s" % (
            KEY, urllib.parse.quote(TOKEN), TOKEN)

    with Place() as place, place.endpoint(challenge=answer) as endpoint:
        subject, what, fix = place.last(endpoint.url())
        contains(what, "/webhooks/[...]?verifyToken=[...] or [...]")
        contains(fix, "path_key")


@test
def a_challenge_that_is_not_echoed_exactly_is_found():
    with Place() as place:
        with place.endpoint(
                challenge=lambda q: (200, q["challenge"] + "\n")) as endpoint:
            subject, what, fix = place.last(endpoint.url())
            equal(subject, "challenge")
            contains(fix, "add nothing to the challenge")
        with place.endpoint(challenge=(200, "")) as endpoint:
            subject, what, _ = place.last(endpoint.url())
            equal(subject, "challenge")
            contains(what, "an empty answer")


@test
def a_refused_token_is_found_and_the_event_is_tried_all_the_same():
    with Place() as place, \
            place.endpoint(challenge=(403, "no\n")) as endpoint:
        found = place.probe(endpoint.url())
        equal([k for k, v in found.items() if v[0]], ["challenge"])
        contains(found["challenge"][2], "verify_token")
        assert "event" in found, found


@test
def an_endpoint_that_accepts_a_wrong_token_is_found():
    with Place() as place, place.endpoint(
            wrong_token=lambda q: (200, q["challenge"])) as endpoint:
        subject, what, fix = place.last(endpoint.url())
        equal(subject, "wrong token")
        contains(what, "200 in ")
        contains(fix, "anybody can verify")


@test
def an_event_that_is_not_taken_is_found():
    with Place() as place:
        for answer, said, help_ in (
                ((403, "CommunityName is not on the configured list\n"),
                 "not on the configured list", "--community"),
                ((503, "the spool is full\n"), "spool is full",
                 "hookspool check"),
                ((404, "x"), "404", "path_key"),
                ((200, "thank you"), "thank you", "hookspool.fcgi")):
            with place.endpoint(event=answer) as endpoint:
                subject, what, fix = place.last(endpoint.url())
                equal(subject, "event")
                contains(what, said)
                contains(fix, help_)


@test
def a_slow_answer_is_a_warning_and_one_that_breaks_off_is_wrong():
    def slow(_):
        time.sleep(5.2)
        return 200, '{"id":"%s"}' % ID

    def broken(_):
        raise OSError("as if it had crashed")

    with Place() as place:
        with place.endpoint(event=slow) as endpoint:
            is_wrong, what, fix = place.probe(endpoint.url())["event"]
            equal(is_wrong, False)
            contains(what, ID)
            contains(fix, "slow")
        with place.endpoint(event=broken) as endpoint:
            subject, what, fix = place.last(endpoint.url())
            equal(subject, "event")
            contains(what, "no answer: ")


@test
def the_token_is_the_first_of_the_configuration_by_default():
    with Place() as place, place.endpoint() as endpoint:
        site = Site(place.box)
        site.configure(site.text("community = ours, theirs").replace(
            "verify_token = ", "verify_token = %s\n# " % TOKEN))
        os.chmod(place.root.pem, 0o644)
        run([HOOKSPOOL, "-c", site.config_path, "probe", "--ca-file",
             place.root.pem, endpoint.url()], status=0)
        equal(json.loads(endpoint.requests[2][3])["CommunityName"], "ours")


@test
def a_probe_is_delivered_only_where_it_is_named():
    with Sandbox() as box, Destination() as destination:
        url = "url = %s\nallow_private = yes\n" % destination.url()
        site = Site(box, more="idle_exit = 1s\n" + "".join(
            "[destination %s]\n%sevents = %s\n" % (name, url, events)
            for name, events in (
                ("all", "*"), ("alike", "hookspool_prob?, note_*"),
                ("named", "ticket_*, hookspool_probe"))))
        site.capture({"CommunityName": "c", "EventType": "hookspool_probe",
                      "Events": []})
        site.run("relay", "--on-demand")
        (event,) = map(json.loads, site.run("list", "--json").splitlines())
        equal([(d["destination"], d["state"]) for d in event["deliveries"]],
              [("named", "delivered")])
        equal(len(destination.got()), 1, "requests")


@test
def the_url_can_be_in_a_file_or_the_standard_input():
    with Place() as place, place.endpoint() as endpoint:
        url = endpoint.url()
        file = place.box.write("url", "\n  %s \n" % url, 0o600)
        payload = place.box.write("payload", "{}")
        place.run("@" + file, status=0)
        equal(len(endpoint.requests), 3)
        for arguments, given in (
                (["probe", "--token-file", place.token_file, "-"], url),
                (["send", "-", payload], url + "\n"),
                (["send", "@" + file, payload], "")):
            done = run([HOOKSPOOL] + arguments + [
                "--ca-file", place.root.pem], status=0,
                stdin=open(place.box.write("stdin", given)))
            assert KEY not in done.stdout.decode(), done.stdout
        equal(len(endpoint.requests), 8)


@test
def send_shows_nothing_secret_of_a_url():
    def repeat(_):
        return 404, "no %s here, and %s" % (KEY, KEY[:9])

    with Place() as place, place.endpoint(event=repeat) as endpoint:
        payload = place.box.write("payload", "{}")
        url = endpoint.url(query="?site=s3same&x=1").replace(
            "//", "//user:passw0rd@")
        for more in ([], ["--json"]):
            done = run([HOOKSPOOL, "send", "--ca-file", place.root.pem, url,
                        payload] + more, status=1)
            contains(done.stdout.decode(), "no [...] here, and [...]")
            assert KEY[:9] not in done.stdout.decode(), done.stdout
        for wrong, why in (("ftp://u:pw12@h/" + KEY, "does not begin with"),
                           ("h/" + KEY, "does not begin with"),
                           ("https://h/%s#x" % KEY, "has a #")):
            done = run([HOOKSPOOL, "send", wrong, payload], status=2)
            contains(done.stderr.decode(), why)
            assert KEY not in done.stderr.decode(), done.stderr
            assert "pw12" not in done.stderr.decode(), done.stderr
        done = run([HOOKSPOOL, "send", "--ca-file", place.box.join("no.pem"),
                    url, payload], status=1)
        contains(done.stderr.decode(), place.box.join("no.pem") + ": No such")


@test
def a_probe_by_root_reads_its_files_before_it_gives_up_root():
    need_root()
    with Place() as place, place.endpoint() as endpoint:
        site = Site(place.box)
        site.configure(site.text("").replace(
            "verify_token = ", "verify_token = %s\n# " % TOKEN))
        user = other_user()
        for path in [site.spool] + [os.path.join(site.spool, name)
                                    for name in os.listdir(site.spool)]:
            shutil.chown(path, user.pw_uid, user.pw_gid)
        os.chmod(place.root.pem, 0o600)
        file = place.box.write("url", endpoint.url(), 0o600)
        run([HOOKSPOOL, "-c", site.config_path, "probe", "--ca-file",
             place.root.pem, "@" + file], status=0)
        equal(len(endpoint.requests), 3)


@test
def a_wrong_call_says_why_and_shows_no_secret():
    with Sandbox() as box:
        nobody = box.join("nothing.conf")
        open_file = box.write("open", "t\n", 0o644)
        two_words = box.write("two", "https://h/%s x\n" % KEY, 0o600)
        no_url = box.write("none", KEY + "\n", 0o600)
        for arguments, status, said in (
                (["ftp://h/" + KEY], 2, "does not begin with https://"),
                (["https://h/%s#x" % KEY], 2, "has a #"),
                ([], 2, "URL|@FILE|- is missing"),
                (["--ca-file", nobody, "https://h/" + KEY], 1,
                 "--ca-file %s: No such file" % nobody),
                (["--ca-file", open_file, "https://h/" + KEY], 1,
                 "--ca-file %s: the file has no certificate" % open_file),
                (["https://h/", "https://h/" + KEY], 2, "one argument too"),
                (["--url=https://h/" + KEY], 2, 'option "--url"'),
                (["@" + nobody], 1, nobody + ": No such file"),
                (["@" + open_file], 1, "chmod"),
                (["@" + two_words], 1, two_words + ": the text is not one URL"),
                (["@" + no_url], 1, no_url + ": the URL does not begin"),
                (["-"], 1, "standard input: the text is not one URL"),
                (["https://h/" + KEY], 1, "--token-file"),
                (["--token-file", open_file, "https://h/" + KEY], 1,
                 "chmod")):
            done = run([HOOKSPOOL, "-c", nobody, "probe"] + arguments,
                       status=status)
            contains(done.stderr.decode(), said)
            assert KEY not in done.stderr.decode(), done.stderr


main(__name__)
