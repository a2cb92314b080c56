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
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from destination import Destination  # noqa: E402
from harness import TOP_BUILD, TOP_SRC, find_program  # noqa: E402
from webserver import LighttpdFastcgi, Site, give_to_web_user  # noqa: E402

CHALLENGE = "2135675231"
SAMPLES = ("ticket_status_change.json", "note_deletion.json")
PATIENCE_S = 30

BOLD, DIM, GREEN, RED, PLAIN = (
    ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m")
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ else [""] * 5)

_printing = threading.Lock()


class Failure(Exception):
    """A step did not go as it should; the sentence says what happened."""


def show(text=""):
    with _printing:
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


def from_destination(text):
    show("      %sdestination |%s %s" % (DIM, PLAIN, text))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Demo(Site):
    """A site as `hookspool init` makes it, with one destination."""

    def __init__(self, destination):
        super().__init__(LighttpdFastcgi)
        self.demo_destination = destination
        self.init_said = ""

    def configure(self):
        done = self.command("init", "--spool", self.join("spool"))
        self.init_said = done.stdout.decode()
        with open(self.config, "a", encoding="utf-8") as f:
            f.write("\n[relay]\nprogram = %s\n[log]\nto = %s\n"
                    "[destination demo]\nurl = %s\nallow_private = yes\n" %
                    (self.hookspool, self.join("log", "hookspool.log"),
                     "http://127.0.0.1:%d/hooks" % self.demo_destination.port))

    def keep_logs(self):
        """Copies the logs to where they outlive the demo; the folder."""
        folder = os.path.join(TOP_BUILD, "quickstart-logs")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.join("log"), folder)
        return folder


def verify(site):
    step("Socialboards verifies the endpoint")
    status, _, body = site.curl(site.url("?challenge=%s&verifyToken=%s" %
                                         (CHALLENGE, site.token)))
    command_line('curl "$URL?challenge=%s&verifyToken=$TOKEN"' % CHALLENGE)
    if (status, body) != (200, CHALLENGE.encode()):
        raise Failure("the verification request was answered %d: %r" %
                      (status, body))
    good("200, and the body is the challenge and nothing else: %s" %
         body.decode())


def verify_wrongly(site):
    step("Somebody else tries, with a wrong token")
    command_line('curl "$URL?challenge=%s&verifyToken=guessed"' % CHALLENGE)
    status, _, body = site.curl(site.url("?challenge=%s&verifyToken=guessed" %
                                         CHALLENGE))
    if status != 403:
        raise Failure("a wrong token was answered %d: %r" % (status, body))
    good("403: %s" % body.decode().strip())


def post(site, sample):
    """Posts a sample; (event id, its bytes, when it was begun)."""
    with open(os.path.join(TOP_SRC, "tests", "data", sample), "rb") as f:
        sent = f.read()
    command_line('curl --data-binary @%s "$URL"' % sample)
    begun_s = time.monotonic()
    status, _, body = site.post(sent)
    took_ms = (time.monotonic() - begun_s) * 1000
    found = re.search(rb'"id": *"([0-9a-f-]{36})"', body)
    if status != 200 or not found:
        raise Failure("%s was answered %d: %r" % (sample, status, body))
    event_id = found.group(1).decode()
    good("200 after %d ms: on disk as event %s" % (took_ms, event_id))
    return event_id, sent, begun_s


def expect(destination, event_id, sent, since_s):
    """Waits for the event and compares its bytes with those sent."""
    received = destination.wait_for(event_id, PATIENCE_S)
    if received is None:
        raise Failure("event %s did not reach the destination within %d s" %
                      (event_id, PATIENCE_S))
    if received.body != sent:
        raise Failure("the destination received other bytes than were sent: "
                      "SHA-256 %s, not %s" %
                      (sha256(received.body), sha256(sent)))
    good("delivered %s; SHA-256 as sent: %s..." %
         (span(received.at_s - since_s), sha256(sent)[:16]))


def span(seconds):
    if seconds < 1:
        return "%d ms after it was sent" % (seconds * 1000)
    return "%.1f s after that" % seconds


def deliver(site, destination, sample):
    step("A notification: " + sample)
    expect(destination, *post(site, sample))


def survive(site, destination):
    step("The destination is down")
    destination.stop()
    note("The destination was stopped. The next notification:")
    event_id, sent, _ = post(site, SAMPLES[0])
    note("It waits. What `hookspool status` says:")
    note(site.command("status", status=None).stdout.decode())
    note("Now the destination is started again:")
    started_s = time.monotonic()
    destination.start()
    expect(destination, event_id, sent, started_s)


def introduce(site):
    step("lighttpd, hookspool and a destination are started")
    note("lighttpd serves https://localhost:%d with the shipped\n"
         "lighttpd/fastcgi.conf and a certificate of a test CA. `hookspool\n"
         "init` made the spool and the configuration. All of it is in\n%s\n"
         "and goes away at the end." % (site.server.port, site.sandbox.path))


def stay(site):
    """Says how to try it by hand and waits for Ctrl-C."""
    curl = "curl --cacert %s" % site.join("ca.pem")
    step("Now you")
    note("The URL is\n    %s\nand these work in another terminal:\n"
         % site.url())
    show("%s '%s'" % (curl, site.url("?challenge=42&verifyToken=" +
                                     site.token)))
    show("%s --data-binary @%s '%s'" % (
        curl, os.path.join(TOP_SRC, "tests", "data", SAMPLES[0]), site.url()))
    show("%s --data-binary '{\"EventType\": \"hello\", \"Events\": []}' '%s'" %
         (curl, site.url()))
    show()
    note("What arrives is printed here. Ctrl-C ends it all.")
    while True:
        signal.pause()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    is_once = sys.argv[1:] == ["--once"]
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    destination = Destination(from_destination)
    destination.start()
    with Demo(destination) as site:
        try:
            introduce(site)
            verify(site)
            verify_wrongly(site)
            for sample in SAMPLES:
                deliver(site, destination, sample)
            survive(site, destination)
            if not is_once:
                stay(site)
        except Failure as failure:
            show("%squickstart: %s. The logs are in %s%s" %
                 (RED, failure, site.keep_logs(), PLAIN))
            return 1
        except KeyboardInterrupt:
            show("\nEnding lighttpd, the endpoint and the relay.")
            return 0
    show("\nEverything arrived, byte for byte. ./quickstart stays for you to "
         "try it by hand.")
    return 0


sys.exit(main())
