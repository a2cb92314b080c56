"""What is completed in bash is what the subcommands' own --help shows."""

import os
import re
import textwrap

from harness import HOOKSPOOL, TOP_BUILD, contains, equal, main, need, run, \
    Sandbox, test

COMPLETE = textwrap.dedent("""\
    . "$1"
    complete -p hookspool
    shift
    while [ $# -gt 0 ]; do
        # shellcheck disable=SC2206
        COMP_WORDS=(hookspool $1)
        [[ $1 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMPREPLY=()
        _hookspool
        echo "${COMPREPLY[@]}"
        shift
    done
    """)


def complete(*lines, cwd=None):
    """What bash offers behind each of these, as lists of words."""
    need("bash")
    with Sandbox() as box:
        script = box.write("completion", run(
            [HOOKSPOOL, "completion"]).stdout)
        done = run(["bash", "-c", COMPLETE, "bash", script] + list(lines),
                   cwd=cwd)
    equal(done.stderr, b"", "errors of bash")
    head, *answers = done.stdout.decode().splitlines()
    contains(head, "complete -F _hookspool hookspool")
    return [answer.split() for answer in answers]


def subcommands():
    text = run([HOOKSPOOL, "--help"]).stdout.decode()
    return re.findall(r"^  ([a-z]+)  +\S", text, re.M)


def options(subcommand):
    text = run([HOOKSPOOL, subcommand, "--help"]).stdout.decode()
    return re.findall(r"^  (--[a-z-]+)", text, re.M)


@test
def every_subcommand_and_every_option_is_completed():
    names = subcommands()
    assert len(names) > 15 and "restore" in names, names
    offered = complete(" ", *["%s --" % name for name in names])
    equal(sorted(w for w in offered[0] if w[0] != "-"),
          sorted(names + ["help"]))
    for name, words in zip(names, offered[1:]):
        equal(sorted(words), sorted(options(name)), "options of " + name)


@test
def words_are_completed_where_they_may_stand():
    wanted = [
        ("sta", ["status"]),
        ("-c /tmp sta", ["status"]),
        ("help repl", ["replay"]),
        ("list --state de", ["delivered", "dead"]),
        ("list --state = d", ["delivered", "dead", "dropped"]),
        ("list --to ", []),
        ("refused a", ["accept"]),
        ("pause ", ["--json", "--reason", "--help", "-c"]),
        ("reload --r", ["--restart"])]
    offered = complete(*[line for line, _ in wanted])
    for (line, words), got in zip(wanted, offered):
        equal(sorted(got), sorted(words), "behind %r" % line)


@test
def files_are_completed_where_one_is_wanted():
    with Sandbox() as box:
        box.write("copy.db", "")
        for line in ("restore co", "-c co", "list -c co", "probe --ca-file co",
                     "init --spool co"):
            equal(complete(line, cwd=box.path), [["copy.db"]], line)


@test
def what_is_installed_is_what_the_program_prints():
    with open(os.path.join(TOP_BUILD, "completions", "hookspool"), "rb") as f:
        equal(f.read(), run([HOOKSPOOL, "completion"]).stdout)


@test
def shellcheck_finds_nothing_in_it():
    need("shellcheck")
    run(["shellcheck", "-s", "bash",
         os.path.join(TOP_BUILD, "completions", "hookspool")])


main(__name__)
