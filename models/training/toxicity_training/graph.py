"""The ONNX graph: written node by node from the weights, so that it holds what ONNX Runtime is fast with and nothing else.

Attention, embedding normalisation and bias-gelu are one operator each; SkipLayerNormalization is not used, because its
fused kernel on a processor takes three times as long as its parts. With 8-bit weights every column of a matrix, and every
row of the word embeddings, has its own scale; the states are quantised as they come. A text that the first layers find plainly harmless
does not see the others: they stand in a branch that is taken only when some text of the batch needs it. Each text's
logits depend on that text alone, whatever stands beside it in a batch.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .labels import LABELS
from .network import Classifier

OPSET = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
IR_VERSION = 8
MICROSOFT = "com.microsoft"
# The logit of words in texts that left early: no word of theirs is marked.
UNMARKED_LOGIT = -12.0
# Positions that the file keeps; the model server's windows are far shorter.
POSITIONS = 512


@dataclass(frozen=True)
class Folding:
    """What is folded into the graph: the calibration of each label (logit × scale + offset) after all layers and after
    the first `early_layers`, the offset of the words, and the calibrated logit under which all labels must lie to leave
    early; None for a graph in which no text leaves early."""

    scale: np.ndarray
    offset: np.ndarray
    early_layers: int
    early_scale: np.ndarray
    early_offset: np.ndarray
    span_offset: float
    leave_below: float | None


class Nodes:
    """A graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", extra: tuple[str, ...] = (), **attributes) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output, *extra], name=output, domain=domain, **attributes))
        return output

    def model(self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.weights)
        return helper.make_model(graph, opset_imports=OPSET, ir_version=IR_VERSION, producer_name="toxicity-training")


def value(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))


def columns_as_int8(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """8-bit values of a matrix and the scale of each column; symmetric, so that zero stays zero."""
    scales = np.abs(matrix).max(axis=0) / 127.0
    scales = np.where(scales == 0, 1.0, scales).astype(np.float32)
    return np.clip(np.rint(matrix / scales), -127, 127).astype(np.int8), scales


class Writer:
    """Writes the parts of one model, with 8-bit weights where `small`."""

    def __init__(self, model: Classifier, folding: Folding, small: bool) -> None:
        self.weights = {name: tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()}
        self.config = model.encoder.config
        self.folding = folding
        self.small = small

    def looked_up(self, nodes: Nodes, name: str) -> str:
        """States of the words."""
        table = self.weights["encoder.embeddings.word_embeddings.weight"]
        if not self.small:
            return nodes.add("Gather", [nodes.weight(name, table), "input_ids"], f"{name}_states", axis=0)
        values, scales = columns_as_int8(table.T)
        taken = nodes.add("Gather", [nodes.weight(name, values.T), "input_ids"], f"{name}_small", axis=0)
        taken = nodes.add("Cast", [taken], f"{name}_unscaled", to=TensorProto.FLOAT)
        scale = nodes.add("Gather", [nodes.weight(f"{name}_scales", scales[:, None]), "input_ids"], f"{name}_scale", axis=0)
        return nodes.add("Mul", [taken, scale], f"{name}_states")

    def embeddings(self, nodes: Nodes) -> str:
        """Token states before the first layer, and `mask_index`, how many tokens of each text are no padding."""
        words = self.looked_up(nodes, "words")
        types = nodes.weight("types", self.weights["encoder.embeddings.token_type_embeddings.weight"])
        types = nodes.add("Gather", [types, "token_type_ids"], "types_states", axis=0)
        length = nodes.add("Shape", ["input_ids"], "length", start=1, end=2)
        zero, axis = nodes.weight("zero", np.array([0], dtype=np.int64)), nodes.weight("zeroth_axis", np.array([0], dtype=np.int64))
        positions = nodes.weight("positions", self.weights["encoder.embeddings.position_embeddings.weight"][:POSITIONS])
        positions = nodes.add("Slice", [positions, zero, length, axis], "positions_states")
        summed = nodes.add("Add", [words, types], "words_and_types")
        summed = nodes.add("Add", [summed, positions], "embedded_summed")
        scale = nodes.weight("embedded_scale", self.weights["encoder.embeddings.LayerNorm.weight"])
        offset = nodes.weight("embedded_offset", self.weights["encoder.embeddings.LayerNorm.bias"])
        mask = nodes.add("Cast", ["attention_mask"], "mask_int32", to=TensorProto.INT32)
        nodes.add("ReduceSum", [mask, nodes.weight("token_axis", np.array([1], dtype=np.int64))], "mask_index", keepdims=0)
        return nodes.add("LayerNormalization", [summed, scale, offset], "embedded", axis=-1, epsilon=self.config.layer_norm_eps)

    def quantised(self, nodes: Nodes, states: str) -> list[str]:
        """States as 8-bit values, their scale and their zero."""
        extra = (f"{states}_scale_now", f"{states}_zero_now")
        return [nodes.add("DynamicQuantizeLinear", [states], f"{states}_small", extra=extra), *extra]

    def product(self, nodes: Nodes, states: str, matrix: np.ndarray, output: str) -> str:
        if not self.small:
            return nodes.add("MatMul", [states, nodes.weight(f"{output}_weight", matrix)], output)
        values, scales = columns_as_int8(matrix)
        small, scale, zero = self.quantised(nodes, states)
        no_zero = nodes.weight(f"{output}_weight_zero", np.zeros_like(scales, dtype=np.int8))
        product = nodes.add("MatMulInteger", [small, nodes.weight(f"{output}_weight", values), zero, no_zero], f"{output}_whole")
        product = nodes.add("Cast", [product], f"{output}_unscaled", to=TensorProto.FLOAT)
        scale = nodes.add("Mul", [scale, nodes.weight(f"{output}_weight_scale", scales)], f"{output}_scales")
        return nodes.add("Mul", [product, scale], output)

    def linear(self, nodes: Nodes, states: str, name: str, output: str) -> str:
        return self.product(nodes, states, self.weights[f"{name}.weight"].T, output)

    def attended(self, nodes: Nodes, states: str, matrix: np.ndarray, bias: str, output: str) -> str:
        heads = self.config.num_attention_heads
        if not self.small:
            weight = nodes.weight(f"{output}_weight", matrix)
            return nodes.add("Attention", [states, weight, bias, "mask_index"], output, domain=MICROSOFT, num_heads=heads)
        values, scales = columns_as_int8(matrix)
        small, scale, zero = self.quantised(nodes, states)
        weight, weight_scale = nodes.weight(f"{output}_weight", values), nodes.weight(f"{output}_weight_scale", scales)
        weight_zero = nodes.weight(f"{output}_weight_zero", np.zeros_like(scales, dtype=np.int8))
        inputs = [small, weight, bias, scale, weight_scale, "mask_index", zero, weight_zero]
        return nodes.add("QAttention", inputs, output, domain=MICROSOFT, num_heads=heads)

    def normalised(self, nodes: Nodes, product: str, residual: str, name: str, output: str) -> str:
        """Bias, residual and normalisation, each its own operator."""
        bias = nodes.weight(f"{output}_dense_bias", self.weights[f"{name}.dense.bias"])
        biased = nodes.add("Add", [product, bias], f"{output}_biased")
        summed = nodes.add("Add", [biased, residual], f"{output}_summed")
        scale = nodes.weight(f"{output}_scale", self.weights[f"{name}.LayerNorm.weight"])
        offset = nodes.weight(f"{output}_offset", self.weights[f"{name}.LayerNorm.bias"])
        return nodes.add("LayerNormalization", [summed, scale, offset], output, axis=-1, epsilon=self.config.layer_norm_eps)

    def layer(self, nodes: Nodes, index: int, states: str) -> str:
        name, short = f"encoder.encoder.layer.{index}", f"layer{index}"
        parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        matrix = np.concatenate([self.weights[f"{part}.weight"].T for part in parts], axis=1)
        bias = nodes.weight(f"{short}_qkv_bias", np.concatenate([self.weights[f"{part}.bias"] for part in parts]))
        attended = self.attended(nodes, states, matrix, bias, f"{short}_attended")
        product = self.linear(nodes, attended, f"{name}.attention.output.dense", f"{short}_projected")
        states = self.normalised(nodes, product, states, f"{name}.attention.output", f"{short}_attention")
        inner = self.linear(nodes, states, f"{name}.intermediate.dense", f"{short}_inner")
        bias = nodes.weight(f"{short}_inner_bias", self.weights[f"{name}.intermediate.dense.bias"])
        inner = nodes.add("BiasGelu", [inner, bias], f"{short}_gelu", domain=MICROSOFT)
        product = self.linear(nodes, inner, f"{name}.output.dense", f"{short}_outer")
        return self.normalised(nodes, product, states, f"{name}.output", f"{short}_states")

    def label_head(self, nodes: Nodes, states: str, name: str, scale: np.ndarray, offset: np.ndarray, output: str) -> str:
        """Calibrated logits per label from the first token and the mean of all."""
        first = nodes.weight(f"{output}_first", np.array(0, dtype=np.int64))
        first = nodes.add("Gather", [states, first], f"{output}_first_token", axis=1)
        counted = nodes.add("Cast", ["attention_mask"], f"{output}_counted_flat", to=TensorProto.FLOAT)
        last_axis = nodes.weight(f"{output}_last_axis", np.array([2], dtype=np.int64))
        counted = nodes.add("Unsqueeze", [counted, last_axis], f"{output}_counted")
        masked = nodes.add("Mul", [states, counted], f"{output}_masked")
        axis = nodes.weight(f"{output}_axis", np.array([1], dtype=np.int64))
        total = nodes.add("ReduceSum", [masked, axis], f"{output}_total", keepdims=0)
        count = nodes.add("ReduceSum", [counted, axis], f"{output}_count", keepdims=0)
        mean = nodes.add("Div", [total, count], f"{output}_mean")
        pooled = nodes.add("Concat", [first, mean], f"{output}_pooled", axis=-1)
        weight = nodes.weight(f"{output}_inner_weight", self.weights[f"{name}.inner.weight"].T)
        bias = nodes.weight(f"{output}_inner_bias", self.weights[f"{name}.inner.bias"])
        inner = nodes.add("Gemm", [pooled, weight, bias], f"{output}_inner")
        inner = nodes.add("Tanh", [inner], f"{output}_tanh")
        weight = nodes.weight(f"{output}_weight", (self.weights[f"{name}.out.weight"].T * scale).astype(np.float32))
        bias = nodes.weight(f"{output}_bias", (self.weights[f"{name}.out.bias"] * scale + offset).astype(np.float32))
        return nodes.add("Gemm", [inner, weight, bias], output)

    def span_head(self, nodes: Nodes, states: str) -> str:
        weight = nodes.weight("span_weight", self.weights["span_head.weight"].T)
        bias = nodes.weight("span_bias", (self.weights["span_head.bias"] + self.folding.span_offset).astype(np.float32))
        product = nodes.add("MatMul", [states, weight], "span_product")
        biased = nodes.add("Add", [product, bias], "span_biased")
        axis = nodes.weight("span_axis", np.array([2], dtype=np.int64))
        return nodes.add("Squeeze", [biased, axis], "span_all")

    def first_layers(self) -> onnx.ModelProto:
        nodes = Nodes()
        states = self.embeddings(nodes)
        for index in range(self.folding.early_layers):
            states = self.layer(nodes, index, states)
        self.label_head(
            nodes, states, f"early_heads.{self.folding.early_layers}", self.folding.early_scale, self.folding.early_offset, "early_logits"
        )
        outputs = [
            value(states, TensorProto.FLOAT, "batch", "sequence", self.config.hidden_size),
            value("mask_index", TensorProto.INT32, "batch"),
            value("early_logits", TensorProto.FLOAT, "batch", len(LABELS)),
        ]
        return nodes.model("first_layers", graph_inputs(), outputs)

    def other_layers(self) -> onnx.ModelProto:
        nodes = Nodes()
        states = first = f"layer{self.folding.early_layers - 1}_states"
        for index in range(self.folding.early_layers, self.config.num_hidden_layers):
            states = self.layer(nodes, index, states)
        self.label_head(nodes, states, "head", self.folding.scale, self.folding.offset, "late_logits")
        self.span_head(nodes, states)
        inputs = [
            value(first, TensorProto.FLOAT, "batch", "sequence", self.config.hidden_size),
            value("mask_index", TensorProto.INT32, "batch"),
            value("attention_mask", TensorProto.INT64, "batch", "sequence"),
        ]
        outputs = [value("late_logits", TensorProto.FLOAT, "batch", len(LABELS)), value("span_all", TensorProto.FLOAT, "batch", "sequence")]
        return nodes.model("other_layers", inputs, outputs)


def graph_inputs() -> list[onnx.ValueInfoProto]:
    return [value(name, TensorProto.INT64, "batch", "sequence") for name in ("input_ids", "attention_mask", "token_type_ids")]


def graph_outputs() -> list[onnx.ValueInfoProto]:
    return [value("logits", TensorProto.FLOAT, "batch", len(LABELS)), value("span_logits", TensorProto.FLOAT, "batch", "sequence")]


def joined(first: onnx.ModelProto, other: onnx.ModelProto, leave_below: float | None, early_output: bool) -> onnx.ModelProto:
    """One graph of both parts; with `leave_below` the other layers stand in a branch. `early_output` shows the logits
    after the first layers as well."""
    nodes, weights = list(first.graph.node), list(first.graph.initializer) + list(other.graph.initializer)
    made = Nodes()
    if leave_below is None:
        nodes += list(other.graph.node)
        made.add("Identity", ["late_logits"], "logits")
        made.add("Identity", ["span_all"], "span_logits")
    else:
        made.add("ReduceMax", ["early_logits"], "early_highest", axes=[1], keepdims=1)
        below = made.weight("leave_below", np.array(leave_below, dtype=np.float32))
        made.add("Less", ["early_highest", below], "harmless")
        made.add("Cast", ["harmless"], "harmless_number", to=TensorProto.INT32)
        made.add("ReduceMin", ["harmless_number"], "all_harmless_number", keepdims=0)
        made.add("Cast", ["all_harmless_number"], "all_harmless", to=TensorProto.BOOL)
        made.weight("unmarked", np.array(UNMARKED_LOGIT, dtype=np.float32))
        leave, stay = Nodes(), Nodes()
        leave.add("Identity", ["early_logits"], "left_logits")
        leave.add("Shape", ["input_ids"], "left_shape")
        leave.add("Expand", ["unmarked", "left_shape"], "left_spans")
        stay.nodes = list(other.graph.node)
        stay.add("Where", ["harmless", "early_logits", "late_logits"], "stayed_logits")
        stay.add("Where", ["harmless", "unmarked", "span_all"], "stayed_spans")

        def branch(found: Nodes, name: str) -> onnx.GraphProto:
            outputs = [
                value(f"{name}_logits", TensorProto.FLOAT, "batch", len(LABELS)),
                value(f"{name}_spans", TensorProto.FLOAT, "batch", "sequence"),
            ]
            return helper.make_graph(found.nodes, name, [], outputs)

        made.add(
            "If", ["all_harmless"], "logits", extra=("span_logits",), then_branch=branch(leave, "left"), else_branch=branch(stay, "stayed")
        )
    outputs = graph_outputs()
    if early_output:
        outputs.append(value("early_logits", TensorProto.FLOAT, "batch", len(LABELS)))
    graph = helper.make_graph(nodes + made.nodes, "toxic-minilm", graph_inputs(), outputs, weights + made.weights)
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=IR_VERSION, producer_name="toxicity-training")
    onnx.checker.check_model(model)
    return model


def write(model: Classifier, folding: Folding, file: Path, small: bool, early_output: bool = False) -> None:
    """Writes the graph with 8-bit weights, or with 32-bit ones to compare with."""
    writer = Writer(model, folding, small)
    onnx.save(joined(writer.first_layers(), writer.other_layers(), folding.leave_below, early_output), file)
