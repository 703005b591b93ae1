# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command line of agent.pyz. Each command imports only what it needs: N clients start at once."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import argparse
import sys

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError


def main(argv=None):
    """Run one command. Returns its exit code (int)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    rest = []
    if "--" in argv:
        at = argv.index("--")
        argv, rest = argv[:at], argv[at + 1 :]
    options = _parser().parse_args(argv)
    try:
        return _COMMANDS[options.command](options, rest)
    except AgentError as e:
        sys.stderr.write("agent %s: %s\n" % (options.command, e))
        return 1


def _parser():
    parser = argparse.ArgumentParser(prog="agent.pyz", description="What runs inside the jobs of a benchmark.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    for name, text in (
        ("service", "start, probe, publish and end the service: service --spec S -- apptainer exec ... IMAGE COMMAND"),
        ("clients", "start the clients and measure: clients --spec S [-- apptainer exec ... IMAGE]"),
        ("client", "be one client, told what to do on standard input"),
        ("prefetch", "run the service's prefetch commands: prefetch --spec S -- apptainer exec ... IMAGE"),
        ("image", "pull or build an image once, under a lock"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--spec", required=name != "image", help="spec.json of the run")
        if name == "image":
            command.add_argument("--reference", required=True, help="of a registry, an archive, or a definition file")
            command.add_argument("--dest", help="the SIF file to make")
            command.add_argument("--cache", help="directory where the SIF file is named after what it is built from")
            command.add_argument("--link", help="symbolic link to make to the SIF file in --cache")
            command.add_argument("--runtime", default="apptainer", choices=["apptainer", "singularity"])
            command.add_argument("--digest", help="sha256:... that the reference must have")
    return parser


def _service(options, rest):
    from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import run_dir, service

    if not rest:
        raise AgentError("the command that runs the container is missing: service --spec S -- COMMAND ...")
    return service.Supervisor(run_dir.read_spec(options.spec), rest).run()


def _prefetch(options, rest):
    from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import prefetch, run_dir

    return prefetch.Prefetch(run_dir.read_spec(options.spec), rest).run()


def _clients(options, rest):
    from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import conductor, run_dir

    return conductor.Conductor(run_dir.read_spec(options.spec), options.spec, rest).run()


def _client(options, rest):
    from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import client, run_dir

    return client.Client(run_dir.read_spec(options.spec), rest).run()


def _image(options, rest):
    from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import image

    return image.fetch(options)


_COMMANDS = {"service": _service, "clients": _clients, "client": _client, "prefetch": _prefetch, "image": _image}
