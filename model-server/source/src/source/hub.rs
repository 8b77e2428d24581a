//! Repositories of the Hugging Face Hub.

use std::fmt;

/// `hf://owner/name[@revision]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRepository {
    /// The user or organisation.
    pub owner: String,
    /// The repository.
    pub name: String,
    /// Branch, tag or commit; by default the branch `main`.
    pub revision: Option<String>,
}

impl HubRepository {
    /// Reads what follows `hf://`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form = || "write hf://owner/name[@revision]".to_owned();
        let (repository, revision) = match text.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision)),
            None => (text, None),
        };
        let (owner, name) = repository.split_once('/').ok_or_else(form)?;
        if !is_name(owner) || !is_name(name) {
            return Err(form());
        }
        Ok(Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
            revision: revision.map(parse_revision).transpose()?,
        })
    }
}

/// Checks that `text` can be the name of a branch or tag, or a commit.
pub(crate) fn parse_revision(text: &str) -> Result<String, String> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._-/+".contains(character);
    if text.is_empty() || text.len() > 250 || !text.chars().all(allowed) || text.contains("..") {
        return Err("the revision must be the name of a branch or tag, or a commit".to_owned());
    }
    Ok(text.to_owned())
}

fn is_name(text: &str) -> bool {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    !text.is_empty() && text.len() <= 96 && text.chars().all(allowed) && !text.contains("..") && text != "."
}

impl fmt::Display for HubRepository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "hf://{}/{}", self.owner, self.name)?;
        match &self.revision {
            Some(revision) => write!(formatter, "@{revision}"),
            None => Ok(()),
        }
    }
}
