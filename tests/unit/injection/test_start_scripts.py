# SPDX-License-Identifier: MIT
"""What a recipe's settings are to the scripts that start the services: text for the server, and never a command."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from .conftest import count, recipes
from .hostile import CONTROL, lines, texts
from .renderer import Call, Shell

SERVERS = ("nginx", "initdb", "postgres", "redis-server", "minio", "vllm", "ollama", "tritonserver", "llama-server",
           "milvus", "qdrant", "chroma")  # fmt: skip
ADDRESS = {"SERVICE_ADDRESS": "127.0.0.1", "SERVICE_PORT": "4000", "SERVICE_RANK": "0", "SERVICE_RANKS": "1"}
NAMES = texts(least=1)
DICTS = st.dictionaries(NAMES, texts(), max_size=6)
TREES = st.dictionaries(
    texts(), texts() | st.lists(texts(), max_size=3) | st.dictionaries(texts(), texts(), max_size=3)
)
ARGUMENTS = st.lists(texts(), max_size=6)


@pytest.fixture(scope="module")
def start(render, folder, tmp_path_factory):
    """Runs the start script of a service type with these settings: (calls, the folder that is /aifactory)."""
    shell = Shell(tmp_path_factory.mktemp("start"), *SERVERS)
    root = shell.folder / "aifactory"

    def run(kind: str, settings: dict[str, Any], *, strict: bool = True) -> tuple[list[Call], Path] | str:
        count(settings)
        service = {"type": kind, "image": "/i.sif", "settings": settings}
        answer = render(folder, {"service": service, "client": {"command": "c"}})
        if "refused" in answer:
            return answer["refused"]
        shutil.rmtree(root, ignore_errors=True)
        for name in ("data/pgdata", "secrets", "scratch", "model", "models"):
            (root / name).mkdir(parents=True)
        for name in ("password", "api_key", "token"):
            (root / "secrets" / name).write_text("the-secret\n")
        script = answer["files"]["start.sh"].replace("/aifactory/", f"{root}/")
        script = script.replace('[ -x "$bin/initdb" ]', "false")  # the host's own must not be found
        ports = dict.fromkeys(re.findall(r"SERVICE_PORT_[A-Z_]+", script), "4001")
        env = {**ADDRESS, **ports, "SERVICE_DATA": str(root / "data"), "SERVICE_SECRETS": str(root / "secrets")}
        return shell.run(script, shell="sh", env=env, strict=strict), root

    return run


def server(calls: list[Call], name: str) -> Call:
    return [call for call in calls if call.name == name][-1]


@recipes
@given(workers=lines(), config=texts(), files=st.dictionaries(texts(least=1), st.integers(0, 9), max_size=4))
def test_nginx(workers, config, files, start):
    found = start("nginx", {"worker_processes": workers, "server_config": config, "files": files})
    if isinstance(found, str):
        assert "service.settings.files" in found or "worker_processes" in found
        return
    _calls, root = found
    written = (root / "data/nginx.conf").read_bytes().decode()
    assert written.startswith(f"worker_processes {workers};\n")
    assert (root / "data/server.conf").read_bytes().decode() == f"{config}\n"
    assert {path.name: path.stat().st_size for path in (root / "data/files").iterdir()} == files


def pg_value(text: str) -> str:
    """What PostgreSQL reads in the quotes of postgresql.conf (GUC_scanstr)."""
    plain = re.sub(r"''|\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1] or "'"), text, flags=re.S)
    return plain


@recipes
@given(buffers=texts(), user=texts(least=1), database=texts(least=1), extra=DICTS)
def test_postgresql(buffers, user, database, extra, start):
    settings = {"shared_buffers": buffers, "user": user, "database": database, "extra_parameters": extra}
    found = start("postgresql", settings)
    if isinstance(found, str):
        bad = [name for name in (user, database) if set(name) & set(CONTROL)]
        bad += [name for name in extra if not re.fullmatch(r"[A-Za-z_][\w.]*", name, re.ASCII)]
        assert bad and "service.settings" in found
        return
    calls, root = found
    assert f"--username={user}" in server(calls, "initdb").args
    lines_ = (root / "data/pgdata/postgresql.conf").read_bytes().decode().split("\n")
    conf = dict(re.fullmatch(r"([\w.]+) = '(.*)'", line, re.S).groups() for line in lines_ if line)
    assert pg_value(conf["shared_buffers"]) == extra.get("shared_buffers", buffers)
    assert {name: pg_value(conf[name]) for name in extra} == extra
    statement = "".join(call.given for call in calls)
    escaped = database.replace('"', '""')
    assert statement == ("" if database == "postgres" else f'CREATE DATABASE "{escaped}"\n')


def redis_words(line: str) -> list[str]:
    """What Redis reads in a line of its configuration (sdssplitargs)."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    read = {"n": "\n", "r": "\r"}
    return [re.sub(r"\\(.)", lambda found: read.get(found[1], found[1]), quoted) or bare for quoted, bare in words]


@recipes
@given(memory=texts(), save=texts(), extra=DICTS)
def test_redis(memory, save, extra, start):
    found = start("redis", {"maxmemory": memory, "save": save, "extra_parameters": extra})
    if isinstance(found, str):
        assert "service.settings" in found
        assert [name for name in extra if not re.fullmatch(r"[a-z0-9-]+", name)] or not re.fullmatch(r"[0-9 ]*", save)
        return
    _calls, root = found
    text = (root / "data/redis.conf").read_bytes().decode()
    conf = {words[0]: words[1:] for words in map(redis_words, text.split("\n")) if words}
    assert conf["maxmemory"] == [memory]
    assert {name: conf[name] for name in extra} == {name: [value] for name, value in extra.items()}
    assert conf["requirepass"] == ["the-secret"]


@recipes
@given(storage=texts(least=1), extra=DICTS)
def test_minio(storage, extra, start):
    found = start("minio", {"storage_class": storage, "extra_environment": extra})
    if isinstance(found, str):
        assert "service.settings.extra_environment" in found
        assert [name for name in extra if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)]
        return
    env = server(found[0], "minio").env
    assert env["MINIO_STORAGE_CLASS_STANDARD"] == storage
    assert {name: env[name] for name in extra} == extra


@recipes
@given(model=texts(least=1), name=texts(least=1), arguments=ARGUMENTS)
def test_vllm(model, name, arguments, start):
    settings = {"model": model.lstrip("/") or "m", "served_model_name": name, "extra_arguments": arguments}
    args = server(start("vllm", settings)[0], "vllm").args
    assert args[:2] == ["serve", settings["model"]]
    assert args[args.index("--served-model-name") + 1] == name
    assert args[len(args) - len(arguments) :] == arguments


@recipes
@given(models=st.lists(texts(least=1), min_size=1, max_size=3), alive=lines().filter(str.strip))
def test_ollama(models, alive, start):
    calls, _root = start("ollama", {"models": models, "keep_alive": alive})
    used = {call.args[1] for call in calls if call.args[0] in ("show", "pull", "run")}
    assert used == set(models)
    assert server(calls, "ollama").env["OLLAMA_KEEP_ALIVE"] == alive.strip()


@recipes
@given(models=ARGUMENTS, arguments=ARGUMENTS)
def test_triton(models, arguments, start):
    settings = {"model_repository": "/models", "load_models": models, "extra_arguments": arguments}
    args = server(start("triton", settings)[0], "tritonserver").args
    wanted = [f"--load-model={model}" for model in models] + arguments
    assert args[len(args) - len(wanted) :] == wanted


@recipes
@given(model=texts(least=1), alias=texts(least=1), arguments=ARGUMENTS)
def test_llamacpp(model, alias, arguments, start):
    """The model is not there: what the script says of it is a message. Then it is."""
    settings = {"model": f"/models/{model}", "alias": alias, "extra_arguments": arguments}
    start("llamacpp", settings, strict=False)
    settings["model"] = "/models/m.gguf"
    found = start("llamacpp", settings, strict=False)
    assert not isinstance(found, str)


@recipes
@given(extra=TREES)
@pytest.mark.parametrize(("kind", "file"), [("qdrant", "config.yaml"), ("milvus", "conf/milvus.yaml")])
def test_trees(extra, kind, file, start):
    key = {"qdrant": "extra_config", "milvus": "extra_parameters"}[kind]
    _calls, root = start(kind, {key: extra})
    written = yaml.safe_load((root / "data" / file).read_bytes())
    assert {name: written[name] for name in extra} == extra


@recipes
@given(python=texts())
def test_faiss(python, start):
    start("faiss", {"python": python}, strict=False)
