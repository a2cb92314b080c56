"""The house rules that a machine can judge: what is banned, which room may
know which, how long a function may be, that the manuals name what is there,
that the distribution is whole, and what the two programs link.
"""

import os
import re

from harness import (ENDPOINT, HOOKSPOOL, Skip, TOP_BUILD, TOP_SRC,
                     find_program, main, need, run, test)

FOLDERS = ("apache", "lighttpd", "man", "nginx", "src", "systemd", "tests")

BANNED = ("sprintf", "vsprintf", "strcpy", "strcat", "strncpy", "strncat",
          "strtok", "atoi", "atol", "sscanf", "gets")

# What each room may include of the others: arrows go down only.
ROOMS = {
    "base": (),
    "json": ("base",),
    "event": ("base", "json"),
    "conf": ("base",),
    "wake": ("base", "conf"),
    "spool": ("base", "event", "conf", "wake"),
    "deliver": ("base", "conf"),
    "web": ("base",),
    "relay": ("base", "event", "conf", "spool", "wake", "deliver"),
    "endpoint": ("base", "event", "conf", "spool", "wake", "web"),
    "command": ("base", "json", "event", "conf", "spool", "wake", "deliver",
                "relay"),
}

# The place that sees each foreign library.
FOREIGN = (
    (r"fcgi\w*\.h", "src/web/gateway.c"),
    (r"json-c/.*|json\.h", "src/event/event.c"),
    (r"curl/.*", ("src/deliver/deliver.c", "src/deliver/egress.c",
                  "src/deliver/inspect.c")),
    (r"openssl/.*", "src/deliver/sign.c"),
    (r"sqlite3\.h", "src/spool/"),
)

LINES_OF_FUNCTION = 70
COMPLEXITY = 15


def is_checkout():
    return os.path.exists(os.path.join(TOP_SRC, ".git"))


def checkout_test(function):
    """Registers a test of what only a checkout can show."""
    return test(function) if is_checkout() else function


def git_files(*arguments):
    """The paths that git lists."""
    need("git")
    done = run(["git", "-c", "safe.directory=*", "-C", TOP_SRC, "ls-files",
                "-z"] + list(arguments))
    return [os.fsdecode(p) for p in done.stdout.split(b"\0") if p]


def all_files():
    """Every file of ours, relative: from git, or by looking."""
    if is_checkout() and find_program("git"):
        listed = git_files("--cached", "--others", "--exclude-standard")
        return [p for p in listed
                if os.path.isfile(os.path.join(TOP_SRC, p))]
    found = [p for p in sorted(os.listdir(TOP_SRC))
             if p in ("HACKING", "NEWS", "README", "quickstart",
                      "configure.ac", "Makefile.am")]
    for folder in FOLDERS:
        for where, folders, names in os.walk(os.path.join(TOP_SRC, folder)):
            folders[:] = [f for f in folders if f != "__pycache__"]
            found += [os.path.relpath(os.path.join(where, name), TOP_SRC)
                      for name in names]
    return sorted(found)


def files(*suffixes):
    return [p for p in all_files() if p.endswith(suffixes)]


def read(path):
    with open(os.path.join(TOP_SRC, path), encoding="utf-8",
              errors="surrogateescape") as f:
        return f.read()


def without(pattern, text):
    """The text with what matches blanked, its lines kept."""
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text,
                  flags=re.S)


def code(path):
    """C without comments, strings and characters."""
    return without(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                   read(path))


def no_faults(faults):
    assert not faults, "\n".join([""] + faults)


def matches(pattern, text):
    """(line number, match) of each match."""
    for match in re.finditer(pattern, text):
        yield text.count("\n", 0, match.start()) + 1, match


def includes(path):
    text = without(r"/\*.*?\*/", read(path))
    for line, match in matches(
            r'(?m)^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)', text):
        yield line, match.group(1), match.group(2)


@test
def no_banned_function_is_called():
    pattern = r"\b(%s)\s*\(" % "|".join(BANNED)
    no_faults(["%s:%d: %s" % (path, line, match.group(1))
               for path in files(".c", ".h")
               for line, match in matches(pattern, code(path))])


@test
def rooms_know_only_those_below_them():
    faults = []
    for path in files(".c", ".h"):
        if not path.startswith("src/"):
            continue
        room = path.split("/")[1]
        allowed = ROOMS[room] + (room,)
        for line, kind, name in includes(path):
            other = name.split("/")[0] if kind == '"' else None
            if other in ROOMS and other not in allowed:
                faults.append("%s:%d: %s must not know %s" %
                              (path, line, room, name))
    no_faults(faults)


def module(path):
    return re.sub(r"\.[ch]$", "", path[len("src/"):])


def calls():
    """module -> the modules whose functions it uses, by what the headers that
    it includes declare and the sources define."""
    sources = [p for p in files(".c") if p.startswith("src/")]
    declared = {p[len("src/"):]: set(re.findall(r"\b(\w+)\(", code(p)))
                for p in files(".h") if p.startswith("src/")}
    defined = {}
    for path in sources:
        for _, match in matches(r"(?m)^(?!static\b)[A-Za-z][^\n(]*\n(\w+)\(",
                                code(path)):
            defined[match.group(1)] = module(path)
    graph = {}
    for path in sources:
        visible = set().union(*(declared.get(name, set())
                                for _, _, name in includes(path)))
        used = visible & set(re.findall(r"\w+", code(path)))
        graph[module(path)] = ({defined[name] for name in used & set(defined)}
                               - {module(path)})
    assert graph.get("spool/write"), "no calls were found"
    return graph


def on_circles(graph):
    """Those that are left when what calls nobody left is taken away, again and
    again, and so what nobody left calls."""
    left = dict(graph)
    while True:
        called = set().union(*left.values()) if left else set()
        kept = {name: others & set(left) for name, others in left.items()
                if others & set(left) and name in called}
        if kept == left:
            return sorted(left)
        left = kept


@test
def hacking_names_files_that_are_there():
    rooms = "|".join(ROOMS)
    no_faults(["HACKING:%d: no src/%s" % (line, match.group())
               for line, match in matches(r"\b(%s)/\w+\.[ch]\b" % rooms,
                                          read("HACKING"))
               if not os.path.exists(os.path.join(TOP_SRC, "src",
                                                  match.group()))])


@test
def no_circle_stands_among_the_files():
    no_faults(on_circles(calls()))


@test
def each_foreign_library_is_seen_in_one_place():
    faults = []
    for path in files(".c", ".h"):
        if not path.startswith("src/"):
            continue
        for line, kind, name in includes(path):
            for pattern, place in FOREIGN:
                if (re.fullmatch(pattern, name)
                        and not path.startswith(place)):
                    faults.append("%s:%d: <%s> is for %s alone" %
                                  (path, line, name, place))
    no_faults(faults)


@test
def config_h_comes_first_in_every_source():
    faults = []
    for path in files(".c"):
        if not path.startswith("src/"):
            continue
        first = next(includes(path), None)
        if first is None or first[2] != "config.h":
            faults.append("%s: config.h is not its first include" % path)
    no_faults(faults)


@test
def no_function_is_long_or_tangled():
    need("pmccabe")
    sources = [os.path.join(TOP_SRC, p) for p in files(".c")]
    faults = []
    for row in run(["pmccabe"] + sources).stdout.decode().splitlines():
        _, complexity, _, _, lines, where = row.split(None, 5)
        where = where.replace(TOP_SRC + "/", "").replace("\t", " ")
        if where.endswith(": STRING"):
            continue  # a long literal that it takes for a function
        if int(lines) > LINES_OF_FUNCTION:
            faults.append("%s has %s lines" % (where, lines))
        if int(complexity) > COMPLEXITY:
            faults.append("%s has a complexity of %s" % (where, complexity))
    no_faults(faults)


@test
def no_two_bool_parameters_stand_in_a_row():
    no_faults(["%s:%d: %s" % (path, line, match.group())
               for path in files(".c", ".h")
               for line, match in matches(r"\bbool \w+,\s*bool \w+",
                                          code(path))])


@test
def the_sources_are_formatted():
    need("clang-format")
    version = run(["clang-format", "--version"]).stdout.decode()
    if not re.search(r"version 14\.", version):
        raise Skip("clang-format 14 decides, here is " + version.strip())
    style = os.path.join(TOP_SRC, ".clang-format")
    if not os.path.exists(style):
        raise Skip("no .clang-format")
    no_faults([path for path in files(".c", ".h")
               if run(["clang-format", "--dry-run", "--Werror",
                       os.path.join(TOP_SRC, path)],
                      status=None).returncode != 0])


@test
def nobody_left_a_note_to_self():
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    pattern = r"\b(%s)\b" % "|".join(words)
    no_faults(["%s:%d: %s" % (path, line, match.group())
               for path in all_files()
               for line, match in matches(pattern, read(path))])


@test
def shell_scripts_are_clean():
    need("shellcheck")
    scripts = [p for p in all_files()
               if p.endswith(".sh") or
               re.match(r"#!/bin/(ba)?sh\b", read(p)[:40])]
    assert "quickstart" in scripts, scripts
    done = run(["shellcheck", "-x"] + scripts, status=None, cwd=TOP_SRC)
    no_faults(done.stdout.decode().splitlines())


# ---- the manuals ----

def manuals():
    """Manual page name.section -> its path."""
    return {re.sub(r"\.in$", "", os.path.basename(p)): p
            for p in all_files()
            if re.fullmatch(r"man/.*\.[1-8](\.in)?", p)}


@test
def the_manuals_are_clean():
    need("mandoc")
    faults = []
    for path in manuals().values():
        done = run(["mandoc", "-Tlint", "-Wstyle",
                    os.path.join(TOP_SRC, path)], status=None)
        faults += [row for row in done.stdout.decode().splitlines()
                   if "referenced manual not found" not in row]
    no_faults(faults)


@test
def the_manuals_refer_to_manuals_that_are_there():
    known = manuals()
    no_faults(["%s:%d: no %s(%s)" % (path, line, *match.groups())
               for path in known.values()
               for line, match in matches(
                   r"(?m)^\.(?:It )?Xr (hookspool\S*) (\d)", read(path))
               if "%s.%s" % match.groups() not in known])


def configuration_keys():
    """(section, key) of each row of the table of keys."""
    rows = re.findall(r'\{SECTION_(\w+), "(\w+)", KEY_\w+',
                      read("src/conf/keys.c"))
    assert rows, "no row of the table of keys was found"
    return {(section.lower(), key) for section, key in rows}


def documented_keys():
    """(section, key) of each entry of hookspool.conf(5)."""
    found, section = set(), None
    for line in read(manuals()["hookspool.conf.5"]).splitlines():
        heading = re.match(r"\.S[sh] .*\[(\w+)", line)
        entry = re.match(r"\.It (?:Ic|Cm) (\w+)", line)
        if heading:
            section = heading.group(1)
        elif re.match(r"\.S[sh] ", line):
            section = None
        elif entry and section:
            found.add((section, entry.group(1)))
    return found


@test
def every_configuration_key_is_documented_and_every_documented_one_real():
    real, documented = configuration_keys(), documented_keys()
    no_faults(["[%s] %s is not in hookspool.conf(5)" % key
               for key in sorted(real - documented)] +
              ["[%s] %s is documented and unknown" % key
               for key in sorted(documented - real)])


def json_keys():
    """Every key that the command prints in JSON: in the calls of jsonout, in
    the table of what replay and drop count, and of pause and resume."""
    found = set()
    for path in files(".c"):
        if path.startswith("src/command/"):
            text = without(r"/\*.*?\*/", read(path))
            for pattern in (r'\bjsonout_\w+\(\s*[^,()"]+,\s*"(\w+)"',
                            r'\{"(\w+)",\s*offsetof\(',
                            r'\brun_each\(call,\s*"(\w+)"'):
                found.update(re.findall(pattern, text))
    return found


@test
def every_json_key_is_documented_and_every_documented_one_printed():
    manual = read("man/hookspool.8.in")
    section = manual.split(".Sh JSON KEYS")[1].split("\n.Sh ")[0]
    documented = set(re.findall(r"(?m)^\.It Va (\w+)", section))
    assert len(documented) > 100, documented
    no_faults(["not documented: " + key
               for key in sorted(json_keys() - documented)] +
              ["not printed: " + key
               for key in sorted(documented - json_keys())])


def subcommands():
    """Those that `hookspool --help` names, one a line."""
    text = run([HOOKSPOOL, "--help"]).stdout.decode()
    names = re.findall(r"(?m)^  ([a-z]+)\b", text)
    assert "status" in names, text
    return names


@test
def every_subcommand_has_help_and_is_in_the_manual():
    manual, faults = read(manuals()["hookspool.8"]), []
    for name in subcommands():
        done = run([HOOKSPOOL, name, "--help"], status=None)
        if done.returncode != 0 or name.encode() not in done.stdout:
            faults.append("hookspool %s --help: status %d, %r" %
                          (name, done.returncode, done.stdout[:200]))
        if not re.search(r"(?m)^\.It (Ic|Cm) %s\b" % name, manual):
            faults.append("hookspool(8) does not explain " + name)
    no_faults(faults)


# ---- the distribution ----

def dist_files():
    """What `make dist` would pack, files and folders."""
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = run(["make", "-s", "-C", TOP_BUILD, "--no-print-directory",
                "--eval=show-dist: ; @echo $(DISTFILES)", "show-dist"],
               env=environment)
    packed = set()
    for word in done.stdout.decode().split():
        path = os.path.join(TOP_BUILD, word)
        if not os.path.exists(path):
            path = os.path.join(TOP_SRC, word)
        packed.add(os.path.relpath(os.path.realpath(path),
                                   os.path.realpath(TOP_SRC)))
    return packed


@checkout_test
def the_distribution_has_every_tracked_file():
    tracked = git_files()
    need("make")
    if not os.path.exists(os.path.join(TOP_BUILD, "Makefile")):
        raise Skip("no Makefile in the build folder")
    packed = dist_files()
    missing = []
    for path in tracked:
        parts = path.split("/")
        if any(part.startswith(".") for part in parts):
            continue
        folders = {"/".join(parts[:n]) for n in range(1, len(parts) + 1)}
        if not folders & packed:
            missing.append(path)
    no_faults(missing)


@checkout_test
def no_generated_file_is_tracked():
    pattern = (r"config\.h|(.*/)?(configure|config\.h\.in|aclocal\.m4|"
               r"Makefile(\.in)?|.*\.(o|a|la|log|trs|pyc))|"
               r"(autom4te\.cache|build[^/]*)/.*")
    no_faults([p for p in git_files() if re.fullmatch(pattern, p)])


# ---- the programs ----

def linked(program):
    """Names of the shared libraries it links, directly or not."""
    need("ldd")
    rows = run(["ldd", program]).stdout.decode().splitlines()
    return [row.split()[0] for row in rows if row.strip()]


@test
def the_endpoint_links_no_network_client_and_no_tls():
    names = linked(ENDPOINT)
    assert any(n.startswith("libc.") for n in names), names
    no_faults([n for n in names
               if re.match(r"lib(curl|ssl|crypto|gnutls|nss)", n)])


@test
def the_command_links_no_fastcgi():
    names = linked(HOOKSPOOL)
    assert any(n.startswith("libc.") for n in names), names
    no_faults([n for n in names if n.startswith("libfcgi")])


main(__name__)
