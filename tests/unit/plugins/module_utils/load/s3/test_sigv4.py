# SPDX-License-Identifier: MIT
"""Signatures against those that AWS has published, and against those of AWS's own library where it is there."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3 import sigv4
from hypothesis import given
from hypothesis import strategies as st

# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature Calculations"
ACCESS, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HOST = "examplebucket.s3.amazonaws.com"
NOW = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
WELCOME = hashlib.sha256(b"Welcome to Amazon S3.").hexdigest()


@pytest.mark.parametrize(
    ("method", "path", "parameters", "payload_hash", "more", "names", "signature"),
    [
        ("GET", "/test.txt", [], sigv4.EMPTY_SHA256, [("range", "bytes=0-9")],
         "host;range;x-amz-content-sha256;x-amz-date",
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("PUT", "/test$file.text", [], WELCOME,
         [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
         "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        ("GET", "/", [("lifecycle", "")], sigv4.EMPTY_SHA256, [],
         "host;x-amz-content-sha256;x-amz-date",
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("GET", "/", [("max-keys", 2), ("prefix", "J")], sigv4.EMPTY_SHA256, [],
         "host;x-amz-content-sha256;x-amz-date",
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)  # fmt: skip
def test_the_published_examples(*, method, path, parameters, payload_hash, more, names, signature):
    signer = sigv4.Signer(ACCESS, SECRET, "us-east-1")
    path, query = sigv4.encoded_path(path), sigv4.encoded_query(parameters)
    headers = dict(signer.headers(method, path, query, HOST, payload_hash, more, NOW))
    assert headers["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={ACCESS}/20130524/us-east-1/s3/aws4_request, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    assert headers["x-amz-date"] == "20130524T000000Z"


def test_a_signer_goes_over_midnight():
    """The key is that of the day: one that has signed yesterday signs today as a new one does."""
    old = sigv4.Signer(ACCESS, SECRET, "eu-west-3")
    old.headers("GET", "/", "", HOST, sigv4.UNSIGNED, now=NOW - 1)
    assert old.headers("GET", "/", "", HOST, sigv4.UNSIGNED, now=NOW) == sigv4.Signer(
        ACCESS, SECRET, "eu-west-3"
    ).headers("GET", "/", "", HOST, sigv4.UNSIGNED, now=NOW)


TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(
    method=st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE"]),
    key=TEXT,
    parameters=st.dictionaries(TEXT, TEXT, max_size=4),
    body=st.binary(max_size=20),
    token=st.sampled_from(["", "temporary/token=="]),
    unsigned=st.booleans(),
)
def test_any_request_is_signed_as_botocore_does(*, method, key, parameters, body, token, unsigned):
    pytest.importorskip("botocore", reason="botocore, the truth about signatures, is not installed")
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    payload_hash = sigv4.UNSIGNED if unsigned else hashlib.sha256(body).hexdigest()
    signer = sigv4.Signer(ACCESS, SECRET, "us-east-1", token=token)
    path, query = sigv4.encoded_path("/bucket/" + key), sigv4.encoded_query(parameters.items())
    mine = dict(signer.headers(method, path, query, "127.0.0.1:9000", payload_hash))

    url = f"http://127.0.0.1:9000{path}" + (f"?{query}" if query else "")
    sent = {name: value for name, value in mine.items() if name != "Authorization"}
    request = AWSRequest(method, url, data=body, headers=sent)
    request.context["timestamp"] = mine["x-amz-date"]
    theirs = S3SigV4Auth(Credentials(ACCESS, SECRET, token or None), "s3", "us-east-1")
    signed = theirs.signature(theirs.string_to_sign(request, theirs.canonical_request(request)), request)
    assert mine["Authorization"].rpartition("Signature=")[2] == signed
    assert dict(parse_qsl(query, keep_blank_values=True)) == parameters
