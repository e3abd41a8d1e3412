#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server keeps to schema/openapi.yaml: some thousand requests of openapi_fuzz.py, good ones and spoilt ones, with
the database away for a while. P4PD_FUZZ_REQUESTS and P4PD_FUZZ_SEED ask for more, or others.

Under with_postgres and with_p4pd. Exit status 77 (skipped): python3-yaml or python3-jsonschema is not there.
"""
import os
import pathlib
import sys
import tempfile

try:
    import jsonschema  # noqa: F401
    import yaml  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

import openapi_fuzz

requests = int(os.environ.get("P4PD_FUZZ_REQUESTS", "4000"))
with tempfile.TemporaryDirectory(prefix="p4pd-fuzz-") as folder:
    sys.argv[1:] = ["--requests", str(requests), "--seed", os.environ.get("P4PD_FUZZ_SEED", "1"), "--workers", "4",
                    "--outages", str(min(20, max(1, requests // 50000))), "--log", str(pathlib.Path(folder, "findings"))]
    sys.exit(openapi_fuzz.main())
