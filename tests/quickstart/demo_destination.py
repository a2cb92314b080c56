"""The demo destination: a web server on loopback that stands for your own
system. Remembers what it gets; can be stopped and started again on the same
port.
"""

import http.server
import re
import threading
import time

WIDTH = 60
HEADERS = ("content-type", "webhook-id", "webhook-timestamp",
           "hookspool-event-type", "hookspool-attempt")


class Received:
    """One POST: its headers, in lower case, its body, when it came."""

    def __init__(self, path, headers, body):
        self.path = path
        self.headers = {k.lower(): v for k, v in headers.items()}
        self.body = body
        self.at_s = time.monotonic()

    def lines(self, limit):
        """What to show of it; `limit` lines of its body."""
        yield "POST %s, %d bytes" % (self.path, len(self.body))
        for name in HEADERS:
            if name in self.headers:
                yield "%s: %s" % (name, self.headers[name])
        text = self.body.decode("utf-8", "backslashreplace").splitlines()
        for line in text[:limit]:
            line = re.sub("[\0-\x1f\x7f-\x9f]", "?", line)
            yield line if len(line) <= WIDTH else line[:WIDTH - 3] + "..."
        if len(text) > limit:
            yield "... and %d lines more" % (len(text) - limit)


class Handler(http.server.BaseHTTPRequestHandler):
    # HTTP/1.0 closes each connection: a stopped server answers nobody.

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        received = Received(self.path, self.headers, self.rfile.read(length))
        self.server.receive(received)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Destination:
    def __init__(self):
        self.port = 0
        self.received = []
        self.on_received = None  # called with each, unless None
        self.changed = threading.Condition()
        self.server = None

    def start(self):
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", self.port), Handler)
        self.server.receive = self.receive
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def receive(self, received):
        with self.changed:
            self.received.append(received)
            self.changed.notify_all()
            if self.on_received is not None:
                self.on_received(received)

    def wait_for(self, event_id, timeout_s):
        """What came with that webhook-id; None if nothing did in time."""
        end = time.monotonic() + timeout_s
        with self.changed:
            while True:
                for received in self.received:
                    if received.headers.get("webhook-id") == event_id:
                        return received
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self.changed.wait(left)
