"""Words and numbers as a person reads them; every outside text is made harmless and bounded here."""

from __future__ import annotations

import bisect
import math
import re
import unicodedata

# Characters that XML forbids, controls, half surrogates, and marks that turn the direction of the text after them.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_ACRONYMS = {name: name.upper() for name in ("auc", "roc", "pr", "mae", "mse", "rmse", "f1", "f2")} | {
    "r2": "R²",
    "ovr": "one-vs-rest",
    "ovo": "one-vs-one",
}
_BLANK = "–"


def clean(text: str) -> str:
    """A text with every character that XML or a reader cannot take replaced by U+FFFD."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def shorten(text: object, limit: int = 80) -> str:
    """A text on one line, of at most ``limit`` characters; what is cut ends in an ellipsis.

    >>> shorten("a  long\\nname", 6)
    'a lon…'
    """
    raw = str(text)
    line = clean(" ".join(raw[: 8 * limit].split()))
    return line if len(line) <= limit and len(raw) <= 8 * limit else line[: limit - 1] + "…"


def text_width(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif font of ``size`` pixels; rather too wide than too narrow."""
    return size * sum(_em(character) for character in text)


def fit(text: object, width: float, size: float) -> str:
    """As much of a text as fits in ``width`` pixels; cut in its middle, as names often differ at their end.

    >>> fit("warehouse north 17", 80, 12)
    'warehou…17'
    """
    line = abridge(text, 200)
    if text_width(line, size) <= width:
        return line
    kept = bisect.bisect_right(range(1, len(line)), width, key=lambda n: text_width(_middle(line, n), size))
    return _middle(line, kept)


def abridge(text: object, limit: int) -> str:
    """A text on one line, of at most ``limit`` characters; cut in its middle, as names often differ at their end.

    >>> abridge("warehouse north 17", 10)
    'wareho…17'
    """
    raw = str(text)
    line = clean(" ".join((raw if len(raw) <= 8 * limit else f"{raw[: 4 * limit]} {raw[-4 * limit :]}").split()))
    return line if len(line) <= limit and len(raw) <= 8 * limit else _middle(line, min(limit, len(line)) - 1)


def _middle(line: str, kept: int) -> str:
    tail = kept // 3
    return f"{line[: kept - tail].rstrip()}…{line[len(line) - tail :].lstrip()}"


def _em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    return 0.92 if character in "MW@%—…" else 0.7 if character.isupper() else 0.33 if character in " ijl.,:'|" else 0.6


def metric_label(name: str) -> str:
    """The name of a metric as people write it.

    >>> [metric_label(name) for name in ("f0_5", "true_positive_rate", "weighted_f2", "rmse")]
    ['F0.5', 'True positive rate', 'Weighted F2', 'RMSE']
    """
    words = shorten(name, 50).replace("f0_5", "F0.5").split("_")
    label = " ".join(_ACRONYMS.get(word, word) for word in words).strip()
    return capital(label) or "(no name)"


def capital(sentence: str) -> str:
    """A sentence with its first letter large, the others as they are."""
    return sentence[:1].upper() + sentence[1:]


def number(value: float | None) -> str:
    """A number with about four digits after its point; a dash where there is none.

    >>> [number(value) for value in (0.46568, 12345.678, 1.5e-7, None)]
    ['0.4657', '12,345.68', '1.5e-07', '–']
    """
    if value is None or not math.isfinite(value):
        return _BLANK
    size = abs(value)
    if size >= 1e12 or 0 < size < 1e-4:
        return f"{value:.4g}"
    return f"{value:.4f}" if size < 100 else f"{value:,.2f}" if size < 1e5 else f"{value:,.0f}"


def count(value: int) -> str:
    """A whole number with its thousands apart; one of absurd length as a power of ten."""
    # Python refuses to write out a number of thousands of digits; its length in bits is known at once.
    return f"{value:,}" if abs(value) < 10**15 else f"about 1e{int((abs(value).bit_length() - 1) * math.log10(2))}"


def short_count(value: int) -> str:
    """A count in at most four characters or so.

    >>> [short_count(value) for value in (999, 1234, 56789, 4_000_000)]
    ['999', '1.2k', '57k', '4M']
    """
    for unit, letter in ((10**9, "G"), (10**6, "M"), (1000, "k")):
        if value >= unit:
            scaled = min(value / unit, 9999.0)
            return f"{scaled:.1f}".removesuffix(".0") + letter if scaled < 9.95 else f"{scaled:.0f}{letter}"
    return str(value)


def percent(part: float, whole: float) -> str:
    """A share in per cent; 0 % and 100 % only where it is exactly that.

    >>> [percent(part, 3000) for part in (0, 1, 1500, 2999, 3000)]
    ['0 %', '<0.1 %', '50.0 %', '>99.9 %', '100 %']
    """
    if whole <= 0:
        return _BLANK
    share = 100 * (part / whole)
    if 0 < share < 0.1:
        return "<0.1 %"
    if 99.9 < share < 100:
        return ">99.9 %"
    return f"{share:.0f} %" if share in (0, 100) else f"{share:.1f} %"


def apart(value: float, other: float) -> tuple[str, str]:
    """Two numbers with as few digits as still show that they differ, at least two where they are small.

    >>> apart(0.46568, 0.6958), apart(0.4996, 0.5), apart(18234.5, 17000)
    (('0.47', '0.70'), ('0.4996', '0.5000'), ('18,234', '17,000'))
    """
    largest = max(abs(value), abs(other))
    if largest >= 1e12:
        return (f"{value:.6g}", f"{other:.6g}") if f"{value:.6g}" != f"{other:.6g}" else (f"{value!r}", f"{other!r}")
    for digits in range(0 if largest >= 1000 else 1 if largest >= 10 else 2, 10):
        texts = f"{value:,.{digits}f}", f"{other:,.{digits}f}"
        if texts[0] != texts[1]:
            return texts
    return f"{value!r}", f"{other!r}"


def plural(amount: int, noun: str) -> str:
    """An amount with its noun.

    >>> plural(1, "row"), plural(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count(amount)} {noun}" if amount == 1 else f"{count(amount)} {noun}s"
