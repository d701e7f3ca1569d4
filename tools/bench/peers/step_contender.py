"""PyTorch's contender of the step benchmark: `step_contender.py VARIANT BATCH CASE [compiled]`; see answer_rounds.py for the protocol."""

import os
import sys

import torch
from answer_rounds import answer_rounds
from step_groupmixformer import build
from torch.nn import functional as F


def forward(model, images):
    model.eval()

    def run():
        with torch.inference_mode():
            model(images).sum().item()

    return run


def training(model, images):
    model.train()
    labels = torch.arange(len(images))
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)

    def run():
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        loss.item()

    return run


def main(variant, batch, case, mode="eager"):
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    torch.manual_seed(1)
    images = torch.rand(int(batch), 3, 224, 224) * 2 - 1
    model = build(variant)
    if mode == "compiled":
        model.compile()
    run = {"forward": forward, "train": training}[case](model, images)
    answer_rounds(run)


main(*sys.argv[1:])
