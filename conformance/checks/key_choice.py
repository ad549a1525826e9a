"""Chapter KEY, continued: how a key is chosen by weights and by what is left of rate limits."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final

from backends import errors
from conformance.check import check
from conformance.simulators.faults import Fault, Headers, Status
from conformance.simulators.record import fingerprint
from conformance.trial import Trial

_KEYS: Final = ("sk-choice-0000", "sk-choice-0001", "sk-choice-0002", "sk-choice-0003")


def _used(trial: Trial, start: int = 0) -> list[int]:
    """Return the numbers of the keys that requests carried, in order."""
    numbers = {fingerprint(key): number for number, key in enumerate(_KEYS)}
    return [numbers[seen.key_fingerprint] for seen in trial.requests[start:]]


@check("KEY-13")
async def key_13(trial: Trial) -> None:
    """Weighted keys get calls in proportion, evenly spread; one that rests leaves its share to the others."""
    backend = await trial.backend(
        api_keys=_KEYS[:3], key_strategy="weighted", key_weights=[5, 2, 1], jitter=0.0, failure_threshold=1000
    )
    for _ in range(8):
        await trial.call(backend)
    used = _used(trial)
    trial.equal(Counter(used), {0: 5, 1: 2, 2: 1}, "calls by key, with the weights 5, 2 and 1")
    others = [number for number, key in enumerate(used) if key]
    trial.expect(all(later - earlier > 1 for earlier, later in pairwise(others)), f"unevenly spread: {used}")
    backend.add_key(_KEYS[3], weight=8)
    start = len(trial.requests)
    for _ in range(16):
        await trial.call(backend)
    trial.equal(Counter(_used(trial, start)), {0: 5, 1: 2, 2: 1, 3: 8}, "calls by key, with one more of weight 8")
    tired = Fault(
        Status(429, headers=(("retry-after", "30"),)), path=trial.subject.call_path, nth=1, key=fingerprint(_KEYS[3])
    )
    trial.script(tired)
    while fingerprint(_KEYS[3]) not in [seen.key_fingerprint for seen in trial.requests if seen.status == 429]:
        await trial.call(backend)
    start = len(trial.requests)
    for _ in range(8):
        await trial.call(backend)
    trial.equal(Counter(_used(trial, start)), {0: 5, 1: 2, 2: 1}, "calls by key while the heaviest rests")
    plain = await trial.backend(api_keys=_KEYS[:2])
    async with trial.raises(errors.ConfigurationError, "a weight where keys are not weighted"):
        plain.add_key(_KEYS[2], weight=2)


@check("KEY-14")
async def key_14(trial: Trial) -> None:
    """Calls go to the key with the largest share left by its headers; unknown counts as fresh, equals take turns."""
    backend = await trial.backend(api_keys=_KEYS[:3], key_strategy="most_headroom")
    shares = [("10", "100", 1), ("400", "500", 3), ("500", "1000", 1)]
    for key, share in zip(_KEYS, shares, strict=False):
        _tell(trial, key, *share)
    for _ in range(5):
        await trial.call(backend)
    used = _used(trial)
    trial.equal(sorted(used[:3]), [0, 1, 2], "keys of the first calls, when nothing is known")
    trial.equal(used[3:], [1, 1], "keys of the calls after that, with 10 %, 80 % and 50 % left")
    _tell(trial, _KEYS[1], "50", "500", 1)
    await trial.call(backend)
    for _ in range(2):
        _tell(trial, _KEYS[2], "500", "1000", 1)
        await trial.call(backend)
    trial.equal(_used(trial)[5:], [1, 2, 2], "keys used once the second says that 10 % are left")
    backend.add_key(_KEYS[3])
    await trial.call(backend)
    trial.equal(_used(trial)[8:], [3], "key used when a fresh one has come")


def _tell(trial: Trial, key: str, remaining: str, limit: str, times: int) -> None:
    """Let the next answers to a key, and all its answers of that time, say what is left of its requests."""
    told = Headers(
        (
            ("x-ratelimit-limit-requests", limit),
            ("x-ratelimit-remaining-requests", remaining),
            ("x-ratelimit-reset-requests", "40s"),
            *(
                (f"x-ratelimit-{what}-tokens", value)
                for what, value in (("limit", "100"), ("remaining", "100"), ("reset", "1s"))
            ),
        )
    )
    trial.script(Fault(told, path=trial.subject.call_path, nth=tuple(range(1, times + 1)), key=fingerprint(key)))
