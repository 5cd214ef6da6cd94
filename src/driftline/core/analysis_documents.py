"""``analysis.json``: what analyses of bias and of attributions found, both in one file or either alone."""

from __future__ import annotations

from typing import Any

from driftline.core.analysis_parts import VERSION
from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.attribution_document import attribution_document, read_attribution
from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.bias_document import bias_document, read_bias

__all__ = ["analysis_document", "attribution_document", "bias_document", "read_attribution", "read_bias"]


def analysis_document(
    bias: BiasAnalysis | None = None, attribution: AttributionAnalysis | None = None
) -> dict[str, Any]:
    """The content of one ``analysis.json`` with all that was analysed.

    >>> list(analysis_document(BiasAnalysis("churn", "1", ()), AttributionAnalysis(())))
    ['version', 'pre_training_bias_metrics', 'explanations']
    """
    document: dict[str, Any] = {"version": VERSION}
    document |= {} if bias is None else bias_document(bias)
    return document | ({} if attribution is None else attribution_document(attribution))
