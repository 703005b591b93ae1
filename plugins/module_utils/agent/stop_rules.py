# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When a case may end before its time: too many errors, a load that only grows, a number that no longer moves.

Pure: fed with one Sample of all clients for every second of a measurement. A rule that fires says why, in one line.

- `error_rate` (share of 1): more of the last five seconds' operations than this failed, of at least 20.
- `over_saturation`: an open loop offers more than the service takes. The idea is that of GuideLLM's over-saturation
  stop (its `scheduler/constraints`: requests in flight and time to first token both have a significant upward
  slope); here the tests are by ranks, so that no single second decides. See OverSaturation.
- `stable` (share of 1): the 95 % confidence interval of the throughput per second is within ± this share of it.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import math

ERROR_RATE, OVER_SATURATION, STABLE = "error_rate", "over_saturation", "stable"

_ERROR_WINDOW_S = 5
_LEAST_OPERATIONS = 20
_STABLE_LEAST_S = 10

# Short windows for what is far too much, long ones for what is a little too much or comes slowly.
_WINDOWS_S = (10, 30, 120)
_SHORTFALL = 0.05  # of the offered operations, at least, must have stayed behind
_AT_CAP = 0.95
_Z_ONE_PERCENT = 2.326  # one-sided, of the normal distribution

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; beyond, 1.96 is at most 4 % off.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


class StopRules:
    """stop_on: the plan's (dict or None); most_in_flight (int or None): what the clients together let be in flight."""

    def __init__(self, stop_on, most_in_flight=None):
        stop_on = stop_on or {}
        self.rules = []
        if stop_on.get("error_rate") is not None:
            self.rules.append(ErrorRate(float(stop_on["error_rate"])))
        if stop_on.get("over_saturation"):
            self.rules.append(OverSaturation(most_in_flight))
        if stop_on.get("stable") is not None:
            self.rules.append(Stable(float(stop_on["stable"])))
        self.samples = []

    def take(self, sample):
        """Add the Sample of the next second; the first is that of the measurement's start.

        Returns (rule, why) when one fires, else None.
        """
        self.samples = [*self.samples[-_WINDOWS_S[-1] :], sample]
        for rule in self.rules:
            why = rule.judge(self.samples)
            if why:
                return rule.name, why
        return None


class ErrorRate:
    """limit (float): the share of operations that may fail."""

    name = ERROR_RATE

    def __init__(self, limit):
        self.limit = limit

    def judge(self, samples):
        """Why to stop (str), or None."""
        first, last = samples[-_ERROR_WINDOW_S - 1 :][0], samples[-1]
        failed = last.errors - first.errors
        done = failed + last.operations - first.operations
        if done < _LEAST_OPERATIONS or failed <= self.limit * done:
            return None
        return "%.1f %% of %d operations failed in the last %d s (at most %g %% may)" % (
            100.0 * failed / done,
            round(done),
            round(last.t - first.t),
            100.0 * self.limit,
        )


class OverSaturation:
    """Work piles up, and nothing says that it will not go on so.

    In one of the windows, all of this is true:
    - at least 5 % of what was offered stayed behind, and more than chance explains: three standard deviations of
      the difference of two Poisson counts;
    - what is in flight, or the clients' lag, grew throughout: the Mann-Kendall test for a trend, one-sided at 1 %;
      or it stood at what the clients let be in flight;
    - completions do not catch up: were they to rise for one more residence time as from the window's first third to
      its last (Bartlett's slope; three standard errors are added), they would still be below the offered rate. The
      residence time is in flight by completions (Little's law). A slow service that has only begun looks overloaded
      but for this: where answers take an exponential time, completions come up to the offered rate just so.
    """

    name = OVER_SATURATION

    def __init__(self, most_in_flight=None):
        self.most_in_flight = most_in_flight

    def judge(self, samples):
        """Why to stop (str), or None. In a closed loop, where nothing is offered, None."""
        for length_s in _WINDOWS_S:
            window = samples[-length_s - 1 :]
            if len(window) <= length_s or any(sample.offered is None for sample in window):
                return None
            why = self._judge(window)
            if why:
                return why
        return None

    def _judge(self, window):
        seconds = window[-1].t - window[0].t
        offered = window[-1].offered - window[0].offered
        done = _done(window[-1]) - _done(window[0])
        behind = offered - done
        if behind < max(_SHORTFALL * offered, 3.0 * math.sqrt(max(0.0, offered + done))) or offered <= 0:
            return None
        if self._catches_up(window, (1.0 - _SHORTFALL) * offered / seconds):
            return None
        if not self._piles_up(window):
            return None
        return "over the last %d s %.1f/s of the offered %.1f/s were completed, and %s" % (
            round(seconds),
            done / seconds,
            offered / seconds,
            "%d operations are in flight" % round(window[-1].in_flight),
        )

    @staticmethod
    def _catches_up(window, rate):
        third = len(window) // 3
        early = _pace(window[: third + 1])
        late = _pace(window[-1 - third :])
        if early <= 0 or late <= 0:
            return True  # nobody can tell yet
        between_s = (window[-1].t - window[0].t) * 2.0 / 3.0  # the middles of the two thirds
        error = math.sqrt((early + late) / (window[third].t - window[0].t)) / between_s
        rise = (late - early) / between_s + 3.0 * error
        return late + max(0.0, rise) * window[-1].in_flight / late >= rate

    def _piles_up(self, window):
        in_flight = [sample.in_flight for sample in window]
        lags = [sample.lag_ms for sample in window if sample.lag_ms is not None]
        if self.most_in_flight and min(in_flight) >= _AT_CAP * self.most_in_flight:
            return True
        return trend(in_flight) > _Z_ONE_PERCENT or (len(lags) == len(window) and trend(lags) > _Z_ONE_PERCENT)


class Stable:
    """share (float): how wide half of the confidence interval may be, of the mean."""

    name = STABLE

    def __init__(self, share):
        self.share = share
        self.counts = []

    def judge(self, samples):
        """Why to stop (str), or None."""
        if len(samples) < 2:
            return None
        self.counts.append((samples[-1].operations - samples[-2].operations) / max(1e-9, samples[-1].t - samples[-2].t))
        if len(self.counts) < _STABLE_LEAST_S:
            return None
        mean, half = interval(self.counts)
        if mean <= 0 or half > self.share * mean:
            return None
        return "%.1f/s ± %.1f %% over %d s" % (mean, 100.0 * half / mean, len(self.counts))


def _done(sample):
    """An operation that failed has left the service, too."""
    return sample.operations + sample.errors


def _pace(samples):
    """Operations per second (float) that left the service from the first to the last of the samples."""
    return (_done(samples[-1]) - _done(samples[0])) / (samples[-1].t - samples[0].t)


def trend(values):
    """The Mann-Kendall test of a list of numbers: about standard normal without a trend, above 0 when they grow.

    Ties count for neither side. Source: Mann (1945), Kendall (1975); variance n(n - 1)(2n + 5)/18, and 1 taken off
    for continuity.
    """
    n = len(values)
    if n < 3:
        return 0.0
    s = sum((b > a) - (b < a) for i, a in enumerate(values) for b in values[i + 1 :])
    s -= (s > 0) - (s < 0)
    return s / math.sqrt(n * (n - 1) * (2 * n + 5) / 18.0)


def interval(values):
    """(mean, half the width of its 95 % confidence interval) of a list of at least three numbers, by Student's t.

    Seconds that follow each other are alike. Where their correlation r (lag 1) is above 0 they count as
    n(1 - r)/(1 + r) independent ones, as in an autoregressive process of first order.
    """
    n = len(values)
    mean = math.fsum(values) / n
    off = [value - mean for value in values]
    squares = math.fsum(value * value for value in off)
    if not squares:
        return mean, 0.0
    r = min(0.99, max(0.0, math.fsum(off[i] * off[i + 1] for i in range(n - 1)) / squares))
    effective = max(2.0, n * (1.0 - r) / (1.0 + r))
    freedom = max(1, int(effective) - 1)
    t = _T[freedom - 1] if freedom <= len(_T) else 1.96
    return mean, t * math.sqrt(squares / (n - 1) / effective)
