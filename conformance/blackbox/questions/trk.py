"""Chapter TRK: token counts are the provider's."""

from __future__ import annotations

from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import Drop, Replace


@question("TRK-03", "usage")
async def trk_03(trial: Trial) -> None:
    """Token counts are the provider's; a zero is its zero and a missing count stays missing, or is marked as an estimate."""
    await trial.client(wish={"max_retries": 0})
    reply = await trial.call("one two three")
    trial.expect(reply.input_tokens and reply.output_tokens, "the answer brought no token counts")
    trial.expect(not reply.estimated, "the provider's counts are marked as estimates")
    taken, given = trial.place.usage_fields
    trial.fault(Replace(taken, 12_345), nth=1)
    trial.fault(Replace(given, 0), nth=1)
    changed = await trial.call("one two three")
    counts = (changed.input_tokens, changed.output_tokens)
    trial.equal(counts, (12_345, 0), "counts when the provider says 12345 and 0")
    if trial.place.missing_usage:
        trial.fault(Drop(trial.place.missing_usage), nth=1)
        silent = await trial.call("one two three")
        counts = (silent.input_tokens, silent.output_tokens)
        trial.expect(counts == (None, None) or silent.estimated, f"counts when the provider gives none: {counts}")
