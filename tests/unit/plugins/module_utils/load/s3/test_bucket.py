# SPDX-License-Identifier: MIT
"""Requests and bodies of S3, and which objects a client may touch."""

from __future__ import annotations

import itertools
import random
from xml.etree import ElementTree

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3 import bucket, objects
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.sigv4 import Signer
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=5)


@given(keys=KEYS)
def test_bodies_are_what_an_xml_parser_reads(keys):
    found = ElementTree.fromstring(bucket.deletion(keys))
    assert [element.text for element in found.iterfind("Object/Key")] == keys
    parts = ElementTree.fromstring(bucket.completion(keys)).iterfind("Part")
    assert [(part.findtext("PartNumber"), part.findtext("ETag")) for part in parts] == [
        (str(number), key) for number, key in enumerate(keys, 1)
    ]


@given(keys=KEYS)
def test_elements_are_read_as_an_xml_parser_does(keys):
    root = ElementTree.Element("ListBucketResult", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
    for key in keys:
        ElementTree.SubElement(ElementTree.SubElement(root, "Contents"), "Key").text = key
    assert bucket.texts(ElementTree.tostring(root, encoding="utf-8"), "Key") == keys


def test_quotes_as_servers_write_them():
    assert bucket.texts(b"<ETag>&quot;a&#34;&apos;b&#39;&amp;lt;</ETag>", "ETag") == ["\"a\"'b'&lt;"]


def test_errors():
    body = b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>It is &lt;gone&gt;</Message></Error>'
    assert bucket.error_code(body) == "NoSuchKey" and bucket.error_text(body) == "NoSuchKey: It is <gone>"
    assert bucket.error_code(b"Bad Gateway") == "" and bucket.error_text(b"Bad Gateway") == "Bad Gateway"


def test_a_request_is_path_style_below_the_services_url():
    made = bucket.Bucket(Endpoint("10.0.0.1", 9000, authority="s3.example:9000", base="/store"), "b")
    assert made.request("PUT", "a b/ü", [("partNumber", 2), ("uploadId", "x/y")], b"data") == (
        b"PUT /store/b/a%20b/%C3%BC?partNumber=2&uploadId=x%2Fy HTTP/1.1\r\nHost: s3.example:9000\r\n"
        b"Content-Length: 4\r\n\r\ndata"
    )


@pytest.mark.parametrize(
    ("hashes", "body", "expected"),
    [
        (False, b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (False, b"abc", "UNSIGNED-PAYLOAD"),
        (True, b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),  # FIPS 180-2, B.1
    ],
)
def test_what_is_signed_of_a_body(hashes, body, expected):
    made = bucket.Bucket(Endpoint("h", 1), "b", Signer("a", "s", "r"), hashes)
    assert dict(made.headers("PUT", "/b/k", "", body))["x-amz-content-sha256"] == expected


@given(size=st.integers(0, 500), limit=st.integers(0, 100), part=st.integers(1, 60))
def test_parts_are_the_whole_object(size, limit, part):
    parts = bucket.parts_of(size, limit, part)
    if not limit or size < limit:
        assert parts == []
        return
    assert [begin for begin, _end in parts] == [0, *[end for _begin, end in parts[:-1]]] and parts[-1][1] == size
    assert all(end - begin == part for begin, end in parts[:-1]) and 0 < parts[-1][1] - parts[-1][0] <= part


@pytest.mark.parametrize(
    "run_id",
    ["20261125-120000-a-name-of-24-characters-ab12", "20261125-120000-s3-ab12", "X" * 80, "with_odd.signs!"],
)
def test_names_of_buckets_keep_the_rules(run_id):
    name = objects.bucket_name(run_id)
    assert 3 <= len(name) <= 63 and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name[0] != "-" != name[-1] and name.startswith("aifactory-")
    assert objects.bucket_name("20261125-120000-s3-ab12") == "aifactory-20261125-120000-s3-ab12"


def test_prepared_objects_are_the_same_for_every_client():
    settings = {"objects": 30, "object_size": {"mean": 1000, "stddev": 200}}
    first, second = (objects.Prepared("run", settings) for _n in range(2))
    assert first.sizes == second.sizes and len(set(first.sizes)) > 20
    assert first.thing(4).place == second.thing(4).place != first.thing(5).place
    keys = [first.key(number) for number in range(30)]
    assert keys == sorted(keys) and all(key.startswith("aifactory-run/prepared-") for key in keys)
    assert objects.Prepared("run", {**settings, "objects": 31}).prefix != first.prefix


@given(steps=st.lists(st.sampled_from(["put", "done", "fail", "delete"]), max_size=60), most=st.integers(0, 5))
def test_a_client_deletes_and_overwrites_only_what_it_has_made(steps, most):
    """Against a model: what is there, and what an operation is about."""
    own, there, under_way = objects.Own("mine/", most), set(), []
    for step in steps:
        if step == "put":
            key = own.key()
            assert key.startswith("mine/") and key not in under_way
            assert key in there or all(int(key[5:]) > int(old[5:]) for old in there)
            if most and len(there) >= most:
                assert key in there, "more objects than were asked for"
            there.discard(key)
            under_way.append(key)
        elif step == "delete":
            key = own.take()
            assert (key is None) == (not there) and (key is None or key in there)
            there.discard(key)
        elif under_way:
            key = under_way.pop(random.Random(len(under_way)).randrange(len(under_way)))
            if step == "done":
                own.done(key)
                there.add(key)
    assert len(there) == len(own.ready)


def test_overwriting_goes_around():
    own, keys = objects.Own("", 3), []
    for _number in range(9):
        keys.append(own.key())
        own.done(keys[-1])
    assert keys == list(itertools.islice(itertools.cycle(["000000001", "000000002", "000000003"]), 9))
