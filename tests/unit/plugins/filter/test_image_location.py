# SPDX-License-Identifier: MIT
"""Where the image of a reference lies on a cluster."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.aifactory.benchmark.plugins.filter.image_location import image_location

IMAGES = {"redis:8": "/images/redis.sif", "tools": "oci-archive:/images/tools.tar"}


def where(asked):
    return image_location(asked, IMAGES, "/cache", "/runs/1")


def test_none_and_what_is_used_where_it_lies():
    assert not any(where("").values())
    for asked, path in (("redis:8", "/images/redis.sif"), ("/sandbox", "/sandbox")):
        found = where(asked)
        assert (found["path"], found["needs"], found["fetch"], found["built"]) == (path, path, False, False)


@pytest.mark.parametrize("asked", ["postgres:17", "oras://host/x:1"])
def test_a_registrys_image_is_in_the_cache(asked):
    found = where(asked)
    assert found["path"].startswith("/cache/") and found["path"].endswith(".sif")
    assert (found["needs"], found["fetch"], found["built"]) == ("", True, False)


@pytest.mark.parametrize(
    ("asked", "reference", "needs"),
    [
        ("tools", "oci-archive:/images/tools.tar", "/images/tools.tar"),
        ("docker-archive:/x y.tar:app:1", "docker-archive:/x y.tar:app:1", "/x y.tar"),
        ("/there/web.def", "/there/web.def", "/there/web.def"),
        ("inputs/web.def", "inputs/web.def", ""),
    ],
)
def test_one_that_is_built_from_a_file_has_a_link_in_the_run(asked, reference, needs):
    found = where(asked)
    assert found["reference"] == reference
    assert found["path"].startswith("/runs/1/images/") and " " not in found["path"]
    assert (found["needs"], found["fetch"], found["built"]) == (needs, True, True)


def test_what_is_no_image():
    with pytest.raises(AnsibleFilterError, match="no absolute path"):
        where("oci-archive:x.tar")
