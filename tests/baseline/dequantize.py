"""Makes a 32-bit model of the bundled 8-bit one: `dequantize.py SOURCE_FOLDER TARGET_FOLDER`.

The weights keep the values that quantization left them, so the scores stay what they are, but for the rounding of
activations, and the products run in 32 bits. The operators are those of the source without their quantization.
"""

import shutil
import sys
from pathlib import Path

import onnx
from onnx import helper, numpy_helper

source, target = map(Path, sys.argv[1:])
model = onnx.load(source / "model.onnx")
constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
producers = {output: node for node in model.graph.node for output in node.output}
weights = {}
nodes = []


def float_weight(values, scale, zero_point):
    """The weight whose three parts have these names."""
    name = values.removesuffix("_quantized")
    difference = constants[values].astype("int32") - constants[zero_point].astype("int32")
    weights[name] = (difference * constants[scale]).astype("float32")
    return name


def float_activation(quantized):
    """The tensor that was quantized into the one of this name."""
    return producers[quantized].input[0]


def replace(node, operator, inputs, domain):
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    nodes.append(helper.make_node(operator, inputs, node.output, domain=domain, **attributes))


for node in model.graph.node:
    inputs = list(node.input)
    operator = node.op_type
    if operator == "QEmbedLayerNormalization":
        parts = zip(inputs[2:7], inputs[8:13], inputs[13:18])
        embedding = [float_weight(*part) for part in parts]
        replace(node, "EmbedLayerNormalization", [*inputs[:2], *embedding, inputs[7]], node.domain)
    elif operator == "QAttention":
        values, bias, scale, mask, zero_point = (inputs[index] for index in (1, 2, 4, 5, 7))
        weight = float_weight(values, scale, zero_point)
        replace(node, "Attention", [float_activation(inputs[0]), weight, bias, mask], node.domain)
    elif operator == "Mul" and producers.get(inputs[0]) is not None and producers[inputs[0]].op_type == "Cast":
        # A product: the integers are multiplied, cast, and scaled here.
        product = producers[producers[inputs[0]].input[0]]
        scale = producers[inputs[1]].input[1]
        weight = float_weight(product.input[1], scale, product.input[3])
        nodes.append(helper.make_node("MatMul", [float_activation(product.input[0]), weight], node.output))
    else:
        nodes.append(node)

# What only the parts that are gone asked for goes too.
needed = {output.name for output in model.graph.output}
kept = []
for node in reversed(nodes):
    if needed.intersection(node.output):
        needed.update(node.input)
        kept.append(node)
tensors = [tensor for tensor in model.graph.initializer if tensor.name in needed]
tensors += [numpy_helper.from_array(values, name) for name, values in weights.items()]
graph = helper.make_graph(
    kept[::-1], "float", model.graph.input, model.graph.output, tensors
)
target.mkdir(parents=True, exist_ok=True)
onnx.save(
    helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version),
    target / "model.onnx",
)
for name in ["config.json", "tokenizer.json", "tokenizer_config.json"]:
    shutil.copy(source / name, target)
