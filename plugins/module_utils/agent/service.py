# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The service job: starts the container, finds out when it is healthy, publishes it, and ends it in order.

Nothing of it is left when this is over, and the event `stopped` says how that was found out.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal
import threading
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import (
    diagnosis,
    gpu_memory,
    gpu_telemetry,
    members,
    model_files,
    network,
    node,
    node_dirs,
    node_record,
    process_tree,
    run_dir,
    slurm_usage,
    surroundings,
    time_limit,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError, explain
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import EventLog, node_name
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.live import endpoint as live
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.scraper import Scraper
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics.sources import Target
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.probes import Prober
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.telemetry import Sampler
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.usage import Usage

_TICK_S = 0.1
_SIGNS_EVERY_S = 0.25  # looking at the shared file system costs more than looking at a process
_SIGNAL_GRACE_S = 0.5
_OTHERS_STOP_S = 15.0  # what members need to end besides their container's grace


class _End(Exception):
    """The service is to end, and not because it failed."""

    def __init__(self, reason, exit_code=0):
        super().__init__(reason)
        self.exit_code = exit_code


class _MemberFailed(AgentError):
    """Another member of the service failed, and said why."""


class Supervisor:
    """Runs one service, or one member of it. spec: spec.json (dict); argv (list of str): runs its container."""

    def __init__(self, spec, argv):
        self.spec = spec
        self.service = spec["service"]
        self.dir = run_dir.RunDir(spec)
        self.members = members.Members(spec, self.dir)
        self.name = self.members.service_name(self.service["name"])
        self.events = EventLog(self.dir.path("events", self.members.file("service.jsonl")), "service")
        self.log_path = self.dir.logs(self.members.file("service.log"))
        companion = self.members.companion
        self.data_dir = node_dirs.path(spec, run_dir.service_part(spec))
        self.argv = argv
        if self.members.several:
            numbered = "%s-%d" % (self.data_dir, self.members.index)
            self.argv = [word.replace(self.data_dir + "-%t", numbered) for word in argv]
            self.data_dir = numbered
        self.owns_data = False
        self.secrets_dir = os.path.join(self.dir.root, "secrets", *filter(None, [companion]))
        self.gpu_memory = self.address = self.port = self.process = self.prober = None
        self.sampler = self.gpu_sampler = self.scraper = self.models = self.live = None
        self.claims = {}  # by the name of the port; the service's own has none
        self.signal = None
        self.wake = threading.Event()
        self.signs = set()
        self.signs_read_at = 0.0

    # -- the life of the service ----------------------------------------------------------------

    def run(self):
        """From start to end. Returns the exit code of the job: 0, 1 (the service failed) or 128 + signal."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        process_tree.become_subreaper()
        self.events.emit("job_started", job_id=os.environ.get("SLURM_JOB_ID"))
        heartbeat = run_dir.Heartbeat(self.dir.control(members.alive_file(self.members.index, self.members.companion)))
        heartbeat.start()
        try:
            code = self._serve()
        finally:
            clean = self._clean_up()
            heartbeat.stop()
        return code if clean else code or 1

    def _serve(self):
        try:
            self._prepare()
            self._start()
            self._until_healthy()
            self._until_done()
        except _End as end:
            self.events.emit("stopping", reason=str(end))
            if end.exit_code:
                self._tell_clients(str(end))
            return end.exit_code
        except (AgentError, OSError) as e:
            self._failed(e)
            return 1

    def _on_signal(self, number, frame):
        self.signal = number
        self.wake.set()

    def _prepare(self):
        """Address, ports, secrets, data directory."""
        run_dir.reserve(self.dir.control(self.members.file("service.reserve")))
        run_dir.refuse_second_start()
        self.address = network.service_address(self.spec.get("service_interface"))
        wanted = dict(self.service.get("ports") or {})
        if self.service.get("port") is not None:
            wanted[""] = self.service["port"]
        self.claims = {name: network.PortClaim(self.address, port) for name, port in sorted(wanted.items())}
        if "" in self.claims:
            self.port = self.claims[""].port
        self._metrics_port(self.service.get("metrics") or {})  # what is wrong with it is said before the start
        if self.members.leads:  # before it tells the others that it is there
            surroundings.make_secrets(
                self.secrets_dir, self.service.get("secrets") or [], self.service.get("hashed_secrets") or ()
            )
        if self.service.get("data"):
            node_dirs.make(self.data_dir)
            self.owns_data = True
        ports = {name: claim.port for name, claim in self.claims.items()}
        self.members.meet({"address": self.address, "ports": ports, "node": node_name()}, self._check_signs)
        self.members.meet_companions(self._check_signs)

    def _start(self):
        env = surroundings.environment(
            self.spec, self._variables, self.data_dir, self.secrets_dir, self.members.gpu_variables()
        )
        self.gpu_memory = gpu_memory.GpuMemory()
        with open(self.log_path, "ab") as log:
            self.process = surroundings.start(self.argv, env, log)
        self.started_at = time.time()
        self.events.emit("container_started", pid=self.process.pid, port=self.port, **self._identity())
        # the container is starting meanwhile: asking costs the service nothing
        described = node.describe(self.spec.get("runtime"))
        self.events.emit("node_described", **described)
        self.live = live.start(self.spec, self.members.file("service.x")[:-2], "service", self.events, self.address)
        if os.environ.get("SLURM_LOCALID", "0") == "0" or not self.members.several:  # one of every node
            # a driver may take seconds to answer
            record = (self.dir, self.spec, run_dir.service_part(self.spec), described)
            threading.Thread(target=node_record.write, args=record, name="node record", daemon=True).start()
            path = self.dir.path("telemetry", "service-%s.csv" % node_name())
            self.sampler = Sampler(path, Usage(), tell=self.live and self.live.node)
            self.sampler.start()
            path = self.dir.path("telemetry", "gpu-%s.csv" % node_name())
            self.gpu_sampler = gpu_telemetry.start(path, self.events, self.live and self.live.gpu)

    def _until_healthy(self):
        # a member that nobody talks to is well as long as it lives
        health = (self.service.get("health") or {}) if self.members.serves else {"type": "process"}
        deadline_s = float(health.get("deadline_s") or 120)
        port = self._health_port(health)
        variables = dict(os.environ, **self._variables(self.data_dir, self.secrets_dir))
        self.prober = Prober(health, self.address, port, variables)
        self.prober.start()
        while not self.prober.healthy.is_set():
            self._check("while it was starting")
            if time.time() - self.started_at > deadline_s:
                raise AgentError(
                    "the service was not healthy after %g s: %s" % (deadline_s, self.prober.missing), self._log_tail()
                )
            self.wake.wait(_TICK_S)
        self._check("while it was starting")
        self._publish(time.time())
        self._begin_metrics()
        if self.members.leads:  # now its files are there, whoever fetched them
            self.models = model_files.Reader(self.service.get("models") or [])
            self.models.start()

    def _publish(self, healthy_at):
        """Tell the clients; of several members the first does so when all are healthy."""
        endpoint = self._endpoint(healthy_at) if self.members.serves else None
        if self.members.several or self.members.companion:
            self._emit_of_member("healthy", t=healthy_at, after_s=round(healthy_at - self.started_at, 3))
        services = self.members.all_healthy(endpoint, lambda: self._check("while the others were starting"))
        if self.members.companion and self.members.leads:
            name = members.endpoint_file(self.members.companion)
            run_dir.write_json(self.dir.control(name), {"services": services})
        elif self.members.speaks:
            last_at = time.time() if self.members.several else healthy_at
            jobs = slurm_usage.job_ids(os.environ)
            found = {"services": services, "companions": self.members.endpoints, "jobs": jobs}
            run_dir.write_json(self.dir.control(run_dir.ENDPOINT), found)
            self.events.emit("healthy", t=last_at, after_s=round(last_at - self.started_at, 3))

    def _emit_of_member(self, event, **fields):
        """What one of several members, or a companion, says of itself alone."""
        self.events.emit("member_" + event, **dict(self._identity(), **fields))

    def _identity(self):
        return {"member": self.members.index, "service": self.service["name"]}

    def _begin_metrics(self):
        """The service's own metrics, from now on, where it has any."""
        options = self.service.get("metrics") or {}
        port = self._metrics_port(options)
        if port is None or not self.members.serves:
            return
        target = Target(self.address, port, options, self.service.get("connection") or {}, self._secret)
        path = self.dir.path("metrics", "%s.csv" % run_dir.file_name(self.name))
        self.scraper = Scraper(target, path, tell=self.live and self.live.service(self.name))
        self.scraper.start()
        self.events.emit("metrics_started", service=self.name, type=options["type"], port=port,
                         interval_s=self.scraper.interval_s, show=options.get("show") or [])  # fmt: skip

    def _metrics_port(self, options):
        """The port that is asked for metrics. None: nobody is asked."""
        if (options.get("type") or "none") == "none":
            return None
        port = self._port_of(options.get("port"))
        if port is None:
            raise AgentError("metrics need a port, and this service has none: give service.metrics.port")
        return port

    def _port_of(self, name):
        """The number of a port (its number or its name in `ports`; None or empty: the service's own), None without."""
        if isinstance(name, int):
            return name
        claim = self.claims.get(name or "")
        return claim.port if claim else None

    def _health_port(self, health):
        """The port that is asked whether the service is healthy: `port` of its health, else the service's own."""
        port = self._port_of(health.get("port"))
        if port is None and health.get("port"):
            raise AgentError("service.health.port is %r, and the service has no such port" % health["port"])
        return port

    def _secret(self, name):
        """A secret that was made for this run, None where there is none of that name."""
        if name not in (self.service.get("secrets") or []):
            return None
        with open(os.path.join(self.secrets_dir, name)) as stream:
            return stream.read().strip()

    def _until_done(self):
        """Serve until the clients are done, are lost, never come, or somebody says stop."""
        pulse = run_dir.Pulse(self.dir.control(run_dir.CLIENTS_ALIVE))
        deadline_s = self.service.get("client_deadline_s")
        healthy_at = time.monotonic()
        while True:
            self._check("while it was needed")
            if run_dir.CLIENTS_DONE in self.signs:
                raise _End("the clients are done")
            silent_s = pulse.silent_s()
            if silent_s is None:
                if deadline_s and time.monotonic() - healthy_at > deadline_s:
                    raise _End("no client came within %g s" % deadline_s)
            elif silent_s > run_dir.STALE_S:
                raise _End("the clients gave no sign of life for %g s" % run_dir.STALE_S)
            self.wake.wait(_SIGNS_EVERY_S)

    def _check(self, when):
        """Raises _End when told to end, AgentError when the container has ended by itself or another member has."""
        code = self.process.poll()
        if code is not None and self.signal is None:
            # Slurm signals all processes of a job at once: perhaps our signal is on its way, too.
            self.wake.wait(_SIGNAL_GRACE_S)
        self._check_signs(when)
        if code is not None and run_dir.CLIENTS_DONE not in self.dir.signs():
            raise AgentError("the service ended with exit code %d %s" % (code, when), self._log_tail(), code)

    def _check_signs(self, when="while it was starting"):
        """The part of _check that does not need a container."""
        now = time.monotonic()
        if now - self.signs_read_at >= _SIGNS_EVERY_S:
            self.signs, self.signs_read_at = self.dir.signs(), now
        if self.signal is not None:
            why = time_limit.why_ended(self.signal, self.service.get("time_limit_s"), "service", when)
            raise _End(why, 128 + self.signal)
        if run_dir.STOP in self.signs:
            raise _End("stop was requested")
        if run_dir.SERVICE_FAILED in self.signs and not self.members.alone:
            failed = run_dir.read_json(self.dir.control(run_dir.SERVICE_FAILED), 5)
            error = _MemberFailed(failed["reason"], failed.get("log_tail"), failed.get("exit_code"))
            error.log = failed.get("log")
            raise error
        self.members.check()

    def _failed(self, error):
        exit_code = getattr(error, "exit_code", None)
        cause = diagnosis.explain(self.log_path, exit_code) if self.process else ""
        reason = "; ".join(text for text in (explain(error), cause) if text)
        log = getattr(error, "log", None) or "logs/" + os.path.basename(self.log_path)
        fields = {"exit_code": exit_code, "log_tail": getattr(error, "log_tail", []), "log": log}
        if isinstance(error, _MemberFailed):  # known already: member 0 says it for all
            if self.members.speaks:
                self.events.emit("service_failed", reason=str(error), **fields)
            return
        if self.members.who():
            reason = "%s on %s: %s" % (self.members.who(), node_name(), reason)
        if self.members.speaks:
            self.events.emit("service_failed", reason=reason, **fields)
        else:
            self._emit_of_member("failed", reason=reason, **fields)
        self._tell_clients(reason, **fields)

    def _tell_clients(self, reason, exit_code=None, log_tail=(), log=None):
        """So that they do not measure a service that is going away. What was said first is what counts."""
        if run_dir.SERVICE_FAILED in self.dir.signs():
            return
        failed = {"reason": reason, "exit_code": exit_code, "log_tail": list(log_tail), "log": log}
        run_dir.write_json(self.dir.control(run_dir.SERVICE_FAILED), failed)

    # -- its end -----------------------------------------------------------------------------------

    def _clean_up(self):
        """End what runs, remove what was made, and report how it is known. True when nothing is left."""
        if self.live:
            self.events.emit("live_done", **self.live.close())
        if self.scraper:
            self.events.emit("metrics_done", **self.scraper.stop())
        if self.gpu_sampler:
            self.events.emit("gpu_telemetry_done", **self.gpu_sampler.stop())
        for model in self.models.found() if self.models else ():
            self.events.emit("model_described", service=self.service["name"], **model)
        if self.prober:
            self.prober.stop()
        if self.sampler:
            self.events.emit("telemetry_done", **self.sampler.stop())
        left, grace_s = [], float(self.service.get("stop_grace_s") or 10)
        if self.process:
            number = getattr(signal, "SIG" + (self.service.get("stop_signal") or "TERM"))
            left = process_tree.end_all(self.process.pid, number, grace_s)
        ports = [claim.port for claim in self.claims.values()]
        closed = None if not ports else not any(network.accepts(self.address, port) for port in ports)
        removed, problem = None, None
        if self.owns_data:
            problem = node_dirs.remove(self.data_dir)
            removed = not os.path.lexists(self.data_dir)
        # of all members, and the others may still have a question to ask with them
        secrets_problem = node_dirs.remove(self.secrets_dir) if self.members.speaks else None
        self.members.until_others_stopped(grace_s + _OTHERS_STOP_S)
        self.events.emit(
            "stopped",
            exit_code=self.process.poll() if self.process else None,
            port_closed=closed,
            processes_left=len(left),
            data_removed=removed,
            gpu_memory_freed=self.gpu_memory.freed() if self.gpu_memory else None,
            secrets_removed=not os.path.lexists(self.secrets_dir) if self.members.speaks else None,
            problems=["%d %s is still running" % (process.pid, process.name) for process in left]
            + [text for text in (problem, secrets_problem) if text],
            **self._identity(),
        )
        self.members.say_stopped()
        return not left and closed is not False and removed is not False

    # -- what the container and the clients are told -------------------------------------------------

    def _variables(self, data, secrets_dir):
        """SERVICE_* (dict of str) for this member."""
        found = {
            "SERVICE_NAME": self.name,
            "SERVICE_ADDRESS": self.address,
            "SERVICE_PORT": "" if self.port is None else str(self.port),
            "SERVICE_DATA": data,
            "SERVICE_SECRETS": secrets_dir,
            "BENCHMARK_ID": self.spec["run_id"],
        }
        found.update(("SERVICE_PORT_" + name.upper(), str(claim.port)) for name, claim in self.claims.items() if name)
        found.update(self.members.variables())
        return found

    def _endpoint(self, healthy_at):
        host = network.host_for(self.address)
        url = None
        if self.port is not None:
            url = "%s://%s:%d" % (self.service.get("scheme") or "tcp", host, self.port)
        return {
            "name": self.name,
            "replica": self.members.replica,
            "host": host,
            "address": self.address,
            "port": self.port,
            "url": url,
            "connection": self.service.get("connection") or {},
            "node": node_name(),
            "healthy_at": round(healthy_at, 6),
        }

    def _log_tail(self):
        return run_dir.tail(self.log_path)
