"""Makes a 32-bit model of the bundled 8-bit one: `dequantize.py SOURCE_FOLDER TARGET_FOLDER`.

The weights keep the values that quantization left them, so the scores stay what they are, but for the rounding of
activations, and the products run in 32 bits. The operators are those of the source without their quantization, in its
branches too.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import onnx
from onnx import helper, numpy_helper

Node = onnx.NodeProto

source, target = map(Path, sys.argv[1:])
model = onnx.load(source / "model.onnx")
constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
weights = {}


def branches(node: Node) -> Iterator[onnx.GraphProto]:
    """The graphs within a node."""
    return (attribute.g for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH)


def all_nodes(nodes) -> Iterator[Node]:
    """Nodes and those of their branches."""
    for node in nodes:
        yield node
        for branch in branches(node):
            yield from all_nodes(branch.node)


producers = {output: node for node in all_nodes(model.graph.node) for output in node.output}


def made_by(tensor: str, operator: str) -> Node | None:
    """The node that makes a tensor, if it is one of `operator`."""
    node = producers.get(tensor)
    return node if node is not None and node.op_type == operator else None


def float_weight(values: str, scale: str, zero_point: str | None = None) -> str:
    """The name of a weight in 32 bits that is stored in these parts."""
    difference = constants[values].astype("int32")
    if zero_point is not None:
        difference = difference - constants[zero_point].astype("int32")
    name = f"{values}_float"
    weights[name] = (difference * constants[scale]).astype("float32")
    return name


def float_activation(quantized: str) -> str:
    """The tensor that was quantized into the one of this name."""
    return producers[quantized].input[0]


def in_floats(node: Node) -> Node:
    """The node that does in 32 bits what this one does in 8."""
    inputs = list(node.input)
    if node.op_type == "QAttention":
        values, bias, scale, mask, zero_point = (inputs[index] for index in (1, 2, 4, 5, 7))
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        weight = float_weight(values, scale, zero_point)
        inputs = [float_activation(inputs[0]), weight, bias, mask]
        return helper.make_node("Attention", inputs, node.output, domain=node.domain, **attributes)
    cast = made_by(inputs[0], "Cast") if node.op_type == "Mul" else None
    if cast is not None and (product := made_by(cast.input[0], "MatMulInteger")) is not None:
        # The integers are multiplied, cast, and scaled here.
        scale = producers[inputs[1]].input[1]
        weight = float_weight(product.input[1], scale, product.input[3])
        return helper.make_node("MatMul", [float_activation(product.input[0]), weight], node.output)
    if cast is not None and (taken := made_by(cast.input[0], "Gather")) is not None:
        # Rows of a table, each with a scale of its own.
        weight = float_weight(taken.input[0], producers[inputs[1]].input[0])
        return helper.make_node("Gather", [weight, taken.input[1]], node.output, axis=0)
    copied = Node()
    copied.CopyFrom(node)
    for branch in branches(copied):
        replace(branch.node, map(in_floats, branch.node), branch.output)
    return copied


def replace(nodes, by, outputs) -> None:
    """Puts nodes in the place of others, and leaves out those that only the parts that are gone asked for."""
    needed, kept = {output.name for output in outputs}, []
    for node in reversed(list(by)):
        if needed.intersection(node.output):
            needed.update(name for inner in all_nodes([node]) for name in inner.input)
            kept.append(node)
    del nodes[:]
    nodes.extend(reversed(kept))


graph = model.graph
replace(graph.node, [in_floats(node) for node in graph.node], graph.output)
needed = {name for node in all_nodes(graph.node) for name in node.input}
tensors = [tensor for tensor in graph.initializer if tensor.name in needed]
tensors += [numpy_helper.from_array(values, name) for name, values in weights.items()]
del graph.initializer[:]
graph.initializer.extend(tensors)
target.mkdir(parents=True, exist_ok=True)
onnx.save(model, target / "model.onnx")
for name in ["config.json", "tokenizer.json", "tokenizer_config.json"]:
    shutil.copy(source / name, target)
