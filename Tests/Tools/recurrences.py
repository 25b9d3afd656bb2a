"""Makes Tests/Fixtures/recurrences.jsonl: recurrence rules (RFC 5545, section 3.3.10) and when they recur, as python-dateutil has it.

    python3 Tests/Tools/recurrences.py > Tests/Fixtures/recurrences.jsonl

Each line: the rule, the start, the stretch that is looked at, and the first eight occurrences in it. Left out are
BYWEEKNO without BYDAY, for which dateutil takes every day of the week, and others take the weekday of the start; and BYSETPOS where
the set is one of weeks: dateutil counts only what is left of the first one, and cuts those at the turn of the year in two.
"""

import datetime
import json
import random
import sys
import warnings

from dateutil import rrule

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
COUNT = 1000


def sample(source, population, most):
    return source.sample(population, source.randint(1, most))


def joined(values):
    return ",".join(str(value) for value in values)


def made(source):
    frequency = source.choice(["YEARLY", "YEARLY", "MONTHLY", "MONTHLY", "WEEKLY", "DAILY"])
    parts = [f"FREQ={frequency}"]
    if source.random() < 0.3:
        parts.append(f"INTERVAL={source.randint(1, 5)}")
    if source.random() < 0.4:
        parts.append("BYMONTH=" + joined(sample(source, range(1, 13), 4)))
    if source.random() < 0.5:
        days = sample(source, DAYS, 3)
        if frequency in ("YEARLY", "MONTHLY") and source.random() < 0.6 and "BYWEEKNO" not in joined(parts):
            days = [f"{source.choice([1, 2, 3, 4, 5, -1, -2, -3])}{day}" for day in days]
        parts.append("BYDAY=" + joined(days))
    if frequency in ("YEARLY", "MONTHLY", "DAILY") and source.random() < 0.3:
        parts.append("BYMONTHDAY=" + joined(sample(source, [*range(1, 32), *range(-31, 0)], 4)))
    if frequency == "YEARLY" and source.random() < 0.2:
        parts.append("BYYEARDAY=" + joined(sample(source, [*range(1, 367), *range(-366, 0)], 20)))
    if frequency == "YEARLY" and source.random() < 0.1 and not any("BYDAY" in part for part in parts):
        parts.append("BYWEEKNO=" + joined(sample(source, [*range(1, 54), -1, -2], 4)))
        parts.append("BYDAY=" + joined(sample(source, DAYS, 2)))
    if source.random() < 0.3:
        parts.append("BYHOUR=" + joined(sample(source, range(0, 24), 2)))
    if source.random() < 0.2:
        parts.append("BYMINUTE=" + joined(sample(source, range(0, 60), 2)))
    has_weeks = frequency == "WEEKLY" or any("BYWEEKNO" in part for part in parts)
    if len(parts) > 1 and not has_weeks and source.random() < 0.3:
        parts.append("BYSETPOS=" + joined(sample(source, [1, 2, 3, -1, -2], 2)))
    if source.random() < 0.2:
        parts.append("WKST=" + source.choice(DAYS))
    if source.random() < 0.3:
        parts.append(f"COUNT={source.randint(1, 30)}")
    elif source.random() < 0.3:
        parts.append(f"UNTIL={source.randint(2021, 2035)}0{source.randint(1, 9)}15T120000")
    return ";".join(parts)


def main():
    warnings.simplefilter("ignore", DeprecationWarning)
    source = random.Random(5545)
    written = 0
    while written < COUNT:
        start = datetime.datetime(source.randint(2016, 2024), source.randint(1, 12), source.randint(1, 28), source.randint(0, 23), 30)
        if source.random() < 0.1:
            start = datetime.datetime(2020, 2, 29, 9, 0)
        low = start + datetime.timedelta(days=source.choice([0, 0, 100, 1000]))
        high = low + datetime.timedelta(days=3000)
        text = made(source)
        # Without an end, what never recurs is looked for until the year 9999.
        rule = rrule.rrulestr(text, dtstart=start)
        if "UNTIL" not in text:
            rule = rule.replace(until=high)
        found = rule.between(low, high, inc=True)[:8]
        line = {"rule": text, "start": start.isoformat(), "low": low.isoformat(), "high": high.isoformat()}
        line["expected"] = [moment.isoformat() for moment in found]
        sys.stdout.write(json.dumps(line) + "\n")
        written += 1


main()
