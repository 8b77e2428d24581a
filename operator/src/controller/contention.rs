//! Keeps the operator from fighting: when somebody else changes a child again and again, it is not put back as often as
//! that, and the status says so.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::child::{Child, ChildKind};
use crate::drift::APPLIED_ANNOTATION;

/// Writes of the same content to one child within [`WINDOW`] after which it waits.
const WRITES: usize = 6;

/// Time that writes are counted over.
const WINDOW: Duration = Duration::from_mins(1);

/// When each child of a monitor was written.
#[derive(Debug, Default)]
pub struct Contention(HashMap<(ChildKind, String), Writes>);

#[derive(Debug, Default)]
struct Writes {
    /// Digest of what was written.
    content: Value,
    times: VecDeque<Instant>,
}

impl Contention {
    /// Whether a child was written so often that it must wait.
    pub fn is_contested(&mut self, child: &Child, now: Instant) -> bool {
        let writes = self.writes(child);
        writes
            .times
            .retain(|&time| now.saturating_duration_since(time) < WINDOW);
        writes.times.len() >= WRITES
    }

    /// Counts a write.
    pub fn wrote(&mut self, child: &Child, now: Instant) {
        self.writes(child).times.push_back(now);
    }

    fn writes(&mut self, child: &Child) -> &mut Writes {
        let writes = self.0.entry((child.kind, child.name().to_owned())).or_default();
        let content = &child.object["metadata"]["annotations"][APPLIED_ANNOTATION];
        if writes.content != *content {
            // What the spec asks for has changed: that is no fight.
            *writes = Writes {
                content: content.clone(),
                times: VecDeque::new(),
            };
        }
        writes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn child(content: u32) -> Child {
        Child {
            kind: ChildKind::Service,
            object: json!({"metadata": {"name": "a", "annotations": {APPLIED_ANNOTATION: content.to_string()}}}),
        }
    }

    #[test]
    fn a_fight_is_given_up_for_a_while_and_a_change_of_the_spec_is_none() {
        let start = Instant::now();
        let mut contention = Contention::default();
        for second in 0..6 {
            let now = start + Duration::from_secs(second);
            assert!(!contention.is_contested(&child(1), now));
            contention.wrote(&child(1), now);
        }
        assert!(contention.is_contested(&child(1), start + Duration::from_secs(7)));
        assert!(contention.is_contested(&child(1), start + Duration::from_secs(59)));
        assert!(!contention.is_contested(&child(1), start + WINDOW));
        assert!(!contention.is_contested(&child(2), start + Duration::from_secs(7)));
    }
}
