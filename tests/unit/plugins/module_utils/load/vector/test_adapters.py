# SPDX-License-Identifier: MIT
"""Every adapter through a whole run: what it reports is checked at the server, and against an own brute force."""

from __future__ import annotations

import json
import math
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import faiss
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.adapter import collection_name
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from tests.integration.standin import qdrant

from . import standin_milvus
from .conftest import mean, set_up_metrics
from .truth_of_tests import queries, recall, steps, vectors
from .vector_servers import PASSWORD, ask, chroma, faiss_python, faiss_server, milvus, postgresql, sql

METRICS = ("l2", "cosine", "ip")
NAME = collection_name("run")
HNSW = {"type": "hnsw", "m": 4, "ef_construction": 20}


@pytest.fixture(scope="module")
def chroma_server():
    with chroma() as server:
        yield server


@pytest.fixture(scope="module")
def milvus_server():
    with milvus() as server:
        yield server


@pytest.fixture(scope="module")
def pgvector_server():
    with postgresql() as server:
        yield server


def check_result(result, run):
    """What every adapter reports of a case of 40 operations."""
    assert result["errors"] == {} and result["operations"] == 40
    assert result["histograms"]["recall"]["count"] == 40
    assert result["histograms"]["recall_by_distance"]["count"] == 40
    assert result["histograms"]["response_time"]["count"] == 40
    metrics = set_up_metrics(result)
    assert metrics["vectors"] == run.data.size == 2000
    assert metrics["insert_rate"] > 0 and metrics["time_to_searchable"] >= 2000 / metrics["insert_rate"]
    rows = json.loads((Path(run.context.run_dir) / "results" / "setup-metrics.json").read_text())
    assert rows == [list(row) for row in result["statistics"]]


def mean_recall(run, answer):
    """That of the server's answers (answer: callable, a query -> ids), worked out here."""
    rows = vectors(run.data)
    shares = [recall(run.settings["metric"], query, rows, answer(list(query))) for query in queries(run.data)]
    return math.fsum(shares) / len(shares)


def flat(rows):
    return [value for row in rows for value in row]


# -- Chroma --------------------------------------------------------------------------------------------

CHROMA = "/api/v2/tenants/default_tenant/databases/default_database/collections"


def chroma_answer(url, name):
    made = ask(f"{url}{CHROMA}/{name}")
    assert ask(f"{url}{CHROMA}/{made['id']}/count") == 2000

    def answer(query):
        body = {"query_embeddings": [query], "n_results": 10, "include": []}
        return [int(found) for found in ask(f"{url}{CHROMA}/{made['id']}/query", body)["ids"][0]]

    return answer


@pytest.mark.parametrize("metric", METRICS)
def test_chroma(chroma_server, vector_run, metric):
    url = chroma_server.service["url"]
    settings = {"adapter": "chroma", "metric": metric, "index": HNSW, "search": {"ef": 10}, "insert_clients": 2}
    with vector_run(chroma_server, settings) as run:
        result = run.case()
        check_result(result, run)
        assert mean(result, "recall") == pytest.approx(mean_recall(run, chroma_answer(url, NAME + "-ef10")))
        if metric == "l2":
            assert 0.2 < mean(result, "recall") < 0.999  # four neighbours and ten candidates are too few
        config = ask(f"{url}{CHROMA}/{NAME}-ef10")["configuration_json"]["hnsw"]
        assert (config["space"], config["max_neighbors"], config["ef_construction"]) == (metric, 4, 20)
        assert "index_build_time" not in set_up_metrics(result)
    assert ask(f"{url}{CHROMA}/{NAME}-ef10") == {"status": 404}


def test_chroma_has_a_collection_for_each_ef_of_a_sweep(chroma_server, vector_run):
    url = chroma_server.service["url"]
    cases = [{"search": {"ef": 10}}, {"search": {"ef": 200}}]
    settings = {"adapter": "chroma", "index": HNSW}
    with vector_run(chroma_server, settings, overrides=cases) as run:
        few, many = (run.case(**case) for case in cases)
        assert mean(few, "recall") + 0.01 < mean(many, "recall")
        assert mean(few, "recall") == pytest.approx(mean_recall(run, chroma_answer(url, NAME + "-ef10")))
        assert mean(many, "recall") == pytest.approx(mean_recall(run, chroma_answer(url, NAME + "-ef200")))
    for ef in (10, 200):
        assert ask(f"{url}{CHROMA}/{NAME}-ef{ef}") == {"status": 404}


def test_chroma_says_which_batch_is_too_large(chroma_server, vector_run):
    with (
        pytest.raises(LoadError, match=r"this Chroma takes at most \d+ vectors at once: lower .*batch_size"),
        vector_run(chroma_server, {"adapter": "chroma", "batch_size": 100000}),
    ):
        pass


# -- Milvus --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_milvus_2_3(milvus_server, vector_run, metric):
    url = milvus_server.service["url"] + "/v1/vector/"
    with vector_run(milvus_server, {"adapter": "milvus", "metric": metric}) as run:
        result = run.case()
        check_result(result, run)
        body = {"collectionName": NAME, "filter": "id >= 0", "outputFields": ["count(*)"], "limit": 0}
        assert ask(url + "query", body)["data"] == [{"count(*)": "2000"}]
        # its own ids are those of the vectors: the vector of an answer is that of our number
        rows = {steps(row): number for number, row in enumerate(vectors(run.data))}

        def answer(query):
            body = {"collectionName": NAME, "vector": query, "limit": 10, "outputFields": ["vector"]}
            found = ask(url + "search", body)["data"]
            return [rows[steps(row["vector"])] for row in found]

        assert mean(result, "recall") == pytest.approx(mean_recall(run, answer), abs=0.005)
        assert mean(result, "recall") > 0.9
    assert NAME not in ask(url + "collections")["data"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"index": {"type": "hnsw"}}, "chooses the index by itself"), ({"search": {"ef": 20}}, "take no parameters")],
)
def test_milvus_2_3_says_what_it_can_not(milvus_server, vector_run, settings, message):
    with (
        pytest.raises(LoadError, match=message),
        vector_run(milvus_server, {"adapter": "milvus", **settings}),
    ):
        pass
    assert NAME not in ask(milvus_server.service["url"] + "/v1/vector/collections")["data"]


@pytest.mark.parametrize("metric", METRICS)
def test_milvus_by_version_2_of_its_api(vector_run, metric):
    """Against a stand-in: exact, so that any other recall than 1 would be the adapter's mistake."""
    settings = {"adapter": "milvus", "metric": metric, "index": HNSW, "search": {"ef": 50}, "secret": "token"}
    with standin_milvus.Milvus(token="root:Milvus", flushes=metric != "ip") as server:
        secrets = {"token": "root:Milvus"}
        with vector_run(server, settings, secrets=secrets) as run:
            result = run.case()
            check_result(result, run)
            assert mean(result, "recall") == mean(result, "recall_by_distance") == 1.0
            rows = server.collections[NAME]["rows"]
            assert flat(rows[number] for number in range(2000)) == pytest.approx(flat(vectors(run.data)))
            index = server.collections[NAME]["index"]
            assert index["params"] == {"index_type": "HNSW", "M": 4, "efConstruction": 20}
            assert 0.3 <= set_up_metrics(result)["index_build_time"] < set_up_metrics(result)["time_to_searchable"]
            searched = [body for path, body in server.requests if path.endswith("/search")]
            assert {json.dumps(body["searchParams"]["params"]) for body in searched} == {'{"ef": 50}'}
        assert server.collections == {}


def test_milvus_takes_user_and_password_that_the_service_was_made_with(vector_run):
    with standin_milvus.Milvus(token="root:the-word") as server:
        server.service["connection"] = {"user": "root", "secret": "password"}
        with vector_run(server, {"adapter": "milvus"}, secrets={"password": "the-word"}) as run:
            assert run.case()["errors"] == {}


def test_milvus_says_with_status_200_that_a_search_failed(vector_run):
    with standin_milvus.Milvus() as server, vector_run(server, {"adapter": "milvus"}) as run:
        server.fails_search = (1100, "ef(5) should be larger than k(10)")
        result = run.case()
    assert result["operations"] == 0
    assert result["errors"]["error 1100"] == {"count": 40, "example": "ef(5) should be larger than k(10)"}


# -- Qdrant (a stand-in) -------------------------------------------------------------------------------


@pytest.mark.parametrize(("metric", "version"), [("l2", "1.13.0"), ("cosine", "1.13.0"), ("ip", "1.9.7")])
def test_qdrant(vector_run, metric, version):
    """The stand-in's answers are exact, so that any other recall than 1 would be the adapter's mistake."""
    settings = {"adapter": "qdrant", "metric": metric, "index": HNSW, "search": {"ef": 64}, "secret": "key"}
    with qdrant.Qdrant(version, api_key="the-key") as server:
        with vector_run(server, settings, secrets={"key": "the-key"}) as run:
            result = run.case()
            check_result(result, run)
            assert mean(result, "recall") == mean(result, "recall_by_distance") == 1.0
            points = server.collections[NAME].points
            assert flat(points[number] for number in range(2000)) == pytest.approx(flat(vectors(run.data)))
            assert server.collections[NAME].body["hnsw_config"] == {"m": 4, "ef_construct": 20}
            assert 0.3 <= set_up_metrics(result)["index_build_time"] < 1.0  # the second of waiting is not in it
            searched = [body for path, body in server.requests if "/points/query" in path or "/points/search" in path]
            assert len(searched) == 41 and {body["params"]["hnsw_ef"] for body in searched} == {64}
        assert server.collections == {}


def test_qdrant_takes_the_key_that_the_service_was_made_with(vector_run):
    with qdrant.Qdrant(api_key="the-key") as server:
        server.service["connection"] = {"secret": "api_key"}
        with vector_run(server, {"adapter": "qdrant"}, secrets={"api_key": "the-key"}) as run:
            assert run.case()["errors"] == {}


def test_qdrant_without_an_index_searches_exactly(vector_run):
    with qdrant.Qdrant() as server, vector_run(server, {"adapter": "qdrant", "index": {"type": "flat"}}) as run:
        result = run.case()
        assert mean(result, "recall") == 1.0
        assert "index_build_time" not in set_up_metrics(result)
        assert all(body["params"] == {"exact": True} for path, body in server.requests if "/points/query" in path)
        assert not any(path.startswith("PATCH") for path, _body in server.requests)


def test_qdrant_that_builds_no_index_is_no_result(vector_run):
    with qdrant.Qdrant() as server:
        server.indexes = False
        with pytest.raises(LoadError, match="Qdrant built no index"), vector_run(server, {"adapter": "qdrant"}):
            pass
        assert server.collections == {}


def test_an_index_that_takes_too_long_is_given_up(vector_run):
    settings = {"adapter": "qdrant", "searchable_deadline_s": 1}
    with qdrant.Qdrant(optimises_s=60) as server:
        with (
            pytest.raises(LoadError, match=r"Qdrant's index \(the collection is yellow\) was not there in time"),
            vector_run(server, settings),
        ):
            pass
        assert server.collections == {}


def test_short_answers_are_errors(vector_run):
    with qdrant.Qdrant() as server, vector_run(server, {"adapter": "qdrant"}) as run:
        server.lacks = 1
        result = run.case()
    assert result["operations"] == 0 and "recall" not in result["histograms"]
    assert result["errors"] == {"wrong row count": {"count": 40, "example": "9 rows (9 different ones) instead of 10"}}


# -- pgvector ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "index", "search"),
    [
        ("l2", HNSW, {"ef": 10}),
        ("cosine", {"type": "ivf", "nlist": 40}, {"nprobe": 2}),
        ("ip", {"type": "flat"}, {}),
    ],
)
def test_pgvector(pgvector_server, vector_run, metric, index, search):
    server = pgvector_server
    settings = {"adapter": "pgvector", "metric": metric, "index": index, "search": search, "insert_clients": 2}
    operator = {"l2": "<->", "cosine": "<=>", "ip": "<#>"}[metric]
    parameter = {"ef": "hnsw.ef_search", "nprobe": "ivfflat.probes"}
    with vector_run(server, settings, secrets={"password": PASSWORD}) as run:
        result = run.case(concurrency=4)
        check_result(result, run)
        assert sql(server, f"SELECT count(*), min(id), max(id) FROM {NAME}") == "2000|0|1999"
        assert json.loads(sql(server, f"SELECT embedding FROM {NAME} WHERE id = 1234")) == pytest.approx(
            vectors(run.data)[1234]
        )
        begin = "LOAD 'vector'; SET enable_seqscan = off; " if search else ""
        begin += "".join(f"SET {parameter[name]} = {value}; " for name, value in search.items())

        def answer(query):
            found = sql(server, f"{begin}SELECT id FROM {NAME} ORDER BY embedding {operator} '{query}' LIMIT 10")
            return [int(line) for line in found.splitlines() if line.isdigit()]

        assert mean(result, "recall") == pytest.approx(mean_recall(run, answer))
        assert (mean(result, "recall") == 1.0) is (not search)
        assert ("index_build_time" in set_up_metrics(result)) is bool(search)
    assert sql(server, f"SELECT to_regclass('{NAME}') IS NULL") == "t"


def test_pgvector_returns_no_more_than_its_candidates(pgvector_server, vector_run):
    """A sweep over k: eleven neighbours of ten candidates are a short answer, and no result."""
    settings = {"adapter": "pgvector", "index": HNSW, "search": {"ef": 10}}
    with vector_run(pgvector_server, settings, secrets={"password": PASSWORD}) as run:
        result = run.case(k=11)
    assert result["errors"]["wrong row count"]["count"] == 40


def test_a_search_that_postgresql_refuses_is_an_error_with_its_text(pgvector_server, vector_run):
    with vector_run(pgvector_server, {"adapter": "pgvector"}, secrets={"password": PASSWORD}) as run:
        sql(pgvector_server, f"TRUNCATE {NAME}; INSERT INTO {NAME} VALUES (1, '[{','.join(['1'] * 32)}]')")
        assert run.case()["errors"] == {
            "wrong row count": {"count": 40, "example": "1 rows (1 different ones) instead of 10"}
        }
        sql(pgvector_server, f"ALTER TABLE {NAME} RENAME COLUMN embedding TO other")
        errors = run.case()["errors"]
        assert errors["connect"]["count"] == 40 and 'column "embedding" does not exist' in errors["connect"]["example"]


# -- Faiss ---------------------------------------------------------------------------------------------

NOWHERE = SimpleNamespace(
    service={"name": "none", "host": "h", "address": "127.0.0.1", "port": None, "url": None}  # nobody is asked
)
FAISS_ANSWERS = """
import json, sys, faiss, numpy
index, queries = faiss.read_index(sys.argv[1]), numpy.array(json.load(sys.stdin), "float32")
if sys.argv[2] != "-":
    name, value = sys.argv[2].split("=")
    faiss.ParameterSpace().set_index_parameter(index, name, int(value))
print(json.dumps([index.search(query[None], 10)[1][0].tolist() for query in queries]))
"""


@pytest.mark.parametrize(
    ("settings", "parameter"),
    [
        ({"metric": "l2", "index": HNSW, "search": {"ef": 10}}, "efSearch=10"),
        (
            {"metric": "cosine", "index": {"type": "ivf", "nlist": 40}, "search": {"nprobe": 2}, "threads": 2},
            "nprobe=2",
        ),
        ({"metric": "ip", "index": {"type": "flat"}}, "-"),
        ({"index": {"factory": "IVF16,SQ8"}, "search": {"nprobe": 16}, "threads": 3}, "nprobe=16"),
    ],
)
def test_faiss(vector_run, settings, parameter):
    python = faiss_python()
    with vector_run(NOWHERE, {"adapter": "faiss", **settings, "python": python}) as run:
        result = run.case(concurrency=4)
        check_result(result, run)
        assert result["in_process"] is True and 0 < result["service_cpu_s"] < 10
        times = result["histograms"]
        assert times["search_time"]["count"] == 40
        assert times["search_time"]["sum"] < times["response_time"]["sum"]
        path = Path(run.context.run_dir) / "vector" / "index.faiss"
        asked = [list(query) for query in queries(run.data)]
        done = subprocess.run(
            [python, "-c", FAISS_ANSWERS, str(path), parameter],
            input=json.dumps(asked), capture_output=True, text=True, check=True,
        )  # fmt: skip
        answers = dict(zip(map(tuple, asked), json.loads(done.stdout), strict=True))
        assert mean(result, "recall") == pytest.approx(mean_recall(run, lambda query: answers[tuple(query)]))
        assert set_up_metrics(result)["index_build_time"] > 0
    assert not path.parent.exists()


def test_faiss_that_is_not_there_is_said(vector_run, tmp_path):
    for python, message in (("false", "its process ended"), (str(tmp_path / "no"), "cannot start")):
        with pytest.raises(LoadError, match=message), vector_run(NOWHERE, {"adapter": "faiss", "python": python}):
            pass
    python = faiss_python()
    settings = {"adapter": "faiss", "python": python, "index": {"factory": "Nothing"}}
    with pytest.raises(LoadError, match="could not parse index string Nothing"), vector_run(NOWHERE, settings):
        pass


def test_a_faiss_that_dies_in_mid_run(vector_run, monkeypatch):
    """What was answered is kept, the rest are errors that say why, and nobody waits for it."""
    made, original = [], faiss.FaissProcess
    monkeypatch.setattr(faiss, "FaissProcess", lambda *arguments: made.append(original(*arguments)) or made[-1])

    def kill_when_busy():
        while len(made) < 2 or made[1]._number < 50:  # the first one is the set-up's
            time.sleep(0.01)
        made[1].process.kill()

    with vector_run(NOWHERE, {"adapter": "faiss", "python": faiss_python()}) as run:
        run.made.order.update(requests=None, duration_s=4.0)
        killer = threading.Thread(target=kill_when_busy, daemon=True)
        killer.start()
        result = run.case(concurrency=2)
        killer.join(10)
    assert result["operations"] > 20
    assert result["errors"]["connection closed"]["count"] == 2
    assert result["errors"]["connect"]["count"] > 0
    for found in ("connection closed", "connect"):
        assert "its process ended (exit code -9)" in result["errors"][found]["example"]


def test_an_unknown_collection_is_dropped_without_complaint(chroma_server, vector_run):
    """A clean-up may be asked for twice, and where nothing was made."""
    with vector_run(chroma_server, {"adapter": "chroma"}) as run:
        run.clean_up()
    assert ask(chroma_server.service["url"] + CHROMA) == []


# -- Faiss behind its HTTP server -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def faiss_http():
    with faiss_server() as server:
        yield server


def faiss_answers(server, path, body=None, method=None, token=PASSWORD):
    """(status, what its JSON says)."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(server.service["url"] + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("index", "search"),
    [
        ({"type": "hnsw", "m": 4, "ef_construction": 20}, {"ef": 10}),
        ({"type": "flat"}, {}),
        ({"factory": "IVF16,SQ8"}, {"nprobe": 2}),
    ],
)
def test_faiss_server(faiss_http, vector_run, metric, index, search):
    settings = {"adapter": "faiss_server", "metric": metric, "index": index, "search": search, "insert_clients": 2}
    with vector_run(faiss_http, settings, secrets={"token": PASSWORD}) as run:
        result = run.case(concurrency=4)
        check_result(result, run)
        path = f"/collections/{NAME}"
        assert faiss_answers(faiss_http, path) == (200, {"count": 2000})
        asked = mean_recall(
            run, lambda query: faiss_answers(faiss_http, path + "/search", {"vector": query, "k": 10})[1]["ids"]
        )
        assert mean(result, "recall") == pytest.approx(asked, abs=0.005)
        assert asked == 1 if index.get("type") == "flat" else 0.3 < asked < 1
        assert set_up_metrics(result)["index_build_time"] > 0
        more = run.case(search={name: value * 8 for name, value in search.items()})
        assert mean(more, "recall") >= mean(result, "recall")
    assert faiss_answers(faiss_http, path)[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/collections/none", None, 404, "there is no collection none"),
        ("/elsewhere", None, 404, "there is no /elsewhere"),
        ("/collections/x", {"dimensions": 4, "metric": "l2", "index": "Nonsense"}, 400, "Nonsense"),
        ("/collections/x", {"nonsense": 4}, 400, "nonsense"),
    ],
)
def test_the_server_says_what_it_cannot_do(faiss_http, path, body, status, text):
    found, answer = faiss_answers(faiss_http, path, body, "PUT" if body else "GET")
    assert found == status and text in answer["error"]


def test_the_server_wants_its_token(faiss_http):
    assert faiss_answers(faiss_http, "/collections/x", token="wrong")[0] == 401
