"""Makes a model of the shape of toxic-bert with random weights: `bert_base.py SOURCE_FOLDER TARGET_FOLDER`.

BERT-base, 110 million parameters in 32 bits, with the six labels and the tokenizer of the source. Its scores mean
nothing; its work is that of the real one. The operators are those that ONNX Runtime's optimizer makes of an export.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = {
    "num_hidden_layers": 12,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}

source, target = map(Path, sys.argv[1:])
config = json.loads((source / "config.json").read_text()) | SHAPE
hidden = config["hidden_size"]
inner = config["intermediate_size"]
labels = len(config["id2label"])
random = np.random.default_rng(0)
nodes = []
tensors = []


def weight(name, *shape):
    """Random, as a model is before it is trained."""
    values = random.standard_normal(shape, dtype=np.float32) * np.float32(config["initializer_range"])
    tensors.append(numpy_helper.from_array(values, name))
    return name


def scale(name):
    tensors.append(numpy_helper.from_array(np.ones(hidden, dtype=np.float32), name))
    return name


def node(operator, inputs, output, **attributes):
    nodes.append(helper.make_node(operator, inputs, [output], **attributes))
    return output


def fused(operator, inputs, *outputs, **attributes):
    nodes.append(helper.make_node(operator, inputs, outputs, domain="com.microsoft", **attributes))
    return outputs[0]


def dense(name, rows, columns, value):
    product = node("MatMul", [value, weight(f"{name}.weight", rows, columns)], f"{name}.product")
    return node("Add", [product, weight(f"{name}.bias", columns)], f"{name}.dense")


def add_and_normalize(name, value, residual):
    total = node("Add", [value, residual], f"{name}.sum")
    parts = [total, scale(f"{name}.scale"), weight(f"{name}.shift", hidden)]
    return node("LayerNormalization", parts, f"{name}.output", epsilon=config["layer_norm_eps"])


names = ["input_ids", "attention_mask", "token_type_ids"]
for name in names:
    node("Cast", [name], f"{name}.narrow", to=TensorProto.INT32)
value = fused(
    "EmbedLayerNormalization",
    [
        "input_ids.narrow",
        "token_type_ids.narrow",
        weight("words", config["vocab_size"], hidden),
        weight("positions", config["max_position_embeddings"], hidden),
        weight("types", config["type_vocab_size"], hidden),
        scale("embedding.scale"),
        weight("embedding.shift", hidden),
        "attention_mask.narrow",
    ],
    "embedding",
    "mask",
    epsilon=config["layer_norm_eps"],
)
for layer in range(config["num_hidden_layers"]):
    parts = [value, weight(f"{layer}.qkv.weight", hidden, 3 * hidden), weight(f"{layer}.qkv.bias", 3 * hidden)]
    heads = config["num_attention_heads"]
    attended = fused("Attention", [*parts, "mask"], f"{layer}.attended", num_heads=heads)
    projected = dense(f"{layer}.projection", hidden, hidden, attended)
    value = add_and_normalize(f"{layer}.attention", projected, value)
    product = node("MatMul", [value, weight(f"{layer}.inner.weight", hidden, inner)], f"{layer}.inner.product")
    widened = fused("BiasGelu", [product, weight(f"{layer}.inner.bias", inner)], f"{layer}.inner")
    value = add_and_normalize(f"{layer}.outer", dense(f"{layer}.outer", inner, hidden, widened), value)
tensors.append(numpy_helper.from_array(np.array(0), "first"))
pooled = node("Gather", [value, "first"], "pooled", axis=1)
activated = node("Tanh", [dense("pooler", hidden, hidden, pooled)], "activated")
product = node("MatMul", [activated, weight("classifier.weight", hidden, labels)], "classifier.product")
node("Add", [product, weight("classifier.bias", labels)], "logits")

integers = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in names]
logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", labels])
opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
graph = helper.make_graph(nodes, "bert-base", integers, [logits], tensors)
target.mkdir(parents=True, exist_ok=True)
onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), target / "model.onnx")
(target / "config.json").write_text(json.dumps(config))
tokenizer_config = json.loads((source / "tokenizer_config.json").read_text())
tokenizer_config["model_max_length"] = config["max_position_embeddings"]
(target / "tokenizer_config.json").write_text(json.dumps(tokenizer_config))
shutil.copy(source / "tokenizer.json", target)
