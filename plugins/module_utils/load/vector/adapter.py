# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the adapters have in common: a collection of vectors that is made, filled, searched and dropped."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import time

from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

_PREFIX = "aifactory_"
_NAME_CHARACTERS = 59  # PostgreSQL takes 63, and an index has another four


class Refused(Exception):
    """The server answered that it can't; `error_class` (str) names the kind of error."""

    def __init__(self, error_class, text):
        super().__init__(text)
        self.error_class = error_class


class Adapter:
    """ctx: Context; dimensions, size: int, of the data set. An adapter derives from it; all of it may raise LoadError.

    The set-up calls `create`, `encode` and `inserter` for the data, `build`, `count` and `nearest`, and at last `drop`;
    a client calls `connector`, `begin` before each case, `encode_query` once a query, `operation` for each.
    """

    #: Whether the clients search by themselves, without a server.
    in_process = False

    #: Collections that `create` made; each is filled in turn, `copy` being its number. The first one is measured.
    copies = 1
    copy = 0

    def __init__(self, ctx, dimensions, size):
        self.ctx = ctx
        self.settings = ctx.settings
        self.metric = ctx.settings["metric"]
        self.index = {name: value for name, value in ctx.settings["index"].items() if value is not None}
        self.dimensions, self.size = dimensions, size
        self.name = collection_name(ctx.run_id)

    @property
    def kind(self):
        """The kind of index (str)."""
        return self.index.get("type") or "auto"

    def create(self, searches):
        """Make the empty collection. searches (list of dict): the `search` settings of all cases."""
        raise NotImplementedError

    def fill(self, data):
        """Insert a data set and build its index at once: an adapter does either this, or the three that follow.

        Returns (seconds before the vectors are added, seconds of adding them); None: it does the three.
        """

    def encode(self, first, values):
        """What is sent (a bytes-like object, or one that has a length in bytes) to insert vectors.

        values: their numbers (array("f")); first: the number of the first vector.
        """
        raise NotImplementedError

    def inserter(self):
        """An object with `insert(encoded)` and `close()`: one connection that inserts."""
        raise NotImplementedError

    def build(self, deadline):
        """Build the index, and wait for it until `deadline` (time.monotonic()).

        Returns the seconds (float) that it took; None where the server has no phase for it.
        """
        raise NotImplementedError

    def count(self):
        """How many vectors (int) the server has."""
        raise NotImplementedError

    def nearest(self, encoded, k, search):
        """The ids (list of int) of the answer to one query, outside of the load."""
        raise NotImplementedError

    def ids_of(self, numbers):
        """The server's ids (array("q")) of vectors, given by their numbers (array("q"))."""
        return numbers

    def drop(self):
        """Remove the collection, if it is there."""
        raise NotImplementedError

    def connector(self):
        """The Connector of the load."""
        raise NotImplementedError

    def begin(self, settings):
        """A case with these settings is about to begin."""

    def encode_query(self, values):
        """The part of a search that is the query (values: array("f"))."""
        raise NotImplementedError

    def payload(self, encoded, settings):
        """All that is sent to search for an encoded query in a case with these settings."""
        raise NotImplementedError

    def operation(self, payload, query, judge):
        """The Operation that sends a payload; its answer to the query with this number goes to the Judge."""
        raise NotImplementedError

    def report(self, samples, facts):
        """Add what the adapter itself knows of a case to its results (Samples, dict)."""

    def pause(self, seconds, deadline, what):
        """Wait a moment for `what` (str). Raises LoadError after `deadline` (time.monotonic()), and when stopped."""
        if time.monotonic() > deadline:
            raise LoadError("%s was not there in time: raise client.settings.searchable_deadline_s" % what)
        if self.ctx.stop.wait(seconds):
            raise LoadError("stopped")

    def close(self):
        """End what was started."""


def collection_name(run_id):
    """The name (str) of a run's collection: small letters, digits and `_`, with the run's id at its end."""
    return _PREFIX + re.sub("[^a-z0-9]", "_", run_id.lower())[-(_NAME_CHARACTERS - len(_PREFIX)) :]


def json_numbers(values):
    """Numbers (array("f")) as JSON's list (str); nine digits are enough for every float32."""
    return "[%s]" % (",".join(["%.9g"] * len(values)) % tuple(values))


def rows_of(values, dimensions):
    """The vectors (list of array) in their numbers one after the other."""
    return [values[at : at + dimensions] for at in range(0, len(values), dimensions)]
