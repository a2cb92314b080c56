#!/usr/bin/env python3
"""The relay's exit is guarded: what it connects to, through what, whom it
trusts, and what it never tells.
"""

import base64

from destination import Destination
from harness import (Skip, contains, equal, find_program, main, need, run,
                     test, wait_until)
from relay_site import BODY, Site, body, ids, logged, section


@test
def the_environment_names_no_proxy():
    with Destination() as to, Destination() as trap, Site(
            section("crm", to.url())) as site:
        url = trap.url("")
        site.relay(environment={
            name: url for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY",
                                   "all_proxy", "https_proxy")})
        event = site.capture()
        equal(ids(to.wait_for(1)), [event])
        equal(trap.connections, 0, "connections to the proxy")


# Ways to write loopback that reach a listener on 127.0.0.1, where allowed.
LOOPBACK = ["127.0.0.1", "127.1", "127.0.1", "0x7f000001", "0x7f.0.0.1",
            "0X7F.1", "2130706433", "017700000001", "0177.0.0.01",
            "0177.0x1", "localhost", "LOCALHOST", "user@localhost",
            "0.0.0.0", "0", "0x0", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
            "[0:0:0:0:0:FFFF:7F00:0001]"]
LOOPBACK_6 = ["[::1]", "[0:0:0:0:0:0:0:1]", "[::]"]
ELSEWHERE = ["127.0.0.2", "127.255.255.254", "10.0.0.1", "0xa000001",
             "012.0.0.1", "172.16.0.1", "192.168.0.1", "3232235521",
             "169.254.169.254", "0xa9fea9fe", "2852039166", "100.64.0.1",
             "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
             "203.0.113.1", "224.0.0.1", "255.255.255.255", "[fe80::1%25lo]",
             "[fe80::1]", "[fd00::1]", "[fc00::1]", "[ff02::1]",
             "[::ffff:10.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
             "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[2002:7f00:1::1]",
             "[2001:db8::1]", "[2001::1]"]


def spelled(hosts, trap, *lines):
    """A destination for each spelling, d0 and so on."""
    return ["\n".join(["[destination d%d]" % i,
                       "url = " + trap.url(host=host)] + list(lines)) + "\n"
            for i, host in enumerate(hosts)]


def outcomes(site, hosts):
    """Spelling -> (state, the error of the last attempt)."""
    rows = site.query("SELECT destination, state, last_error FROM delivery")
    return {hosts[int(name[1:])]: (state, error)
            for name, state, error in rows}


def tracer(path):
    """A command before the relay's that writes its connects to `path`."""
    if find_program("strace") is None:
        return []
    if run(["strace", "-qq", "-o", "/dev/null", "true"], None).returncode:
        return []
    return ["strace", "-f", "-qq", "-e", "trace=connect", "-o", path]


@test
def private_addresses_however_spelled_get_no_packet():
    hosts = LOOPBACK + LOOPBACK_6 + ELSEWHERE
    with Destination() as trap, Site(*spelled(hosts, trap)) as site:
        trace = site.join("trace")
        wrapper = tracer(trace)
        site.capture()
        relay = site.relay(wrapper=wrapper, environment={
            "ASAN_OPTIONS": "detect_leaks=0"} if wrapper else None)
        wait_until(lambda: len(site.query(
            "SELECT * FROM delivery WHERE attempts > 0")) == len(hosts),
            "an attempt at each", alive=[relay])
        relay.stop()
        equal(outcomes(site, hosts), {host: (
            "pending", "the address is private, and allow_private is not set")
            for host in hosts})
        equal(trap.connections, 0, "connections")
        if wrapper:
            with open(trace) as f:
                connects = [row for row in f if "AF_INET" in row]
            equal(connects, [], "connects")


@test
def loopback_however_spelled_is_reached_where_private_is_allowed():
    with Destination() as to, Site(*spelled(
            LOOPBACK, to, "allow_private = yes")) as site:
        site.capture()
        site.relay("--on-demand")
        to.wait_for(len(LOOPBACK))
        wait_until(lambda: set(outcomes(site, LOOPBACK).values()) ==
                   {("delivered", None)}, "their outcomes")


@test
def loopback_of_ipv6_is_reached_where_private_is_allowed():
    try:
        to = Destination(address="::1")
    except OSError as error:
        raise Skip("no IPv6 here: %s" % error)
    with to, Site(*spelled(LOOPBACK_6, to, "allow_private = yes")) as site:
        site.capture()
        site.relay("--on-demand")
        to.wait_for(len(LOOPBACK_6))


@test
def an_open_connection_to_a_private_address_is_not_reused():
    with Destination() as trap, Site(
            section("open", trap.url(), "events = first"),
            "[destination shut]\nurl = %s\nevents = second\n" %
            trap.url()) as site:
        relay = site.relay()
        site.capture(body("first"))
        trap.wait_for(1)
        site.capture(body("second"))
        logged(relay, "the address is private")
        equal(len(trap.got()), 1, "requests")


@test
def the_password_of_a_url_is_used_and_not_logged():
    with Destination("401", "200") as to, Site(
            section("crm", to.url(host="user:pa55word@127.0.0.1"))) as site:
        site.capture()
        relay = site.relay()
        got = to.wait_for(2)
        equal(got[0].header("Authorization"), "Basic " +
              base64.b64encode(b"user:pa55word").decode())
        logged(relay, "delivered")
        assert "pa55word" not in relay.output(), relay.output()


def make_certificates(site):
    """A CA, and a certificate of its for 127.0.0.1."""
    need("openssl")
    ca, key = site.join("ca.pem"), site.join("ca.key")
    cert, cert_key = site.join("cert.pem"), site.join("cert.key")
    request, extra = site.join("request.pem"), site.write(
        "extra", "subjectAltName=IP:127.0.0.1\n")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    run(new + ["-x509", "-days", "2", "-subj", "/CN=Test CA",
               "-keyout", key, "-out", ca])
    run(new + ["-subj", "/CN=127.0.0.1", "-keyout", cert_key,
               "-out", request])
    run(["openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", key,
         "-CAcreateserial", "-days", "2", "-extfile", extra, "-out", cert])
    return ca, (cert, cert_key)


@test
def a_certificate_counts_only_with_its_authority_and_name():
    with Site() as site:
        ca, pair = make_certificates(site)
        with Destination(tls=pair) as to:
            site.configure(
                section("good", to.url(), "ca_file = " + ca),
                section("stranger", to.url()),
                section("misnamed", to.url(host="localhost"),
                        "ca_file = " + ca))
            event = site.capture(BODY)
            relay = site.relay()
            logged(relay, "delivered")
            wait_until(lambda: relay.output().count("first attempt failed")
                       == 2, "the other two failures", alive=[relay])
            equal([(r.id, r.body) for r in to.got()], [(event, BODY)])
            contains(relay.output(), "to=good attempt=1 status=200")


main(__name__)
