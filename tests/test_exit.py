#!/usr/bin/env python3
"""The relay's exit is guarded: what it connects to, through what, whom it
trusts, and what it never tells.
"""

import base64
import os
import signal
import time

from certificates import Certificate
from destination import ClosedPort, Destination
from harness import (HOOKSPOOL, Skip, contains, equal, find_program, main, run,
                     test, wait_until)
from proxy import Proxy
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
def nothing_about_tls_is_taken_from_the_environment():
    with Site() as site:
        root = Certificate(site, "root", is_authority=True)
        pair = server_pair(site, root)
        keys = site.join("keys")
        settings = site.write("openssl.cnf", "\n".join([
            "openssl_conf = all", "[all]", "providers = none", "[none]",
            "null = no_algorithm", "[no_algorithm]", "activate = 1", ""]),
            0o600)
        environment = {"SSLKEYLOGFILE": keys, "OPENSSL_CONF": settings,
                       "SSL_CERT_FILE": settings}
        with Destination(tls=pair) as to:
            site.configure(section("crm", to.url(), "ca_file = " + root.pem))
            event = site.capture()
            site.relay(environment=environment)
            equal(ids(to.wait_for(1)), [event])
            for done in (["check"],
                         ["send", "--ca-file", root.pem, to.url(),
                          site.write("event.json", body().decode(), 0o600)],
                         ["probe", "--ca-file", root.pem, "--token-file",
                          site.write("token", "t\n", 0o600), to.url()]):
                before = to.connections
                run([HOOKSPOOL, "-c", site.conf] + done, None,
                    env=dict(os.environ, **environment))
                assert to.connections > before, done
            assert len(to.got()) > 2, "no TLS with these settings"
        assert not os.path.exists(keys), "the keys were written to a file"


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
        for pid in site.strays(b"relay"):  # strace keeps a signal to itself
            if not wrapper or pid != relay.pid:
                os.kill(pid, signal.SIGTERM)
        equal(relay.wait(), 0, "status")
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


# Runs the rest without a network and with names of its own: a connection to an
# address that is not private fails at once.
APART = ["unshare", "-n", "-m", "sh", "-c",
         "mount --bind \"$0\" /etc/hosts && exec \"$@\""]


@test
def with_several_addresses_the_failure_told_is_the_real_one():
    with Site("[destination crm]\nurl = http://both.example/\n") as site:
        hosts = site.write("hosts", "127.0.0.1 both.example\n"
                           "11.1.1.1 both.example\n")
        if run(APART + [hosts, "true"], None).returncode:
            raise Skip("no namespace of one's own here")
        site.capture()
        site.relay(wrapper=APART + [hosts])
        wait_until(lambda: site.query(
            "SELECT * FROM delivery WHERE attempts > 0"), "an attempt")
        (error,), = site.query("SELECT last_error FROM delivery")
        contains(error, "Failed to connect to both.example port 80")
        assert "private" not in error, error


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


def attempted(site, relay):
    """Destination -> (state, last error), when each had an attempt."""
    wait_until(lambda: site.query("SELECT 1 FROM delivery") and not site.query(
        "SELECT 1 FROM delivery WHERE attempts = 0"), "an attempt at each",
        alive=[relay])
    rows = site.query("SELECT destination, state, last_error FROM delivery")
    return {name: (state, error) for name, state, error in rows}


# ---- answers ----

@test
def no_answer_takes_more_than_its_bound():
    wanted = {  # the state, the status, what is in the error
        "huge": ("delivered", 200, ""), "failing": ("pending", 500, ""),
        "headers": ("delivered", 200, ""),
        "goon": ("pending", None, "headers are longer than 64 KiB"),
        "drip": ("pending", 500, "timed out"),
        "slow": ("delivered", 200, ""),
        "garbage": ("pending", None, "HTTP/0.9")}
    to = {fault: Destination(fault) for fault in wanted}
    with Site(*[section(fault, d.url(), "timeout = 2s")
                for fault, d in to.items()]) as site:
        for destination in to.values():
            site.defer(destination.stop)
        site.capture()
        relay = site.relay()
        found = attempted(site, relay)
        relay.stop()
        for fault, (state, status, error) in wanted.items():
            equal(found[fault][0], state, fault)
            equal(site.query("SELECT last_status FROM delivery WHERE "
                             "destination = '%s'" % fault), [(status,)])
            assert error in (found[fault][1] or ""), found[fault]
            assert error or not found[fault][1], found[fault]
        (longest,), = site.query("SELECT max(length(answer)) FROM attempts")
        equal(longest, 1024, "bytes kept of an answer")


# ---- TLS ----

def server_pair(site, issuer):
    """Files for a server on 127.0.0.1."""
    return Certificate(site, "server", issuer, "IP:127.0.0.1").with_chain()


@test
def a_certificate_counts_only_with_its_authority_name_and_time():
    with Site() as site:
        def server(name, issuer, names="IP:127.0.0.1", **more):
            return Certificate(site, name, issuer, names, **more)

        root = Certificate(site, "root", is_authority=True)
        other = Certificate(site, "other", is_authority=True)
        middle = Certificate(site, "middle", root, is_authority=True)
        good, leaf = server("good", root), server("leaf", middle)
        pairs = {
            "good": good.with_chain(), "chain": leaf.with_chain(middle),
            "short": (leaf.pem, leaf.key), "system": good.with_chain(),
            "misnamed": server("misnamed", root,
                               "DNS:other.example.com").with_chain(),
            "expired": server("expired", root,
                              end="20210101000000Z").with_chain(),
            "stranger": server("stranger", other).with_chain(),
            "self": server("self", None).with_chain()}
        to = {name: Destination(tls=pair) for name, pair in pairs.items()}
        for destination in to.values():
            site.defer(destination.stop)
        site.configure(*[
            section(name, d.url(), *([] if name == "system" else
                                     ["ca_file = " + root.pem]))
            for name, d in to.items()])
        event = site.capture(BODY)
        relay = site.relay()
        found = attempted(site, relay)
        for name, part in {
                "misnamed": "127.0.0.1", "expired": "expired",
                "stranger": "unable to get local issuer",
                "self": "self-signed", "short": "unable to get local issuer",
                "system": "unable to get local issuer"}.items():
            equal(found[name][0], "pending", name)
            contains(found[name][1], part, name)
            equal(to[name].got(), [], name)
        for name in ("good", "chain"):
            equal(found[name], ("delivered", None), name)
            equal([(r.id, r.body) for r in to[name].got()], [(event, BODY)])


@test
def a_ca_file_that_cannot_be_read_counts_against_nobody():
    with Site() as site:
        root = Certificate(site, "root", is_authority=True)
        with Destination(tls=server_pair(site, root)) as to:
            site.configure(section("crm", to.url(), "ca_file = " + root.pem,
                                   "order = none"))
            os.rename(root.pem, root.pem + ".away")
            events = [site.capture(body(text=str(i))) for i in range(10)]
            relay = site.relay()
            logged(relay, "this machine cannot deliver")
            shown = run([HOOKSPOOL, "-c", site.conf, "status"]).stdout.decode()
            contains(shown, "check ca_file", "status")
            wait_until(lambda: to.connections > 8, "another try",
                       alive=[relay])
            equal(site.settled(), [("pending", 0)] * 10)
            equal(site.query("SELECT count(*) FROM attempt"), [(0,)])
            os.rename(root.pem + ".away", root.pem)
            to.wait_for(10)
            wait_until(lambda: site.settled() == [("delivered", 1)] * 10,
                       "their outcomes", alive=[relay])
            equal(sorted(ids(to.got())), sorted(events))
            equal(relay.output().count("this machine cannot deliver"), 1)
            for line in ("first attempt failed", "destination is down"):
                assert line not in relay.output(), relay.output()


@test
def a_destination_that_asks_for_a_certificate_gets_the_right_one():
    with Site() as site:
        root = Certificate(site, "root", is_authority=True)
        stranger = Certificate(site, "stranger", is_authority=True)
        good = Certificate(site, "good", root)
        other = Certificate(site, "other", stranger)
        with Destination(tls=server_pair(site, root),
                         client_ca=root.pem) as to:
            def with_client(name, client):
                return section(name, to.url("/" + name),
                               "ca_file = " + root.pem,
                               "client_cert = " + client.pem,
                               "client_key = " + client.key)

            site.configure(
                with_client("good", good), with_client("wrong", other),
                section("none", to.url("/none"), "ca_file = " + root.pem))
            site.capture()
            relay = site.relay()
            found = attempted(site, relay)
            site.capture()  # now there is a connection to reuse
            to.wait_for(2)
            equal({r.path for r in to.got()}, {"/good"})
            equal(found["good"], ("delivered", None))
            for name in ("wrong", "none"):
                equal(found[name][0], "pending", name)


# ---- proxies ----

@test
def a_proxy_tunnels_tls_and_learns_nothing_of_the_event():
    with Site() as site:
        root = Certificate(site, "root", is_authority=True)
        pair = server_pair(site, root)
        with Destination(tls=pair) as to, Proxy() as proxy, \
                Proxy(tls=pair) as tls_proxy:
            # The proxy's own address is private, and may be.
            both = ["ca_file = " + root.pem, "header = X-Api-Key: k3y",
                    "secret = whsec_" + "a" * 32]
            site.configure(*[
                "\n".join(["[destination %s]" % name,
                           "url = " + to.url("/" + name),
                           "proxy = " + p.url()] + both) + "\n"
                for name, p in (("plain", proxy), ("tls", tls_proxy))])
            event = site.capture(BODY)
            site.relay(environment={"no_proxy": "*", "NO_PROXY": "*"})
            got = to.wait_for(2)
            equal({(r.path, r.id, r.body) for r in got},
                  {("/plain", event, BODY), ("/tls", event, BODY)})
            equal(got[0].header("X-Api-Key"), "k3y")
            for p in (proxy, tls_proxy):
                equal(p.lines, ["CONNECT 127.0.0.1:%d HTTP/1.1" % to.port])
                for part in ("k3y", event, "webhook"):
                    assert part not in p.heads[0], p.heads


@test
def a_proxy_passes_plain_requests_on():
    with Destination() as to, Proxy() as proxy, Site(
            "[destination crm]\nurl = %s\nproxy = %s\n" % (
                to.url("/in?a=1"), proxy.url())) as site:
        event = site.capture(BODY)
        site.relay()
        request = to.wait_for(1)[0]
        equal((request.path, request.id, request.body),
              ("/in?a=1", event, BODY))
        equal(proxy.lines, ["POST %s HTTP/1.1" % to.url("/in?a=1")])


@test
def a_proxy_that_refuses_is_no_answer_of_the_destination():
    with Site() as site:
        root = Certificate(site, "root", is_authority=True)
        with Destination(tls=server_pair(site, root)) as to, \
                Proxy(user="relay:pa55 word") as asking, \
                Proxy(answer="HTTP/1.1 410 Gone\r\nRetry-After: 86400"
                      ) as gone, \
                Proxy(answer="HTTP/1.1 200 OK") as liar, \
                ClosedPort() as closed:
            users = {"known": "relay:pa55%20word", "unknown": "relay:wr0ng"}
            urls = {name: asking.url(user) for name, user in users.items()}
            urls.update({"gone": gone.url("u:pa55"),
                         "liar": liar.url("u:pa55"),
                         "down": closed.url("").replace("//", "//u:pa55@"),
                         "lost": "http://u:pa55@nowhere.invalid:3128"})
            site.configure(*[
                section(name, to.url(host="u:pa55@127.0.0.1"), "timeout = 5s",
                        "ca_file = " + root.pem, "proxy = " + url)
                for name, url in urls.items()])
            site.capture()
            relay = site.relay()
            to.wait_for(1)
            found = attempted(site, relay)
            relay.stop()
            equal({name: state for name, (state, _) in found.items()},
                  dict({name: "pending" for name in urls}, known="delivered"))
            contains(found["unknown"][1], "407")
            contains(found["gone"][1], "410")
            (status, next_at_ms), = site.query(
                "SELECT last_status, next_at_ms FROM delivery WHERE "
                "destination = 'gone'")
            equal(status, None)
            assert next_at_ms / 1000 < time.time() + 3600, "it was put off"
            equal(len(to.got()), 1, "requests")
            check = run([HOOKSPOOL, "-c", site.conf, "check"],
                        None).stdout.decode()
            contains(check, "known: through the proxy %s: 127.0.0.1 answers, the "
                     "certificate is valid" % asking.url())
            shown = relay.output() + repr(found) + check
            for secret in ("pa55", "wr0ng"):
                assert secret not in shown, shown


@test
def no_error_of_a_url_with_a_password_shows_it():
    with ClosedPort() as closed, Destination("hang") as hung, Site() as site:
        urls = {"lost": "http://user:pa55@nowhere.invalid/pa55",
                "down": closed.url("/pa55").replace("//", "//user:pa55@"),
                "plain": hung.url("/pa55", "user:pa55@127.0.0.1").replace(
                    "http", "https"),
                "slow": hung.url("/pa55", "user:pa55@127.0.0.1")}
        site.configure(*[section(name, url, "timeout = 2s")
                         for name, url in urls.items()])
        site.capture()
        relay = site.relay()
        found = attempted(site, relay)
        relay.stop()
        equal([error for _, error in found.values() if not error], [])
        shown = relay.output() + repr(found) + "".join(
            run([HOOKSPOOL, "-c", site.conf, done], None).stdout.decode()
            for done in ("status", "check", "list"))
        assert "pa55" not in shown, shown


main(__name__)
