//! What a person says of the appointment they have, at another counter than the one that made their
//! paper. Whether it can be done is judged where the appointment is kept; here are the words alone.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// They give the appointment up.
    Cancel,
    /// They take that back, while their place waits.
    TakeBack,
    /// They will come.
    Come,
}

impl Word {
    pub const ALL: [Self; 3] = [Self::Cancel, Self::TakeBack, Self::Come];

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::TakeBack => "take_back",
            Self::Come => "come",
        }
    }

    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.key() == key)
    }

    /// Is it said only by whoever showed a document? A paper is lost and found: whoever finds one must
    /// not be able to free its slot. To say that one comes takes nothing from anybody.
    #[must_use]
    pub fn needs_a_document(self) -> bool {
        match self {
            Self::Cancel | Self::TakeBack => true,
            Self::Come => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for word in Word::ALL {
            assert_eq!(Word::parse(word.key()), Some(word));
            assert_eq!(serde_json::to_value(word).ok(), Some(word.key().into()));
        }
        assert_eq!(Word::parse("leave"), None);
    }
}
