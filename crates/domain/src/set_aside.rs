//! Why central keeps a record and does not carry it out. Its kiosk says so in a sentence of its own; where
//! nobody at the counter can do anything more about it, the desk has a task.

/// The reason, told to the kiosk by its key. A later central may have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is of another site than its kiosk.
    OtherSite,
    /// Another record of the same thing says otherwise.
    Conflict,
    TokenUnreadable,
    TokenNotOurs,
    SlotUnknown,
    SlotTaken,
    SlotNotInLease,
    TooManyPages,
    RegistrationUnknown,
    PaperUnreadable,
    PaperNotOurs,
    KioskUnknown,
    /// It was carried out, and its body erased since.
    Erased,
    /// The days to take a place back are over.
    TooLate,
    LimitRefused,
    CorrectionRefused,
    /// The place was given up.
    Cancelled,
    /// The person was received.
    Honoured,
    Annulled,
    AnnulmentUnknown,
    /// The person keeps another appointment of the same line.
    Transferred,
    FollowsNone,
    /// A value no database takes.
    ValueRefused,
}

impl Reason {
    pub const ALL: [Self; 23] = [
        Self::OtherSite,
        Self::Conflict,
        Self::TokenUnreadable,
        Self::TokenNotOurs,
        Self::SlotUnknown,
        Self::SlotTaken,
        Self::SlotNotInLease,
        Self::TooManyPages,
        Self::RegistrationUnknown,
        Self::PaperUnreadable,
        Self::PaperNotOurs,
        Self::KioskUnknown,
        Self::Erased,
        Self::TooLate,
        Self::LimitRefused,
        Self::CorrectionRefused,
        Self::Cancelled,
        Self::Honoured,
        Self::Annulled,
        Self::AnnulmentUnknown,
        Self::Transferred,
        Self::FollowsNone,
        Self::ValueRefused,
    ];

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::OtherSite => "other_site",
            Self::Conflict => "conflict",
            Self::TokenUnreadable => "token_unreadable",
            Self::TokenNotOurs => "token_not_ours",
            Self::SlotUnknown => "slot_unknown",
            Self::SlotTaken => "slot_taken",
            Self::SlotNotInLease => "slot_not_in_lease",
            Self::TooManyPages => "too_many_pages",
            Self::RegistrationUnknown => "registration_unknown",
            Self::PaperUnreadable => "paper_unreadable",
            Self::PaperNotOurs => "paper_not_ours",
            Self::KioskUnknown => "kiosk_unknown",
            Self::Erased => "erased",
            Self::TooLate => "too_late",
            Self::LimitRefused => "limit_refused",
            Self::CorrectionRefused => "correction_refused",
            Self::Cancelled => "cancelled",
            Self::Honoured => "honoured",
            Self::Annulled => "annulled",
            Self::AnnulmentUnknown => "annulment_unknown",
            Self::Transferred => "transferred",
            Self::FollowsNone => "follows_none",
            Self::ValueRefused => "value_refused",
        }
    }

    /// The reason with this key; none when a later central gave it.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.key() == key)
    }

    /// True of an answer to the person, whom their counter tells, and of what has a task of its own: nothing
    /// more is to be done at the desk.
    #[must_use]
    pub fn is_an_answer(self) -> bool {
        match self {
            Self::Erased
            | Self::TooLate
            | Self::LimitRefused
            | Self::CorrectionRefused
            | Self::Cancelled
            | Self::Honoured
            | Self::Annulled
            | Self::AnnulmentUnknown
            | Self::Transferred
            | Self::FollowsNone => true,
            Self::OtherSite
            | Self::Conflict
            | Self::TokenUnreadable
            | Self::TokenNotOurs
            | Self::SlotUnknown
            | Self::SlotTaken
            | Self::SlotNotInLease
            | Self::TooManyPages
            | Self::RegistrationUnknown
            | Self::PaperUnreadable
            | Self::PaperNotOurs
            | Self::KioskUnknown
            | Self::ValueRefused => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_read_back_by_its_key() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.key()), Some(reason));
        }
        assert_eq!(Reason::parse("of_a_later_version"), None);
    }
}
