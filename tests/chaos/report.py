"""What came out of a run, as text."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.chaos.checker import CALM, lags
from tests.chaos.history import Adopted, Changed, Fault, Heard, Membered, Sent
from tests.chaos.run import Outcome


def text(outcome: Outcome) -> str:
    """Return counts, delays by fault, and what was broken."""
    history, stored = outcome.history, outcome.stored
    sent = history.of(Sent)
    acked = {(each.user, each.client_id) for each in sent if each.outcome == "acked"}
    repeats = sum(each.tries - 1 for each in sent)
    heard = history.of(Heard)
    applied = sum(each.applied for each in heard)
    changed = Counter(each.kind for each in history.of(Changed) if each.outcome == "acked")
    moved = Counter(each.kind for each in history.of(Membered) if each.outcome == "acked")
    lines = [
        f"{outcome.shape.form}, seed {outcome.seed}, {outcome.seconds:.0f} s",
        "",
        f"  messages acknowledged   {len(acked):>10,}   repeated requests {repeats:,}, sent several times at once "
        f"{sum(1 for count in Counter((each.user, each.client_id) for each in sent).values() if count > 1):,}",
        f"  log events              {sum(len(each) for each in stored.events.values()):>10,}   "
        f"{_counted(changed)}, {_counted(moved)}",
        f"  deliveries checked      {len(heard):>10,}   applied {applied:,}, dropped as known {len(heard) - applied:,}",
        f"  pages fetched           {len(history.of(Adopted)):>10,}",
        f"  readers at the head after the end: {outcome.converged:.1f} s",
    ]
    lines += [f"  {note}" for note in outcome.notes]
    lines += ["", f"  faults: {_counted(outcome.counts)}", "", *_delays(outcome), ""]
    if outcome.violations:
        kinds = Counter(each.invariant for each in outcome.violations)
        lines.append(f"  VIOLATIONS: {_counted(kinds)}")
        shown: Counter[str] = Counter()
        for violation in outcome.violations:
            shown[violation.invariant] += 1
            if shown[violation.invariant] <= 8:
                lines.append(f"    {violation.invariant}: {violation.what}")
        lines.append(f"  The history is in {outcome.folder}.")
    else:
        lines.append("  violations              0")
    return "\n".join(lines)


def _counted(counts: Counter[str] | dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def _delays(outcome: Outcome) -> list[str]:
    """Return seconds from the change to its being applied, by what was broken meanwhile."""
    seconds: dict[int, set[str]] = defaultdict(set)
    for fault in outcome.history.of(Fault):
        for second in range(int(fault.began), int(fault.healed + CALM) + 1):
            seconds[second].add(fault.name)
    by_fault: dict[str, list[float]] = defaultdict(list)
    for fact, lag in lags(outcome.history, outcome.stored):
        names: set[str] = set()
        for second in range(int(fact.at - max(lag, 0)), int(fact.at) + 1):
            names |= seconds[second]
        if "clients_half_open" in names and lag > 10:
            names = {"clients_half_open"}  # 40 s of silence say nothing about what else happened meanwhile
        for name in names or {"(calm)"}:
            by_fault[name].append(lag)
        by_fault["(all)"].append(lag)
    lines = [f"  {'seconds until applied, while':<30}{'n':>10}{'p50':>9}{'p99':>9}{'max':>9}"]
    for name in sorted(by_fault):
        found = sorted(by_fault[name])
        p50, p99 = found[len(found) // 2], found[min(len(found) - 1, int(len(found) * 0.99))]
        lines.append(f"  {name:<30}{len(found):>10,}{p50:>9.3f}{p99:>9.3f}{found[-1]:>9.3f}")
    return lines
