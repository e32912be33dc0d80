"""Medians, percentiles and ratios."""

import math
from statistics import median


def percentile(values, part):
    """By nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part / 100 * len(ordered)) - 1)]


def spread(values):
    """Median, least and greatest."""
    return median(values), min(values), max(values)


def ratios(ours, theirs):
    """Ours to theirs, round by round: median, least and greatest."""
    return spread([our / their for our, their in zip(ours, theirs)])


def difference(ours, theirs):
    """Ours less theirs, round by round: the median."""
    return median(our - their for our, their in zip(ours, theirs))
