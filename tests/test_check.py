#!/usr/bin/env python3
"""hookspool check, where it leaves the machine: each destination is resolved,
connected to and asked for its certificate, all of them at once and for a few
seconds at most; none of them sees a request.
"""

import json
import socket
import ssl
import time
import warnings

import fastcgi
from certificates import Certificate
from destination import ClosedPort, Destination, answer_once
from harness import (HOOKSPOOL, Sandbox, contains, equal, free_port, main, run,
                     test, wait_until)
from proxy import Proxy


def conf(box, *destinations):
    """A site whose configuration has these: texts of their sections."""
    more = "[relay]\nprogram = %s\n" % HOOKSPOOL
    for i, text in enumerate(destinations):
        more += "[destination d%d]\n%s\n" % (i, text)
    return fastcgi.Site(box, more=more).config_path


def check(config, *arguments, status=None):
    """The findings about single destinations: (wrong, what, fix)."""
    done = run([HOOKSPOOL, "-c", config, "check", "--json"] + list(arguments),
               status=status)
    return [(f["wrong"], f["text"], f["fix"])
            for f in json.loads(done.stdout)["findings"]
            if f["subject"] == "destination"]


def check_one(box, text):
    """Of the only destination: (wrong, what, fix)."""
    found = check(conf(box, text))
    equal(len(found), 1, "findings")
    return found[0]


def at(destination, more="", host="localhost"):
    return "url = %s\nallow_private = yes\n%s" % (
        destination.url(host=host), more)


@test
def a_destination_that_answers_is_found_fine_and_sees_no_request():
    with Sandbox() as box:
        root = Certificate(box, "root", is_authority=True)
        leaf = Certificate(box, "leaf", root)
        with Destination() as plain, \
                Destination(tls=(leaf.pem, leaf.key)) as secure:
            found = check(conf(box, at(plain),
                               at(secure, "ca_file = " + root.pem)), status=0)
            equal([f[0] for f in found], [False, False], "wrong")
            contains(found[0][1], "d0: 127.0.0.1 answers, http without TLS")
            contains(found[1][1], "d1: 127.0.0.1 answers, the certificate is "
                                  "valid until 2")
            equal((plain.got(), secure.got()), ([], []), "requests")


@test
def check_offline_connects_to_nobody():
    with Sandbox() as box, Destination() as destination:
        config = conf(box, at(destination))
        equal(check(config, "--offline", status=0), [])
        equal(destination.connections, 0, "connections")
        equal(len(check(config, status=0)), 1)
        wait_until(lambda: destination.connections == 1, "a connection")


@test
def a_closed_port_is_found():
    with Sandbox() as box:
        is_wrong, what, fix = check_one(
            box, "url = http://127.0.0.1:%d/\nallow_private = yes" %
            free_port())
        equal(is_wrong, True)
        contains(what, "no connection to 127.0.0.1: Connection refused")
        contains(fix, "check that the destination runs")


@test
def a_name_without_an_address_is_found():
    with Sandbox() as box:
        is_wrong, what, fix = check_one(
            box, "url = https://nowhere.hookspool.invalid/")
        equal(is_wrong, True)
        contains(what, "d0: ")
        contains(what.lower(), "resolv")
        contains(fix, "correct the host in url")


@test
def a_private_address_is_found_with_the_key_that_allows_it():
    with Sandbox() as box, Destination() as destination:
        is_wrong, what, fix = check_one(box, "url = " + destination.url())
        equal(is_wrong, True)
        contains(what, "127.0.0.1 is a private address")
        contains(fix, "allow_private = yes")
        equal(destination.connections, 0, "connections")


@test
def each_bad_certificate_is_found_for_what_it_is():
    with Sandbox() as box:
        root = Certificate(box, "root", is_authority=True)
        middle = Certificate(box, "middle", root, is_authority=True)
        other = Certificate(box, "other", is_authority=True)
        below = Certificate(box, "below", middle)
        cases = (
            ((below.pem, below.key), "incomplete", "ca_file"),
            (below.with_chain(middle), "is valid until", None),
            (Certificate(box, "alone"), "is self-signed", "ca_file"),
            (Certificate(box, "late", root, end="20210101000000Z"),
             "expired on 2", "renew the certificate"),
            (Certificate(box, "early", root, start="20900101000000Z"),
             "valid only from 20", "clock"),
            (Certificate(box, "named", root, names="DNS:www.example.com"),
             "is for DNS:www.example.com, and not for localhost", "url"),
            (Certificate(box, "alien", other).with_chain(other),
             "was issued by CN = the other here", "ca_file"))
        destinations = [
            Destination(tls=(c.pem, c.key) if isinstance(c, Certificate)
                        else c) for c, _, _ in cases]
        try:
            found = check(conf(box, *[at(d, "ca_file = " + root.pem)
                                      for d in destinations]), status=1)
            for (is_wrong, what, fix), (_, said, help_) in zip(found, cases):
                contains(what, said)
                equal(is_wrong, help_ is not None, what)
                if help_:
                    contains(fix, help_)
            equal([d.got() for d in destinations], [[]] * len(cases))
        finally:
            for d in destinations:
                d.stop()


@test
def a_ca_file_helps_as_the_advice_says():
    with Sandbox() as box:
        root = Certificate(box, "root", is_authority=True)
        middle = Certificate(box, "middle", root, is_authority=True)
        below = Certificate(box, "below", middle)
        alone = Certificate(box, "alone")
        with Destination(tls=(alone.pem, alone.key)) as one, \
                Destination(tls=(below.pem, below.key)) as other:
            for more, status in (("", 1), ("ca_file = %s", 0)):
                check(conf(box, *[
                    at(d, more and more % c.pem)
                    for d, c in ((one, alone), (other, middle))]),
                    status=status)


@test
def a_certificate_that_ends_soon_is_a_warning_and_no_fault():
    soon = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 3 * 86400))
    with Sandbox() as box:
        root = Certificate(box, "root", is_authority=True)
        leaf = Certificate(box, "leaf", root, end=soon)
        with Destination(tls=(leaf.pem, leaf.key)) as destination:
            config = conf(box, at(destination, "ca_file = " + root.pem))
            (is_wrong, what, fix), = check(config, status=0)
            equal(is_wrong, False)
            contains(fix, "renew the certificate")
            out = run([HOOKSPOOL, "-c", config, "check"]).stdout.decode()
            contains(out, "warn   destination    d0: ")


@test
def a_proxy_that_is_down_or_opens_no_way_is_found_as_the_proxy():
    with Sandbox() as box, ClosedPort() as closed, \
            Proxy(user="relay:pa55word") as proxy:
        text = "url = https://destination.invalid/\nproxy = %s"
        found = check(conf(
            box, text % closed.url(""), text % proxy.url("relay:wr0ng"),
            text % "http://nowhere.hookspool.invalid:3128"))
        for (is_wrong, what, fix), said in zip(
                found, ("no connection to 127.0.0.1: Connection refused",
                        "response 407", "resolve")):
            equal(is_wrong, True)
            contains(what, "through the proxy http://")
            contains(what, said)
            contains(fix, "proxy")
            assert "wr0ng" not in what, what


@test
def a_port_without_tls_and_one_with_old_tls_are_found():
    with Sandbox() as box:
        leaf = Certificate(box, "leaf")
        port = answer_once(box, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with Destination(tls=(leaf.pem, leaf.key)) as old:
            speak_old_tls(old.context)
            found = check(conf(box, "url = https://127.0.0.1:%d/\n"
                                    "allow_private = yes" % port, at(old)))
        contains(found[0][1], "answers, but not with TLS")
        contains(found[0][2], "http://")
        contains(found[1][1], "no TLS version from 1.2 on")
        contains(found[1][2], "TLS 1.2 and 1.3")


def speak_old_tls(context):
    """TLS 1.1 alone, which the ssl module warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


@test
def destinations_that_hang_take_a_few_seconds_together():
    with Sandbox() as box:
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
        try:
            began = time.monotonic()
            found = check(conf(box, *[
                "url = https://127.0.0.1:%d/\nallow_private = yes" %
                s.getsockname()[1] for s in listeners]))
            took_s = time.monotonic() - began
            equal(len(found), 5, "findings")
            for is_wrong, what, _ in found:
                equal(is_wrong, True)
                contains(what, "127.0.0.1 accepts the connection, but does "
                               "not complete the TLS handshake within 5s")
            # One after the other they would take 25 s.
            assert took_s < 20, "it took %.1f s" % took_s
        finally:
            for s in listeners:
                s.close()


main(__name__)
