"""Shows hookspool at work on this machine, step by step: the shipped lighttpd
configuration over HTTPS, a fresh spool, a destination that prints what it
gets. With --once it ends after the last step, else it stays until Ctrl-C.
Exit status 0 only if the destination received exactly the bytes sent.
"""

import hashlib
import os
import re
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from demo_destination import Destination  # noqa: E402
from harness import TOP_BUILD, TOP_SRC, wait_until  # noqa: E402
from webserver import LighttpdFastcgi, Site  # noqa: E402

CHALLENGE = "2135675231"
SAMPLES = ("ticket_status_change.json", "note_deletion.json")
PATIENCE_S = 30
LOGS = os.path.join(TOP_BUILD, "quickstart-logs")

BOLD, DIM, GREEN, RED, PLAIN = (
    ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m")
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ else [""] * 5)


class Failure(Exception):
    """A step did not go as it should; the sentence says what happened."""


def show(text=""):
    print(text, flush=True)


def step(title, _count=[0]):
    _count[0] += 1
    show("\n%s%d. %s%s" % (BOLD, _count[0], title, PLAIN))


def note(text):
    for line in text.splitlines():
        show("   " + line)


def good(text):
    show("   %s%s%s" % (GREEN, text, PLAIN))


def command_line(text):
    show("   %s$ %s%s" % (DIM, text, PLAIN))


def show_received(received, limit=20):
    for line in received.lines(limit):
        show("      %sdestination |%s %s" % (DIM, PLAIN, line))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Demo(Site):
    """A site as `hookspool init` makes it, with one destination."""

    def __init__(self, port):
        super().__init__(LighttpdFastcgi)
        self.destination = "http://127.0.0.1:%d/hooks" % port

    def _make_certificate(self):
        super()._make_certificate()
        os.unlink(self.join("ca.key"))

    def _configure(self):
        self.command("init", "--spool", self.join("spool"))
        with open(self.config, "r+", encoding="utf-8") as f:
            made = f.read()
            f.write("\n[relay]\nprogram = %s\n[log]\nto = %s\n"
                    "[destination demo]\nurl = %s\nallow_private = yes\n" %
                    (self.hookspool, self.join("log", "hookspool.log"),
                     self.destination))
        self.token = re.search(r"(?m)^verify_token = (.*)", made).group(1)
        self.key = re.search(r"(?m)^path_key = (.*)", made).group(1)

    def path(self, query=""):
        return super().path(query, self.key)

    def url(self, query=""):
        return "https://localhost:%d%s" % (self.server.port, self.path(query))

    def __exit__(self, kind, value, trace):
        if kind is not None and kind is not KeyboardInterrupt:
            shutil.rmtree(LOGS, ignore_errors=True)
            shutil.copytree(self.join("log"), LOGS)
        super().__exit__(kind, value, trace)


def verify(site):
    step("Socialboards verifies the endpoint")
    command_line('curl "$URL?challenge=%s&verifyToken=$TOKEN"' % CHALLENGE)
    status, _, body = site.curl(site.path("?challenge=%s&verifyToken=%s" %
                                          (CHALLENGE, site.token)))
    if (status, body) != (200, CHALLENGE.encode()):
        raise Failure("the verification request was answered %d: %r" %
                      (status, body))
    good("200, and the body is the challenge and nothing else: %s" %
         body.decode())


def verify_wrongly(site):
    step("Somebody else tries, with a wrong token")
    command_line('curl "$URL?challenge=%s&verifyToken=guessed"' % CHALLENGE)
    status, _, body = site.curl(site.path("?challenge=%s&verifyToken=guessed" %
                                          CHALLENGE))
    if status != 403:
        raise Failure("a wrong token was answered %d: %r" % (status, body))
    good("403: %s" % body.decode().strip())


def post(site, sample):
    """Posts a sample; (event id, its bytes, when it was begun)."""
    with open(os.path.join(TOP_SRC, "tests", "data", sample), "rb") as f:
        sent = f.read()
    command_line('curl --json @%s "$URL"' % sample)
    begun_s = time.monotonic()
    status, _, body = site.post(sent)
    found = re.search(rb'"id": *"([0-9a-f-]{36})"', body)
    if status != 200 or not found:
        raise Failure("%s was answered %d: %r" % (sample, status, body))
    event_id = found.group(1).decode()
    good("200: it is on disk, as event " + event_id)
    return event_id, sent, begun_s


def expect(destination, event_id, sent, since_s, since="after it was sent"):
    """Waits for the event and compares its bytes with those sent."""
    received = destination.wait_for(event_id, PATIENCE_S)
    if received is None:
        raise Failure("event %s did not reach the destination within %d s" %
                      (event_id, PATIENCE_S))
    show_received(received, limit=6)
    if received.body != sent:
        raise Failure("the destination received other bytes than were sent: "
                      "SHA-256 %s, not %s" %
                      (sha256(received.body), sha256(sent)))
    good("delivered %s %s; SHA-256 as sent: %s..." %
         (span(received.at_s - since_s), since, sha256(sent)[:16]))


def span(seconds):
    if seconds < 1:
        return "%d ms" % (seconds * 1000)
    return "%.1f s" % seconds


def deliver(site, destination, sample):
    step("A notification: " + sample)
    expect(destination, *post(site, sample))


def survive(site, destination):
    step("The destination is down")
    destination.stop()
    note("The destination was stopped. The next notification:")
    event_id, sent, _ = post(site, SAMPLES[0])
    note("It waits:")
    wait_until(lambda: b"127.0.0.1" in site.command("status").stdout,
               "an attempt to deliver", PATIENCE_S)
    command_line("hookspool status")
    note(site.command("status").stdout.decode())
    note("Now the destination is started again:")
    started_s = time.monotonic()
    destination.start()
    expect(destination, event_id, sent, started_s, "after that")


def introduce(site):
    step("lighttpd, hookspool and a destination are started")
    note("lighttpd serves https://localhost:%d with the shipped\n"
         "lighttpd/fastcgi.conf and a certificate of a test CA. `hookspool\n"
         "init` made the spool and the configuration. All of it is in\n%s\n"
         "and goes away at the end." % (site.server.port, site.sandbox.path))


def stay(site, destination):
    """Says how to try it by hand and waits for Ctrl-C."""
    sample = os.path.join(TOP_SRC, "tests", "data", SAMPLES[0])
    step("Now you")
    note("The endpoint's URL is\n%s\nTry these in another terminal:\n" %
         site.url())
    for options, query in (
            ("", "?challenge=42&verifyToken=" + site.token),
            ("--json @%s " % sample, ""),
            ("""--json '{"EventType": "hello", "Events": []}' """, "")):
        show("curl --cacert %s %s\\\n  '%s'\n" %
             (site.join("ca.pem"), options, site.url(query)))
    destination.on_received = show_received
    try:
        note("What arrives is printed here. Ctrl-C ends it all.")
        while True:
            signal.pause()
    except KeyboardInterrupt:
        show("\nEnding lighttpd, the endpoint and the relay.")


def interrupted(*_):
    raise KeyboardInterrupt


def run_steps(is_once):
    destination = Destination()
    destination.start()
    with Demo(destination.port) as site:
        introduce(site)
        verify(site)
        verify_wrongly(site)
        for sample in SAMPLES:
            deliver(site, destination, sample)
        survive(site, destination)
        show("\nEverything arrived, byte for byte.")
        if not is_once:
            stay(site, destination)


def main():
    is_once = sys.argv[1:] == ["--once"]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        run_steps(is_once)
    except KeyboardInterrupt:
        show("\nBroken off; everything that was started has ended.")
        return 130
    except Exception as failure:  # whatever it is, say it in one sentence
        show("\n%squickstart: %s. The logs are in %s%s" %
             (RED, failure, LOGS, PLAIN))
        return 1
    if is_once:
        show("(./quickstart without --once stays, for you to try it by hand.)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
