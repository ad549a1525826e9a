"""LIFE-05: threads and event loops at once, judged by what must hold in whatever order they come."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

from conformance.check import check
from conformance.leaks import find_leaks
from conformance.race import LARGEST_LIMIT, SMALLEST_LIMIT, Race, switching_often
from conformance.trial import Trial

_CALLS = 4


@check("LIFE-05", cases=lambda _: ("calls", "changes", "close"))
async def life_05(trial: Trial) -> None:
    """Under threads and event loops at once, whatever the interleaving, each call ends once, the limits hold, the counters add
    up, and an idle or closed backend holds nothing."""
    before = set(threading.enumerate())
    race = Race(trial.subject, trial.factory, f"{trial.seed}/{trial.subject.name}/{trial.case}", _CALLS)

    def raced() -> None:
        with switching_often():
            race.run(operated=trial.case == "changes", closed=trial.case == "close")

    await asyncio.get_running_loop().run_in_executor(None, raced)
    trial.count_traffic(min(1, race.server.arrived))  # how many it were is left to chance, and no report may be
    trial.equal(race.strange, [], "what came out beside results and errors")
    report = race.backend.report()
    parts = (report["successes"], report["failures"], report["cancelled"])
    trial.equal(report["active_requests"], 0, "active requests while idle")
    trial.equal(report["total_requests"], sum(parts), "requests, and the sum of their endings")
    if trial.case != "close":
        seen = Counter(race.ends)
        trial.equal(
            parts, (seen["result"], seen["error"], seen["cancelled"]), "endings counted and seen by the callers"
        )
    most = LARGEST_LIMIT if trial.case == "changes" else SMALLEST_LIMIT
    trial.expect(race.server.peak <= most, f"{race.server.peak} requests at once, the limit never was above {most}")
    peak = report["queue"].get("peak_active", 0)
    trial.expect(peak <= most, f"{peak} slots in use at once, the limit never was above {most}")
    trial.equal(race.server.in_flight, 0, "requests at the server while idle")
    trial.equal(find_leaks([race.backend]), None, "what an idle backend holds")
    keys = report["keys"]
    if keys:
        trial.equal(sum(key["requests"] for key in keys), race.server.arrived, "requests of the keys together")
    await asyncio.get_running_loop().run_in_executor(None, race.backend.close)
    left = sorted(
        thread.name for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio_")
    )
    trial.equal(left, [], "threads after close")
