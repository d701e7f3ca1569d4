"""The peers of the loader benchmark: `loader_contender.py LIBRARY WORKERS IMAGE...`; see contender.ts for the protocol.

Both libraries work inside PyTorch's DataLoader, one thread in each worker process, as MMDetection and torchvision train.
"""

import hashlib
import json
import random
import resource
import sys
import time

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.io import ImageReadMode, decode_jpeg, read_file
from torchvision.transforms.v2 import functional as F

MEAN = [123.675, 116.28, 103.53]
STD = [58.395, 57.12, 57.375]
STRIDE = 32
COMPARED = 20


def target_size(height, width):
    scale = min(1333 / max(height, width), 800 / min(height, width))
    return int(height * scale + 0.5), int(width * scale + 0.5)


def with_opencv(file, kind, mirror):
    image = cv2.imread(file)
    height, width = target_size(*image.shape[:2])
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    if mirror:
        image = cv2.flip(image, 1)
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    if kind == "floats":
        image = image.astype(np.float32)
        cv2.subtract(image, np.float64([MEAN]), image)
        cv2.multiply(image, 1 / np.float64([STD]), image)
    image = cv2.copyMakeBorder(image, 0, -height % STRIDE, 0, -width % STRIDE, cv2.BORDER_CONSTANT, value=0)
    return torch.from_numpy(image)


def with_torchvision(file, kind, mirror):
    image = decode_jpeg(read_file(file), ImageReadMode.RGB)
    height, width = target_size(*image.shape[1:])
    image = F.resize(image, [height, width], antialias=False)
    if mirror:
        image = F.horizontal_flip(image)
    if kind == "floats":
        image = F.normalize(image.to(torch.float32), MEAN, STD, inplace=True)
    return F.pad(image, [0, 0, -width % STRIDE, -height % STRIDE])


class Images(Dataset):
    def __init__(self, files, prepare, kind):
        self.files = files
        self.prepare = prepare
        self.kind = kind

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.prepare(self.files[index], self.kind, random.random() < 0.5)


def one_thread(_):
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


def cpu_seconds():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def digest(files, prepare):
    """Of the bytes of some images, every other one mirrored."""
    result = hashlib.sha1()
    for i, file in enumerate(files[:COMPARED]):
        result.update(prepare(file, "bytes", i % 2 == 1).numpy().tobytes())
    return result.hexdigest()


def measure(files, prepare, kind, workers):
    """An epoch. Workers end with it, so that their CPU time is counted; starting them is not timed."""
    options = dict(batch_size=2, shuffle=True, num_workers=workers, collate_fn=list, worker_init_fn=one_thread)
    cpu = cpu_seconds()
    batches = iter(DataLoader(Images(files, prepare, kind), **options))
    images = first = len(next(batches))
    start = time.perf_counter()
    for batch in batches:
        images += len(batch)
    wall = time.perf_counter() - start
    del batches
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    return {"wallMs": wall * 1000 / (images - first), "cpuMs": (cpu_seconds() - cpu) * 1000 / images, "peakMB": peak}


def main():
    library, workers, *files = sys.argv[1:]
    prepare = {"opencv": with_opencv, "torchvision": with_torchvision}[library]
    one_thread(0)
    for line in sys.stdin:
        kind = line.strip()
        answer = digest(files, prepare) if kind == "digest" else measure(files, prepare, kind, int(workers))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
