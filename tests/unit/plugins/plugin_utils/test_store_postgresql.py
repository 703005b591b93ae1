# SPDX-License-Identifier: MIT
"""A store in a real PostgreSQL: what is wrong with it is told, and its password is not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.store import Store, StoreError

from ..module_utils.load.vector.vector_servers import sql
from . import samples
from .store_places import PASSWORD, WRITTEN_PASSWORD, new_database, postgresql, record
from .test_finish import finished
from .test_optional import BASE, without

ROOT = Path(__file__).resolve().parents[4]


def problem(tmp_path, url):
    with pytest.raises(StoreError) as caught, Store(tmp_path, url) as store:
        store.ids()
    chain = [caught.value]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    assert "hunter2" not in repr(chain)
    return str(caught.value)


def test_a_wrong_address_or_login_is_told_without_the_password(tmp_path, postgresql_server):
    good = new_database(postgresql_server)
    wrong = good.replace(WRITTEN_PASSWORD, "hunter2")
    assert 'password authentication failed for user "postgres"' in problem(tmp_path, wrong)
    assert 'database "nothere" does not exist' in problem(tmp_path, good.rsplit("/", 1)[0] + "/nothere")
    told = problem(tmp_path, "postgresql://me:hunter2@127.0.0.1:1/x")
    assert "the store postgresql://me@127.0.0.1:1/x cannot be used" in told
    assert "Connection refused" in told
    assert "check that the server answers" in told
    assert "failed to resolve host" in problem(tmp_path, "postgres://me:hunter2@nowhere.invalid/x")


def test_a_user_who_may_not_make_tables_is_told(tmp_path, postgresql_server):
    good = new_database(postgresql_server)
    sql(postgresql_server, "CREATE ROLE reader LOGIN PASSWORD 'hunter2'")
    sql(postgresql_server, f"REVOKE CREATE ON DATABASE {good.rsplit('/', 1)[1]} FROM PUBLIC")
    url = good.replace(f"postgres:{WRITTEN_PASSWORD}", "reader:hunter2")
    with sa.create_engine(good.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
        connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    told = problem(tmp_path, url)
    assert "permission denied for schema public" in told
    assert "must be allowed to create tables" in told


def test_a_server_that_is_silent_is_not_waited_for_without_end(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql://me:hunter2@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=2"
        assert "timeout expired" in problem(tmp_path, url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@127.0.0.1:99x/x",
        "postgresql://me:hunter2@[::1/x",
        "postgresql://hunter2:hunter2",
        "postgresql+asyncpg://me:hunter2@127.0.0.1/x",
        "mysql://me:hunter2@127.0.0.1/x",
        "postgresql://127.0.0.1:1/x?password=hunter2",
        "postgresql://127.0.0.1:1/x?password=hunter2&nonsense=hunter2",
        "hunter2",
        "sqlite://",
        12,
    ],
)
def test_a_url_that_is_wrong_is_told_without_the_password(tmp_path, url):
    told = problem(tmp_path, url)
    assert "benchmark_store_url" in told


@pytest.mark.parametrize("part", ["@", ":", "/", "?", "#", "@host", "x/@", "1?@"])
def test_a_password_that_is_not_encoded_is_not_shown(tmp_path, part):
    told = problem(tmp_path, f"postgresql://me:hunter2{part}hunter2@127.0.0.1:1/x")
    assert "(%40 for @)" in told or "Connection refused" in told


def test_the_password_may_come_from_elsewhere(tmp_path, postgresql_server, monkeypatch):
    url = new_database(postgresql_server).replace(f":{WRITTEN_PASSWORD}", "")
    file = tmp_path / "passwords"
    file.write_text(f"*:*:*:postgres:{PASSWORD}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    port = postgresql_server.port
    several = url.replace(f"127.0.0.1:{port}", f"127.0.0.1:1,127.0.0.1:{port}")
    for each in (url, url.replace("postgresql:", "postgresql+psycopg:"), several):
        with Store(tmp_path, each) as store:
            assert store.ids() == set()


def test_the_driver_is_named_when_it_is_missing(tmp_path):
    program = f"from {BASE}.store import Store; Store({str(tmp_path)!r}, 'postgresql://me:hunter2@127.0.0.1/x')"
    told = without("psycopg", program)
    assert "needs the Python package psycopg on the controller: pip install 'psycopg[binary]'" in told
    assert "hunter2" not in told


def test_a_server_that_comes_back_is_used_again(tmp_path):
    with postgresql() as server:
        url = new_database(server)
        with Store(tmp_path, url) as store:
            store.upsert(record())
            database = url.rsplit("/", 1)[1]
            sql(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
            store.upsert(record(1))  # its connection had been cut
            assert len(store.ids()) == 2
            server.end()
            with pytest.raises(StoreError, match="Connection refused"):
                store.upsert(record(2))


def play(name, home, url, *options):
    """(exit code, all that was written) of a playbook, as told everything that Ansible can tell."""
    variables = home / "variables.json"
    variables.write_text(json.dumps({"benchmark_home": str(home), "benchmark_store_url": url}))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(ROOT / "playbooks" / f"{name}.yml")]
    environment = {
        **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "NO_COLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
    }  # fmt: skip
    command += ["-e", f"@{variables}", *options]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_plays_show_no_password(tmp_path, postgresql_server):
    run, _record = finished(tmp_path, "finished")
    good = new_database(postgresql_server)
    for url, code in ((good, 0), (good.replace(WRITTEN_PASSWORD, "hunter2"), 2), ("postgresql://me:hunter2@::x", 2)):
        found, text = play("list", tmp_path, url, "-vvvvv")
        assert found == code, text
        assert (run.id in text) == (code == 0)
        for secret in ("hunter2", PASSWORD, WRITTEN_PASSWORD):
            assert secret not in text
        assert "Traceback" not in text


def test_a_run_whose_server_is_away_is_in_the_store_afterwards(tmp_path, postgresql_server):
    run, _record = finished(tmp_path, "finished")
    code, text = play("report", tmp_path, "postgresql://me:hunter2@127.0.0.1:1/x", "-vvv")
    assert code == 0, text
    assert "not in the store yet" in " ".join(text.split())
    assert "hunter2" not in text
    assert run.has("report.html")
    url = new_database(postgresql_server)
    code, text = play("list", tmp_path, url)
    assert code == 0, text
    with Store(tmp_path, url) as store:
        assert store.ids() == {run.id}
        assert len(store.results([run.id])) == len(run.results(merged=True))
    assert not list((tmp_path / "unstored").iterdir())


def test_controllers_share_a_store(tmp_path, postgresql_server):
    url = new_database(postgresql_server)
    homes = [tmp_path / "one", tmp_path / "two"]
    runs = [samples.make(home, "finished", seed) for seed, home in enumerate(homes, start=1)]
    for home in homes:
        code, text = play("list", home, url)
        assert code == 0, text
    assert all(run.id in text for run in runs), "the second sees the first one's runs"
    nobody = tmp_path / "nobody"
    nobody.mkdir()
    for reference in (runs[0].id, runs[0].id[:-1] + "1"):
        code, text = play("summary", nobody, url, "-e", f"run={reference}")
        assert code == 0, text
        assert f"run {runs[0].id}" in text
        assert "on the controller that made the run" in text
    assert play("summary", nobody, url, "-e", "run=latest")[0] == 0
    assert "no run of third" in play("summary", nobody, url, "-i", "third,", "-l", "third")[1]
    assert "beginning of several runs" in play("summary", nobody, url, "-e", "run=2026")[1]
    assert "there is no run '2027'" in play("summary", nobody, url, "-e", "run=2027")[1]
