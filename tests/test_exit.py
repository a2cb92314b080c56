#!/usr/bin/env python3
"""The relay's exit is guarded: what it connects to, through what, whom it
trusts, and what it never tells.
"""

import base64

from destination import Destination
from harness import contains, equal, main, need, run, test, wait_until
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


@test
def a_private_address_gets_no_packet_unless_allowed():
    with Destination() as trap:
        hosts = ["127.0.0.1", "localhost", "127.1", "0x7f000001",
                 "2130706433", "0.0.0.0", "[::ffff:127.0.0.1]", "[::1]"]
        with Site(*["[destination d%d]\nurl = %s\n" % (
                i, trap.url(host=host)) for i, host in enumerate(hosts)]
                ) as site:
            relay = site.relay()
            site.capture()
            wait_until(lambda: relay.output().count("first attempt failed")
                       == len(hosts), "the failures", alive=[relay])
            equal(relay.output().count("the address is private"), len(hosts),
                  relay.output())
            equal(trap.connections, 0, "connections")


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
