//! What else went on in the machine while it was measured.

use std::io;

use nix::sys::resource::UsageWho;

use super::process_usage::{TICKS_PER_SECOND, rusage_seconds};

/// Processor time until a moment, in seconds, summed over all cores.
#[derive(Debug, Clone, Copy)]
pub struct ProcessorTime {
    /// That passed.
    all: f64,
    /// In which any program ran.
    busy: f64,
    /// That the host gave to others.
    stolen: f64,
    /// Of this program and of those it has started and waited for.
    own: f64,
}

/// Shares of the machine, from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub struct Interference {
    /// That other programs took.
    pub others: f64,
    /// That the host gave to others.
    pub stolen: f64,
}

impl ProcessorTime {
    /// Until now.
    ///
    /// # Errors
    /// When Linux does not tell.
    pub fn now() -> io::Result<Self> {
        let unknown = || io::Error::other("/proc/stat is not understood");
        let stat = std::fs::read_to_string("/proc/stat")?;
        let [all, busy, stolen] = parse(&stat)
            .ok_or_else(unknown)?
            .map(|ticks| ticks / TICKS_PER_SECOND);
        let own = rusage_seconds(UsageWho::RUSAGE_SELF)? + rusage_seconds(UsageWho::RUSAGE_CHILDREN)?;
        Ok(Self {
            all,
            busy,
            stolen,
            own,
        })
    }

    /// What went on since `before`, when all programs that were started in between have ended.
    pub fn interference_since(self, before: Self) -> Interference {
        let all = self.all - before.all;
        let others = (self.busy - before.busy) - (self.own - before.own);
        Interference {
            others: (others / all).max(0.0),
            stolen: (self.stolen - before.stolen) / all,
        }
    }
}

/// Ticks of all cores that passed, were busy and were stolen, by `man 5 proc_stat`.
fn parse(stat: &str) -> Option<[f64; 3]> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<f64> = fields
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let [
        user,
        nice,
        system,
        idle,
        waiting,
        interrupts,
        soft_interrupts,
        stolen,
        ..,
    ] = fields[..]
    else {
        return None;
    };
    let busy = user + nice + system + interrupts + soft_interrupts;
    Some([busy + idle + waiting + stolen, busy, stolen])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_of_others() {
        assert_eq!(
            parse("cpu  100 0 50 800 10 0 0 40 0 0\ncpu0 1 2\n"),
            Some([1000.0, 150.0, 40.0])
        );
        assert_eq!(parse("cpu  100 0 50\n"), None);
        let time = |all, busy, stolen, own| ProcessorTime {
            all,
            busy,
            stolen,
            own,
        };
        let interference = time(300.0, 160.0, 30.0, 120.0).interference_since(time(100.0, 50.0, 10.0, 20.0));
        assert!((interference.others - 0.05).abs() < 1e-9);
        assert!((interference.stolen - 0.1).abs() < 1e-9);
    }
}
