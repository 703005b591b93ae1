# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Vector search: data is inserted and indexed, then queries are sent; speed, and how right the answers are."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import importlib
import itertools
import json
import os
import random

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.engine_workload import EngineWorkload
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector import loading, options
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.recall import Judge
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.truth import Truth, truth_of
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

ENGINE = True
SETUP_METRICS = ("insert_rate", "index_build_time", "time_to_searchable", "vectors")
METRICS = (
    "service_time", "bytes_received", "bytes_sent", "recall", "recall_by_distance", "search_time", *SETUP_METRICS,
)  # fmt: skip

SETTINGS = options.SETTINGS
FIXED = options.FIXED
check = options.check
check_input = options.check_input

FOLDER = "vector"  # of the run's directory: what the set-up leaves for the clients
SETUP_FILE = "setup-metrics.json"  # in results/
_POLL_S = 0.1


class Workload(EngineWorkload):
    """See the module."""

    adapter = truth = judge = None

    def setup(self, ctx):
        """Work out the truth; fill and index a collection of the run's own."""
        all_settings = ctx.all_settings()
        options.check_cases([ctx.settings, *all_settings])
        if len(ctx.services) > 1:
            raise LoadError("the data of a vector search lies in one service, not in %d" % len(ctx.services))
        data = options.data_of(ctx.settings, ctx.run_dir)
        most = max(settings["k"] for settings in all_settings)
        if most > data.size:
            raise LoadError("client.settings.k: %d neighbours are more than the %d vectors" % (most, data.size))
        self._remove_files(ctx)
        truth = truth_of(data, ctx.settings["metric"], options.depth_of(data.size, most), ctx.stop)
        adapter = _adapter(ctx, data.dimensions, data.size)
        try:
            query = data.query_values()[: data.dimensions]
            loaded = loading.load(adapter, data, query, [settings["search"] for settings in all_settings])
            truth.ids = adapter.ids_of(truth.ids)
            _write_metrics(ctx, loaded.metrics())
            os.makedirs(os.path.join(ctx.run_dir, FOLDER), exist_ok=True)
            truth.write(_truth_path(ctx))
        except BaseException:
            self._drop(ctx, adapter)
            raise
        finally:
            adapter.close()

    def prepare(self, ctx):
        """Make the queries, and wait until the set-up has worked out their truth."""
        data = options.data_of(ctx.settings, ctx.run_dir)
        self.adapter = _adapter(ctx, data.dimensions, data.size)
        values, width = data.query_values(), data.dimensions
        self.queries = [self.adapter.encode_query(values[at : at + width]) for at in range(0, len(values), width)]
        self.payloads = {}  # what a case changes of them -> all payloads
        self.has_reported = False
        path = _truth_path(ctx)
        while not os.path.exists(path):
            if ctx.stop.wait(_POLL_S):
                raise LoadError("stopped")
        try:
            self.truth = Truth.read(path)
        except (OSError, ValueError, EOFError) as e:
            raise LoadError("the truth of the queries can't be read: %s" % e)

    def connectors(self, ctx):
        """One, of the adapter."""
        return [self.adapter.connector()]

    def recorder(self, ctx, case):
        """The first client also says what the set-up has measured."""
        samples = super().recorder(ctx, case)
        if ctx.client == 0 and not self.has_reported:
            self.has_reported = True
            for row in _read_metrics(ctx):
                samples.statistic(*row)
        self.judge = Judge(ctx.settings["k"], self.truth, samples)
        return samples

    def operations(self, ctx, case):
        """The queries in random order, again and again."""
        adapter, settings, judge = self.adapter, ctx.settings, self.judge
        adapter.settings = settings
        adapter.begin(settings)
        key = json.dumps([settings["k"], settings["search"]], sort_keys=True)
        if key not in self.payloads:
            self.payloads = {key: [adapter.payload(query, settings) for query in self.queries]}
        payloads = self.payloads[key]
        order = list(range(len(payloads)))
        random.Random(case.seed).shuffle(order)
        numbers, operation = itertools.cycle(order), adapter.operation

        def following():
            number = next(numbers)
            return operation(payloads[number], number, judge)

        return following

    def cleanup(self, ctx):
        """Drop the collection, and what the set-up left for the clients."""
        try:
            adapter = _adapter(ctx, 0, 0)  # whatever the data is
            try:
                adapter.drop()
            finally:
                adapter.close()
        finally:
            if self.adapter is not None:
                self.adapter.close()
            self._remove_files(ctx)

    def _facts(self, case, engine, recorder):
        facts = super()._facts(case, engine, recorder)
        self.judge.report()
        self.adapter.report(recorder, facts)
        return facts

    @staticmethod
    def _drop(ctx, adapter):
        """After a set-up that failed; that it can't be undone either is no news."""
        try:
            adapter.drop()
        except LoadError as e:
            ctx.log("the collection of the set-up that failed could not be dropped: %s" % e)

    @staticmethod
    def _remove_files(ctx):
        path = _truth_path(ctx)
        if os.path.exists(path):
            os.remove(path)
        try:
            os.rmdir(os.path.dirname(path))
        except OSError:
            pass  # not there, or the adapter's own files are in it


def _adapter(ctx, dimensions, size):
    name = ctx.settings["adapter"]
    package = loading.__name__.rpartition(".")[0]
    module = importlib.import_module("%s.%s" % (package, name))
    return getattr(module, name.title().replace("_", ""))(ctx, dimensions, size)


def _truth_path(ctx):
    return os.path.join(ctx.run_dir, FOLDER, "truth.bin")


def _metrics_path(ctx):
    return os.path.join(ctx.run_dir, "results", SETUP_FILE)


def _write_metrics(ctx, rows):
    path = _metrics_path(ctx)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w") as stream:
        json.dump(rows, stream)
    os.replace(path + ".part", path)


def _read_metrics(ctx):
    try:
        with open(_metrics_path(ctx)) as stream:
            return json.load(stream)
    except (OSError, ValueError) as e:
        raise LoadError("what the set-up measured can't be read: %s" % e)
