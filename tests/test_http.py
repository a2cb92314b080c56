#!/usr/bin/env python3
"""The HTTP contract of the endpoint (hookspool.fcgi(8)): one table of requests
and answers, run over FastCGI and over plain CGI. For each row: the status,
the headers that every answer has, the body, what is in the spool afterwards,
and that the log says so once and holds no secret and no body.
"""

import atexit

import fastcgi
import harness
from fastcgi import KEY, TOKEN, Site, sample
from harness import equal, main

SECRET = "b0dy-s3cret"  # in the bodies: must be in no log line
EVENT = ('{"CommunityName":"yourCompany","EventType":"note_deletion",'
         '"Events":[{"NoteId":1,"Text":"%s"}]}' % SECRET).encode()
MAX_BODY = 128 << 10
CHALLENGE = "challenge=2135675231&verifyToken=" + TOKEN
REASON = object()  # a body of one line of text

# Configurations: lines of [endpoint]; how the spool is.
SITES = {
    "plain": {"endpoint": "max_body = 128K\n"},
    "keyed": {"endpoint": "path_key = %s\npath_key = other-key-99\n" % KEY},
    "listed": {"endpoint": "community = yourCompany, other\n"},
    "slow": {"endpoint": "body_timeout = 1s\n"},
    "full": {"spool": "max_size = 1K\n"},
    "missing": {"has_spool": False},
    "tokenless": {"config": "[endpoint]\nverify_token_file = %s.none\n"
                            "[spool]\npath = %s\nmin_free = 0\n"
                            "[relay]\nstart = never\n"},
    "keyless": {"endpoint": "path_key_file = /nonexistent/key\n"},
    "broken": {"config": "[endpoint]\nverify_tokem = %s\n"
                         "[spool]\npath = %s\nmin_free = 0\n"},
}


class Row:
    """A request and what is to come of it. `like` names a configuration;
    `answer` is the body of the answer; `stores` whether the body becomes an
    event; `keeps` whether it is kept as refused; `sends` how the body comes:
    whole, stalled or broken off; `no_fastcgi` or `no_cgi` say why the row does
    not apply there."""

    def __init__(self, name, status, variables=None, body=b"", like="plain",
                 method="POST", answer=None, stores=False, keeps=False,
                 sends="whole", no_fastcgi=None, no_cgi=None):
        self.name = name
        self.status = status
        self.body = body
        self.like = like
        self.answer = answer
        self.stores = stores
        self.keeps = keeps
        self.sends = sends
        self.no = {"FastCGI": no_fastcgi, "CGI": no_cgi}
        self.variables = {"REQUEST_METHOD": method, "REMOTE_ADDR": "192.0.2.7",
                          "REQUEST_URI": "/webhooks", "QUERY_STRING": ""}
        if method == "POST":
            self.variables["CONTENT_LENGTH"] = len(body)
            self.variables["CONTENT_TYPE"] = "application/json"
        self.variables.update(variables or {})
        self.variables = {k: v for k, v in self.variables.items()
                          if v is not None}


ROWS = []


def row(*args, **kwargs):
    ROWS.append(Row(*args, **kwargs))


def get(name, status, query, answer=REASON, method="GET", uri="/webhooks",
        **kwargs):
    row(name, status, {"QUERY_STRING": query, "REQUEST_URI":
                       uri + ("?" + query if query else "")},
        method=method, answer=answer, **kwargs)


def event(name, body=EVENT, variables=None, **kwargs):
    """A body that is captured, exactly as it is."""
    row(name, 200, variables, body, stores=True, **kwargs)


def refused(name, status, variables=None, body=EVENT, **kwargs):
    row(name, status, variables, body, answer=REASON, **kwargs)


# ---- the verification request

get("a right token is answered the challenge", 200, CHALLENGE, b"2135675231")
get("the parameters come in any order, with others", 200,
    "x=1&verifyToken=%s&challenge=abc&y" % TOKEN, b"abc")
get("the challenge is percent-decoded", 200,
    "challenge=a+b%%20c%%2Bd%%26e%%C3%%A9&verifyToken=%s" % TOKEN,
    b"a b c+d&e\xc3\xa9")
get("the token is percent-decoded", 200,
    "challenge=1&verifyToken=" + TOKEN.replace("-", "%2d"), b"1")
get("a challenge of 1024 bytes is echoed", 200,
    "challenge=%s&verifyToken=%s" % ("c" * 1024, TOKEN), b"c" * 1024)
get("a challenge of 1025 bytes is refused", 400,
    "challenge=%s&verifyToken=%s" % ("c" * 1025, TOKEN))
get("HEAD is answered as GET, without the body", 200, CHALLENGE, b"",
    method="HEAD")
get("a refused HEAD has no body", 403, "challenge=1&verifyToken=x", b"",
    method="HEAD")
for name, query in [
        ("no query", ""),
        ("no challenge", "verifyToken=" + TOKEN),
        ("no token", "challenge=1"),
        ("an empty challenge", "challenge=&verifyToken=" + TOKEN),
        ("an empty token", "challenge=1&verifyToken="),
        ("a repeated challenge",
         "challenge=1&challenge=1&verifyToken=" + TOKEN),
        ("a repeated token",
         "challenge=1&verifyToken=%s&verifyToken=%s" % (TOKEN, TOKEN)),
        ("a bad escape", "challenge=%%4&verifyToken=%s" % TOKEN),
        ("a bad escape elsewhere", CHALLENGE + "&x=%zz"),
        ("a newline in the challenge",
         "challenge=a%%0Ab&verifyToken=%s" % TOKEN),
        ("a NUL in the challenge",
         "challenge=a%%00b&verifyToken=%s" % TOKEN),
        ("bad syntax with a wrong token", "challenge=%&verifyToken=wrong"),
        ("wrong names in other case", "Challenge=1&VERIFYTOKEN=" + TOKEN)]:
    get("%s is 400" % name, 400, query)
get("a wrong token is 403", 403, "challenge=1&verifyToken=" + TOKEN + "x")
get("a part of the token is 403", 403,
    "challenge=1&verifyToken=" + TOKEN[:-1])

# ---- methods

for method in ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "post", "G3T",
               ""]:
    row("the method %r is 405" % method, 405, method=method, answer=REASON)

# ---- what is captured

for name in ["note_deletion", "ticket_status_change"]:
    event("the sender's sample %s is captured" % name, sample(name))
event("a query on a POST is ignored", variables={"QUERY_STRING": "a=%zz&" +
                                                 CHALLENGE})
event("any Content-Type will do", variables={"CONTENT_TYPE": "image/png; q"})
event("no Content-Type will do", variables={"CONTENT_TYPE": None})
event("Content-Encoding identity is plain",
      variables={"HTTP_CONTENT_ENCODING": "Identity"})
event("an unknown EventType and members are taken",
      b'{"EventType":"x_y","Events":[],"New":{"a":[1,null]}}')
event("duplicate members, large numbers, lone surrogates are taken",
      b'{"EventType":"a","EventType":"b","Events":[1e999,123456789012345678'
      b'901234567890,"\\ud800"],"TicketId":99999999999999999999}')
event("white space around the value is kept", b" \r\n\t" + EVENT + b"\n\n ")
event("a body of exactly max_body is captured",
      EVENT + b" " * (MAX_BODY - len(EVENT)))
event("64 levels are not too deep", b'{"EventType":"a","Events":' +
      b"[" * 63 + b"]" * 63 + b"}")
event("an EventType of 256 bytes is taken",
      b'{"EventType":"%s","Events":[]}' % (b"e" * 256))
event("a length with leading zeros is a number",
      variables={"CONTENT_LENGTH": "000%d" % len(EVENT)})
for value in [None, ""]:
    event("a length of %r under FastCGI is read to the end" % value,
          variables={"CONTENT_LENGTH": value}, no_cgi="CGI marks no end")
    event("a length of %r with a transfer encoding is, too" % value,
          variables={"CONTENT_LENGTH": value,
                     "HTTP_TRANSFER_ENCODING": "chunked"})
    refused("a length of %r is 411" % value, 411, {"CONTENT_LENGTH": value},
            no_fastcgi="FastCGI marks the end of a body")

# ---- encodings and lengths

for value in ["gzip", "br", "identity, gzip"]:
    refused("Content-Encoding %s is 415" % value, 415,
            {"HTTP_CONTENT_ENCODING": value})
for value in ["-1", "+4", "4x", "0x10", " 5", "5 ", "1e3", "5,5", "five"]:
    refused("the length %r is 400" % value, 400, {"CONTENT_LENGTH": value})
refused("a length of 20 digits is 413", 413,
        {"CONTENT_LENGTH": "9" * 20}, keeps=True)
refused("a length over max_body is 413", 413,
        body=EVENT + b" " * (MAX_BODY - len(EVENT) + 1), keeps=True)
refused("a body over max_body without a length is 413", 413,
        {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"},
        body=EVENT + b" " * (MAX_BODY - len(EVENT) + 1), keeps=True)
refused("a body shorter than its length is 400", 400,
        {"CONTENT_LENGTH": len(EVENT) + 1})
refused("a body longer than its length is 400", 400,
        {"CONTENT_LENGTH": len(EVENT) - 1})
refused("a body where none was announced is 400", 400, {"CONTENT_LENGTH": 0},
        no_cgi="a CGI process does not wait for more than its length")
refused("a body that stalls is 408", 408, {"CONTENT_LENGTH": len(EVENT) + 1},
        like="slow", sends="stalled")
refused("a body that stalls without a length is 408", 408,
        {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"},
        like="slow", sends="stalled")
refused("a body that is too large and stalls is 413", 413,
        {"CONTENT_LENGTH": 1 << 30}, like="slow", sends="stalled", keeps=True)
refused("a body that breaks off is 400", 400, sends="broken",
        no_cgi="its end looks as any end of a pipe")
refused("a body that breaks off after its length is 400", 400,
        {"CONTENT_LENGTH": len(EVENT)}, sends="broken",
        no_cgi="its end looks as any end of a pipe")

# ---- JSON and the envelope

for name, body in [
        ("an empty body", b""),
        ("a comment", b"/* x */" + EVENT),
        ("a trailing comma", EVENT[:-1] + b",}"),
        ("bytes after the value", EVENT + b"\0x"),
        ("a second value", EVENT + EVENT),
        ("NaN", b'{"EventType":"a","Events":[NaN]}'),
        ("a leading zero", b'{"EventType":"a","Events":[01]}'),
        ("single quotes", b"{'EventType':'a','Events':[]}"),
        ("a raw newline in a string", b'{"EventType":"a\n","Events":[]}'),
        ("a byte order mark", b"\xef\xbb\xbf" + EVENT),
        ("bad UTF-8", EVENT.replace(b"note", b"n\xffte")),
        ("an overlong form", EVENT.replace(b"note", b"n\xc0\xafte")),
        ("a form", b"EventType=a&Events=b"),
        ("the vendor's own missing comma",
         b'{"TicketId": 4478963 "EventType":"a","Events":[]}'),
        ("65 levels", b'{"EventType":"a","Events":' + b"[" * 64 + b"]" * 64 +
         b"}"),
        ("50,001 values", b'{"EventType":"a","Events":[' + b"1," * 49998 +
         b"1]}"),
        ("an array", b"[" + EVENT + b"]"),
        ("a string", b'"EventType"'),
        ("no EventType", b'{"Events":[]}'),
        ("an EventType that is a number", b'{"EventType":1,"Events":[]}'),
        ("an empty EventType", b'{"EventType":"","Events":[]}'),
        ("an EventType of 257 bytes",
         b'{"EventType":"%s","Events":[]}' % (b"e" * 257)),
        ("no Events", b'{"EventType":"a"}'),
        ("Events that are an object", b'{"EventType":"a","Events":{}}')]:
    refused("%s is 400, and kept" % name, 400, body=body, keeps=True)
refused("the reason names the byte", 400, body=b'{"a":1,}', keeps=True)

# ---- communities

event("a community on the list is captured", like="listed")
for name, body in [
        ("another community", EVENT.replace(b"yourCompany", b"theirs")),
        ("a part of the name", EVENT.replace(b"yourCompany", b"your")),
        ("no community", b'{"EventType":"a","Events":[]}'),
        ("a community of null",
         b'{"CommunityName":null,"EventType":"a","Events":[]}')]:
    refused("%s is 403, and kept" % name, 403, body=body, like="listed",
            keeps=True)

# ---- path keys

event("the path key lets a POST in", like="keyed",
      variables={"REQUEST_URI": "/webhooks/" + KEY})
event("a path key is read up to the question mark", like="keyed",
      variables={"REQUEST_URI": "/w/%s?x=/y" % KEY, "QUERY_STRING": "x=/y"})
event("the second path key is as good", like="keyed",
      variables={"REQUEST_URI": "/other-key-99"})
get("the path key lets a GET in", 200, CHALLENGE, b"2135675231",
    uri="/webhooks/" + KEY, like="keyed")
for method in ["GET", "POST", "PUT"]:
    row("%s with a wrong path key is 404" % method, 404,
        {"REQUEST_URI": "/webhooks/%sx?%s" % (KEY, CHALLENGE),
         "QUERY_STRING": CHALLENGE}, EVENT if method == "POST" else b"",
        method=method, like="keyed", answer=REASON)
get("HEAD with a wrong path key is 404", 404, CHALLENGE, b"", method="HEAD",
    like="keyed")
for name, uri in [
        ("no path", None), ("an empty path", ""), ("the path /", "/"),
        ("a part of the path key", "/webhooks/" + KEY[:-1]),
        ("the path key and a slash", "/webhooks/%s/" % KEY),
        ("the path key further up", "/%s/x" % KEY),
        ("an encoded path key", "/webhooks/%6b" + KEY[1:]),
        ("the path key in the query", "/webhooks?/" + KEY)]:
    refused("%s is 404" % name, 404, {"REQUEST_URI": uri}, like="keyed")

# ---- what is checked first

refused("a wrong path key comes before the method", 404,
        {"REQUEST_METHOD": "PUT"}, like="keyed")
refused("the encoding comes before the length", 415,
        {"HTTP_CONTENT_ENCODING": "gzip", "CONTENT_LENGTH": "x"})
refused("the length comes before the body", 400, {"CONTENT_LENGTH": "x"},
        body=b"not JSON")
refused("the reading comes before JSON", 400, {"CONTENT_LENGTH": 99},
        body=b"not JSON")
refused("JSON comes before the community", 400, body=b"not JSON",
        like="listed", keeps=True)
refused("the community comes before the spool", 400, body=b"not JSON",
        like="missing")

# ---- what cannot be served

refused("a full spool is 503", 503, like="full")
refused("a missing spool is 503", 503, like="missing")
get("a missing spool lets a GET through", 200, CHALLENGE, b"2135675231",
    like="missing")
get("an unreadable token is 503 for a GET", 503, CHALLENGE, like="tokenless")
get("bad syntax is 400 all the same", 400, "challenge=1", like="tokenless")
event("an unreadable token lets a POST through", like="tokenless")
refused("an unreadable path key is 503 for a POST", 503, like="keyless")
get("an unreadable path key is 503 for a GET", 503, CHALLENGE, like="keyless")
refused("a bad configuration with none kept is 503", 503, like="broken")
get("a bad configuration is 503 for a GET", 503, CHALLENGE, like="broken")


# ---- running the table

class Served:
    """A site as a row wants it, served both ways; kept for other rows."""

    def __init__(self, endpoint="", spool="", config=None, has_spool=True):
        self.box = harness.Sandbox()
        atexit.register(self.box.__exit__, None, None, None)
        if config is not None:
            config %= (self.box.join("token"), self.box.join("spool"))
        more = spool + "[relay]\nstart = never\n"
        self.site = Site(self.box, endpoint, config, has_spool, more)
        self.has_spool = has_spool
        self.process = None

    def ask(self, protocol, row):
        if protocol == "CGI":
            return self.ask_cgi(row)
        if self.process is None:
            self.process = self.site.start()
        with self.site.connect() as connection:
            return self.ask_fastcgi(connection, row)

    def ask_fastcgi(self, connection, row):
        if row.sends == "whole":
            return connection.ask(row.variables, row.body)
        connection.send(
            fastcgi.begin(),
            fastcgi.stream(fastcgi.PARAMS, fastcgi.pairs(row.variables)),
            fastcgi.record(fastcgi.STDIN, row.body))
        if row.sends == "broken":
            connection.socket.shutdown(1)
        return connection.read_answer()

    def ask_cgi(self, row):
        if row.sends == "stalled":
            return self.site.ask_cgi_stalled(row.variables, row.body)
        return self.site.ask_cgi(row.variables, row.body)

    def bodies(self):
        return self.site.bodies() if self.has_spool else []

    def last_refused(self):
        """(seq, status, body) of the newest refused body."""
        rows = self.site.rows("SELECT seq, status, body FROM refusals "
                              "ORDER BY seq DESC LIMIT 1")
        return rows[0] if rows else (0, None, None)


sites = {}


def served(like):
    if like not in sites:
        sites[like] = Served(**SITES[like])
    return sites[like]


def check_headers(answer, row):
    wanted = {"x-content-type-options": "nosniff",
              "cache-control": "no-store",
              "content-security-policy": "default-src 'none'"}
    if row.status == 405:
        wanted["allow"] = "GET, HEAD, POST"
    if row.status == 503:
        assert int(answer.headers["retry-after"]) > 0
        wanted["retry-after"] = answer.headers["retry-after"]
    is_event = row.stores and row.status == 200
    wanted["content-type"] = ("application/json" if is_event
                              else "text/plain; charset=utf-8")
    got = dict(answer.headers)
    length = int(got.pop("content-length"))
    assert got.pop("status").startswith("%d " % row.status)
    equal(got, wanted, "headers")
    if row.variables["REQUEST_METHOD"] != "HEAD":
        equal(length, len(answer.body), "Content-Length")


def check_body(answer, row, site):
    if row.stores:
        newest = site.rows("SELECT id FROM event ORDER BY seq DESC LIMIT 1")
        equal(answer.body, b'{"id":"%s"}' % newest[0][0].encode(), "body")
    elif row.answer is REASON:
        line = answer.body.decode("ascii")
        assert line.endswith("\n") and line.count("\n") == 1 and len(line) > 9
    else:
        equal(answer.body, row.answer, "body")


def check_log(answer, row):
    """One line for a refusal and for an event; nothing secret anywhere."""
    for secret in [TOKEN, TOKEN.replace("-", "%2d"), KEY, SECRET]:
        assert secret not in answer.errors, answer.errors
        assert secret.encode() not in answer.body or row.status == 200
    lines = [line for line in answer.errors.splitlines()
             if "request refused" in line or "event captured" in line]
    if row.status != 200:
        equal(len(lines), 1, "log lines, of %r" % answer.errors)
        harness.contains(lines[0], "status=%d" % row.status)
        harness.contains(lines[0], "remote=192.0.2.7")
    elif row.stores:
        equal(len(lines), 1, "log lines, of %r" % answer.errors)
        harness.contains(lines[0], "id=%s" % answer.body.decode()[7:-2])
        harness.contains(lines[0], "bytes=%d" % len(row.body))
    else:
        equal(lines, [], "log lines")


def check_kept(at, protocol, row, before):
    """Bodies are kept at most ten a second: ask again until one is."""
    def is_kept():
        seq, status, body = at.last_refused()
        if seq > before:
            equal((status, fastcgi.to_bytes(body)),
                  (row.status, row.body[:65536]), "what is kept")
            return True
        return at.ask(protocol, row) and False

    harness.wait_until(is_kept, "the refused body being kept")


def run_row(protocol, row):
    if row.no[protocol]:
        return
    at = served(row.like)
    before = at.bodies()
    refused_before = at.last_refused()[0] if at.has_spool else 0
    answer = at.ask(protocol, row)
    assert answer is not None, "no answer"
    equal(answer.status, row.status, "status of %r" % answer)
    check_headers(answer, row)
    check_body(answer, row, at.site)
    check_log(answer, row)
    equal(at.bodies(), before + ([row.body] if row.stores else []), "events")
    if row.keeps:
        check_kept(at, protocol, row, refused_before)
    elif at.has_spool:
        equal(at.last_refused()[0], refused_before, "refused bodies")


def register(protocol, row):
    def run():
        run_row(protocol, row)

    run.__name__ = "%s, over %s" % (row.name, protocol)
    if row.no[protocol]:
        run.__name__ = "%s: not over %s, since %s" % (row.name, protocol,
                                                      row.no[protocol])
    harness.test(run)


for each in ROWS:
    for name in ["FastCGI", "CGI"]:
        register(name, each)

main(__name__)
