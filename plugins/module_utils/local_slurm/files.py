# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a local cluster: folders, configuration, keys, device nodes, database."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import binascii
import collections
import hashlib
import json
import os
import pwd
import stat
import subprocess

from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import processes

PASSWORD_MARK = "@DATABASE_PASSWORD@"

Item = collections.namedtuple("Item", "path text mode owner")

# name: (mode, owner)
FOLDERS = (
    ("", 0o755, "root"),
    ("conf", 0o755, "root"),
    ("run", 0o755, "root"),
    ("log", 0o755, "slurm"),
    ("state", 0o755, "root"),
    ("state/slurmctld", 0o700, "slurm"),
    ("spool", 0o755, "root"),
    ("db", 0o750, "mysql"),
    ("munge", 0o755, "munge"),
    ("ssh", 0o755, "root"),
    ("ssh/authorized_keys", 0o755, "root"),
    ("dev", 0o755, "root"),
    ("tmp", 0o1777, "root"),
    ("rest", 0o755, "nobody"),
)


class FilesError(Exception):
    """A file could not be made as it must be; the message is for the user."""


def digest(value):
    """A short digest of any JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def write(path, text, mode=0o600, owner="root"):
    """Write a whole file by renaming, so that no reader sees a part of it, with its mode from the start."""
    temporary = path + ".new"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
        os.fchmod(stream.fileno(), mode)
        user = pwd.getpwnam(owner)
        os.fchown(stream.fileno(), user.pw_uid, user.pw_gid)
    os.rename(temporary, path)


def random_text(count):
    """So many random bytes, as hexadecimal digits."""
    return binascii.hexlify(os.urandom(count)).decode()


def configuration(cluster):
    """The files of conf and their text, with the database password filled in.

    :returns: list of Item
    """
    password = (processes.read_text(cluster.path("conf", "database.password")) or "").strip()
    items = []
    for name, template in sorted(cluster.params["files"].items()):
        secret = PASSWORD_MARK in template
        text = template.replace(PASSWORD_MARK, password)
        items.append(Item(cluster.path("conf", name), text, 0o600 if secret else 0o644, "slurm" if secret else "root"))
    if cluster.root:
        for name in ("passwd", "group"):
            items.append(Item(cluster.path("conf", name), merged_names(cluster, name), 0o644, "root"))
        for name in ("hosts", "resolv.conf", "subuid", "subgid"):
            text = processes.read_text(os.path.join("/etc", name)) or ""
            items.append(Item(cluster.path("conf", name), text, 0o644, "root"))
    for user in cluster.params["users"]:
        path = cluster.path("ssh", "authorized_keys", user)
        text = merged_keys(processes.read_text(path) or "", cluster.params["public_keys"])
        items.append(Item(path, text, 0o644, "root"))
    return items


def merged_keys(present, wanted):
    """The text of an authorized_keys file: keys of others stay, for several people may use the cluster."""
    lines = present.splitlines()
    lines += [key.strip() for key in wanted if key.strip() not in lines]
    return "".join(line + "\n" for line in lines)


def merged_names(cluster, name):
    """The tree's own passwd or group (``/etc/NAME.dist``) with this machine's numbers for the users of the cluster.

    Files of the cluster lie in one folder for both, so slurm, munge and the users must have the same
    numbers inside and outside.
    """
    shared = ["slurm", "munge"] + cluster.params["users"]
    with open(os.path.join(cluster.root, "etc", name + ".dist")) as stream:
        lines = [line for line in stream.read().splitlines() if line.split(":")[0] not in shared]
    with open(os.path.join("/etc", name)) as stream:
        lines += sorted(line for line in stream.read().splitlines() if line.split(":")[0] in shared)
    return "\n".join(lines) + "\n"


def differing(items):
    """Those items whose file has another text, mode or owner."""
    return [item for item in items if not _is_as_wanted(item)]


def _is_as_wanted(item):
    if processes.read_text(item.path) != item.text:
        return False
    status = os.stat(item.path)
    return stat.S_IMODE(status.st_mode) == item.mode and status.st_uid == pwd.getpwnam(item.owner).pw_uid


def pending(cluster):
    """What lay_out would do, told without doing it."""
    if not os.path.isdir(cluster.dir):
        return ["create " + cluster.dir]
    return ["write " + item.path for item in differing(configuration(cluster))]


def lay_out(cluster):
    """Make folders, secrets, device nodes and configuration. :returns: what was done."""
    done = make_folders(cluster)
    done += make_secrets(cluster)
    done += make_devices(cluster)
    for item in differing(configuration(cluster)):
        write(*item)
        done.append("write " + item.path)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # sshd's privilege separation demands it
    return done


def make_folders(cluster):
    """Folders of the cluster, and those that it shares with the others. :returns: what was done."""
    done = []
    wanted = [(cluster.path(name), mode, owner) for name, mode, owner in FOLDERS]
    wanted += [(cluster.path("spool", node), 0o755, "root") for node in cluster.nodes]
    # What the clusters share: images, and scratch space where every user has a folder.
    wanted += [(os.path.join(cluster.base, "images"), 0o755, "root")]
    wanted += [(os.path.join(cluster.base, "scratch"), 0o1777, "root")]
    wanted += [(os.path.join(cluster.base, "scratch", user), 0o700, user) for user in cluster.params["users"]]
    for path, mode, owner in wanted:
        user = pwd.getpwnam(owner)
        if not os.path.isdir(path):
            os.makedirs(path)
            done.append("create " + path)
        status = os.stat(path)
        if stat.S_IMODE(status.st_mode) != mode:
            os.chmod(path, mode)
        if status.st_uid != user.pw_uid:
            os.chown(path, user.pw_uid, user.pw_gid)
    return done


def make_secrets(cluster):
    """The munge key, the database password, the key of tokens and the host key, each made once."""
    done = []
    wanted = [
        (cluster.path("munge", "munge.key"), "munge", 0o400),
        (cluster.path("conf", "database.password"), "root", 0o600),
    ]
    if cluster.rest_port:
        wanted.append((cluster.path("state", "jwt_hs256.key"), "slurm", 0o600))
    for path, owner, mode in wanted:
        if not os.path.exists(path):
            write(path, random_text(32), mode, owner)
            done.append("create " + path)
    host_key = cluster.path("ssh", "host_key")
    if not os.path.exists(host_key):
        checked(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", cluster.name, "-f", host_key])
        done.append("create " + host_key)
    return done


def make_devices(cluster):
    """Device nodes that stand for GPUs: the null device under the names that gres.conf gives."""
    done = []
    for number in range(cluster.params["gpus_per_node"]):
        path = cluster.path("dev", "gpu{0}".format(number))
        if not os.path.exists(path):
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            os.chmod(path, 0o666)
            done.append("create " + path)
    return done


def make_database(data, log):
    """Initialise MariaDB's data folder; root of the database is root of the machine, through the socket."""
    command = ["mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir=" + data, "--skip-test-db"]
    command += ["--auth-root-authentication-method=socket", "--skip-name-resolve"]
    write(log, checked(command), 0o644)


def checked(command):
    """Run a command and return its output.

    :raises FilesError: with the output, when it fails
    """
    process = subprocess.Popen(  # pylint: disable=ansible-bad-function
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    output = process.communicate()[0]
    if process.returncode != 0:
        raise FilesError("{0} failed with status {1}:\n{2}".format(command[0], process.returncode, output.strip()))
    return output
