# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Have an image in a job: the command line of a small zip file that needs Python only, and the job's script."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import argparse
import json
import os
import sys
import zipfile

from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer import image, lock, registry, source

_PACKAGE = __name__.rpartition(".")[0]
_MAIN = "import sys\n\nfrom {0}.fetch import main\n\nsys.exit(main())\n".format(_PACKAGE)
_SCRIPT = """#!{shell}
# Gets the image {reference} as {dest}.
set -e
{modules}exec {command}
"""


def main(argv=None):
    """Have the image that the arguments name; exit status 0 and its facts as JSON, or 1 and a message on stderr."""
    parser = argparse.ArgumentParser(prog="fetch", description=__doc__)
    for option in ("reference", "dest", "runtime"):
        parser.add_argument("--" + option, required=True)
    parser.add_argument("--digest")
    parser.add_argument("--lock-timeout-s", type=float, default=3600.0)
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--no-https", action="store_true")
    parser.add_argument("--build-arg", action="append", default=[])
    given = parser.parse_args(argv)
    try:
        facts = image.ensure(
            given.reference,
            given.dest,
            given.runtime,
            lock_timeout_s=given.lock_timeout_s,
            digest=given.digest,
            force=given.force,
            no_https=given.no_https,
            build_args=given.build_arg,
        )
    except image.ImageError as error:
        sys.stderr.write("".join(line + "\n" for line in [*error.log_tail, str(error)]))
        return 1
    sys.stdout.write(json.dumps(facts, sort_keys=True) + "\n")
    return 0


def arguments(params):
    """Main's arguments (list of str) for options (dict: reference, dest, runtime, digest, force, no_https ...)."""
    found = ["--reference", params["reference"], "--dest", params["dest"], "--runtime", params["runtime"]]
    if params.get("digest"):
        found += ["--digest", params["digest"]]
    found += ["--lock-timeout-s", str(params["lock_timeout_s"])]
    found += [flag for flag, name in (("--force", "force"), ("--no-https", "no_https")) if params.get(name)]
    return found + ["--build-arg=" + word for word in params.get("build_args") or ()]


def bundle(path):
    """Write the zip file that main runs from: `python3 PATH --reference ...`."""
    part = "{0}.{1}.part".format(path, os.getpid())
    with zipfile.ZipFile(part, "w") as archive:
        archive.writestr("__main__.py", _MAIN)
        folders = _PACKAGE.split(".")
        for depth in range(1, len(folders) + 1):
            archive.writestr("/".join(folders[:depth]) + "/__init__.py", "")
        for module in (sys.modules[__name__], image, lock, registry, source):
            text = module.__loader__.get_source(module.__name__)
            archive.writestr(module.__name__.replace(".", "/") + ".py", text)
    os.rename(part, path)


def quoted(words):
    """A line for a POSIX shell out of words (list of str)."""
    return " ".join("'" + word.replace("'", "'\"'\"'") + "'" for word in words)


def script(params, job, zip_path):
    """The batch script (str) that has the image in a job: job gives shell, modules (list of str) and python."""
    command = [job["python"], zip_path, *arguments(params)]
    return _SCRIPT.format(
        shell=job["shell"],
        reference=params["reference"].replace("\n", " "),
        dest=params["dest"].replace("\n", " "),
        modules="".join("module load " + quoted([name]) + "\n" for name in job["modules"]),
        command=quoted(command),
    )
