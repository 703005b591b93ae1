# SPDX-License-Identifier: MIT
"""Image references."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.images import (
    ImageMistake,
    is_path,
    normalise_image,
    on_cluster,
    substitute_image,
)
from hypothesis import given
from hypothesis import strategies as st

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("ollama/ollama:latest", "docker://docker.io/ollama/ollama:latest"),
        ("ollama/ollama", "docker://docker.io/ollama/ollama:latest"),
        ("postgres:17", "docker://docker.io/library/postgres:17"),
        ("docker://postgres:17", "docker://docker.io/library/postgres:17"),
        ("index.docker.io/library/postgres:17", "docker://docker.io/library/postgres:17"),
        ("docker.io/postgres:17", "docker://docker.io/library/postgres:17"),
        ("quay.io/org/team/app:1.0", "docker://quay.io/org/team/app:1.0"),
        ("localhost/app", "docker://localhost/app:latest"),
        ("127.0.0.1:5000/app:v1", "docker://127.0.0.1:5000/app:v1"),
        (f"postgres@{DIGEST}", f"docker://docker.io/library/postgres@{DIGEST}"),
        (f"postgres:17@{DIGEST}", f"docker://docker.io/library/postgres@{DIGEST}"),
        ("oras://ghcr.io/org/app:1", "oras://ghcr.io/org/app:1"),
        ("oci-archive:/images/x.tar", "oci-archive:/images/x.tar"),
        ("docker-archive:/images/x y.tar:app:1", "docker-archive:/images/x y.tar:app:1"),
        ("/images/x.sif", "/images/x.sif"),
        ("/images/x.def", "/images/x.def"),
        ("x.def", "x.def"),
        ("./x.sif", "./x.sif"),
        ("~/images/sandbox", "~/images/sandbox"),
        ("$SCRATCH/x.sif", "$SCRATCH/x.sif"),
        (" postgres:17 ", "docker://docker.io/library/postgres:17"),
    ],
)
def test_full_form(written, full):
    assert normalise_image(written) == full
    assert normalise_image(full) == full


@pytest.mark.parametrize(
    "written", ["", "a b", "Postgres:17", "ftp://x/y", "postgres:", "/x y"[1:], "postgres@sha256:12"]
)
def test_what_is_no_reference(written):
    with pytest.raises(ValueError, match=r"reference|scheme|empty"):
        normalise_image(written)


@pytest.mark.parametrize(
    ("written", "message", "remedy"),
    [
        ("oci-archive:images/x.tar", "'images/x.tar' of oci-archive: is no absolute path", "oci-archive:/PATH/ON"),
        ("docker-archive:", "is no absolute path", "docker-archive:/PATH/ON"),
        ("oci-archve:/x.tar", "unknown scheme 'oci-archve:'", "did you mean oci-archive:?"),
        ("docekr://x", "unknown scheme 'docekr://'", "did you mean docker://?"),
        ("oci:/x", "oci: is nothing that a cluster's nodes could read", "oci-archive:/PATH/FILE"),
        ("docker-daemon:x:1", "docker-daemon: is nothing", "docker save"),
        ("x.sif", "'x.sif' is no absolute path", "from / on"),
        ("~/x.def", "'~/x.def' is no absolute path", "from / on"),
        ("$SCRATCH/sandbox", "is no absolute path", "a ~ or $ is not expanded"),
    ],
)
def test_what_a_cluster_could_not_find(written, message, remedy):
    with pytest.raises(ImageMistake) as caught:
        on_cluster(written)
    assert message in str(caught.value)
    assert remedy in caught.value.remedy


def test_paths():
    assert is_path("/x") and is_path("x.sif") and not is_path("docker://x/y.sif") and not is_path("postgres:17")


def test_a_clusters_own_image_is_found_in_any_spelling():
    images = {"docker://docker.io/library/postgres:17": "/images/pg.sif", "redis": "registry.example.org/redis:8"}
    assert substitute_image("postgres:17", images) == "/images/pg.sif"
    assert substitute_image("docker.io/library/redis:latest", images) == "docker://registry.example.org/redis:8"
    assert substitute_image("postgres:16", images) == "docker://docker.io/library/postgres:16"
    assert substitute_image("/x.sif", {"/x.sif": "/y.sif"}) == "/y.sif"


@given(st.text())
def test_any_text_is_a_reference_or_a_value_error(text):
    try:
        full = normalise_image(text)
    except ValueError as error:
        assert str(error)
    else:
        assert normalise_image(full) == full
