"""PyTorch's contender of the benchmark of whole tasks: `tasks_contender.py CASE`, the case in JSON; see src/tasks for the other.

Networks are those of card_contender.py, with torchvision's Mask R-CNN and an UperNet as MMSegmentation's."""

import json
import os
import sys

import numpy as np
import torch
from answer_rounds import answer_rounds
from card_contender import CLASSES, Pyramid, UperNet, detector, resize, segmentor
from torch.nn import functional as F

SPREAD, CANDIDATES, THRESHOLD = 2, 1000, 0.05
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def calibrate(model):
    """As src/tasks/calibrate.ts: classes are spread, and so many of them score above the threshold."""
    predictor = model.roi_heads.box_predictor
    kept = []
    hook = predictor.register_forward_hook(lambda *args: kept.append(args[2][0]))
    with torch.inference_mode():
        model([torch.rand(3, 800, 1333)])
    hook.remove()
    logits = kept[0]
    with torch.no_grad():
        mean, scale = logits.mean(0), SPREAD / logits.std(0)
        layer = predictor.cls_score
        layer.weight *= scale[:, None]
        layer.bias.copy_((layer.bias - mean) * scale)
        low, high = -20.0, 20.0
        while high - low > 1e-3:
            middle = (low + high) / 2
            moved = (logits - mean) * scale
            moved[:, 0] += middle
            found = (moved.softmax(1)[:, 1:] > THRESHOLD).sum().item()
            low, high = (middle, high) if found > CANDIDATES else (low, middle)
        layer.bias[0] += high


def find_objects(case):
    """A picture's detections and their masks in COCO's run lengths."""
    from pycocotools import mask
    from torchvision.models.detection import MaskRCNN

    model = MaskRCNN(
        Pyramid("tiny"),
        CLASSES["mask-rcnn"] + 1,
        min_size=800,
        max_size=1333,
        box_score_thresh=THRESHOLD,
        box_detections_per_img=100,
    ).eval()
    calibrate(model)
    picture = picture_of(case)

    def run():
        with torch.inference_mode():
            (found,) = model([picture.permute(2, 0, 1) / 255.0])
            covered = (found["masks"][:, 0] >= 0.5).to(torch.uint8).numpy()
            return mask.encode(np.asfortranarray(covered.transpose(1, 2, 0)))

    print(f"tasks: PyTorch: {len(run())} detections and masks", file=sys.stderr)
    return run


def find_classes(case):
    """A picture's map of classes, at its own size."""
    model = UperNet("tiny", CLASSES["upernet"]).eval()
    picture = picture_of(case)

    def run():
        with torch.inference_mode():
            x = ((picture / 255.0 - MEAN) / STD).permute(2, 0, 1)[None]
            logits = model(resize(x, (512, 512)))[0]
            return resize(resize(logits, (512, 512)), picture.shape[:2]).argmax(1).to(torch.uint8).numpy()

    return run


def picture_of(case):
    return torch.randint(0, 256, (case["height"], case["width"], 3), dtype=torch.uint8)


def learn(case):
    """One update of a batch."""
    images = torch.randn(case["batch"], 3, case["height"], case["width"])
    model, _, loss = {"mask-rcnn": learning_detector, "upernet": segmentor}[case["network"]]("tiny", images)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def run():
        value = loss()
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        value.item()

    return run


def learning_detector(variant, images):
    """As many proposals of an image go on as in MMDetection's settings."""
    model, forward, loss = detector(variant, images)
    model.rpn._post_nms_top_n["training"] = 1000
    return model, forward, loss


def main(case):
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    torch.manual_seed(1)
    predict = {"mask-rcnn": find_objects, "upernet": find_classes}[case["network"]]
    run = learn(case) if case["task"] == "train" else predict(case)
    answer_rounds(run)


main(json.loads(sys.argv[1]))
