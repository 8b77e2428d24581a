//! Environment variables, in which people hand over credentials and addresses.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// A copy of environment variables. What they hold may be secret, so only their names are shown.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process. Those that are no UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The value of a variable as a path.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// `$XDG_CACHE_HOME`, else `~/.cache`.
    pub(crate) fn cache_home(&self) -> Option<PathBuf> {
        self.path("XDG_CACHE_HOME")
            .or_else(|| Some(self.path("HOME")?.join(".cache")))
    }

    /// All variables whose names begin with `prefix`.
    pub(crate) fn beginning_with(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(move |(name, _)| name.starts_with(prefix))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let environment: Environment = [("HF_TOKEN".to_owned(), "hf_secret".to_owned())]
            .into_iter()
            .collect();
        assert_eq!(format!("{environment:?}"), "{\"HF_TOKEN\"}");
        assert_eq!(environment.get("HF_TOKEN"), Some("hf_secret"));
        assert_eq!(environment.get("HOME"), None);
    }
}
