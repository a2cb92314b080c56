"""What the tests of the operator's command share: how it is run, and a site
with events in its spool.
"""

import json
import os
import pwd

import fastcgi
from harness import HOOKSPOOL, Skip, equal, run


def command(config, *arguments, status=0, **kwargs):
    """Runs `hookspool -c CONFIG ...`; its standard output as text."""
    done = run([HOOKSPOOL, "-c", config] + list(arguments), status=status,
               **kwargs)
    return done.stdout.decode()


def complaint(config, *arguments, status=1):
    """What it says on stderr; stdout must be empty."""
    done = run([HOOKSPOOL, "-c", config] + list(arguments), status=status)
    equal(done.stdout, b"", "standard output")
    return done.stderr.decode()


def need_root():
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")


def other_user():
    """A user of this system who is not root, and owns nothing of ours."""
    for user in pwd.getpwall():
        if user.pw_name == "nobody" and user.pw_uid != 0:
            return user
    raise Skip("there is no user nobody")


def init(box, *arguments, **kwargs):
    """A site made by init for whoever runs the test."""
    config, spool = box.join("h.conf"), box.join("spool")
    user = pwd.getpwuid(os.geteuid()).pw_name
    out = command(config, "init", "--spool", spool, "--user", user,
                  *arguments, **kwargs)
    return config, spool, out


def need_root():
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")


def other_user():
    """A user of this system who is not root, and owns nothing of ours."""
    for user in pwd.getpwall():
        if user.pw_name == "nobody" and user.pw_uid != 0:
            return user
    raise Skip("there is no user nobody")


class Site(fastcgi.Site):
    """A site with some events in its spool."""

    def __init__(self, box, more=""):
        super().__init__(box, more="[relay]\nstart = never\n" + more)

    def capture(self, body, **more):
        """Captures a body as the web server would; its event's id."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        answer = self.ask_cgi(self.post(body, **more), body)
        equal(answer.status, 200, "status of the capture %r" % answer)
        return json.loads(answer.body)["id"]

    def refuse(self, body, **more):
        answer = self.ask_cgi(self.post(body, **more), body)
        assert answer.status in (400, 403, 413), answer
        return answer

    def run(self, *arguments, **kwargs):
        return command(self.config_path, *arguments, **kwargs)

    def json(self, *arguments, **kwargs):
        return json.loads(self.run(*arguments, "--json", **kwargs))

    def list(self, *arguments):
        """The ids that `list` names, in its order."""
        lines = self.run("list", "--json", *arguments).splitlines()
        return [json.loads(line)["id"] for line in lines]


def event(kind="note_deletion", **members):
    return dict({"CommunityName": "yourCompany", "EventType": kind,
                 "Events": []}, **members)
