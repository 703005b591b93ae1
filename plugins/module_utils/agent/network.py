# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a service listens: an address that other nodes reach, and a port that nobody else has."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import random
import socket
import struct

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError

_SIOCGIFADDR = 0x8915  # linux/sockios.h
# Below net.ipv4.ip_local_port_range's usual start, so that no outgoing connection takes the port meanwhile.
_FREE_PORTS = (20000, 32000)
_TRIES = 100


def interface_address(name):
    """The IPv4 address (str) of a network interface. Raises AgentError."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            found = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        except OSError as e:
            raise AgentError(
                "network interface %r has no IPv4 address on %s (%s): set benchmark_service_interface to one of %s"
                % (name, socket.gethostname(), e.strerror, ", ".join(sorted(os.listdir("/sys/class/net"))))
            )
    return socket.inet_ntoa(found[20:24])


def service_address(interface=None):
    """The address (str) to listen on: the interface's, else the one that this node's name resolves to."""
    if interface:
        return interface_address(interface)
    names = [os.environ.get("SLURMD_NODENAME"), socket.gethostname()]
    tried = []
    for name in [name for name in names if name]:
        address = resolve(name)
        if address and can_bind(address, 0):
            return address
        tried.append("%s: %s" % (name, address or "unknown"))
    raise AgentError(
        "no name of this node resolves to an address of its own (%s): set benchmark_service_interface"
        % "; ".join(tried)
    )


def resolve(name):
    """The IPv4 address (str) of a host name, or None."""
    try:
        return socket.gethostbyname(name)
    except OSError:
        return None


def host_for(address):
    """A host name that resolves to `address` on this node, else the address itself."""
    for name in (socket.gethostname(), os.environ.get("SLURMD_NODENAME")):
        if name and resolve(name) == address:
            return name
    return address


def can_bind(address, port):
    """True when a server could listen there now. SO_REUSEADDR as servers set it: a port in TIME_WAIT is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            if port:
                probe.listen(1)
        except OSError as e:
            if e.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                return False
            raise
    return True


def accepts(address, port, timeout_s=1.0):
    """True when something accepts connections there."""
    try:
        socket.create_connection((address, port), timeout_s).close()
    except OSError:
        return False
    return True


class PortClaim:
    """A port that no other agent on this node takes between our choice and the service's own bind.

    The claim is an abstract socket: the kernel drops it with the process, and no file is left.
    """

    def __init__(self, address, preferred):
        self.claim = None
        self.port = None
        draw = random.SystemRandom()
        for port in [preferred] + [draw.randrange(*_FREE_PORTS) for number in range(_TRIES)]:
            if port and self._take(address, port):
                self.port = port
                return
        raise AgentError("no free port was found on %s" % address)

    def _take(self, address, port):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind("\0aifactory-port-%s-%d" % (address, port))
        except OSError:
            claim.close()
            return False
        if not can_bind(address, port):
            claim.close()
            return False
        self.claim = claim
        return True
