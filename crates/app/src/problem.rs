//! The one place where a refusal or a failure becomes a code for the window.

use crate::contract::Problem;
use std::collections::BTreeMap;
use vault::VaultFailure;

impl Problem {
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), args: BTreeMap::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.code)
    }
}

impl std::error::Error for Problem {}

impl From<VaultFailure> for Problem {
    fn from(failure: VaultFailure) -> Self {
        tracing::error!(cause = ?failure, "the vault failed");
        Self::new(failure.code())
    }
}

impl From<letter::LetterFailure> for Problem {
    fn from(failure: letter::LetterFailure) -> Self {
        tracing::error!(cause = %failure, "no paper was made");
        Self::new(failure.code())
    }
}
