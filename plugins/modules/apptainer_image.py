#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: apptainer_image
author: aifactory.benchmark contributors (@aifactory)
version_added: 0.1.0
short_description: Have a container image as a file, once
description:
  - Pulls or builds a SIF file from a reference, under a lock, so that of many that want the same image one gets it and
    the others wait. The file appears at once and whole, with its SHA-256 beside it.
  - Does it in a Slurm job where the host itself has no container runtime (O(job)).
  - Or says that an existing SIF file or sandbox directory is there, and what it is.
extends_documentation_fragment:
  - aifactory.benchmark.attributes
  - aifactory.benchmark.attributes.actiongroup_slurm
  - aifactory.benchmark.slurm
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  reference:
    description:
      - What to get. A registry's image (V(postgres:17), V(docker://...), V(oras://...), V(library://...)), an archive
        (V(oci-archive:PATH), V(docker-archive:PATH)), a definition file (V(PATH.def)), or the path of an existing SIF
        file or sandbox directory.
      - A path is used where it lies, unless O(dest) or O(cache_dir) is given; then a SIF file is built from it.
    type: str
    required: true
    aliases: [image]
  digest:
    description:
      - Pins the image to V(sha256:...). For a registry's image this is the digest of its manifest, which replaces the
        tag; for everything else the SHA-256 of the SIF file.
    type: str
  dest:
    description: Path of the SIF file.
    type: path
  cache_dir:
    description:
      - Directory for SIF files, in which each image has a name of its own.
      - That of an archive or a definition file goes by its content. Copies share it, and a change makes another.
    type: path
  state:
    description:
      - V(present) - the image is there.
      - V(absent) - the file O(dest), or the image's file in O(cache_dir), is not there, nor what lies beside it.
    type: str
    choices: [present, absent]
    default: present
  force:
    description: Whether to get the image again although it is there, such as for a tag that has moved.
    type: bool
    default: false
  verify:
    description: Whether to compare an image that is there with its checksum. Takes seconds per gigabyte.
    type: bool
    default: false
  runtime:
    description: The container runtime, by name or path.
    type: str
    default: apptainer
  no_https:
    description: Whether the registry speaks HTTP only.
    type: bool
    default: false
  build_args:
    description: Options for C(apptainer build), word by word. The default for a definition file is C(--fakeroot).
    type: list
    elements: str
    default: []
  runtime_cache_dir:
    description: Directory for the runtime's own cache (C(APPTAINER_CACHEDIR)). The default is below the home directory.
    type: path
  runtime_tmp_dir:
    description: Directory for the runtime's temporary files (C(APPTAINER_TMPDIR)).
    type: path
  lock_timeout_s:
    description: Seconds to wait while somebody else gets the same image.
    type: int
    default: 3600
  job:
    description: Get the image inside a Slurm job with these options, instead of on the target host itself.
    type: dict
    suboptions:
      account:
        description: Account that pays.
        type: str
      partition:
        description: Partition. Choose the cheapest whose nodes reach the registry.
        type: str
      qos:
        description: Quality of service.
        type: str
      time_limit:
        description: Time limit.
        type: str
        default: "01:00:00"
      cpus_per_task:
        description: Number of CPUs.
        type: int
      memory:
        description: Memory, such as V(16G).
        type: str
      modules:
        description: Environment modules to load in the job, such as V(Apptainer/1.3.6-GCCcore-13.3.0).
        type: list
        elements: str
        default: []
      python:
        description: Python 3.6 or newer on the compute node.
        type: str
        default: python3
      shell:
        description: First line of the job script, without C(#!).
        type: str
        default: /bin/bash -l
      args:
        description: Further options of C(sbatch), word by word.
        type: list
        elements: str
        default: []
      timeout_s:
        description: Seconds to wait for the job.
        type: int
        default: 7200
seealso:
  - module: aifactory.benchmark.slurm_job
"""

EXAMPLES = r"""
- name: Have PostgreSQL 17 in a cache on scratch
  aifactory.benchmark.apptainer_image:
    reference: postgres:17
    cache_dir: /project/scratch/p200981/images
  register: image

- name: Where it is
  ansible.builtin.debug:
    msg: "{{ image.path }} (SHA-256 {{ image.sha256 }})"

- name: Pull on a compute node, where alone Apptainer is to be had, exactly this image
  aifactory.benchmark.apptainer_image:
    reference: docker://docker.io/vllm/vllm-openai
    digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    cache_dir: /project/scratch/p200981/images
    job:
      account: p200981
      partition: cpu
      qos: default
      time_limit: "02:00:00"
      modules: [env/release/2024.1, Apptainer/1.3.6-GCCcore-13.3.0]

- name: Build from a definition file
  aifactory.benchmark.apptainer_image:
    reference: /home/users/u100000/tools.def
    dest: /project/scratch/p200981/images/tools.sif
"""

RETURN = r"""
path:
  description: Path of the image.
  returned: success
  type: str
  sample: /project/scratch/p200981/images/docker.io_library_postgres_17-99a960ff48.sif
type:
  description: V(sif), V(sandbox), or V(absent).
  returned: success
  type: str
sha256:
  description: SHA-256 of the SIF file. None of a sandbox directory.
  returned: O(state=present)
  type: str
bytes:
  description: Size of the SIF file in bytes. None of a sandbox directory.
  returned: O(state=present)
  type: int
reference:
  description: The reference in full, with its digest if it is pinned.
  returned: O(state=present)
  type: str
  sample: docker://docker.io/library/postgres:17
digest:
  description: The digest that the image is pinned to.
  returned: O(state=present)
  type: str
source:
  description: V(sha256:...) of the archive or definition file that it was built from.
  returned: O(state=present)
  type: str
job_id:
  description: The Slurm job that got the image.
  returned: when a job was needed
  type: str
calls:
  description: How often each of Slurm's commands was run.
  returned: always
  type: dict
"""

import hashlib
import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer import fetch, image, source
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import job_task
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.module import (
    COMMON_OPTIONS,
    client_of,
    own_user,
    told_to_user,
)

JOB_OPTIONS = {
    "account": {"type": "str"},
    "partition": {"type": "str"},
    "qos": {"type": "str"},
    "time_limit": {"type": "str", "default": "01:00:00"},
    "cpus_per_task": {"type": "int"},
    "memory": {"type": "str"},
    "modules": {"type": "list", "elements": "str", "default": []},
    "python": {"type": "str", "default": "python3"},
    "shell": {"type": "str", "default": "/bin/bash -l"},
    "args": {"type": "list", "elements": "str", "default": []},
    "timeout_s": {"type": "int", "default": 7200},
}
OPTIONS = {
    "reference": {"type": "str", "required": True, "aliases": ["image"]},
    "digest": {"type": "str"},
    "dest": {"type": "path"},
    "cache_dir": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
    "verify": {"type": "bool", "default": False},
    "runtime": {"type": "str", "default": "apptainer"},
    "no_https": {"type": "bool", "default": False},
    "build_args": {"type": "list", "elements": "str", "default": []},
    "runtime_cache_dir": {"type": "path"},
    "runtime_tmp_dir": {"type": "path"},
    "lock_timeout_s": {"type": "int", "default": 3600},
    "job": {"type": "dict", "options": JOB_OPTIONS},
}
LOG_LINES = 15


def place(params):
    """The path of the SIF file that is asked for; None where the image is used where it lies."""
    if not params["cache_dir"]:
        return params["dest"]
    reference = params["reference"]
    content = source.content_of(reference)
    name = source.cache_name(reference, content) if content else image.cache_name(reference, params["digest"])
    return os.path.join(params["cache_dir"], name)


def existing(module, reference):
    """What an image is that is used where it lies."""
    path = image.local_path(reference)
    facts = image.describe(path)
    if facts is None:
        module.fail_json(
            msg="reference: there is nothing at {0} on this host (give the path of a SIF file)".format(path)
        )
    if facts["type"] == "sif" and facts["sha256"] is None:
        facts["sha256"] = image.sha256_file(path)
    wanted = module.params["digest"]
    if wanted and wanted != "sha256:{0}".format(facts["sha256"]):
        module.fail_json(
            msg="digest: {0} is sha256:{1}, not {2} (it is another image)".format(path, facts["sha256"], wanted)
        )
    return facts


def submit(module, client, dest, stem):
    """Submit the job that gets the image, unless it is there; its id. Its files begin with stem."""
    job = module.params["job"]
    options = ("account", "partition", "qos", "time_limit", "cpus_per_task", "memory")
    args = job_task.arguments({option: job[option] for option in options}, args=job["args"])
    args += ["--output=" + stem + ".log", "--ntasks=1", "--nodes=1"]
    environment = image.environment(module.params["runtime_cache_dir"], module.params["runtime_tmp_dir"])
    if environment:
        args += ["--export=ALL," + ",".join("=".join(item) for item in sorted(environment.items()))]
    name, deadline_s = os.path.basename(stem), module.params["deadline_s"]
    found = client.patiently(lambda: client.find(name, own_user()), deadline_s)
    there, ignore = job_task.choose(found, job_task.RERUN_ALWAYS)
    if there:
        return there.id
    if not os.path.isdir(os.path.dirname(stem)):
        os.makedirs(os.path.dirname(stem))
    fetch.bundle(stem + ".pyz")
    with open(stem + ".sh", "w") as stream:
        stream.write(fetch.script(dict(module.params, dest=dest), job, stem + ".pyz"))
    submitted = client.submit_once(
        name, stem + ".sh", args, own_user(), ignore=ignore, look="none", deadline_s=deadline_s
    )
    return submitted.job_id


def in_job(module, client, dest):
    """Have the image by a Slurm job; its facts."""
    name = "aifactory-image-" + hashlib.sha256(dest.encode()).hexdigest()[:12]
    stem = os.path.join(os.path.dirname(dest), ".fetch", name)
    job_id = submit(module, client, dest, stem)
    try:
        job_task.wait(client, job_id, "finished", module.params["job"]["timeout_s"])
    except SlurmError as error:
        if error.kind == "job_failed" and os.path.exists(stem + ".log"):
            with open(stem + ".log") as stream:
                last = stream.read().strip().splitlines()[-LOG_LINES:]
            error.remedy = "its log {0}.log ends:\n{1}".format(stem, "\n".join(last))
        raise
    facts = image.up_to_date(module.params["reference"], dest, module.params["digest"])
    if facts is None:
        module.fail_json(
            msg="job {0} has ended, but {1} is not here: choose a dest or cache_dir on a file system that the compute "
            "nodes share with this host".format(job_id, dest)
        )
    for ending in (".pyz", ".sh", ".log"):
        if os.path.exists(stem + ending):
            os.unlink(stem + ending)
    return dict(facts, changed=True, job_id=job_id)


def present(module, client, dest):
    """Have the image; the module's result."""
    params = module.params
    there = None if params["force"] else image.up_to_date(params["reference"], dest, params["digest"])
    if there and params["verify"] and image.sha256_file(dest) != there["sha256"]:
        module.fail_json(
            msg="{0} does not have its checksum {1}: it is damaged (set force to get it again)".format(
                dest, there["sha256"]
            )
        )
    full = image.normalise(params["reference"], params["digest"])
    diff = {"before": "", "after": "{0}: {1}\n".format(dest, full)}
    if there:
        return dict(there, changed=False, diff={"before": diff["after"], "after": diff["after"]})
    if module.check_mode:
        return {"changed": True, "path": dest, "type": "sif", "reference": full, "diff": diff}
    if params["job"]:
        return dict(in_job(module, client, dest), diff=diff)

    environment = image.environment(params["runtime_cache_dir"], params["runtime_tmp_dir"])
    facts = image.ensure(
        params["reference"],
        dest,
        params["runtime"],
        lambda argv, env: module.run_command(argv, environ_update=env, errors="surrogate_then_replace"),
        params["lock_timeout_s"],
        digest=params["digest"],
        force=params["force"],
        no_https=params["no_https"],
        build_args=params["build_args"],
        env=environment,
    )
    return dict(facts, diff=diff)


def absent(module, dest):
    """Have no such file; the module's result."""
    there = os.path.lexists(dest)
    diff = {"before": dest + "\n" if there else "", "after": ""}
    changed = there if module.check_mode else image.remove(dest)
    return {"changed": changed, "path": dest, "type": "absent", "diff": diff}


def main():
    module = AnsibleModule(
        argument_spec=dict(COMMON_OPTIONS, **OPTIONS),
        mutually_exclusive=[("dest", "cache_dir")],
        supports_check_mode=True,
    )
    params = module.params
    if params["digest"] and not image.is_digest(params["digest"]):
        module.fail_json(
            msg='digest: "{0}" is no digest (write sha256: and 64 hexadecimal digits)'.format(params["digest"])
        )
    client = client_of(module)
    try:
        dest = place(params)
    except EnvironmentError as error:
        module.fail_json(
            msg="reference: {0}: {1} (name a file that this host can read)".format(error.filename, error.strerror)
        )
    if not dest and (image.kind(params["reference"]) != image.PATH or params["state"] == "absent"):
        module.fail_json(msg="give dest (the SIF file) or cache_dir (a directory for SIF files)")
    try:
        with told_to_user(module, client):
            if params["state"] == "absent":
                result = absent(module, dest)
            elif not dest:
                result = dict(existing(module, params["reference"]), changed=False)
            else:
                result = present(module, client, dest)
    except (image.ImageError, EnvironmentError) as error:
        module.fail_json(msg=str(error), calls=client.counts)
    module.exit_json(calls=client.counts, **result)


if __name__ == "__main__":
    main()
