"""A scripted destination: an HTTP(S) server on loopback that answers each
request as it is told, and remembers exactly what it got. For the tests that
need one, and a program to try things by hand:

    python3 destination.py [--port N] [--tls CERT KEY] [STEP ...]

A step is what is done with one request; the last one, or 200, serves the
rest. "500" answers that status; "503 Retry-After: 2" with that header; "302
Location: /x" too. Those that do not answer well:

    hang     reads the request and never answers
    close    reads the request and closes the connection
    reset    the same, with a reset
    short    200, then closes in the middle of the body
    slow     200, then a byte of the body each second
    huge     200, then a body without an end
    failing  500, then the same
    headers  200, then headers without an end
    goon     100 Continue without an end
    drip     500, then a byte of a header each second
    garbage  what is no HTTP
"""

import argparse
import os
import socket
import ssl
import struct
import sys
import threading
import time

REASONS = {200: "OK", 302: "Found", 410: "Gone", 503: "Service Unavailable"}
MEGABYTE = b"x" * 1048576


class Request:
    """One request as it came. `headers` is a list of (name, value) in order,
    names as sent; `body` is bytes; `connection` counts from 1."""

    def __init__(self, head, body, connection):
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.method, self.path = lines[0].split(" ")[:2]
        self.headers = [tuple(p.strip() for p in line.split(":", 1))
                        for line in lines[1:]]
        self.body = body
        self.connection = connection
        self.at = time.monotonic()
        self.wall_s = time.time()

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def header(self, name):
        """The one value of a header; None if it was not sent."""
        values = self.all(name)
        assert len(values) <= 1, "%s was sent %d times" % (name, len(values))
        return values[0] if values else None

    @property
    def id(self):
        return self.header("webhook-id")

    @property
    def attempt(self):
        return int(self.header("hookspool-attempt"))


class Destination:
    """Listens from the start until stop(); start() listens again on the same
    port. Each element of `script` is a step, or a function that is given the
    Request and returns one."""

    def __init__(self, *script, port=0, tls=None, client_ca=None,
                 address="127.0.0.1"):
        self.script = list(script)
        self.address = address
        self.port = port
        self.requests = []
        self.connections = 0
        self._lock = threading.Condition()
        self._sockets = set()
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_ca)
        self._listener = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, path="/hook", host="127.0.0.1"):
        scheme = "https" if self.context else "http"
        return "%s://%s:%d%s" % (scheme, host, self.port, path)

    def start(self):
        listener = socket.socket(
            socket.AF_INET6 if ":" in self.address else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(
            target=self._accept, args=(listener,), daemon=True).start()

    def stop(self):
        """Closes the port and every connection."""
        with self._lock:
            listener, self._listener = self._listener, None
            sockets = list(self._sockets)
        if listener:
            for s in [listener] + sockets:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            listener.close()

    def got(self):
        """The requests so far."""
        with self._lock:
            return list(self.requests)

    def wait_for(self, count, timeout_s=20):
        """The requests, when there are `count` of them."""
        with self._lock:
            enough = self._lock.wait_for(
                lambda: len(self.requests) >= count, timeout_s)
            assert enough, "%d requests within %s s, wanted %d" % (
                len(self.requests), timeout_s, count)
            return list(self.requests)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                self._sockets.add(connection)
                is_stopped = self._listener is not listener
            if is_stopped:
                connection.close()
                return
            threading.Thread(target=self._serve, daemon=True,
                             args=(connection, number)).start()

    def _serve(self, connection, number):
        raw = connection
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                connection = self.context.wrap_socket(
                    connection, server_side=True)
            rest = b""
            while True:
                request, rest = self._read(connection, rest, number)
                if request is None or not self._answer(connection, request):
                    return
        except OSError:
            pass
        finally:
            with self._lock:
                self._sockets.discard(raw)
            connection.close()

    def _read(self, connection, data, number):
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None, b""
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        request = Request(head, b"", number)
        length = int(request.header("content-length") or 0)
        while len(data) < length:
            more = connection.recv(65536)
            if not more:
                return None, b""
            data += more
        request.body = data[:length]
        return request, data[length:]

    def _answer(self, connection, request):
        """Does the next step; false if the connection is over."""
        with self._lock:
            step = self.script.pop(0) if len(self.script) > 1 else (
                self.script[0] if self.script else "200")
            self.requests.append(request)
            self._lock.notify_all()
        if callable(step):
            step = step(request)
        word, _, extra = step.partition(" ")
        if word.isdigit():
            status = int(word)
            connection.sendall(
                ("HTTP/1.1 %d %s\r\nContent-Length: 3\r\n%s\r\nok\n" % (
                    status, REASONS.get(status, "Status"),
                    extra + "\r\n" if extra else "")).encode())
            return True
        getattr(self, "_do_" + word)(connection)
        return False

    def _do_hang(self, connection):
        connection.recv(1)

    def _do_close(self, connection):
        pass

    def _do_reset(self, connection):
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _do_short(self, connection):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")

    def _do_slow(self, connection):
        self._trickle(
            connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")

    def _do_drip(self, connection):
        self._trickle(connection, b"HTTP/1.1 500 No\r\nX-Drip: ")

    def _trickle(self, connection, head):
        connection.sendall(head)
        connection.settimeout(1)
        while True:
            connection.sendall(b"x")
            try:
                if not connection.recv(1):
                    return
            except socket.timeout:
                pass

    def _do_huge(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(MEGABYTE)

    def _do_failing(self, connection):
        connection.sendall(b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(MEGABYTE)

    def _do_goon(self, connection):
        while True:
            connection.sendall(b"HTTP/1.1 100 Go on\r\n\r\n")

    def _do_garbage(self, connection):
        connection.sendall(b"220 mail.example.com ESMTP\r\n")

    def _do_headers(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Header: " + b"x" * 1000 + b"\r\n")


class ClosedPort:
    """A port that refuses; nobody else gets it while this is open."""

    def __init__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def url(self, path="/hook"):
        return "http://127.0.0.1:%d%s" % (self.port, path)


def answer_once(box, answer):
    """The port of who answers the first bytes that come so, and closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    box.defer(listener.close)

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def _main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("step", nargs="*")
    options = parser.parse_args()
    destination = Destination(
        *options.step, port=options.port, tls=options.tls)
    print(destination.url(), flush=True)
    count = 0
    while True:
        count += 1
        request = destination.wait_for(count, timeout_s=1e9)[count - 1]
        print(request.line)
        for name, value in request.headers:
            print("%s: %s" % (name, value))
        print(flush=True)
        os.write(1, request.body + b"\n\n")


if __name__ == "__main__":
    try:
        _main()
    except KeyboardInterrupt:
        sys.exit(0)
