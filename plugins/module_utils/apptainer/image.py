# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Container images as files: which file stands for a reference, and how it gets there. Standard library only.

Pure: normalise, cache_name, pull_argv, environment. With I/O: sha256_file, describe, ensure. The module
apptainer_image and the agent in a job (`agent.pyz image`) use the same functions.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.lock import Lock, LockTimeout
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer.source import content_of, sha256_file

# Kinds of references.
REGISTRY = "registry"  # docker://, oras://, library:// ...: pulled
ARCHIVE = "archive"  # oci-archive:, docker-archive:, oci:: built from
DEFINITION = "definition"  # a definition file: built from
PATH = "path"  # a SIF file or a sandbox directory: used as it is

_ARCHIVES = ("oci-archive:", "docker-archive:", "docker-daemon:", "oci:")
_REMEDIES = (
    (r"manifest unknown|not found: not found|MANIFEST_UNKNOWN|no such (?:image|tag)", "check the name and the tag"),
    (
        r"unauthorized|(?<!ermission )denied|authentication required|UNAUTHORIZED",
        "check the name; a private image needs a login",
    ),
    (
        r"connection refused|no such host|network is unreachable|i/o timeout|TLS handshake|dial tcp",
        "the registry cannot be reached from this host: pull inside a job (option job), or use another registry",
    ),
    (r"no space left|[Dd]isk quota", "make room, or set APPTAINER_CACHEDIR and APPTAINER_TMPDIR to scratch"),
    (r"toomanyrequests|TOOMANYREQUESTS|429", "the registry limits pulls: log in, or try again later"),
    (r"server gave HTTP response to HTTPS", "the registry does not speak TLS: set no_https"),
    (
        r"(?m)^(?:FATAL|ERROR|WARNING).*(?:fakeroot|newuidmap|subuid|user namespace|setgroups)",
        "this host does not let ordinary users build: build it elsewhere (apptainer build NAME.sif NAME.def), copy the "
        "SIF file to the cluster, and name its path",
    ),
)
_DEFINITION_REMEDY = "correct the definition, or build it elsewhere and name the SIF file's path"
_TAIL_LINES = 20


class ImageError(Exception):
    """An image that cannot be had: what failed, the runtime's own words, and what to do.

    log_tail (list of str): the end of what the runtime wrote.
    """

    def __init__(self, message, log_tail=()):
        super().__init__(message)
        self.log_tail = list(log_tail)


def is_digest(text):
    """True for `sha256:` and 64 hexadecimal digits."""
    return re.match(r"^sha256:[0-9a-f]{64}$", str(text)) is not None


def kind(reference):
    """REGISTRY, ARCHIVE, DEFINITION or PATH (str) of a reference."""
    if "://" in reference:
        return REGISTRY
    if reference.startswith(_ARCHIVES):
        return ARCHIVE
    if reference.endswith(".def"):
        return DEFINITION
    if reference.startswith(("/", "./", "../", "~", "$")) or reference.endswith((".sif", ".img")):
        return PATH
    return REGISTRY


def normalise(reference, digest=None):
    """The full form (str) of a reference, pinned to a digest (`sha256:...`) if there is one.

    `postgres:17` is `docker://docker.io/library/postgres:17`; a digest replaces the tag, as Apptainer does not take
    both. The rules are those of Docker references.
    """
    if kind(reference) != REGISTRY:
        return reference
    scheme, separator, rest = reference.partition("://")
    if not separator:
        scheme, rest = "docker", reference
    if scheme == "docker":
        first, slash, name = rest.partition("/")
        if not (slash and ("." in first or ":" in first or first == "localhost")):
            first, name = "docker.io", rest
        if first in ("index.docker.io", "registry-1.docker.io"):
            first = "docker.io"
        if first == "docker.io" and "/" not in name:
            name = "library/" + name
        name, _at, pinned = name.partition("@")
        pinned = digest or pinned
        bare, _colon, tag = name.partition(":")
        rest = first + "/" + bare + ("@" + pinned if pinned else ":" + (tag or "latest"))
    elif digest and scheme == "oras":
        head, slash, last = rest.rpartition("/")
        rest = head + slash + last.split("@")[0].split(":")[0] + "@" + digest
    return scheme + "://" + rest


def local_path(reference):
    """The path (str) that a reference of kind PATH means on this host, `~` and variables put in."""
    return os.path.expanduser(os.path.expandvars(reference))


def cache_name(reference, digest=None):
    """The file name (str) that stands for a reference in a cache directory: readable, and different for every image."""
    full = normalise(reference, digest)
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", full.partition("://")[2] or full).strip("_")
    readable = re.sub(r"@?sha256_?[0-9a-f]{8,}", "", readable)[-80:].strip("_.-")
    return "{0}-{1}.sif".format(readable, hashlib.sha256(full.encode()).hexdigest()[:10])


def pull_argv(runtime, reference, dest, digest=None, *, no_https=False, build_args=()):
    """The command line (list of str) that makes the SIF file `dest` of a reference; dest must not exist."""
    full = normalise(reference, digest)
    if kind(reference) == REGISTRY:
        return [runtime, "pull"] + (["--no-https"] if no_https else []) + [dest, full]
    options = list(build_args) or (["--fakeroot"] if kind(reference) == DEFINITION else [])
    return [runtime, "build"] + (["--no-https"] if no_https else []) + options + [dest, full]


def environment(cache_dir=None, tmp_dir=None):
    """Environment variables (dict) for the runtime's own cache and temporary files, under both of its names."""
    found = {}
    for prefix in ("APPTAINER_", "SINGULARITY_"):
        if cache_dir:
            found[prefix + "CACHEDIR"] = cache_dir
        if tmp_dir:
            found[prefix + "TMPDIR"] = tmp_dir
    return found


def execute(argv, env=None):
    """(rc, stdout, stderr) of a command; rc 127 when it is not there. The usual `run` for ensure."""
    full = dict(os.environ, **(env or {}))
    try:
        # in a job there is no AnsibleModule whose run_command could be called
        done = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, env=full, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EACCES):
            raise
        return 127, "", "{0}: {1}".format(argv[0], error.strerror)
    stdout, stderr = done.communicate()
    return done.returncode, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace")


def _read(path):
    try:
        with open(path) as stream:
            return stream.read()
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return None


def describe(path):
    """What an image file is (dict): path, type (sif, sandbox), bytes, sha256 (None of a sandbox), reference, digest,
    source (`sha256:...` of the archive or definition that it was built from).

    The SHA-256 is the one beside it (PATH.sha256) when that is newer than the image, else None. None (instead of
    the dict) when there is nothing at the path.
    """
    if os.path.isdir(path):
        unknown = dict.fromkeys(("bytes", "sha256", "reference", "digest", "source"))
        return dict(unknown, path=path, type="sandbox")
    if not os.path.exists(path):
        return None
    facts = {"path": path, "type": "sif", "bytes": os.path.getsize(path), "sha256": None}
    beside = _read(path + ".sha256")
    if beside and os.path.getmtime(path + ".sha256") >= os.path.getmtime(path):
        facts["sha256"] = beside.split()[0]
    origin = json.loads(_read(path + ".json") or "{}")
    facts.update((name, origin.get(name)) for name in ("reference", "digest", "source"))
    return facts


def _write(path, text):
    part = "{0}.{1}.part".format(path, os.getpid())
    with open(part, "w") as stream:
        stream.write(text)
    os.rename(part, path)


def _write_beside(path, facts):
    _write(path + ".json", json.dumps(facts, indent=1, sort_keys=True) + "\n")
    _write(path + ".sha256", "{0}  {1}\n".format(facts["sha256"], os.path.basename(path)))


def up_to_date(reference, dest, digest=None):
    """The facts (dict, see describe) of dest when it is the image of this reference and has its checksum, else None.

    What is built from a file goes by the file's content, as long as the file is there.
    """
    facts = describe(dest)
    if facts is None or facts["type"] != "sif" or facts["sha256"] is None:
        return None
    try:
        content = content_of(reference)
    except OSError:
        content = None
    if content and facts["source"]:
        return facts if facts["source"] == content else None
    return facts if facts["reference"] in (None, normalise(reference, digest)) else None


def _explain(argv, rc, stderr, made_of):
    lines = [line for line in stderr.splitlines() if line.strip() and not line.startswith("INFO:")]
    said = "; ".join(line.strip() for line in lines[-3:]) or "no message"
    if rc == 127:
        remedy = "the container runtime is not on this host's PATH: load its module, or pull inside a job (option job)"
    else:
        unknown = _DEFINITION_REMEDY if made_of == DEFINITION else "see the runtime's message"
        remedy = next((text for pattern, text in _REMEDIES if re.search(pattern, "\n".join(lines))), unknown)
    return "{0} {1}: exit status {2}: {3} ({4})".format(argv[0], argv[1], rc, said, remedy)


def _make(reference, dest, digest, *, argv_of, run, resolve):
    """Make dest of a reference, or leave nothing. The caller holds the lock."""
    part = "{0}.{1}.part.sif".format(dest, os.getpid())
    # a tag may move between the question and the pull: what was told is what is pulled
    found = resolve(normalise(reference)) if digest is None and kind(reference) == REGISTRY else None
    argv = argv_of(part, digest or found)
    content = _content(reference)
    try:
        rc, stdout, stderr = run(argv)
        if rc != 0 or not os.path.exists(part):
            why = _explain(argv, rc, stderr, kind(reference))
            tail = (stdout.splitlines() + stderr.splitlines())[-_TAIL_LINES:]
            raise ImageError("cannot get the image {0}: {1}".format(reference, why), tail)
        checksum = sha256_file(part)
        if digest and kind(reference) != REGISTRY and digest != "sha256:" + checksum:
            raise ImageError(
                "the image {0} is sha256:{1}, not {2} as asked for: it was changed, or the digest is another "
                "image's".format(reference, checksum, digest)
            )
        facts = {
            "path": dest,
            "type": "sif",
            "bytes": os.path.getsize(part),
            "sha256": checksum,
            "reference": normalise(reference, digest),
            "digest": digest or found,
            "source": content,
            "made_at_s": int(time.time()),
        }
        os.rename(part, dest)
        _write_beside(dest, facts)
    finally:
        if os.path.exists(part):
            os.unlink(part)
    return facts


def _content(reference):
    try:
        return content_of(reference)
    except OSError as error:
        raise ImageError(
            "cannot get the image {0}: {1}: {2} (name a file that this host can read, by its absolute path)".format(
                reference, error.filename, error.strerror
            )
        )


def ensure(reference, dest, runtime="apptainer", run=execute, lock_timeout_s=3600.0, **options):
    """Have the image of a reference as the SIF file `dest`; returns its facts (dict, see describe) with `changed`.

    Under a lock beside dest: of many that want the same image one gets it and the others wait. dest appears at once
    and whole, with dest.sha256 (for sha256sum -c) and dest.json beside it. run(argv, env) → (rc, stdout, stderr).
    options: digest (`sha256:...`: of the manifest for a registry's image, else of the file), force (bool: get it
    again), no_https (bool), build_args (list of str), env (dict), credentials (user and password of the registry, or
    None for those that the runtime knows). A tag is looked up once, and the digest that it means is pulled and kept in
    the facts. Raises ImageError.
    """
    digest, force, env = options.pop("digest", None), options.pop("force", False), options.pop("env", None)
    credentials = options.pop("credentials", None)
    env = dict(env or {}, **registry.environment(credentials))

    def argv_of(part, pinned):
        return pull_argv(runtime, reference, part, pinned, **options)

    def resolve(full):
        return registry.resolve(full, credentials, options.get("no_https", False))

    there = None if force else up_to_date(reference, dest, digest)
    if there:
        return dict(there, changed=False)
    if not os.path.isdir(os.path.dirname(dest) or "."):
        os.makedirs(os.path.dirname(dest))
    try:
        with Lock(dest + ".lock", lock_timeout_s):
            there = None if force else up_to_date(reference, dest, digest)
            if there:
                return dict(there, changed=False)
            facts = describe(dest)
            if facts and facts["type"] == "sif" and facts["reference"] is None and not force:
                # Somebody put it there without a checksum: keep it, and write down what it is.
                facts["sha256"] = sha256_file(dest)
                _write_beside(dest, facts)
            else:
                facts = _make(
                    reference, dest, digest, argv_of=argv_of, run=lambda argv: run(argv, env), resolve=resolve
                )
    except LockTimeout as error:
        raise ImageError("cannot get the image {0}: {1}; remove it if that process is gone".format(reference, error))
    return dict(facts, changed=True)


def remove(dest):
    """Remove an image file, sandbox directory included, with what lies beside it; True when there was something."""
    there = [path for path in (dest, dest + ".sha256", dest + ".json") if os.path.lexists(path)]
    for path in there:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    return bool(there)
