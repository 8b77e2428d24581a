//! Divides a call that the server refuses: around one bad text, or into halves that are small enough.

use toxicity_api::TextVerdict;
use toxicity_input::RowFailure;

use super::answer::{AskError, Blame};
use crate::row::Outcome;

/// What is left to ask of a call, and what became of the rest. Texts are named by their index.
#[derive(Debug)]
pub(super) struct Division {
    outcomes: Vec<Option<Outcome>>,
    groups: Vec<Vec<usize>>,
}

impl Division {
    /// A call of so many texts.
    pub(super) fn new(texts: usize) -> Self {
        Self {
            outcomes: vec![None; texts],
            groups: vec![(0..texts).collect()],
        }
    }

    /// The texts to ask for next.
    pub(super) fn next_group(&mut self) -> Option<Vec<usize>> {
        std::iter::from_fn(|| self.groups.pop()).find(|group| !group.is_empty())
    }

    /// Takes the verdicts on a group.
    ///
    /// # Errors
    /// When there is not one for each text.
    pub(super) fn answered(&mut self, group: &[usize], verdicts: Vec<TextVerdict>) -> Result<(), AskError> {
        if verdicts.len() != group.len() {
            return Err(AskError::CountVerdicts {
                verdicts: verdicts.len(),
                texts: group.len(),
            });
        }
        for (&index, verdict) in group.iter().zip(verdicts) {
            self.outcomes[index] = Some(Ok(verdict));
        }
        Ok(())
    }

    /// Takes a refusal: what is to blame fails, the rest is asked for again.
    ///
    /// # Errors
    /// The refusal, when nothing in the group is to blame.
    pub(super) fn refused(&mut self, mut group: Vec<usize>, error: AskError) -> Result<(), AskError> {
        let AskError::Refused(refusal) = &error else {
            return Err(error);
        };
        let failure = || Some(Err(RowFailure(refusal.of_one_text())));
        match refusal.blame() {
            Blame::Text(index) if index < group.len() => {
                let text = group.remove(index);
                self.outcomes[text] = failure();
                self.groups.push(group);
                Ok(())
            }
            Blame::Size if group.len() == 1 => {
                self.outcomes[group[0]] = failure();
                Ok(())
            }
            Blame::Size => {
                let rest = group.split_off(group.len() / 2);
                self.groups.extend([rest, group]);
                Ok(())
            }
            Blame::Text(_) | Blame::Request => Err(error),
        }
    }

    /// One outcome per text, when nothing is left to ask.
    pub(super) fn outcomes(self) -> Vec<Outcome> {
        let missing = || Err(RowFailure("the server gave no verdict".to_owned()));
        self.outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(missing))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::StatusCode;

    use super::*;
    use crate::server::answer::Refusal;

    fn verdict(tokens: usize) -> TextVerdict {
        let verdict = serde_json::json!({
            "flagged": false, "flags": [], "scores": {}, "tokens": tokens, "windows": 1,
        });
        serde_json::from_value(verdict).unwrap()
    }

    fn refusal(status: StatusCode, field: Option<usize>) -> AskError {
        AskError::Refused(Box::new(Refusal {
            status,
            message: "bad".to_owned(),
            code: None,
            field: field.map(|index| format!("texts[{index}]")),
            retry_after: None,
        }))
    }

    proptest! {
        #[test]
        fn every_good_text_gets_its_own_verdict_whatever_the_server_refuses(
            sizes in prop::collection::vec(1_usize..9, 0..40),
            bad in prop::collection::vec(any::<bool>(), 40),
        ) {
            // This server takes up to 8 of size in one call and refuses bad texts one by one.
            let mut division = Division::new(sizes.len());
            let mut calls = 0;
            while let Some(group) = division.next_group() {
                calls += 1;
                prop_assert!(calls <= 3 * sizes.len(), "it ends");
                if group.iter().map(|&text| sizes[text]).sum::<usize>() > 8 {
                    division.refused(group, refusal(StatusCode::PAYLOAD_TOO_LARGE, None)).unwrap();
                } else if let Some(index) = group.iter().position(|&text| bad[text]) {
                    division.refused(group, refusal(StatusCode::UNPROCESSABLE_ENTITY, Some(index))).unwrap();
                } else {
                    let verdicts = group.iter().map(|&text| verdict(text)).collect();
                    division.answered(&group, verdicts).unwrap();
                }
            }
            for (index, outcome) in division.outcomes().into_iter().enumerate() {
                let expected = if bad[index] { Err(RowFailure("bad".to_owned())) } else { Ok(verdict(index)) };
                prop_assert_eq!(outcome, expected);
            }
        }
    }

    #[test]
    fn a_text_too_large_for_any_call_fails_alone() {
        let mut division = Division::new(1);
        let group = division.next_group().unwrap();
        division
            .refused(group, refusal(StatusCode::PAYLOAD_TOO_LARGE, None))
            .unwrap();
        assert!(division.next_group().is_none());
        assert_eq!(division.outcomes(), [Err(RowFailure("bad".to_owned()))]);
    }

    #[test]
    fn what_no_text_is_to_blame_for_ends_the_run() {
        let refused = |error| {
            let mut division = Division::new(2);
            let group = division.next_group().unwrap();
            division.refused(group, error).is_err()
        };
        assert!(refused(refusal(StatusCode::UNAUTHORIZED, None)));
        assert!(refused(refusal(StatusCode::UNPROCESSABLE_ENTITY, Some(2))));
        let mut division = Division::new(2);
        assert!(division.answered(&[0, 1], vec![verdict(0)]).is_err());
    }
}
