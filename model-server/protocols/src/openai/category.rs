//! `OpenAI`'s categories, and the labels of a model that score them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::scored::Labels;

/// The labels for rude and insulting language, in the Jigsaw and in the Detoxify family.
const HARASSMENT: &[&str] = &["toxic", "toxicity", "severe_toxic", "severe_toxicity", "insult"];
const HATE: &[&str] = &["identity_hate", "identity_attack"];
const THREAT: &[&str] = &["threat"];
const SEXUAL: &[&str] = &["sexual_explicit"];

/// A category of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ModerationCategory)]
pub enum Category {
    /// Harassing language towards anyone.
    #[serde(rename = "harassment")]
    Harassment,
    /// Harassment with violence.
    #[serde(rename = "harassment/threatening")]
    HarassmentThreatening,
    /// Hate of a group.
    #[serde(rename = "hate")]
    Hate,
    /// Hate with violence.
    #[serde(rename = "hate/threatening")]
    HateThreatening,
    /// Advice for wrongdoing.
    #[serde(rename = "illicit")]
    Illicit,
    /// Advice for violence.
    #[serde(rename = "illicit/violent")]
    IllicitViolent,
    /// Self-harm.
    #[serde(rename = "self-harm")]
    SelfHarm,
    /// The wish to harm oneself.
    #[serde(rename = "self-harm/intent")]
    SelfHarmIntent,
    /// Advice for self-harm.
    #[serde(rename = "self-harm/instructions")]
    SelfHarmInstructions,
    /// Sexual content.
    #[serde(rename = "sexual")]
    Sexual,
    /// Sexual content with a minor.
    #[serde(rename = "sexual/minors")]
    SexualMinors,
    /// Death, violence or injury.
    #[serde(rename = "violence")]
    Violence,
    /// The same in detail.
    #[serde(rename = "violence/graphic")]
    ViolenceGraphic,
}

impl Category {
    /// All of them, in `OpenAI`'s order.
    pub const ALL: [Self; 13] = [
        Self::Harassment,
        Self::HarassmentThreatening,
        Self::Hate,
        Self::HateThreatening,
        Self::Illicit,
        Self::IllicitViolent,
        Self::SelfHarm,
        Self::SelfHarmIntent,
        Self::SelfHarmInstructions,
        Self::Sexual,
        Self::SexualMinors,
        Self::Violence,
        Self::ViolenceGraphic,
    ];

    /// What must hold together for the category: of each group of labels, one. Empty where no label says anything of
    /// it.
    fn sources(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Harassment => &[HARASSMENT],
            Self::HarassmentThreatening | Self::Violence => &[THREAT],
            Self::Hate => &[HATE],
            Self::HateThreatening => &[HATE, THREAT],
            Self::Sexual => &[SEXUAL],
            Self::Illicit
            | Self::IllicitViolent
            | Self::SelfHarm
            | Self::SelfHarmIntent
            | Self::SelfHarmInstructions
            | Self::SexualMinors
            | Self::ViolenceGraphic => &[],
        }
    }

    /// The value of the category from the values of labels: the lowest over the groups that must hold together, of
    /// the highest in each. Nothing where the model lacks a label for it.
    pub(super) fn value<T: PartialOrd>(
        self,
        labels: &Labels<'_>,
        value_of: impl Fn(usize) -> T,
    ) -> Option<T> {
        let groups = self.sources().iter().map(|group| {
            let indices =
                (0..labels.names.len()).filter(|&index| group.contains(&labels.names[index].as_str()));
            indices.map(&value_of).reduce(|a, b| if b > a { b } else { a })
        });
        groups.reduce(|a, b| match (a, b) {
            (Some(a), Some(b)) => Some(if b < a { b } else { a }),
            _ => None,
        })?
    }
}

/// A value for each category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ModerationPerCategory)]
pub struct PerCategory<T> {
    /// Harassing language towards anyone.
    pub harassment: T,
    /// Harassment with violence.
    #[serde(rename = "harassment/threatening")]
    pub harassment_threatening: T,
    /// Hate of a group.
    pub hate: T,
    /// Hate with violence.
    #[serde(rename = "hate/threatening")]
    pub hate_threatening: T,
    /// Advice for wrongdoing.
    pub illicit: T,
    /// Advice for violence.
    #[serde(rename = "illicit/violent")]
    pub illicit_violent: T,
    /// Self-harm.
    #[serde(rename = "self-harm")]
    pub self_harm: T,
    /// The wish to harm oneself.
    #[serde(rename = "self-harm/intent")]
    pub self_harm_intent: T,
    /// Advice for self-harm.
    #[serde(rename = "self-harm/instructions")]
    pub self_harm_instructions: T,
    /// Sexual content.
    pub sexual: T,
    /// Sexual content with a minor.
    #[serde(rename = "sexual/minors")]
    pub sexual_minors: T,
    /// Death, violence or injury.
    pub violence: T,
    /// The same in detail.
    #[serde(rename = "violence/graphic")]
    pub violence_graphic: T,
}

impl<T> PerCategory<T> {
    /// The value that `value_of` gives each category.
    pub(super) fn of(value_of: impl Fn(Category) -> T) -> Self {
        Self {
            harassment: value_of(Category::Harassment),
            harassment_threatening: value_of(Category::HarassmentThreatening),
            hate: value_of(Category::Hate),
            hate_threatening: value_of(Category::HateThreatening),
            illicit: value_of(Category::Illicit),
            illicit_violent: value_of(Category::IllicitViolent),
            self_harm: value_of(Category::SelfHarm),
            self_harm_intent: value_of(Category::SelfHarmIntent),
            self_harm_instructions: value_of(Category::SelfHarmInstructions),
            sexual: value_of(Category::Sexual),
            sexual_minors: value_of(Category::SexualMinors),
            violence: value_of(Category::Violence),
            violence_graphic: value_of(Category::ViolenceGraphic),
        }
    }
}
