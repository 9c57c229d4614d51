//! What central refuses, and the one place where a refusal or a failure becomes an
//! answer (RFC 9457). Sentences for people are made at the kiosk from the code.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use wire::problem::Problem;

/// Everything an endpoint may answer instead of its result.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the request is not signed, or not by an enrolled kiosk")]
    NotEnrolled,
    #[error("the key is no agent's, or past")]
    NoAgent,
    #[error("the signature is not this kiosk's over this request")]
    BadSignature,
    #[error("the request's time is too far from central's")]
    ClockOff,
    #[error("this kiosk was reported lost")]
    KioskLost,
    #[error("the body is not what this endpoint takes")]
    BadBody,
    #[error("the body or a part of it is over its limit")]
    TooLarge,
    #[error("the enrolment code is unknown, used or past")]
    BadCode,
    #[error("the request names another site or kiosk")]
    OtherSite,
    #[error("a record does not follow the one before it")]
    NotNext,
    #[error("another record stands at this place of the chain")]
    Fork,
    #[error("a record's signature or hash is wrong")]
    BadRecord,
    #[error("this id was used for something else")]
    Conflict,
    #[error("too many wrong follow-up codes: the next one in {seconds} s")]
    TooManyTries { seconds: i64 },
    #[error("this hour is full: the date waits for the desk")]
    BusyHour,
    #[error("no such upload")]
    NoUpload,
    #[error("the upload stands at another offset")]
    BadOffset,
    #[error("the part or the whole does not match its checksum")]
    Checksum,
    #[error("no such page or method here")]
    NotFound,
    /// One of the others, and what of the request it is about: an agent corrects that.
    #[error("{refusal}: {field}, {reason}")]
    Field { refusal: Box<Refusal>, field: String, reason: &'static str },
    #[error("the database failed")]
    Database(sqlx::Error),
    #[error("a key of this central is retired: start it again with the new one")]
    KeyRetired,
    #[error("the lease log takes nothing")]
    LeaseLog,
    #[error("stored data cannot be read: {0}")]
    Stored(&'static str),
}

impl From<sqlx::Error> for Refusal {
    /// What PostgreSQL cannot hold (SQLSTATE class 22, such as a NUL in a text) is in what was
    /// asked, and stays so however often it is asked again.
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) if cause.code().is_some_and(|code| code.starts_with("22")) => {
                Self::BadBody
            }
            _ => Self::Database(error),
        }
    }
}

impl Refusal {
    /// The same, with what of the request it is about and why.
    pub(crate) fn of(self, field: &str, reason: &'static str) -> Self {
        Self::Field { refusal: Box::new(self), field: field.to_owned(), reason }
    }

    /// Is it in the record itself, so that it will be refused for ever?
    pub(crate) fn is_of_the_record(&self) -> bool {
        matches!(self, Self::BadBody | Self::BadRecord | Self::TooLarge)
    }

    /// Its code, when asking again would change nothing; none when it failed.
    pub(crate) fn lasting_code(&self) -> Option<&'static str> {
        match self.status_and_code() {
            (503, _) => None,
            (_, code) => Some(code),
        }
    }

    fn status_and_code(&self) -> (u16, &'static str) {
        match self {
            Self::NotEnrolled => (401, "not_enrolled"),
            Self::NoAgent => (401, "no_agent"),
            Self::BadSignature => (401, "bad_signature"),
            Self::ClockOff => (401, "clock_off"),
            Self::KioskLost => (403, "kiosk_lost"),
            Self::BadBody => (400, "bad_body"),
            Self::TooLarge => (413, "too_large"),
            Self::BadCode => (403, "bad_code"),
            Self::OtherSite => (403, "other_site"),
            Self::NotNext => (409, "not_next"),
            Self::Fork => (409, "fork"),
            Self::BadRecord => (422, "bad_record"),
            Self::Conflict => (409, "conflict"),
            Self::TooManyTries { .. } => (429, "try_wait"),
            Self::BusyHour => (429, "busy_hour"),
            Self::NoUpload => (404, "no_upload"),
            Self::BadOffset => (409, "bad_offset"),
            // tus 1.0, checksum extension.
            Self::Checksum => (460, "checksum"),
            Self::NotFound => (404, "not_found"),
            Self::Field { refusal, .. } => refusal.status_and_code(),
            Self::Database(_) | Self::LeaseLog | Self::KeyRetired | Self::Stored(_) => (503, "try_again"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        if status == 503 {
            // The cause is for the log; it holds no bound values.
            tracing::error!(code, cause = ?self, "request failed");
        } else {
            tracing::info!(code, "request refused");
        }
        let args = match &self {
            Self::TooManyTries { seconds } => BTreeMap::from([("seconds".to_owned(), seconds.to_string())]),
            Self::Field { field, reason, .. } => BTreeMap::from([
                ("field".to_owned(), field.clone()),
                ("reason".to_owned(), (*reason).to_owned()),
            ]),
            _ => BTreeMap::new(),
        };
        let problem = Problem { code: code.to_owned(), status, args };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}
