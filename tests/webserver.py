"""The real web servers, each with the file that is shipped for it: paths, the
host's name and the port take the place of the examples, and the line that
says where hookspool.conf is loses its #. Around it stands a main
configuration as small as can be. HTTPS throughout, with a CA made here, and
curl as the client that verifies it.

As root the servers give up root for the web server's user, as they do in
life; as an ordinary user they run as that.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import textwrap
import threading

from harness import (ENDPOINT, HOOKSPOOL, TOP_BUILD, Sandbox, Skip,
                     find_program, free_port, need, run, wait_until)

IS_ROOT = os.getuid() == 0
WEB_USER = "www-data"
APACHE_MODULES = "/usr/lib/apache2/modules"
LIGHTTPD_MODULES = "/usr/lib/lighttpd"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}


def shipped(path):
    with open(os.path.join(TOP_BUILD, path), encoding="utf-8") as f:
        return f.read()


def replace(text, *pairs):
    """Replaces each pattern by its text; each must be there."""
    for pattern, new in pairs:
        text, count = re.subn(pattern, lambda match, new=new: new, text)
        assert count, "the shipped file has no %s" % pattern
    return text


def need_web_user():
    if IS_ROOT:
        try:
            pwd.getpwnam(WEB_USER)
        except KeyError:
            raise Skip("there is no user " + WEB_USER)


def need_files(*paths):
    for path in paths:
        if not os.path.exists(path):
            raise Skip("%s is not installed" % path)


def give_to_web_user(path):
    if IS_ROOT:
        shutil.chown(path, WEB_USER, WEB_USER)


class Site:
    """One machine, as it were: programs, configuration, secrets, a spool, a
    certificate, one web server, and what it takes to talk to it."""

    token = "correct-horse-battery-staple"
    key = "k3y0123456789abcdefghijklmnopqrs"

    def __init__(self, server_class, destination="http://127.0.0.1:1/"):
        need("curl", "openssl")
        need_web_user()
        server_class.need()
        self.sandbox = Sandbox()
        self.join = self.sandbox.join
        self.destination = destination
        for folder in ("bin", "log", "run", "www"):
            os.mkdir(self.join(folder))
            give_to_web_user(self.join(folder))
        self.endpoint = shutil.copy(ENDPOINT, self.join("bin"))
        self.hookspool = shutil.copy(HOOKSPOOL, self.join("bin"))
        self.config = self.join("hookspool.conf")
        self.server = server_class(self)

    def __enter__(self):
        self.sandbox.__enter__()
        try:
            self._make_certificate()
            self._configure()
            self.command("init", *(["--user", WEB_USER] if IS_ROOT else []))
            self.server.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.server.stop()
        finally:
            if kind is not None:
                self._show_logs()
            self.sandbox.__exit__(kind, value, trace)

    def _show_logs(self):
        for name in sorted(os.listdir(self.join("log"))):
            for line in self.log(name).splitlines()[-20:]:
                print("# %s: %s" % (name, line))

    def _make_certificate(self):
        def openssl(*arguments):
            run(["openssl"] + list(arguments), cwd=self.sandbox.path)

        with_new_key = ("req", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes")
        openssl(*with_new_key, "-x509", "-days", "2", "-subj", "/CN=test CA",
                "-keyout", "ca.key", "-out", "ca.pem")
        openssl(*with_new_key, "-subj", "/CN=localhost", "-keyout",
                "site.key", "-out", "site.csr")
        self.sandbox.write("names", "subjectAltName=DNS:localhost\n")
        openssl("x509", "-req", "-in", "site.csr", "-CA", "ca.pem", "-CAkey",
                "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names",
                "-out", "site.pem")
        give_to_web_user(self.join("site.key"))

    def _configure(self):
        self.sandbox.write("hookspool.conf", textwrap.dedent("""\
            [endpoint]
            verify_token = %s
            path_key = %s
            [spool]
            path = %s
            min_free = 0
            [relay]
            start = %s
            idle_exit = 1s
            program = %s
            [log]
            to = %s
            [destination shop]
            url = %s
            allow_private = yes
            """) % (self.token, self.key, self.join("spool"),
                    "on-demand" if self.server.starts_relay else "never",
                    self.hookspool, self.server.log_to, self.destination),
            mode=0o600)
        give_to_web_user(self.config)

    def command(self, *arguments, **kwargs):
        """Runs hookspool to its end."""
        return run([self.hookspool, "-c", self.config] + list(arguments),
                   **kwargs)

    def log(self, name):
        with open(self.join("log", name), encoding="utf-8",
                  errors="backslashreplace") as f:
            return f.read()

    def endpoints(self):
        """The pids of the endpoint's processes."""
        return self.sandbox.strays(os.fsencode(self.endpoint))

    def events(self):
        """What the spool holds: id to body."""
        store = sqlite3.connect("file:%s?mode=ro" % self.join(
            "spool", "spool.db"), uri=True, timeout=20)
        try:
            return {event_id: bytes(body) for event_id, body in
                    store.execute("SELECT id, body FROM event")}
        finally:
            store.close()

    def tls(self):
        return ssl.create_default_context(cafile=self.join("ca.pem"))

    def path(self, query="", key=key):
        return "/webhooks/%s%s" % (key, query)

    def curl(self, path, *arguments, body=None):
        """Makes a request; (status, head, body)."""
        given = {} if body is None else {"stdin": None, "input": body}
        done = run(["curl", "-sS", "--max-time", "30", "--noproxy", "*",
                    "--cacert", self.join("ca.pem"), "-D", "-",
                    "-o", self.join("answer"), "-w", "%{http_code}",
                    "https://localhost:%d%s" % (self.server.port, path)] +
                   list(arguments), **given)
        head, status = done.stdout.decode("latin-1").rsplit("\r\n", 1)
        with open(self.join("answer"), "ab+") as f:
            f.seek(0)
            answer = f.read()
            f.truncate(0)
        return int(status), head, answer

    def post(self, body, *arguments, query=""):
        """POSTs JSON; (status, head, body)."""
        return self.curl(self.path(query), "-H",
                         "Content-Type: application/json", "-H", "Expect:",
                         "--data-binary", "@-", *arguments, body=body)


class Server:
    """What the six have in common. Each runs in the foreground, in a process
    group of its own, with a main configuration that includes the file. A
    server's own main() is that configuration, replacements() what differs
    from server to server in the shipped file."""

    name = ""
    shipped = ""               # the file, below the build folder
    starts_relay = True        # the endpoint starts the relay on demand
    log_to = "auto"            # [log] to
    refusal_log = "error.log"  # where the endpoint's refusals are read
    is_cgi = False             # one process a request
    own_limit_status = None    # what it answers beyond its limit for bodies
    reload_signal = signal.SIGUSR1

    def __init__(self, site):
        self.site = site
        self.join = site.join
        self.port = None
        self.child = None

    @classmethod
    def need(cls):
        """Skips the test where the server is not installed."""

    def start(self):
        """Starts it on a free port, the one it had before if it can be, and
        returns when it answers there."""
        for _ in range(5):
            self.port = self.port or free_port()
            self.write()
            self.child = self.site.sandbox.spawn(
                self.command(), name="server", cwd=self.site.sandbox.path,
                env=ENVIRONMENT, start_new_session=True)
            wait_until(lambda: self.answers() or not self.child.is_alive(),
                       "an answer of the server")
            if self.child.is_alive():
                return
            self.port = None
        raise AssertionError("the server does not start:\n" +
                             self.child.output()[-3000:])

    def replacements(self):
        """Pairs for replace()."""
        return []

    def answers(self):
        """Whether somebody with our certificate listens."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                with self.site.tls().wrap_socket(
                        s, server_hostname="localhost"):
                    return True
        except OSError:
            return False

    def stop(self):
        if self.child:
            self.child.stop()

    def reload(self):
        """What the admin's `systemctl reload` does."""
        self.child.signal(self.reload_signal)

    def kill(self):
        """Kills the server and all that came from it at one blow, as
        systemd kills a service's control group."""
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        wait_until(lambda: not self._kill_strays(), "their end")

    def _kill_strays(self):
        """Kills what lives; how many that were."""
        strays = self.site.sandbox.strays()
        for pid in strays:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return len(strays)

    def write(self):
        """Writes the main configuration and, beside it, the shipped one."""
        text = replace(
            shipped(self.shipped),
            (r"/etc/ssl/\S*example\.com\.pem", self.join("site.pem")),
            (r"/etc/ssl/\S*example\.com\.key", self.join("site.key")),
            *self.replacements())
        text = text.replace("hooks.example.com", "localhost")
        self.site.sandbox.write("site.conf", text)
        self.site.sandbox.write("main.conf", self.main())

    @staticmethod
    def may_answer_at_reload(other):
        """Whether the server is known to answer this (a status, or the text
        of an exception) to some requests while it reloads."""
        return False

    def if_root(self, text):
        return text if IS_ROOT else ""


class Lighttpd(Server):
    own_limit_status = 413

    @classmethod
    def need(cls):
        need("lighttpd")
        need_files(LIGHTTPD_MODULES + "/mod_openssl.so")

    def replacements(self):
        return [(r'"0\.0\.0\.0:443"', '"127.0.0.1:%d"' % self.port),
                (r"/var/log/lighttpd", self.join("log")),
                (r'[^"\s]*/hookspool\.fcgi', self.site.endpoint)]

    def main(self):
        return textwrap.dedent("""\
            server.modules = ( "mod_indexfile", "mod_access", "mod_alias",
                "mod_redirect" )
            server.feature-flags += ( "server.h2proto" => "enable" )
            server.document-root = "%s"
            server.upload-dirs = ( "%s" )
            server.errorlog = "%s"
            server.pid-file = "%s"
            server.bind = "127.0.0.1"
            server.port = %d
            url.access-deny = ( "~", ".inc" )
            static-file.exclude-extensions = ( ".php", ".pl", ".fcgi" )
            include "site.conf"
            server.modules += ( "mod_dirlisting", "mod_staticfile" )
            """) % (self.join("www"), self.join("run"),
                    self.join("log", "error.log"),
                    self.join("run", "lighttpd.pid"), self.port) + \
            self.if_root('server.username = "%s"\n'
                         'server.groupname = "%s"\n' % (WEB_USER, WEB_USER))

    def command(self):
        return [find_program("lighttpd"), "-D", "-m", LIGHTTPD_MODULES,
                "-f", self.join("main.conf")]


class LighttpdFastcgi(Lighttpd):
    name = "lighttpd with mod_fastcgi"
    shipped = "lighttpd/fastcgi.conf"

    def replacements(self):
        return super().replacements() + [
            (r"/run/lighttpd", self.join("run")),
            (r"#(?=\"bin-environment\")", ""),
            (r"/etc/hookspool/hookspool\.conf", self.site.config)]


class LighttpdCgi(Lighttpd):
    name = "lighttpd with mod_cgi"
    shipped = "lighttpd/cgi.conf"
    is_cgi = True
    refusal_log = "breakage.log"

    def replacements(self):
        return super().replacements() + [
            (r'"mod_cgi"', '"mod_cgi", "mod_setenv"'),
            (r"#(?=setenv)", ""),
            (r"/etc/hookspool/hookspool\.conf", self.site.config)]


class Apache(Server):
    modules = ()

    @classmethod
    def need(cls):
        need("apache2")
        need_files(*("%s/mod_%s.so" % (APACHE_MODULES, module)
                     for module in cls.modules + ("ssl", "reqtimeout")))

    def replacements(self):
        return [(r"\*:443", "*:%d" % self.port),
                (r"/var/www/html", self.join("www"))]

    def main(self):
        modules = ("mpm_event", "authz_core", "alias", "dir", "env", "mime",
                   "setenvif", "socache_shmcb", "ssl",
                   "reqtimeout") + self.modules
        return "".join("LoadModule %s_module %s/mod_%s.so\n" % (
            module, APACHE_MODULES, module) for module in modules) + \
            textwrap.dedent("""\
            Define APACHE_LOG_DIR %s
            Define RUN %s
            ServerRoot ${RUN}
            DefaultRuntimeDir ${RUN}
            PidFile ${RUN}/apache2.pid
            Mutex file:${RUN} default
            ServerName localhost
            Listen 127.0.0.1:%d
            StartServers 1
            TypesConfig /dev/null
            ErrorLog ${APACHE_LOG_DIR}/error.log
            LogFormat "%%h %%l %%u %%t \\"%%r\\" %%>s %%O \\"%%{Referer}i\\" \\"%%{User-Agent}i\\"" combined
            <Directory />
                Options FollowSymLinks
                AllowOverride None
                Require all denied
            </Directory>
            <IfModule mod_fcgid.c>
                AddHandler fcgid-script .fcgi
                FcgidIPCDir ${RUN}
                FcgidProcessTableFile ${RUN}/fcgid_shm
            </IfModule>
            <IfModule mod_cgid.c>
                ScriptSock ${RUN}/cgisock
            </IfModule>
            """) % (self.join("log"), self.join("run"), self.port) + \
            self.if_root("User %s\nGroup %s\n" % (WEB_USER, WEB_USER)) + \
            "Include %s\n" % self.join("site.conf")

    def command(self):
        return [find_program("apache2"), "-f", self.join("main.conf"),
                "-DFOREGROUND"]


class ApacheFcgid(Apache):
    name = "Apache with mod_fcgid"
    shipped = "apache/mod_fcgid.conf"
    own_limit_status = 500
    modules = ("fcgid",)

    def replacements(self):
        return super().replacements() + [
            (r"\S*/hookspool\.fcgi", self.site.endpoint),
            (r"#(?=FcgidInitialEnv)", ""),
            (r"/etc/hookspool/hookspool\.conf", self.site.config)]


class ApacheCgid(Apache):
    name = "Apache with mod_cgid"
    shipped = "apache/mod_cgid.conf"
    is_cgi = True
    modules = ("cgid",)

    @staticmethod
    def may_answer_at_reload(other):
        return other == 503  # its daemon is being started anew

    def replacements(self):
        return super().replacements() + [
            (r"\S*/hookspool\.fcgi", self.site.endpoint),
            (r"#(?=SetEnv HOOKSPOOL)", ""),
            (r"/etc/hookspool/hookspool\.conf", self.site.config)]


class Activator:
    """Stands for systemd and the units in systemd/: holds the listening Unix
    socket, gives it to the endpoint as descriptor 0, and starts that again
    whenever it ends."""

    def __init__(self, site):
        self.site = site
        self.process = None
        self.is_stopping = threading.Event()
        self.socket = socket.socket(socket.AF_UNIX)
        path = site.join("run", "endpoint.sock")
        if os.path.exists(path):
            os.unlink(path)
        self.socket.bind(path)
        os.chmod(path, 0o660)
        give_to_web_user(path)
        self.socket.listen(128)
        self.journal = open(site.join("log", "journal"), "ab")
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        user = dict(user=WEB_USER, group=WEB_USER,
                    extra_groups=[]) if IS_ROOT else {}
        while not self.is_stopping.is_set():
            self.process = subprocess.Popen(
                [self.site.endpoint], stdin=self.socket,
                stdout=subprocess.DEVNULL, stderr=self.journal,
                env=dict(ENVIRONMENT, HOOKSPOOL_CONF=self.site.config),
                cwd="/", **user)
            self.process.wait()
            self.is_stopping.wait(0.05)

    def restart(self):
        self.process.terminate()

    def stop(self):
        self.is_stopping.set()
        self.process.terminate()
        self.thread.join(20)
        self.socket.close()
        self.journal.close()


class Spawner:
    """The shipped script for spawn-fcgi, as its own supervisor."""

    def __init__(self, site):
        self.site = site
        self.is_stopping = threading.Event()
        self.script = site.sandbox.write("hookspool-endpoint", replace(
            shipped("nginx/hookspool-endpoint"),
            (r"(?m)^endpoint=.*", "endpoint=" + site.endpoint),
            (r"(?m)^socket=.*", "socket=" + self.path(site)),
            (r"(?m)^user=.*", "user=" + WEB_USER),
            (r"(?m)^pidfile=.*", "pidfile=" + site.join("endpoint.pid")),
            (r"#(?=export)", ""),
            (r"/etc/hookspool/hookspool\.conf", site.config)), 0o755)
        with open(site.join("log", "journal"), "ab") as journal:
            self.process = subprocess.Popen(
                [self.script, "run"], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=journal, env=ENVIRONMENT,
                cwd="/")
        wait_until(lambda: os.path.exists(self.path(site)) and
                   site.endpoints(), "the endpoint")

    @staticmethod
    def path(site):
        return site.join("run", "hookspool", "endpoint.sock")

    def endpoint(self):
        """The pid of the endpoint itself, which has a starter as its child;
        0: it does not run."""
        pids = self.site.endpoints()
        for pid in pids:
            try:
                with open("/proc/%d/stat" % pid) as f:
                    parent = int(f.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent not in pids:
                return pid
        return 0

    def restart(self):
        os.kill(self.endpoint(), signal.SIGTERM)

    def stop(self):
        self.process.terminate()
        self.process.wait(40)
        wait_until(lambda: not self.site.endpoints(), "the endpoint's end")


class WithActivator:
    """A server that starts no programs: somebody else does, and the relay is
    a service too."""

    starts_relay = False
    log_to = "stderr"
    refusal_log = "journal"
    activator_class = Activator
    activator = None

    def start(self):
        self.activator = self.activator_class(self.site)
        super().start()

    def stop(self):
        super().stop()
        if self.activator:
            self.activator.stop()
            self.activator = None

    def reload(self):
        super().reload()
        self.activator.restart()

    def kill(self):
        self.activator.is_stopping.set()
        super().kill()
        self.activator.stop()
        self.activator = None

    def replacements(self):
        return super().replacements() + [
            (r"/run/hookspool/", self.join("run") + "/")]


class ApacheProxyFcgi(WithActivator, Apache):
    name = "Apache with mod_proxy_fcgi"
    shipped = "apache/mod_proxy_fcgi.conf"
    modules = ("proxy", "proxy_fcgi")


class Nginx(WithActivator, Server):
    name = "nginx"
    shipped = "nginx/hookspool.conf"
    own_limit_status = 413
    reload_signal = signal.SIGHUP

    @classmethod
    def need(cls):
        need("nginx")

    def replacements(self):
        return super().replacements() + [
            (r"listen 443", "listen 127.0.0.1:%d" % self.port),
            (r"/var/log/nginx", self.join("log"))]

    def main(self):
        temporary = "".join("    %s_temp_path %s;\n" % (
            part, self.join("run", part)) for part in (
                "client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        return self.if_root("user %s;\n" % WEB_USER) + textwrap.dedent("""\
            daemon off;
            worker_processes 2;
            pid %s;
            error_log %s;
            events { worker_connections 256; }
            http {
            %s    include %s;
            }
            """) % (self.join("run", "nginx.pid"),
                    self.join("log", "error.log"), temporary,
                    self.join("site.conf"))

    def command(self):
        return [find_program("nginx"), "-e", self.join("log", "error.log"),
                "-p", self.site.sandbox.path, "-c", self.join("main.conf")]


class NginxSpawn(Nginx):
    name = "nginx with spawn-fcgi"
    starts_relay = True
    activator_class = Spawner

    @classmethod
    def need(cls):
        super().need()
        need("spawn-fcgi")
        if not IS_ROOT:
            raise Skip("spawn-fcgi changes its user: needs root")

    def replacements(self):
        return Server.replacements(self) + [
            (r"/run/hookspool/endpoint\.sock", Spawner.path(self.site)),
            (r"listen 443", "listen 127.0.0.1:%d" % self.port),
            (r"/var/log/nginx", self.join("log"))]
