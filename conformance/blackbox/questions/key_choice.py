"""Chapter KEY, continued: which key is next, by weights and by what is left of each."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final

from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import Headers, Status
from conformance.simulators.record import fingerprint

_KEYS: Final = tuple(f"sk-choice-{number:02d}-5f0c9e7a1b" for number in range(3))


def _used(trial: Trial, start: int = 0) -> list[int]:
    """Return the numbers of the keys that requests carried, in order."""
    numbers = {fingerprint(key): number for number, key in enumerate(_KEYS)}
    return [numbers[seen.key_fingerprint] for seen in trial.requests[start:]]


@question("KEY-13", "keys", "weights")
async def key_13(trial: Trial) -> None:
    """Weighted keys get calls in proportion, evenly spread; one that rests leaves its share to the others."""
    await trial.client(keys=_KEYS, key_strategy="weighted", key_weights=[5, 2, 1], wish={"max_retries": 2})
    for _ in range(16):
        await trial.call()
    used = _used(trial)
    trial.equal(sorted(Counter(used).items()), [(0, 10), (1, 4), (2, 2)], "calls by key, with the weights 5, 2 and 1")
    light = [number for number, key in enumerate(used) if key]
    trial.expect(all(later - earlier > 1 for earlier, later in pairwise(light)), f"unevenly spread: {used}")
    trial.fault(Status(429, headers=(("retry-after", "30"),)), nth=1, key=fingerprint(_KEYS[0]))
    while not any(seen.status == 429 for seen in trial.requests):
        await trial.call()
        trial.expect(len(trial.requests) < 32, f"the heaviest key was not used again: {_used(trial)}")
    start = len(trial.requests)
    for _ in range(6):
        await trial.call()
    counts = Counter(_used(trial, start))
    trial.equal(sorted(counts.items()), [(1, 4), (2, 2)], "calls by key while the heaviest rests")


@question("KEY-14", "keys", "headroom")
async def key_14(trial: Trial) -> None:
    """Calls go to the key with the largest share left by its provider's headers; unknown counts as fresh."""
    await trial.client(keys=_KEYS, key_strategy="most_headroom", wish={"max_retries": 0})
    for key, (remaining, limit) in zip(_KEYS, (("10", "100"), ("400", "500"), ("500", "1000")), strict=True):
        _tell(trial, key, remaining, limit)
    for _ in range(5):
        await trial.call()
    used = _used(trial)
    trial.equal(sorted(used[:3]), [0, 1, 2], "keys of the first calls, when nothing is known")
    trial.equal(used[3:], [1, 1], "keys of the calls after that, with 10 %, 80 % and 50 % left")
    trial.sim.forget_faults()
    _tell(trial, _KEYS[1], "50", "500")
    _tell(trial, _KEYS[2], "500", "1000")
    for _ in range(3):
        await trial.call()
    trial.equal(_used(trial)[5:], [1, 2, 2], "keys used once the second says that 10 % are left")


def _tell(trial: Trial, key: str, remaining: str, limit: str) -> None:
    """Let every answer to a key say what is left of its requests, and that nothing else is short."""
    if trial.place.dated:
        told = dict(zip(trial.place.rates, (limit, remaining, "2100-01-01T00:00:00Z"), strict=True))
        told |= {
            f"anthropic-ratelimit-{kind}-{what}": value
            for kind in ("tokens", "input-tokens", "output-tokens")
            for what, value in (("limit", "100"), ("remaining", "100"))
        }
    else:
        told = dict(zip(trial.place.rates, (limit, remaining, "40s"), strict=True))
        told |= {"x-ratelimit-limit-tokens": "100", "x-ratelimit-remaining-tokens": "100"}
    trial.fault(Headers(tuple(told.items())), key=fingerprint(key))
