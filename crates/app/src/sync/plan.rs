//! What to do next with central, from what is known. Pure: no clock, no I/O.

/// What one exchange knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The journal's newest record.
    pub head: u64,
    /// What central has acknowledged as held.
    pub received: u64,
    /// Central took nothing of the last push.
    pub push_stalled: bool,
    /// Everything there was to pull has been pulled.
    pub pulled: bool,
    /// The lease has been filled in this exchange.
    pub lease_filled: bool,
    /// Leased slots whose day to go back has come have been given back in this exchange.
    pub given_back: bool,
    pub pages_waiting: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Records after this one.
    Push {
        after: u64,
    },
    Pull,
    FillLease,
    GiveBack,
    SendPage,
    Done,
}

/// Records first, so that central knows which leased slots are gone before it lends
/// more; old slots go back once newer ones are here, so that a line cut in between leaves
/// none missing; pages last, for they are long and nothing waits for them.
#[must_use]
pub fn next(known: &Known) -> Step {
    if known.received < known.head && !known.push_stalled {
        Step::Push { after: known.received }
    } else if !known.lease_filled && !known.push_stalled {
        Step::FillLease
    } else if !known.pulled {
        Step::Pull
    } else if !known.given_back {
        Step::GiveBack
    } else if known.pages_waiting {
        Step::SendPage
    } else {
        Step::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_then_lease_then_pull_then_what_goes_back_then_pages() {
        let mut known = Known {
            head: 3,
            received: 1,
            push_stalled: false,
            pulled: false,
            lease_filled: false,
            given_back: false,
            pages_waiting: true,
        };
        assert_eq!(next(&known), Step::Push { after: 1 });
        known.received = 3;
        assert_eq!(next(&known), Step::FillLease);
        known.lease_filled = true;
        assert_eq!(next(&known), Step::Pull);
        known.pulled = true;
        assert_eq!(next(&known), Step::GiveBack);
        known.given_back = true;
        known.head = 4;
        assert_eq!(next(&known), Step::Push { after: 3 });
        known.received = 4;
        assert_eq!(next(&known), Step::SendPage);
        known.pages_waiting = false;
        assert_eq!(next(&known), Step::Done);
    }

    #[test]
    fn a_central_that_takes_nothing_is_still_pulled_from() {
        let known = Known {
            head: 3,
            received: 1,
            push_stalled: true,
            pulled: false,
            lease_filled: false,
            given_back: false,
            pages_waiting: false,
        };
        assert_eq!(next(&known), Step::Pull);
    }
}
