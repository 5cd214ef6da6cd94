"""The exit messages of what ended well."""

from __future__ import annotations

from driftline.core.verdict import Judgement, Verdict


def ended(judgement: Judgement | None, violations: int = 0) -> str:
    """The exit message of a job: without a judgement there was nothing that could be violated.

    >>> ended(Judgement(Verdict.VIOLATED), 3)
    'CompletedWithViolations: Job completed successfully with 3 violations.'
    >>> ended(None)
    'Completed: Job completed successfully with no violations.'
    """
    if judgement is not None and judgement.verdict == Verdict.UNKNOWN:
        codes = ", ".join(dict.fromkeys(reason.code for reason in judgement.reasons))
        return f"Completed: Job completed without a verdict: {codes}."
    violated = judgement is not None and judgement.verdict == Verdict.VIOLATED
    status = "CompletedWithViolations" if violated else "Completed"
    return f"{status}: Job completed successfully with {violations if violated else 'no'} violations."
