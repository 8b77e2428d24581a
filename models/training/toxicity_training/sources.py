"""The sets that the model learns from, how much each counts, and what it is licensed under."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One set of labelled comments.

    `weight` scales the loss of its rows. `share` is the part of its rows that one pass over the data takes: a third
    means that three passes see every row once. `own_bias` lets the set have its own offset per label beside the shared
    logits, so that how often and how readily its raters said "toxic" does not move the scores of everyone else; a set
    with rows of one kind only must not have it, for the offset alone would explain them. `site` is where the comments
    were written, `licence` what the labels and texts may be used under.
    """

    name: str
    file: str
    weight: float
    share: float
    own_bias: bool
    site: str
    licence: str


SOURCES = (
    Source("jigsaw", "jigsaw/train_six_labels.csv.gz", 1.0, 1.0, False, "Wikipedia talk pages", "CC0, text CC BY-SA 3.0"),
    Source("jigsaw_cleaned", "jigsaw/train_six_labels.csv.gz", 0.4, 1 / 3, False, "Wikipedia talk pages", "CC0, text CC BY-SA 3.0"),
    Source("jigsaw_extra", "jigsaw/train_extra_nontoxic.csv.gz", 0.7, 2 / 3, False, "Wikipedia talk pages", "CC0, text CC BY-SA 3.0"),
    Source("toxic_spans", "toxic_spans/tsd_train.csv.gz", 0.2, 2 / 3, False, "Civil Comments", "CC0"),
    Source("wiki_context", "wiki_context.csv.gz", 0.4, 1 / 3, True, "Wikipedia talk pages", "Apache-2.0, text CC BY-SA"),
    Source("cad_reddit", "cad_reddit.csv.gz", 0.6, 1 / 3, True, "Reddit", "CC BY 4.0"),
    Source("gab_hate", "gab_hate.csv.gz", 0.4, 1 / 3, True, "Gab", "MIT"),
    Source("implicit_hate", "implicit_hate.csv.gz", 0.6, 0.5, True, "Twitter", "MIT and CC BY 4.0"),
    Source("hatexplain", "hatexplain.csv.gz", 0.6, 0.5, True, "Twitter and Gab", "MIT"),
    Source("davidson_tweets", "davidson_tweets.csv.gz", 0.25, 1 / 3, True, "Twitter", "MIT"),
    Source("stormfront", "stormfront.csv.gz", 0.4, 1 / 3, True, "Stormfront", "CC BY-SA 3.0 ES"),
    Source("sbic", "sbic.csv.gz", 0.6, 2 / 3, True, "Reddit, Twitter, Gab, Stormfront", "CC BY 4.0"),
    Source("civil_toxic", "civil_toxic.csv.gz", 0.2, 1 / 3, False, "Civil Comments", "CC0"),
    Source("online_misogyny", "online_misogyny.csv.gz", 0.4, 1 / 3, True, "Reddit", "MIT"),
    Source("edos_sexist", "edos_sexist.csv.gz", 0.2, 1 / 3, False, "Reddit and Gab", "CC0"),
    Source("hatemoji_build", "hatemoji_build_train.csv.gz", 0.6, 2 / 3, True, "written against a model", "CC BY 4.0"),
    Source("github_incivility", "github_incivility.csv.gz", 0.4, 1 / 3, True, "GitHub", "MIT"),
    Source("offensivelang", "offensivelang.csv.gz", 0.2, 1 / 3, True, "written by a language model", "CC BY"),
    Source("convabuse", "convabuse.csv.gz", 0.4, 2 / 3, True, "chat bots", "CC BY 4.0"),
    Source("noisyhate", "noisyhate.csv.gz", 0.2, 2 / 3, False, "Civil Comments, respelled", "MIT, text CC0"),
    Source("github_toxicity", "github_toxicity.csv.gz", 0.4, 1 / 3, True, "GitHub", "MIT"),
    Source("fox_news", "fox_news.csv.gz", 0.4, 2 / 3, True, "Fox News", "MIT"),
    Source("templates", "", 0.6, 1.0, False, "sentences written for this model", "Apache-2.0"),
    Source("feedback", "", 2.0, 1.0, False, "feedback of the deployed instance", "yours"),
)

SOURCE_INDEX = {source.name: index for index, source in enumerate(SOURCES)}
