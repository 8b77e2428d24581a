//! What was done to a text.

/// A kind of obfuscation that was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// A character that shows nothing, or a mark piled on a letter, was taken out.
    Invisible,
    /// A styled form of a letter or digit, such as `ａ`, `𝐚` or `ⓐ`, was replaced by the plain one.
    Compatibility,
    /// A letter that looks like another was replaced by it.
    Homoglyph,
    /// A spaced-out word was joined.
    Spacing,
    /// A digit or sign in place of a letter was replaced by the letter.
    Leet,
    /// A drawn-out letter was cut.
    Repetition,
}

impl Change {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Invisible,
        Self::Compatibility,
        Self::Homoglyph,
        Self::Spacing,
        Self::Leet,
        Self::Repetition,
    ];

    /// Name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invisible => "invisible",
            Self::Compatibility => "compatibility",
            Self::Homoglyph => "homoglyph",
            Self::Spacing => "spacing",
            Self::Leet => "leet",
            Self::Repetition => "repetition",
        }
    }
}

/// How often each kind of obfuscation was undone: characters taken out or replaced, words joined, letters cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes([usize; Change::ALL.len()]);

impl Changes {
    /// How often obfuscation of this kind was undone.
    #[must_use]
    pub fn count(&self, change: Change) -> usize {
        self.0[change as usize]
    }

    /// The kinds that occurred and how often.
    pub fn iter(&self) -> impl Iterator<Item = (Change, usize)> {
        Change::ALL
            .into_iter()
            .map(|change| (change, self.count(change)))
            .filter(|&(_, count)| count > 0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(super) fn add(&mut self, change: Change) {
        self.0[change as usize] += 1;
    }
}
