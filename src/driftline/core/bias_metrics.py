"""The names of the bias metrics, by stage, with what they are called and which value is fair."""

from __future__ import annotations

from difflib import get_close_matches

from driftline.core.bias_analysis import STAGES, Stage

PRE_TRAINING: dict[str, str] = {
    "CDDL": "Conditional Demographic Disparity in Labels (CDDL)",
    "CI": "Class Imbalance (CI)",
    "DPL": "Difference in Positive Proportions in Labels (DPL)",
    "JS": "Jensen-Shannon Divergence (JS)",
    "KL": "Kullback-Leibler Divergence (KL)",
    "KS": "Kolmogorov-Smirnov Distance (KS)",
    "LP": "L-p Norm (LP)",
    "TVD": "Total Variation Distance (TVD)",
}
POST_TRAINING: dict[str, str] = {
    "AD": "Accuracy Difference (AD)",
    "CDDPL": "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
    "DAR": "Difference in Acceptance Rates (DAR)",
    "DCA": "Difference in Conditional Acceptance (DCA)",
    "DCR": "Difference in Conditional Rejection (DCR)",
    "DI": "Disparate Impact (DI)",
    "DPPL": "Difference in Positive Proportions in Predicted Labels (DPPL)",
    "DRR": "Difference in Rejection Rates (DRR)",
    "FT": "Flip Test (FT)",
    "GE": "Generalized Entropy (GE)",
    "RD": "Recall Difference (RD)",
    "SD": "Specificity Difference (SD)",
    "TE": "Treatment Equality (TE)",
}
DESCRIPTIONS: dict[Stage, dict[str, str]] = dict(zip(STAGES, (PRE_TRAINING, POST_TRAINING), strict=True))
# The original's documentation calls it otherwise than its files do.
_ALIASES = {"DCACC": "DCA"}


def fair_value(name: str) -> float:
    """The value of a metric without any bias: 1 for the disparate impact, which is a ratio, else 0.

    >>> fair_value("DI"), fair_value("DPL")
    (1.0, 0.0)
    """
    return 1.0 if name == "DI" else 0.0


def metric_name(text: str, stage: Stage) -> str | None:
    """A metric of a stage as files name it, or None; small letters and the documentation's ``DCAcc`` are understood.

    >>> metric_name("dcacc", "post_training"), metric_name("DCA", "pre_training")
    ('DCA', None)
    """
    found = _ALIASES.get(text.upper(), text.upper())
    return found if found in DESCRIPTIONS[stage] else None


def meant(text: str, stage: Stage) -> str:
    """Which metric was meant, as a clause; all of them where none is near."""
    close = get_close_matches(text.upper(), DESCRIPTIONS[stage], 1, 0.6)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(DESCRIPTIONS[stage])}"
