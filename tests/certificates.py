"""Certificates for tests, made with openssl: authorities, below each other if
need be, and what they issue, with any dates and names.
"""

import os
import textwrap

from harness import need, run

CONFIG = """\
    [ca]
    default_ca = this
    [this]
    dir = .
    database = ./{name}.index
    new_certs_dir = .
    rand_serial = yes
    default_md = sha256
    policy = any
    unique_subject = no
    copy_extensions = none
    [any]
    commonName = supplied
    [extensions]
    {extensions}
    [req]
    distinguished_name = empty
    prompt = no
    [empty]
    """


class Certificate:
    """A key and the certificate made for it; `issuer` signs it, or else it
    itself. `names` are as openssl writes them ("DNS:localhost"), dates as
    YYYYMMDDHHMMSSZ."""

    def __init__(self, box, name, issuer=None, names="DNS:localhost",
                 is_authority=False, start="20200101000000Z",
                 end="20991231235959Z"):
        need("openssl")
        self.name = name
        self.key = box.join(name + ".key")
        self.pem = box.join(name + ".pem")
        self._folder = box.path
        more = ("basicConstraints = critical,CA:true" if is_authority else
                "subjectAltName = " + names)
        box.write(name + ".index", "")
        box.write(name + ".cnf", textwrap.dedent(CONFIG).format(
            name=name, extensions=more))
        self._openssl("req", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:P-256", "-nodes", "-config",
                      name + ".cnf", "-subj", "/CN=the %s here" % name,
                      "-keyout", self.key, "-out", name + ".csr")
        signer = (["-selfsign", "-keyfile", self.key] if issuer is None else
                  ["-cert", issuer.pem, "-keyfile", issuer.key])
        self._openssl("ca", "-batch", "-notext", "-config", name + ".cnf",
                      "-extensions", "extensions", "-startdate", start,
                      "-enddate", end, "-in", name + ".csr", "-out", self.pem,
                      *signer)
        os.chmod(self.key, 0o600)

    def _openssl(self, *arguments):
        run(["openssl"] + list(arguments), cwd=self._folder)

    def with_chain(self, *above):
        """A file with it and those above it; for a server, with its key."""
        path = self.pem[:-4] + ".chain.pem"
        with open(path, "wb") as out:
            for certificate in (self,) + above:
                with open(certificate.pem, "rb") as f:
                    out.write(f.read())
        return path, self.key
