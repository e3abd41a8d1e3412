#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generate.py PROGRAM

Prints the bash completion of a program of ours, from what the program says of itself: the commands and
options of --help, those of each command's --help, the options of p4pd.conf in --print-config. So it
knows exactly what the program was built with.
"""
import pathlib
import re
import subprocess
import sys

program = sys.argv[1]
name = pathlib.Path(program).name


def say(*arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def options(text):
    """{option: what its value is called, or ""}"""
    found = {}
    for short, long, value in re.findall(r"^ +(?:(-\w), )?(--[a-z][a-z-]*)(?: ([A-Z][A-Z:=]*))?(?: |$)", text, re.M):
        found.update({word: value for word in (short, long) if word})
    return found


def commands(text):
    """[(words, the arguments as --help names them)]"""
    section = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.M)
    rows = re.findall(r"^  ((?:[a-z][a-z0-9]* )+)([\[A-Z_\] .]*?)(?= *[a-z])", section[1], re.M) if section else []
    return [(words.strip(), arguments.strip()) for words, arguments in rows]


def choices(config):
    """The settings of p4pd.conf as NAME= or, of those that have a choice, NAME=VALUE."""
    words = []
    for kind, setting in re.findall(r"^# \(([^;]*); [^)]*\)\n#(\w+) =", config, re.M):
        values = ["true", "false"] if kind.startswith("true or false") else \
            kind.split("|") if "|" in kind else []
        words += [f"{setting}={value}" for value in values] or [setting + "="]
    return words


def bash_array(variable, rows):
    return f"local -A {variable}=(" + " ".join(f"['{k}']='{v}'" for k, v in rows.items()) + ")"


help_ = say("--help")
everywhere = options(help_)
of_command, arguments_of = {}, {}
for words, arguments in commands(help_):
    own = options(say(*words.split(), "--help"))
    everywhere |= own
    of_command[words] = " ".join(sorted(own))
    arguments_of[words] = arguments
takes_file = " ".join(sorted(o for o, v in everywhere.items() if v in ("FILE", "PATH", "DIR")))
takes_value = " ".join(sorted(o for o, v in everywhere.items() if v))
settings = " ".join(choices(say("--print-config"))) if "--print-config" in everywhere else ""

print(f"# bash completion of {name}(1), made from its --help by deploy/completion/generate.py\n")
print(f"_{name}()\n{{")
print("\t" + bash_array("options_of", of_command))
print("\t" + bash_array("arguments_of", arguments_of))
print(f"\tlocal global='{' '.join(sorted(options(help_)))}' takes_file=' {takes_file} ' takes_value=' {takes_value} '")
print(f"\tlocal settings='{settings}' free_file='{'yes' if name == 'p4psim' else ''}'")
print((pathlib.Path(__file__).parent / "body.bash").read_text() + f"}}\ncomplete -F _{name} {name}")
