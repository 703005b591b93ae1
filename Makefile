# SPDX-License-Identifier: MIT
# make demo: from a fresh machine to a finished benchmark. make test: everything that CI runs.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
LINK := .collections/ansible_collections/aifactory/benchmark
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.collections
PLAYBOOK := $(BIN)/ansible-playbook
# times that each property is tried; the recipes hold more than 100,000 values in all
INJECTION_RECIPES ?= 400
BENCHES := bench-compare bench-confidence bench-dashboards bench-engine bench-http bench-llm bench-records bench-report \
  bench-run bench-scale bench-slowdown bench-store bench-telemetry bench-transport bench-web

.PHONY: help setup setup-dev demo cluster test-cluster test unit sanity lint integration test-services test-faults test-ways \
  test-docs test-release test-injection test-vllm test-web molecule bench $(BENCHES) look-dashboards look-pictures docs build release execution-environment clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

setup: $(VENV)/.setup $(LINK)  ## virtual environment and collection path

setup-dev: $(VENV)/.setup-dev $(LINK)

$(VENV)/.setup: requirements.txt tools/make_venv.sh
	tools/make_venv.sh $(VENV) requirements.txt
	touch $@

$(VENV)/.setup-dev: requirements.txt requirements-dev.txt tools/make_venv.sh
	tools/make_venv.sh $(VENV) requirements-dev.txt
	touch $(VENV)/.setup $@

$(LINK):
	mkdir -p $(@D)
	ln -sfn ../../.. $@

cluster: setup  ## a one-machine Slurm cluster with Apptainer here
	$(PLAYBOOK) aifactory.benchmark.local_cluster

demo: cluster  ## everything from the virtual environment to Slurm, then the quickstart and its report
	$(PLAYBOOK) aifactory.benchmark.run -e recipe=quickstart

test: setup-dev  ## everything that CI runs
	tools/test.sh

unit: setup-dev  ## unit and property tests
	$(BIN)/python -m pytest -q

sanity: setup-dev  ## ansible-test sanity on three versions of ansible-core
	tools/sanity.sh

lint: setup-dev  ## ruff, ansible-lint, changelog
	tools/lint.sh

test-cluster: setup-dev  ## two clusters for the tests: Slurm of this distribution, and a newer one beside it
	$(PLAYBOOK) aifactory.benchmark.local_cluster -e @tests/integration/cluster.yml

integration: test-cluster  ## all tests on the real clusters, over ssh as an ordinary user (an hour); CI runs a part
	$(BIN)/python -m pytest -q tests/integration

test-services: test-cluster  ## every small recipe on the real cluster, one after another
	$(BIN)/python -m pytest -v -k test_the_small_recipe tests/integration/test_services.py tests/integration/test_standins.py

test-faults: test-cluster  ## every fault in every phase on two versions of Slurm at the same time (an hour); CI runs a part
	$(BIN)/python -m pytest -v -n 2 -m fault tests/faults
	$(BIN)/python -m pytest -v -m fault tests/integration/test_controllers.py

test-vllm: setup-dev  ## a real vLLM on CPUs, in an image of its own (1.1 GB)
	$(PLAYBOOK) aifactory.benchmark.local_cluster -e @tests/integration/cluster.yml -e @tests/integration/vllm.yml
	$(BIN)/python -m pytest -q -m extra tests/integration/test_vllm.py

test-web: test-cluster  ## the web UI in a real browser: its pages, and runs on a cluster
	tools/test_packages.sh
	$(BIN)/python -m pytest -q tests/e2e
	$(BIN)/python -m pytest -q -m extra tests/integration/test_web.py

test-ways: test-cluster  ## the modules by each way to Slurm on both clusters; CI runs half
	$(BIN)/python -m pytest -q -m "extra or not extra" tests/integration/test_slurm_modules.py

test-docs: test-cluster  ## the commands of the first pages of the documentation on the local cluster
	$(BIN)/python -m pytest -q -m extra tests/integration/test_docs_commands.py

test-release: test-cluster  ## the tarball in an empty environment, its signature, and the quickstart from it
	$(BIN)/python -m pytest -q -m extra tests/unit/test_release.py tests/integration/test_release.py

test-injection: setup-dev  ## 100,000 hostile values of recipes through the roles' templates and a real shell
	INJECTION_RECIPES=$(INJECTION_RECIPES) $(BIN)/python -m pytest -q tests/unit/injection

molecule: setup-dev  ## the molecule scenarios
	cd extensions && PATH=$(CURDIR)/$(BIN):$$PATH molecule test --all

bench: $(BENCHES)  ## the benchmarks, each printing its ratios

bench-run: cluster  ## a whole run against a hand-written script
	$(BIN)/python tests/bench/run_bench.py

bench-scale: setup  ## 20 runs at once, 1,000 clients in one run, on nodes that Slurm believes to be large enough
	$(PLAYBOOK) aifactory.benchmark.local_cluster -e local_cluster_cores_per_node=334
	$(BIN)/python tests/bench/bench_scale.py
	$(PLAYBOOK) aifactory.benchmark.local_cluster

bench-store: setup-dev  ## list and summary with 10,000 runs, in SQLite and PostgreSQL
	$(BIN)/python tests/bench/store_bench.py

bench-web: setup-dev  ## the pages of the web UI with 10,000 runs in the store
	$(BIN)/python tests/bench/web_bench.py

bench-transport: test-cluster  ## the modules by each way to Slurm
	$(BIN)/python tests/bench/transport_bench.py

bench-llm: setup  ## streaming load beside aiperf and GuideLLM (installs them in ~/.cache/aifactory-peers)
	$(BIN)/python tests/bench/load/bench_llm.py

bench-http: setup  ## plain HTTP load beside wrk, hey and locust (installs them)
	$(BIN)/python tests/bench/load/bench_http.py

bench-engine: setup  ## what the load generator itself costs
	$(BIN)/python tests/bench/load/bench_engine.py

bench-compare: setup  ## how often a comparison is wrong, and how often it finds what is there, by simulation
	$(BIN)/python tests/bench/bench_compare.py

bench-confidence: setup  ## how often warm-ups, outliers, trends and knees are told where there are none, and found where they are
	$(BIN)/python tests/bench/bench_confidence.py

bench-slowdown: setup  ## a slow-down of 10 % planted in a real server: is it found, is an unchanged rerun left alone
	$(BIN)/python tests/bench/bench_slowdown.py

bench-report: setup  ## the end of a run of 1,000 clients and 100 cases: run.json, store and report
	$(BIN)/python tests/bench/bench_report.py

bench-telemetry: setup  ## what the agent's sampling costs the service beside it
	tools/test_packages.sh
	$(BIN)/python tests/bench/bench_telemetry.py

bench-records: setup  ## statistics over ten million requests: CPU time and memory
	$(BIN)/python tests/bench/bench_records.py

bench-dashboards: setup-dev  ## every query of every dashboard in a Prometheus with the history of 200 runs
	tools/test_packages.sh
	$(BIN)/python tests/bench/bench_dashboards.py

look-dashboards: setup-dev  ## the data of every dashboard as pages in build/dashboards, for a person to look at
	tools/test_packages.sh
	$(BIN)/python tests/look/dashboards.py build/dashboards

look-pictures: setup-dev cluster  ## the pictures of README and documentation in build/pictures, of runs made for them
	tools/test_packages.sh
	$(BIN)/python tests/look/pictures.py build/pictures

docs: setup-dev  ## the documentation site in build/site
	tools/docs_site.sh

build: setup  ## the collection's tarball in dist/
	mkdir -p dist
	$(BIN)/ansible-galaxy collection build --force --output-path dist

release: setup-dev  ## all files of a release in dist/, signed with GPG_KEY=ID; publishes nothing (VERSION=X.Y.Z)
	tools/release.sh $(VERSION)

execution-environment: setup-dev build  ## the image for AWX (needs podman or docker; IMAGE=NAME:TAG)
	mkdir -p build/execution-environment
	cp dist/aifactory-benchmark-$$(sed -n 's/^version: //p' galaxy.yml).tar.gz build/execution-environment/aifactory-benchmark.tar.gz
	$(BIN)/ansible-builder build -f extensions/execution_environment/execution-environment.yml \
	  -c build/execution-environment/context -t $(or $(IMAGE),aifactory-benchmark-ee)

clean:  ## remove what make made here; the cluster stays (playbook local_cluster, -e local_cluster_state=absent)
	rm -rf $(VENV) .collections build dist .pytest_cache .ruff_cache .hypothesis .ansible .cache
