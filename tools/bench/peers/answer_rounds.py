"""The protocol of a contender in a process of its own, as in src/answer-rounds.ts."""

import json
import resource
import sys
import time


def answer_rounds(run):
    """Runs what is measured as often as each line of the standard input tells, and prints times in JSON; ends with the input."""
    for line in sys.stdin:
        walls = []
        before = processor_seconds()
        for _ in range(int(line)):
            start = time.perf_counter()
            run()
            walls.append((time.perf_counter() - start) * 1000)
        cpu = (processor_seconds() - before) * 1000 / int(line)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"wallMs": walls, "cpuMs": cpu, "peakMB": peak}), flush=True)


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
