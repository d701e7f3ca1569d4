"""One timed evaluation by a Python peer: `cocoeval_python.py PEER GT DT TYPE`, PEER pycocotools or faster_coco_eval.

Prints JSON: wall time of load, evaluation and table, user CPU time and peak memory of the process, and fingerprints of
the answers.
"""

import contextlib
import hashlib
import importlib
import io
import json
import resource
import sys
import time


def main(peer: str, gt_path: str, dt_path: str, iou_type: str) -> None:
    if peer == "pycocotools":
        coco_class = importlib.import_module("pycocotools.coco").COCO
        eval_class = importlib.import_module("pycocotools.cocoeval").COCOeval
    else:
        module = importlib.import_module("faster_coco_eval")
        coco_class, eval_class = module.COCO, module.COCOeval_faster
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        gt = coco_class(gt_path)
        run = eval_class(gt, gt.loadRes(dt_path), iou_type)
        run.evaluate()
        run.accumulate()
        run.summarize()
    wall_ms = 1000 * (time.perf_counter() - start)
    usage = resource.getrusage(resource.RUSAGE_SELF)

    def sha256(array) -> str:
        return hashlib.sha256(array.astype("<f8").tobytes()).hexdigest()

    print(
        json.dumps(
            {
                "wallMs": wall_ms,
                "cpuMs": 1000 * usage.ru_utime,
                "peakMB": usage.ru_maxrss / 1024,
                "stats": [float(value) for value in run.stats[:12]],
                "answers": {name: sha256(run.eval[name]) for name in ("precision", "recall", "scores")},
            }
        )
    )


main(*sys.argv[1:])
