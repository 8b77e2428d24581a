//! When a failed call is sent again.

use crate::error::ClientError;

const FIRST_WAIT: u32 = 3;
const LONGEST_WAIT: u32 = 30;

/// When a failed call is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Only when a person says so: the same call would fail the same way.
    Never,
    /// By itself, after so many seconds.
    In(u32),
    /// As soon as the browser is online.
    WhenOnline,
}

impl Retry {
    /// What to do after the failure of attempt number `attempt`, counted from 0. What the server asks for wins over
    /// the own schedule of 3, 6, 12, 24, 30, 30 … seconds.
    #[must_use]
    pub fn after(error: &ClientError, attempt: u32) -> Self {
        let scheduled = FIRST_WAIT
            .checked_shl(attempt.min(8))
            .unwrap_or(LONGEST_WAIT)
            .min(LONGEST_WAIT);
        match error {
            ClientError::SendOffline => Self::WhenOnline,
            ClientError::ReachServer { .. } => Self::In(scheduled),
            ClientError::ReachModelServer { retry_after, .. } | ClientError::GetPlace { retry_after } => {
                Self::In(retry_after.map_or(scheduled, |seconds| seconds.max(1)))
            }
            ClientError::PassCheck { .. }
            | ClientError::GetVerdict { .. }
            | ClientError::ReadAnswer { .. } => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let error = ClientError::ReachServer {
            reason: String::new(),
        };
        let waits: Vec<Retry> = (0..6).map(|attempt| Retry::after(&error, attempt)).collect();
        assert_eq!(waits, [3, 6, 12, 24, 30, 30].map(Retry::In));
        assert_eq!(Retry::after(&error, u32::MAX), Retry::In(30));
    }

    #[test]
    fn the_wish_of_the_server_wins() {
        let busy = |retry_after| Retry::after(&ClientError::GetPlace { retry_after }, 4);
        assert_eq!(busy(Some(45)), Retry::In(45));
        assert_eq!(busy(Some(0)), Retry::In(1));
        assert_eq!(busy(None), Retry::In(30));
    }

    #[test]
    fn what_would_fail_again_is_not_sent_again() {
        assert_eq!(
            Retry::after(&ClientError::GetVerdict { status: 500 }, 0),
            Retry::Never
        );
        assert_eq!(Retry::after(&ClientError::SendOffline, 0), Retry::WhenOnline);
    }
}
