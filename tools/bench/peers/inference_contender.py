"""Contenders of the inference benchmark that read ONNX: `inference_contender.py RUNTIME FOLDER`, RUNTIME being `onnxruntime`
or `openvino`; see answer_rounds.py for the protocol. Ends with 1 where the logits are not those of the folder."""

import os
import sys

import numpy as np
from answer_rounds import answer_rounds

THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))
TOLERANCE = 1e-4


def onnxruntime(file):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    (images,) = session.get_inputs()
    return images.shape, lambda values: session.run(None, {images.name: values})[0]


def openvino(file):
    import openvino as ov

    # It computes in bfloat16 by itself where the processor can.
    precision = {"INFERENCE_PRECISION_HINT": "f32"}
    threads = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"}
    model = ov.Core().compile_model(file, "CPU", {**precision, **threads})
    return list(model.input(0).shape), lambda values: model(values)[0]


def main(runtime, folder):
    shape, run = {"onnxruntime": onnxruntime, "openvino": openvino}[runtime](os.path.join(folder, "model.onnx"))
    images = np.fromfile(os.path.join(folder, "images.bin"), np.float32).reshape(shape)
    expected = np.fromfile(os.path.join(folder, "logits.bin"), np.float32)
    difference = float(np.abs(run(images).ravel() - expected).max() / np.abs(expected).max())
    print(f"{runtime}: logits differ by {difference:.1e} of the largest", file=sys.stderr)
    if difference > TOLERANCE:
        sys.exit(1)
    answer_rounds(lambda: run(images))


main(*sys.argv[1:])
