"""PyTorch's contender on a card: `card_contender.py JSON`, the case in JSON; see src/card/speed-contender.ts for both."""

import json
import resource
import sys
import time
from collections import OrderedDict

import torch
from step_groupmixformer import VARIANTS, build
from torch import nn
from torch.nn import functional as F

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
CLASSES = {"classifier": 1000, "mask-rcnn": 80, "upernet": 150}
ROWS, MASK_SIDE = 16, 112


class Backbone(nn.Module):
    """GroupMixFormer's four maps, C2 to C5."""

    def __init__(self, variant):
        super().__init__()
        self.network = build(variant)
        self.widths = VARIANTS[variant]["dims"]
        del self.network.norm4, self.network.head

    def forward(self, x):
        return list(self.network.stages(x))


def conv(inputs, outputs, kernel):
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


def resize(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class UperNet(nn.Module):
    """UPerNet (Xiao et al. 2018), 512 channels, with an FCN head of 256 on C4."""

    def __init__(self, variant, classes, channels=512, auxiliary=256, bins=(1, 2, 3, 6)):
        super().__init__()
        self.backbone = Backbone(variant)
        *lower, last = self.backbone.widths
        self.pools = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(b), conv(last, channels, 1)) for b in bins)
        self.bottleneck = conv(last + len(bins) * channels, channels, 3)
        self.laterals = nn.ModuleList(conv(width, channels, 1) for width in lower)
        self.smooth = nn.ModuleList(conv(channels, channels, 3) for _ in lower)
        self.fuse = conv(4 * channels, channels, 3)
        self.classify = nn.Sequential(nn.Dropout2d(0.1), nn.Conv2d(channels, classes, 1))
        self.auxiliary = nn.Sequential(
            conv(lower[-1], auxiliary, 3), nn.Dropout2d(0.1), nn.Conv2d(auxiliary, classes, 1)
        )

    def forward(self, x):
        *lower, last = self.backbone(x)
        pooled = [resize(pool(last), last.shape[2:]) for pool in self.pools]
        maps = [lateral(each) for lateral, each in zip(self.laterals, lower)]
        maps.append(self.bottleneck(torch.cat([last, *pooled], 1)))
        for i in (2, 1, 0):
            maps[i] = maps[i] + resize(maps[i + 1], maps[i].shape[2:])
        maps = [*(smooth(each) for smooth, each in zip(self.smooth, maps)), maps[3]]
        fused = self.fuse(torch.cat([resize(each, maps[0].shape[2:]) for each in maps], 1))
        return self.classify(fused), self.auxiliary(lower[-1]) if self.training else None


class Pyramid(nn.Module):
    """The backbone with torchvision's FPN."""

    def __init__(self, variant):
        super().__init__()
        from torchvision.ops import FeaturePyramidNetwork
        from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

        self.backbone = Backbone(variant)
        self.out_channels = 256
        self.fpn = FeaturePyramidNetwork(list(self.backbone.widths), 256, extra_blocks=LastLevelMaxPool())

    def forward(self, x):
        return self.fpn(OrderedDict((str(i), each) for i, each in enumerate(self.backbone(x))))


class Images:
    """A batch of bytes in main memory, as a loader gives it, that every step takes to the device and normalises there."""

    def __init__(self, batch, height, width, device):
        self.shape, self.device = (batch, 3, height, width), torch.device(device)
        block = torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8)
        self.block = block.pin_memory() if self.device.type == "cuda" else block
        self.mean, self.std = (torch.tensor(each, device=device).view(1, 3, 1, 1) for each in (MEAN, STD))

    def __call__(self):
        maps = self.block.to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        return (maps.float() - self.mean) / self.std


def classifier(variant, images):
    model = build(variant)
    labels = torch.arange(images.shape[0], device=images.device)
    return model, lambda: model(images()), lambda: F.cross_entropy(model(images()), labels)


def segmentor(variant, images):
    model = UperNet(variant, CLASSES["upernet"])
    labels = torch.ones(images.shape[0], *images.shape[2:], dtype=torch.long, device=images.device)

    def loss():
        logits, others = model(images())
        return sum(
            weight * F.cross_entropy(resize(each.float(), labels.shape[1:]), labels)
            for weight, each in ((1, logits), (0.4, others))
        )

    return model, lambda: model(images())[0].argmax(1), loss


def detector(variant, images, regions=512):
    from torchvision.models.detection import MaskRCNN

    height, width = images.shape[2:]
    side = min(height, width)
    sizes = {"min_size": side, "max_size": max(height, width), "box_batch_size_per_image": regions}
    model = MaskRCNN(Pyramid(variant), CLASSES["mask-rcnn"] + 1, **sizes)
    device = images.device

    def truth():
        corners = torch.rand(ROWS, 2, device=device) * 0.6 * side
        boxes = torch.cat([corners, corners + (0.05 + 0.35 * torch.rand(ROWS, 2, device=device)) * side], 1)
        masks = torch.ones(ROWS, height, width, dtype=torch.uint8, device=device)
        return {"boxes": boxes, "labels": torch.arange(1, ROWS + 1, device=device), "masks": masks}

    targets = [truth() for _ in range(images.shape[0])]
    return model, lambda: model(list(images())), lambda: sum(model(list(images()), targets).values())


def median_ms(seconds, run):
    times = []
    start = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        run()
        times.append((time.perf_counter() - before) * 1000)
    return sorted(times)[len(times) // 2]


def main(case):
    device = "cuda" if case["engine"] == "tensorflow-gpu" else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch finds no card; install one of its builds for CUDA")
    torch.manual_seed(1)
    images = Images(case["batch"], case["height"], case["width"], device)
    make = {"classifier": classifier, "upernet": segmentor, "mask-rcnn": detector}[case["network"]]
    more = {"regions": case["regions"]} if "regions" in case else {}
    model, forward, loss = make(case["backbone"].split("_")[1], images, **more)
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    half = torch.autocast(device, dtype=torch.bfloat16, enabled=case["precision"] == "bf16")

    def wait():
        if device == "cuda":
            torch.cuda.synchronize()

    def run_forward():
        with torch.inference_mode(), half:
            forward()
        wait()

    def run_training():
        with half:
            value = loss()
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        value.item()
        wait()

    def memory():
        if device == "cuda":
            return torch.cuda.max_memory_reserved() / 2**20
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def timed(mode, run):
        model.train(mode)
        return median_ms(case["seconds"], run)

    for mode, run in ((False, run_forward), (True, run_training)):
        model.train(mode)
        for _ in range(2):
            run()
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()  # comes when no other process gets ready or is timed
    times = {"forwardMs": timed(False, run_forward), "trainMs": timed(True, run_training)}
    print(json.dumps(times | {"memoryMB": memory()}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
