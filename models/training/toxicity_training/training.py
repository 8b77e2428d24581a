"""Training: three passes over what `schedule` shows, with averaged weights at the end."""

import math
import random
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from .batches import MASK_TOKEN, Batch, batch_of, encode, group, schedule
from .network import Classifier
from .rows import Row


@dataclass(frozen=True)
class Recipe:
    """What can be turned. Rates are those of AdamW: `rate` for the last layer of the encoder, less by `layer_decay` for
    each layer below, `head_rate` for what is new."""

    passes: int = 3
    tokens_per_batch: int = 4096
    rate: float = 1.6e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.9
    warmup: float = 0.06
    weight_decay: float = 0.01
    mask_share: float = 0.06
    respelled: float = 0.07
    average: float = 0.998
    early_loss: float = 0.5
    span_loss: float = 0.3
    seed: int = 20261122

    def described(self) -> dict[str, float]:
        return asdict(self)


def seed(number: int) -> None:
    """Makes what follows repeatable: also the first weights of the heads, so it comes before the model is made."""
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def parameter_groups(model: Classifier, recipe: Recipe) -> list[dict]:
    """Rates by depth, and no weight decay for biases and normalisation."""
    layers = len(model.encoder.encoder.layer)
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name.startswith("encoder.embeddings"):
            rate = recipe.rate * recipe.layer_decay ** (layers + 1)
        elif name.startswith("encoder.encoder.layer."):
            rate = recipe.rate * recipe.layer_decay ** (layers - 1 - int(name.split(".")[3]))
        else:
            rate = recipe.head_rate
        decay = 0.0 if parameter.ndim < 2 or name == "source_bias" else recipe.weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": found, "lr": rate, "weight_decay": decay} for (rate, decay), found in groups.items()]


def label_loss(logits: torch.Tensor, batch: Batch, bias: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over the labels that are known, rows weighted by their set."""
    known = ~batch.labels.isnan()
    truth = torch.where(known, batch.labels, torch.zeros_like(batch.labels))
    loss = functional.binary_cross_entropy_with_logits(logits.float() + bias, truth, reduction="none")
    weights = known * batch.weights.unsqueeze(-1)
    return (loss * weights).sum() / weights.sum().clamp(min=1.0)


def span_loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    known = batch.spans >= 0
    if not known.any():
        return logits.sum() * 0.0
    return functional.binary_cross_entropy_with_logits(logits.float()[known], batch.spans[known])


def to(batch: Batch, where: torch.device) -> Batch:
    return Batch(*(tensor.to(where) for tensor in vars(batch).values()))


def train(model: Classifier, tokenizer: Tokenizer, rows: list[Row], recipe: Recipe, say=print, limit: int | None = None) -> Classifier:
    """Trains in place and gives the model with its averaged weights. After `seed` the same recipe on the same machine
    gives the same weights. `limit` stops after so many batches, for a try."""
    where = device()
    model = model.to(where).train()
    generator = np.random.default_rng(recipe.seed)
    passes = []
    for passed in range(recipe.passes):
        shown = encode(tokenizer, schedule(rows, passed, recipe.seed, recipe.respelled))
        passes.append(list(group(shown, recipe.tokens_per_batch, random.Random(recipe.seed + passed))))
    groups = [found for one in passes for found in one][:limit]
    total = len(groups)
    tokens = sum(len(one.ids) for found in groups for one in found)
    say(f"{sum(map(len, groups)):,} texts, {tokens:,} tokens, {total:,} batches on {where}")
    optimizer = torch.optim.AdamW(parameter_groups(model, recipe), betas=(0.9, 0.98), fused=True)
    warm = max(1, round(recipe.warmup * total))
    plan = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.0, (1 + math.cos(math.pi * (step - warm) / max(1, total - warm))) / 2))
    )
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.average))
    mask_id = tokenizer.token_to_id(MASK_TOKEN)
    began, seen, sums = time.monotonic(), 0, np.zeros(3)
    for step, found in enumerate(groups, 1):
        batch = to(batch_of(found, recipe.mask_share, mask_id, generator), where)
        with torch.autocast(where.type, torch.bfloat16):
            logits, spans, early = model(batch.ids, batch.mask)
        bias = model.bias_of(batch.sources)
        early_losses = [label_loss(found, batch, bias.detach()) for found in early]
        losses = (label_loss(logits, batch, bias), sum(early_losses) / len(early_losses), span_loss(spans, batch))
        loss = losses[0] + recipe.early_loss * losses[1] + recipe.span_loss * losses[2]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        plan.step()
        # Early weights are far from where it ends, so averaging begins in the last half.
        if step > total // 2:
            average.update_parameters(model)
        seen += sum(len(one.ids) for one in found)
        sums += [float(part.detach()) for part in losses]
        if step % 100 == 0 or step == total:
            spent = time.monotonic() - began
            mean = sums / (step % 100 or 100)
            say(
                f"batch {step:,} of {total:,}: loss {mean[0]:.4f}, early {mean[1]:.4f}, words {mean[2]:.4f}; "
                f"{seen / spent:,.0f} tokens/s, {spent / step * (total - step) / 60:.0f} min left"
            )
            sums[:] = 0
    return average.module.eval()
