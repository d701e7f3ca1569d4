"""The peers of the segeval benchmark: `segeval_python.py CLASSES REPEATS PREDICTION LABEL`, bytes in the files."""

import json
import resource
import sys
import time

import numpy as np
import torch


def with_numpy(prediction, label, classes):
    mask = label != 255
    cells = label[mask].astype(np.int32) * classes + prediction[mask]
    return np.bincount(cells, minlength=classes * classes)


def with_histc(prediction, label, classes):
    prediction, label = torch.from_numpy(prediction), torch.from_numpy(label)
    mask = label != 255
    prediction, label = prediction[mask], label[mask]
    intersect = prediction[prediction == label]
    return [torch.histc(x.float(), bins=classes, min=0, max=classes - 1) for x in (intersect, prediction, label)]


def main():
    classes, repeats = int(sys.argv[1]), int(sys.argv[2])
    prediction, label = (np.fromfile(file, np.uint8) for file in sys.argv[3:])
    torch.set_num_threads(1)
    results = {}
    for name, count in (("numpy.bincount", with_numpy), ("torch.histc", with_histc)):
        count(prediction, label, classes)
        start, cpu = time.perf_counter(), time.process_time()
        for _ in range(repeats // 10):
            count(prediction, label, classes)
        wall, used = time.perf_counter() - start, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        scale = 1000 / (repeats // 10)
        results[name] = {"wallMs": wall * scale, "cpuMs": used * scale, "peakMB": peak}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
