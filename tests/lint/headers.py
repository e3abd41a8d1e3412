#!/usr/bin/env python3
"""Every header of ours says all it needs: each compiles alone, with the flags of the build."""
import concurrent.futures
import json
import pathlib
import shlex
import subprocess
import sys

root, build = map(pathlib.Path, sys.argv[1:3])
commands = json.loads((build / "compile_commands.json").read_text())
command = next(c["command"] for c in commands if c["file"].endswith("common/base/err.c"))
# Of the flags only those that the front end heeds, and no folder of the build.
flags = [w for w in shlex.split(command) if w.startswith(("-W", "-std", "-D"))]
compiler = shlex.split(command)
compiler = compiler[:next(i for i, w in enumerate(compiler) if w.startswith("-"))]


def check(header):
    # To the end: gcc sees a static function that is never used only then, clang at once.
    run = subprocess.run(
        [*compiler, *flags, "-Werror", f"-I{root}", "-S", "-o/dev/null", "-xc", "-"],
        input=f'#include "{header.relative_to(root)}"\n', capture_output=True, text=True)
    return run.stderr if run.returncode else ""


headers = [h for top in ("common", "server", "tools", "tests") for h in sorted((root / top).rglob("*.h"))]
with concurrent.futures.ThreadPoolExecutor() as pool:
    bad = [text for text in pool.map(check, headers) if text]
print("".join(bad) or f"ok, {len(headers)} headers")
sys.exit(bool(bad))
