# SPDX-License-Identifier: MIT
from __future__ import annotations

import stat

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import security
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.app import create_app
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings


def every_url(app):
    """One URL of every rule that is read."""
    given = {
        "run_id": "20260921-141320-postgresql-0001", "play_id": "20260921-141320-run-0001", "name": "run.json",
        "origin": "shipped", "digest": "0", "comparison": "20260921-141320-0001",
    }  # fmt: skip
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            values = {name: given[name] for name in rule.arguments}
            yield rule, app.url_for(rule.endpoint, **values)


def test_nothing_is_told_without_the_token(app, stranger):
    asked = 0
    for rule, url in every_url(app):
        if rule.endpoint in security.PUBLIC:
            continue
        for method in rule.methods & {"GET", "POST", "PUT"}:
            answer = stranger.open(url, method=method)
            assert answer.status_code in (302, 401), f"{method} {url}"
            assert answer.status_code == 401 or answer.headers["Location"].startswith("/login"), url
            asked += 1
    assert asked > 30


def test_a_wrong_token_is_refused_and_many_of_them_are_not_looked_at(app, settings):
    app.extensions["door"].throttle = security.Throttle()
    client = app.test_client()
    for _wrong in range(5):
        assert client.post("/login", data={"token": "wrong"}).status_code == 403
    answer = client.post("/login", data={"token": settings.token()})
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 50
    assert client.get("/api/v1/runs", headers={"Authorization": "Bearer x"}).status_code == 429
    other = client.post("/login", data={"token": settings.token()}, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code == 303, "others are not kept out"
    app.extensions["door"].throttle = security.Throttle()


@pytest.mark.parametrize(
    ("headers", "form", "status"),
    [
        ({}, {}, 403),
        ({}, {"csrf": "another"}, 403),
        ({"Origin": "http://localhost:6000"}, {"csrf": None}, 403),
        ({"Origin": "null"}, {"csrf": None}, 403),
        ({"Origin": "http://localhost"}, {"csrf": None}, 303),
        ({}, {"csrf": None}, 303),
    ],
)
def test_a_page_of_another_server_changes_nothing(client, csrf, headers, form, status):
    data = {key: value or csrf for key, value in form.items()}
    assert client.post("/logout", data=data, headers=headers).status_code == status


def test_a_name_that_was_rebound_to_this_address_is_refused(client, program):
    for host in ("evil.example", "localhost.evil.example", "192.0.2.1"):
        assert client.get("/", headers={"Host": host}).status_code == 400
        assert program.get("/api/v1/runs", headers={"Host": host}).status_code == 400
    for host in ("localhost:5000", "127.0.0.1:5000", "[::1]:5000"):
        assert program.get("/api/v1/plays", headers={"Host": host}).status_code == 200


def test_every_answer_has_its_headers(client, stranger):
    for answer in (client.get("/"), client.get("/nowhere"), stranger.get("/login"), stranger.get("/healthz")):
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy and "default-src 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_session_is_not_for_scripts_and_not_for_other_sites(app, settings):
    cookie = app.test_client().post("/login", data={"token": settings.token()}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and settings.token() not in cookie


def test_behind_a_proxy_the_session_is_for_tls_and_its_names_are_known(settings):
    behind = Settings(home=settings.home, hosts=("bench.example.org",), proxies=1)
    client = create_app(behind).test_client()
    headers = {
        "X-Forwarded-Host": "bench.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/bench",
        "X-Forwarded-For": "192.0.2.7",
    }  # fmt: skip
    assert client.get("/trends/", headers=headers).headers["Location"] == "/bench/login?next=/bench/trends/"
    answer = client.post("/login", data={"token": behind.token()}, headers=headers)
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Location"] == "/bench/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "x", "", "http:/x"])
def test_after_the_login_one_stays_here(app, settings, target):
    answer = app.test_client().post("/login", data={"token": settings.token(), "next": target})
    assert answer.headers["Location"] == "/"


def test_a_new_token_ends_the_sessions(tmp_path):
    settings = Settings(home=tmp_path)
    client = create_app(settings).test_client()
    client.post("/login", data={"token": settings.token()})
    assert client.get("/").status_code == 200
    (tmp_path / "web/token").unlink()
    client.application.extensions["door"] = security.Door(settings.token())
    assert client.get("/").status_code == 302


def test_secrets_are_for_their_owner_only(tmp_path):
    settings = Settings(home=tmp_path, store_url="postgresql://u:secret@db/x")
    for path in (settings.write(), *(tmp_path / "web" / name for name in ("token", "session_key"))):
        settings.token(), settings.key()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "web").stat().st_mode) == 0o700
    assert Settings.read(tmp_path) == settings
    (tmp_path / "web/token").chmod(0o644)
    with pytest.raises(RunError, match="chmod 600"):
        settings.token()


def test_others_are_let_in_only_by_name(tmp_path):
    with pytest.raises(RunError, match="web_hosts"):
        create_app(Settings(home=tmp_path, address="0.0.0.0"))
    create_app(Settings(home=tmp_path, address="0.0.0.0", hosts=("node1",)))
