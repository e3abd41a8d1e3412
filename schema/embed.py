#!/usr/bin/env python3
"""Writes files into a C source, so that they travel inside the binary (common/base/embed.h).

    embed.py OUTPUT.c ARRAY FILE...     in the order given

In a meson.build, after subdir('schema'):

    pages_c = custom_target('pages.c', output: 'pages.c', input: ['index.html', 'chart.js'],
      command: embed + ['@OUTPUT@', 'web_files', '@INPUT@'])
    static_library('web', 'web.c', pages_c, ...)        # web.c: extern const struct embed_file web_files[];
"""
import hashlib
import pathlib
import sys

output, array, *files = sys.argv[1:]
bodies, entries = [], []
for n, path in enumerate(map(pathlib.Path, files)):
    data = path.read_bytes()
    lines = [", ".join(map(str, data[i:i + 24])) + "," for i in range(0, len(data), 24)]
    bodies.append(f"static const unsigned char file_{n}[] = {{\n" + "\n".join(lines) + "\n0 };\n")
    entries.append(f'\t{{ "{path.name}", "{hashlib.sha256(data).hexdigest()}", file_{n}, {len(data)} }},\n')

pathlib.Path(output).write_text(
    '#include "common/base/embed.h"\n\n'
    f"extern const struct embed_file {array}[];\n\n"
    + "\n".join(bodies)
    + f"\nconst struct embed_file {array}[] = {{\n" + "".join(entries) + "\t{ 0 }\n};\n")
