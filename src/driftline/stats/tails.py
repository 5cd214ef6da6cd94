"""The upper tails of the distributions of Kolmogorov, Kuiper and chi-square."""

from __future__ import annotations

import math

_TERMS = 100
_STEPS = 100_000


def kolmogorov(x: float) -> float:
    """The chance that Kolmogorov's statistic exceeds x (Kolmogorov 1933; for small x Smirnov's other series, 1948).

    >>> round(kolmogorov(1.3581), 4)
    0.05
    """
    if x <= 0.04:
        return 1.0
    if x < 1:
        below = sum(math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x)) for k in range(1, 20))
        return 1 - math.sqrt(2 * math.pi) / x * below
    terms = ((1 if k % 2 else -1) * math.exp(-2 * (k * x) ** 2) for k in range(1, _TERMS))
    return min(1.0, 2 * sum(terms))


def kuiper(x: float) -> float:
    """The chance that Kuiper's statistic exceeds x (Kuiper 1960; Stephens, Biometrika 52, 1965).

    >>> round(kuiper(1.747), 3)
    0.05
    """
    if x < 0.4:  # below it the chance is 1 to thirteen places and the series is slow
        return 1.0
    terms = (((2 * k * x) ** 2 - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, _TERMS))
    return min(1.0, max(0.0, 2 * sum(terms)))


def chi_square(x: float, freedom: int) -> float:
    """The chance that chi-square with so many degrees of freedom exceeds x: the regularised upper incomplete gamma
    function, by its series or its continued fraction (Abramowitz and Stegun 6.5.29 and 6.5.31).

    >>> round(chi_square(3.841459, 1), 6)
    0.05
    """
    a, half = freedom / 2, x / 2
    if half <= 0:
        return 1.0
    if math.isinf(half):
        return 0.0
    front = math.exp(a * math.log(half) - half - math.lgamma(a))
    if half < a + 1:
        return max(0.0, 1 - front * _series(a, half))
    return min(1.0, front * _fraction(a, half))


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for n in range(1, _STEPS):
        term *= x / (a + n)
        total += term
        if term < total * 1e-16:
            break
    return total


def _fraction(a: float, x: float) -> float:
    """The continued fraction from the top, with the method of Lentz (1976)."""
    b = x + 1 - a
    c, d = math.inf, 1 / b
    value = d
    for n in range(1, _STEPS):
        b += 2
        step = n * (a - n)
        d = 1 / (b + step * d)
        c = b + step / c
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value
