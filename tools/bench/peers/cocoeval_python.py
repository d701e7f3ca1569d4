"""One timed evaluation by a Python peer: `cocoeval_python.py PEER GT DT TYPE`, PEER the module's name.

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

import numpy


def classes(peer: str):
    if peer in ("pycocotools", "ultrafast_pycocotools"):
        coco = importlib.import_module(f"{peer}.coco").COCO
        return coco, importlib.import_module(f"{peer}.cocoeval").COCOeval
    module = importlib.import_module(peer)
    return module.COCO, getattr(module, "COCOeval_faster", None) or module.COCOeval


def main(peer: str, gt_path: str, dt_path: str, iou_type: str) -> None:
    coco_class, eval_class = classes(peer)
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
        return hashlib.sha256(numpy.asarray(array, dtype="<f8").tobytes()).hexdigest()

    # Some peers keep no precision to look into: only their table can be compared.
    arrays = getattr(run, "eval", None) or {}

    print(
        json.dumps(
            {
                "wallMs": wall_ms,
                "cpuMs": 1000 * usage.ru_utime,
                "peakMB": usage.ru_maxrss / 1024,
                "stats": [float(value) for value in run.stats[:12]],
                "answers": {name: sha256(arrays[name]) for name in ("precision", "recall", "scores") if name in arrays},
            }
        )
    )


main(*sys.argv[1:])
