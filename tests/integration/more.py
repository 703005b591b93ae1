# SPDX-License-Identifier: MIT
"""What CI leaves to `make integration`, since it has an hour: others of the same kind stand for these."""

from __future__ import annotations

# module → beginnings of the names of its tests
MORE = {
    "test_apptainer_image": ("test_pull_by_digest", "test_what_cannot_be_had_is_said_in_the_runtimes_words[job1]"),
    "test_awx": ("test_at_a_terminal",),
    "test_companions": (
        "test_the_benchmarked_service_finds_the_others[together]",
        "test_the_benchmarked_service_finds_the_others[shared]",
    ),
    "test_compare": ("test_a_slow_server",),
    "test_image_kinds": (
        "test_an_archive[docker]",
        "test_a_definition_beside_the_recipe",
        "test_a_definition_on_the_cluster",
        "test_a_file_that_is_not_there",
    ),
    "test_replicas": ("test_replicas_share_the_load[redis]", "test_replicas_share_the_load[postgresql]"),
    # on another cluster it is tried
    "test_rerun": ("test_a_run_is_run_again_as_it_was",),
    "test_run": (
        "test_clients_on_the_services_nodes_or_started_with_it[shared]",
        "test_a_controller_that_died_before",
        "test_a_service_that_dies_while_starting",
    ),
    "test_run_by_rest": ("test_a_run[local]",),
    "test_service_trouble": (
        "test_the_log_of_the_service_tells_the_cause[python3",
        "test_the_log_of_the_service_tells_the_cause[no-such",
        "test_the_log_of_the_service_tells_the_cause[kill",
    ),
    # test_workloads.py has the same services
    "test_services": (
        "test_the_small_recipe[chromadb]",
        "test_the_small_recipe[faiss]",
        "test_the_small_recipe[milvus]",
        "test_the_small_recipe[nginx]",
        "test_the_small_recipe[postgresql]",
        "test_the_small_recipe[redis]",
        "test_a_service_that_does_not_start_says_why[llamacpp-change1",
        "test_a_service_that_does_not_start_says_why[redis",
        "test_a_service_that_does_not_start_says_why[nginx",
    ),
    "test_standins": (
        "test_the_small_recipe[minio]",
        "test_a_service_that_does_not_start_says_why[ollama",
        "test_a_service_that_does_not_start_says_why[triton",
    ),
    "test_workloads": ("test_llm[whole]", "test_llm[conversations]", "test_vector[faiss]"),
}


def is_more(module: str, name: str) -> bool:
    """Whether CI leaves this test out."""
    return name.startswith(MORE.get(module, ()))
