"""Writes `brightness.onnx`, a matting model for tests: what is bright is figure.

Run it with the package `onnx`: `python tests/building/networks/written.py`.
"""

from __future__ import annotations

from pathlib import Path

from onnx import TensorProto, checker, helper

SIDES: list[str | int | None] = ["batch", 3, 32, 32]
node = helper.make_node("ReduceMean", ["image"], ["mask"], axes=[1], keepdims=1)
graph = helper.make_graph(
    [node],
    "brightness",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, SIDES)],
    [helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", 1, 32, 32])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
checker.check_model(model)
Path(__file__).with_name("brightness.onnx").write_bytes(model.SerializeToString())
