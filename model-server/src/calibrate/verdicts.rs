//! How far two who say yes or no agree.

/// Texts by what two said of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Verdicts {
    /// Both flagged them.
    pub both: usize,
    /// Only the old one did.
    pub old_only: usize,
    /// Only the new one did.
    pub new_only: usize,
    /// Neither did.
    pub neither: usize,
}

impl FromIterator<(bool, bool)> for Verdicts {
    /// Of pairs of what the old one and the new one said.
    fn from_iter<I: IntoIterator<Item = (bool, bool)>>(pairs: I) -> Self {
        let mut verdicts = Self::default();
        for pair in pairs {
            *match pair {
                (true, true) => &mut verdicts.both,
                (true, false) => &mut verdicts.old_only,
                (false, true) => &mut verdicts.new_only,
                (false, false) => &mut verdicts.neither,
            } += 1;
        }
        verdicts
    }
}

impl Verdicts {
    /// All texts.
    pub(super) fn count(&self) -> usize {
        self.both + self.old_only + self.new_only + self.neither
    }

    /// Texts that the old one flagged.
    pub(super) fn flagged_by_old(&self) -> usize {
        self.both + self.old_only
    }

    /// Texts that the new one flagged.
    pub(super) fn flagged_by_new(&self) -> usize {
        self.both + self.new_only
    }

    /// Share of the texts of which both said the same.
    pub(super) fn agreement(&self) -> Option<f64> {
        share(self.both + self.neither, self.count())
    }

    /// Share of those flagged by the old one that the new one flags too.
    pub(super) fn recall(&self) -> Option<f64> {
        share(self.both, self.flagged_by_old())
    }

    /// Share of those flagged by the new one that the old one flagged too.
    pub(super) fn precision(&self) -> Option<f64> {
        share(self.both, self.flagged_by_new())
    }

    /// Cohen's kappa: the agreement beyond what two would reach who flag as many texts as these, but at random. 1 is full
    /// agreement, 0 is chance. Nothing where chance alone would agree on all.
    pub(super) fn kappa(&self) -> Option<f64> {
        let old = share(self.flagged_by_old(), self.count())?;
        let new = share(self.flagged_by_new(), self.count())?;
        let by_chance = old * new + (1.0 - old) * (1.0 - new);
        (by_chance < 1.0).then_some((self.agreement()? - by_chance) / (1.0 - by_chance))
    }
}

/// A part of a whole that is not nothing.
#[allow(clippy::cast_precision_loss, reason = "rows of a file are far below 2^52")]
pub(super) fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-12)
    }

    #[test]
    fn figures_are_those_of_the_text_book() {
        // 50 grant proposals: both yes 20, only the first 5, only the second 10, both no 15; kappa is 0.4.
        let verdicts = Verdicts {
            both: 20,
            old_only: 5,
            new_only: 10,
            neither: 15,
        };
        assert_eq!(verdicts.count(), 50);
        assert!(near(verdicts.agreement(), 0.7));
        assert!(near(verdicts.kappa(), 0.4));
        assert!(near(verdicts.recall(), 0.8));
        assert!(near(verdicts.precision(), 20.0 / 30.0));
    }

    #[test]
    fn pairs_are_counted() {
        let pairs = [
            (true, true),
            (true, false),
            (false, true),
            (false, false),
            (true, false),
        ];
        let verdicts: Verdicts = pairs.into_iter().collect();
        let expected = Verdicts {
            both: 1,
            old_only: 2,
            new_only: 1,
            neither: 1,
        };
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn the_same_said_of_all_is_full_agreement_and_the_opposite_none() {
        let same: Verdicts = [(true, true), (false, false)].into_iter().collect();
        assert!(near(same.kappa(), 1.0) && near(same.agreement(), 1.0));
        let opposite: Verdicts = [(true, false), (false, true)].into_iter().collect();
        assert!(near(opposite.kappa(), -1.0) && near(opposite.agreement(), 0.0));
    }

    #[test]
    fn where_nothing_can_be_said_nothing_is() {
        assert_eq!(Verdicts::default().agreement(), None);
        let none: Verdicts = [(false, false); 3].into_iter().collect();
        assert_eq!(
            (none.kappa(), none.recall(), none.precision()),
            (None, None, None)
        );
    }
}
