//! Ids are UUIDs of version 7: their first 48 bits are the time they were made, in milliseconds since 1970 (RFC 9562,
//! section 5.7). So the one index of the primary key serves order, ranges of time and retention.

use uuid::Uuid;

/// When an id was made, in milliseconds since 1970.
pub(crate) fn milliseconds(id: Uuid) -> u64 {
    id.as_u64_pair().0 >> 16
}

/// The lowest id of a time, in milliseconds since 1970.
pub(crate) fn first(milliseconds: u64) -> Uuid {
    const LATEST: u64 = (1 << 48) - 1;
    Uuid::from_u64_pair(milliseconds.min(LATEST) << 16, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_its_time() {
        let id = Uuid::now_v7();
        let time = milliseconds(id);
        assert_eq!(milliseconds(first(time)), time);
        assert!(first(time) < id && id < first(time + 1));
    }

    #[test]
    fn times_beyond_what_an_id_can_hold_are_the_latest_one() {
        assert!(first(u64::MAX) > Uuid::now_v7());
        assert!(first(u64::MAX) < Uuid::max());
    }
}
