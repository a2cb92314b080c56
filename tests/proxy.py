"""An HTTP proxy on loopback for tests: opens tunnels (CONNECT) and forwards
plain requests, and remembers what it was asked for.
"""

import base64
import select
import socket
import ssl
import threading


class Proxy:
    """Listens until stop(). With `user` ("name:password") it asks for that;
    with `answer` it answers everything with that status line."""

    def __init__(self, tls=None, user=None, answer=None):
        self.lines = []    # the request lines
        self.heads = []    # whole heads of requests, as text
        self._wanted = user and "Basic " + base64.b64encode(
            user.encode()).decode()
        self._answer = answer
        self._context = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, user=None, host="127.0.0.1"):
        return "%s://%s%s:%d" % ("https" if self._context else "http",
                                 user + "@" if user else "", host, self.port)

    def stop(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, connection):
        try:
            if self._context:
                connection = self._context.wrap_socket(
                    connection, server_side=True)
            self._proxy(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def _proxy(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        head, rest = data.split(b"\r\n\r\n", 1)
        text = head.decode("latin-1")
        line = text.split("\r\n")[0]
        self.heads.append(text)
        self.lines.append(line)
        if self._wanted and ("\r\nProxy-Authorization: " + self._wanted
                             not in text):
            connection.sendall(b"HTTP/1.1 407 Who are you\r\n"
                               b"Proxy-Authenticate: Basic realm=\"x\"\r\n"
                               b"Content-Length: 0\r\n\r\n")
        elif self._answer:
            connection.sendall(self._answer.encode() + b"\r\n\r\n")
        elif line.startswith("CONNECT "):
            host, _, port = line.split(" ")[1].rpartition(":")
            with socket.create_connection((host.strip("[]"), port)) as to:
                connection.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
                relay(connection, to)
        else:
            self._forward(connection, line, head, rest)

    def _forward(self, connection, line, head, rest):
        """A plain request, and the connection is over after its answer."""
        method, url, version = line.split(" ")
        authority, _, path = url.split("://", 1)[1].partition("/")
        host, _, port = authority.rpartition(":")
        lines = [row for row in head.split(b"\r\n")[1:]
                 if not row.lower().startswith(b"proxy-")]
        with socket.create_connection((host, port)) as to:
            to.sendall(b"\r\n".join(
                [("%s /%s %s" % (method, path, version)).encode()] + lines +
                [b"Connection: close", b"", rest]))
            relay(connection, to)


def relay(one, other):
    """Passes bytes both ways until a side ends."""
    while True:
        ready = [s for s in (one, other)
                 if isinstance(s, ssl.SSLSocket) and s.pending()]
        for s in ready or select.select([one, other], [], [])[0]:
            data = s.recv(65536)
            if not data:
                return
            (other if s is one else one).sendall(data)
