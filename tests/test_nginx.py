"""The endpoint behind nginx, over HTTPS, with the file shipped."""

import os

import server_cases
import webserver
from harness import contains, equal, test
from server_cases import CHALLENGE, EVENT, Stage


@test
def while_there_is_no_endpoint_no_log_tells_token_or_key():
    with Stage() as stage:
        site = stage.site
        site.server.activator.stop()
        path = site.join("run", "endpoint.sock")
        for is_there in (True, False):  # nobody listens; no socket at all
            if not is_there:
                os.unlink(path)
            equal(site.curl(site.path(CHALLENGE + site.token))[0], 502)
            equal(site.post(EVENT)[0], 502)
        site.server.child.stop()
        contains(site.log("access.log"), '"POST /webhooks HTTP/')
        contains(site.log("access.log"), " 502 ")
        for name in os.listdir(site.join("log")):
            for secret in (site.token, site.key):
                assert secret not in site.log(name), "%s tells %s:\n%s" % (
                    name, secret, site.log(name))


server_cases.run(__name__, webserver.Nginx)
