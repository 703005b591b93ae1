# SPDX-License-Identifier: MIT
"""Each source against the real server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.metrics import sources

from ...load.servers import free_ports, redis, running
from ...load.vector.vector_servers import PASSWORD, chroma, postgresql


def target(server, options, connection=None, **secrets):
    return sources.Target("127.0.0.1", server.port, options, connection or {}, secrets.get)


def read(source):
    try:
        return {(name, labels): (kind, value) for name, labels, kind, value in source.read()}
    finally:
        source.close()


def test_redis(tmp_path):
    with redis(tmp_path, "--requirepass", "word") as server:
        source = sources.RedisInfo(target(server, {"secret": "password"}, password="word"))
        before = source.read()
        source.redis.call("SET", "a", "1")
        found = read(source)
    assert before
    assert found["redis_connected_clients", ""][0] == "gauge"
    kind, calls = found["redis_total_commands_processed", ""]
    assert kind == "counter" and calls >= 2
    assert found["redis_cmdstat_calls", 'cmd="set"'] == ("counter", 1.0)
    assert found["redis_db_keys", 'db="0"'] == ("gauge", 1.0)


def test_a_wrong_password_is_said(tmp_path):
    with redis(tmp_path, "--requirepass", "word") as server:
        source = sources.RedisInfo(target(server, {"secret": "password"}, password="wrong"))
        with pytest.raises(sources.SourceError, match=r"AUTH.*WRONGPASS"):
            source.read()


def test_postgresql():
    with postgresql() as server:
        options, known = {"secret": "password"}, server.service["connection"]
        source = sources.Postgresql(target(server, options, known, password=PASSWORD))
        first = read(source)
        source.read()
        source.client.query('CREATE TABLE "a ""b"" c" AS SELECT 1 AS x')
        source.client.query('SELECT * FROM "a ""b"" c"')
        second = read(source)
    commits = "pg_stat_database_xact_commit", ""
    assert first[commits][0] == "counter" and second[commits][1] >= first[commits][1]
    assert first["pg_stat_database_numbackends", ""] == ("gauge", 1.0)
    assert ("pg_stat_wal_wal_records", "") in first
    assert ("pg_stat_database_datid", "") not in first
    table = r'schemaname="public",relname="a \"b\" c"'
    assert ("pg_stat_user_tables_seq_scan", table) not in first
    assert ("pg_stat_user_tables_seq_scan", table) in second
    assert second["pg_stat_user_tables_n_dead_tup", table] == ("gauge", 0.0)


def test_postgresql_says_who_reads_and_writes():
    row = {"backend_type": "client backend", "object": "relation", "context": "normal", "reads": 7, "op_bytes": 8192}
    row |= {"write_time": 1.5, "fsyncs": None, "stats_reset": "2026-11-20T10:00:00+00:00"}
    label = 'backend_type="client backend",context="normal"'
    assert list(sources.Postgresql.samples("pg_stat_io", row)) == [
        ("pg_stat_io_reads", label, "counter", 7.0),
        ("pg_stat_io_write_time", label, "counter", 1.5),
    ]


def test_nginx(tmp_path):
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("nginx is not installed (apt-get install nginx-light)")
    (port,) = free_ports(1)
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}; server {{ listen 127.0.0.1:{port};"
        " location = /status { stub_status; } location / { return 200 ok; } } }"
    )
    argv = [program, "-e", "stderr", "-c", str(conf)]
    with running(argv, tmp_path, port, "", lambda: _answers(port)) as server:
        source = sources.Nginx(target(server, {"path": "/status"}))
        first = read(source)
        second = read(source)
        with pytest.raises(sources.SourceError, match="no stub_status"):
            read(sources.Nginx(target(server, {"path": "/"})))
    name = "nginx_http_requests_total", ""
    assert first[name][0] == "counter" and second[name][1] == first[name][1] + 1
    assert first["nginx_connections_active", ""] == ("gauge", 1.0)


def _answers(port):
    done = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/"], check=False, stdout=subprocess.DEVNULL)
    return done.returncode == 0


def test_chroma():
    with chroma() as server:
        found = read(sources.Chroma(target(server, {})))
    assert found == {("chromadb_collections", ""): ("gauge", 0.0), ("chromadb_records", ""): ("gauge", 0.0)}


def test_every_source_is_a_choice_of_recipes():
    schema = (Path(__file__).parents[6] / "docs/recipe.schema.json").read_text()
    assert all(f'"{name}"' in schema for name in sources.SOURCES)
