"""Peers of the startup benchmark: `startup_peer.py RUNTIME MODEL PICTURE HEIGHT WIDTH`, from the start of Python to one line about what
the network finds in the picture. MODEL is a file for `onnxruntime`, a network for `torch`, which has random weights."""

import os
import sys

import cv2
import numpy as np

MEAN = np.float32([123.675, 116.28, 103.53])
STD = np.float32([58.395, 57.12, 57.375])


def read(picture, height, width):
    """As an ONNX model of this project takes it: RGB from 0 to 255, float32 [1, 3, H, W]."""
    image = cv2.resize(cv2.imread(picture), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)


def onnxruntime(model, image):
    import onnxruntime as ort

    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: image})[0].shape


def torch(model, image):
    import torch

    pixels = torch.from_numpy((image - MEAN[:, None, None]) / STD[:, None, None])
    with torch.inference_mode():
        if model == "groupmixformer":
            from step_groupmixformer import build

            return build("tiny").eval()(pixels).shape
        from torchvision.models import detection

        height, width = image.shape[2:]
        sizes = {"min_size": min(height, width), "max_size": max(height, width)}
        network = getattr(detection, model)(weights=None, weights_backbone=None, **sizes)
        return network.eval()(list(pixels))[0]["boxes"].shape


def main(runtime, model, picture, height, width):
    found = {"onnxruntime": onnxruntime, "torch": torch}[runtime](model, read(picture, int(height), int(width)))
    print(f"{picture}: {tuple(found)}", flush=True)
    os._exit(0)


main(*sys.argv[1:])
