"""The endpoint behind nginx where there is no systemd: with the script for
spawn-fcgi that is shipped.
"""

import os
import signal
import subprocess

import server_cases
import webserver
from harness import contains, equal, need, run, test, wait_until
from server_cases import EVENT, Stage


@test
def requests_wait_while_the_endpoint_is_started_again():
    with Stage() as stage:
        activator = stage.site.server.activator
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            pid = activator.endpoint()
            os.kill(pid, number)
            wait_until(lambda before=pid: activator.endpoint() != before,
                       "its end")
            equal(stage.site.post(EVENT)[0], 200, "after signal %d" % number)
        equal(len(stage.site.events()), 3)


@test
def the_socket_is_for_the_web_server_alone_and_root_is_given_up():
    with Stage() as stage:
        path = webserver.Spawner.path(stage.site)
        equal(oct(os.stat(path).st_mode & 0o777), "0o660")
        equal(oct(os.stat(os.path.dirname(path)).st_mode & 0o777), "0o750")
        pid = stage.site.server.activator.endpoint()
        assert os.stat("/proc/%d" % pid).st_uid != 0


@test
def it_starts_and_stops_as_a_service():
    need("start-stop-daemon")
    with Stage() as stage:
        stage.site.server.activator.stop()
        activator = stage.site.server.activator
        script = activator.script

        def service(action, status=0):
            return run([script, action], status=status,
                       env=webserver.ENVIRONMENT)
        service("status", status=None)
        assert not stage.site.endpoints()
        try:
            service("start")
            wait_until(lambda: stage.verify() == 200, "an answer of 200")
            service("status")
            first = activator.endpoint()
            service("restart")
            wait_until(lambda: stage.verify() == 200, "an answer of 200")
            second = activator.endpoint()
            assert second not in (0, first)
            service("reload")
            equal(stage.site.post(EVENT)[0], 200, "after the reload")
            wait_until(lambda: activator.endpoint() not in (0, second),
                       "another endpoint")
            equal(stage.site.post(EVENT)[0], 200, "by the other one")
        finally:
            service("stop")
        equal(stage.site.endpoints(), [])
        equal(service("status", status=None).returncode != 0, True)
        contains(subprocess.run([script], env=webserver.ENVIRONMENT,
                                stderr=subprocess.PIPE,
                                check=False).stderr.decode(), "Usage")


server_cases.run(__name__, webserver.NginxSpawn)
