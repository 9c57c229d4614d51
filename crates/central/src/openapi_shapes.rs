//! The shapes of messages in the OpenAPI document: every field with its type and limits.
//! `wire` and `domain` decide; a test sends what is described and looks at what comes back.

use domain::limit::Right;
use domain::offer::NoticeDays;
use domain::party;
use domain::task::Inbound;
use domain::word::Word;
use serde_json::{Value, json};

/// Every named shape.
#[must_use]
pub(crate) fn shapes() -> Value {
    let person = json!({
        "family_names": text(200), "given_names": text(200), "birth": birth(), "birth_place": text(200),
        "nationality": { "type": "string", "pattern": "^[A-Z]{3}$" },
        "agdref": { "type": "string", "pattern": "^[0-9]{9,10}$" },
        "identity": { "enum": ["declared"] }, "contact": named("Contact"), "representative": named("Representative")
    });
    json!({
        "Problem": {
            "type": "object", "required": ["code", "status"],
            "properties": {
                "code": { "type": "string" },
                "status": { "type": "integer" },
                "args": {
                    "type": "object", "additionalProperties": { "type": "string" },
                    "properties": {
                        "seconds": { "type": "string", "description": "How long to wait." },
                        "field": { "type": "string", "description": "What of the request is wrong." },
                        "reason": { "type": "string", "description": "What is wrong with it." }
                    }
                }
            }
        },
        "EnrolRequest": strict(json!({
            "code": { "type": "string", "maxLength": 64 }, "key": hex(32), "proof": hex(64)
        }), &["code", "key", "proof"]),
        "EnrolAnswer": open(json!({
            "kiosk": hex(16), "site": { "type": "object" }, "certificate": base64(), "ring": { "type": "object" },
            "site_key": { "type": "string" }, "roster": { "type": "object" }, "epoch": { "type": "string" }, "now": instant()
        }), &["kiosk", "site", "certificate", "ring", "site_key", "roster", "epoch", "now"]),
        "ReturnRequest": strict(json!({ "certificate": base64() }), &["certificate"]),
        "ReturnAnswer": open(json!({ "kiosk": hex(16) }), &["kiosk"]),
        "DateRequest": strict(json!({ "registration": named("Registration") }), &["registration"]),
        "DateAnswer": open(json!({
            "registration": hex(16), "token": { "type": ["string", "null"] }, "after_limit": { "type": "boolean" },
            "extra": { "type": "boolean" },
            "transfer": open(json!({
                "ranked_at": instant(), "site": { "type": "string" },
                "earlier": open(json!({ "at": { "type": "string" }, "zone": { "type": "string" } }), &["zone"])
            }), &[])
        }), &["registration", "token", "after_limit"]),
        "Registration": strict(json!({
            "id": hex(16), "code": { "type": "string", "description": "60 bits in Crockford's base 32 and a check character." },
            "site": { "type": "string", "pattern": "^[A-Z0-9-]{1,16}$" }, "procedure": { "type": "string" },
            "limit": strict(json!({
                "right": { "enum": Right::ALL.map(Right::key) },
                "last_day": day(), "evidence": text(200)
            }), &["right", "last_day", "evidence"]),
            "renewal": strict(json!({
                "expires_on": day(), "regime": { "enum": ["listed", "other", "unknown"] }
            }), &["expires_on", "regime"]),
            "accepts_earlier": number(NoticeDays::LEAST.into(), NoticeDays::MOST.into()),
            "department_wide": { "type": "boolean" },
            "party": strict(json!({
                "first": hex(16), "people": number(1, party::PEOPLE_MAX.into()),
                "beside": { "type": "array", "maxItems": party::PEOPLE_MAX - 1, "items": civil() }
            }), &["first", "people"]),
            "moved": { "type": "string", "description": "The code of the paper that this one follows." },
            "witness": { "type": "string", "maxLength": 32, "description": "A second mediator: the person of that paper has another name since." },
            "applicant": strict(person, &["family_names", "birth", "nationality", "identity", "contact"]),
            "lang": { "type": "string" }, "registered_at": instant(), "registered_on": day(), "mediator": text(32)
        }), &["id", "code", "site", "procedure", "applicant", "lang", "registered_at", "registered_on", "mediator"]),
        "Contact": strict(json!({ "phone": text(40), "email": text(200), "postal": text(300) }), &[]),
        "Representative": strict(json!({
            "family_names": text(200), "given_names": text(200), "relation": { "enum": ["parent", "guardian", "child_welfare"] }
        }), &["family_names", "relation"]),
        "Tasks": open(json!({ "tasks": { "type": "array", "items": named("Task") } }), &["tasks"]),
        "Task": open(json!({
            "task": { "type": "integer" }, "owner": { "type": "string" }, "kind": { "type": "string" },
            "reason": { "type": "string" }, "code": { "type": ["string", "null"] }, "made_s": { "type": "integer" }, "due": day(),
            "answer": { "type": ["string", "null"] }, "answered_by": { "type": ["string", "null"] },
            "answered_s": { "type": ["integer", "null"] }, "slot_at": { "type": ["string", "null"] },
            "last_day": { "type": ["string", "null"] }, "evidence": { "type": ["string", "null"] },
            "kiosk": { "type": ["string", "null"] }, "waiting": { "type": ["integer", "null"] },
            "question": { "type": ["string", "null"] }, "contact": { "type": ["string", "null"] }
        }), &["task", "owner", "kind", "reason", "made_s", "due"]),
        "QuestionRequest": strict(json!({
            "code": { "type": "string" }, "channel": { "enum": Inbound::ALL.map(Inbound::key) }, "question": text(1_000)
        }), &["code", "channel", "question"]),
        "AnswerRequest": strict(json!({ "answer": text(500) }), &["answer"]),
        "TaskAnswer": open(json!({
            "task": { "type": "integer" }, "due": day(), "answered": { "type": "boolean" }
        }), &["task"]),
        "PushRequest": strict(json!({
            "records": { "type": "array", "maxItems": wire::limits::PUSH_RECORDS, "items": named("Record") }
        }), &["records"]),
        "PushAnswer": open(json!({
            "epoch": { "type": "string" }, "received": acknowledged(), "durable": {}
        }), &["epoch", "received", "durable"]),
        "Record": open(json!({
            "header": named("Header"), "signature": hex(64), "salt": hex(16), "body": base64()
        }), &["header", "signature", "salt", "body"]),
        "Header": open(json!({
            "kiosk": hex(16), "incarnation": number(1, u64::from(u32::MAX)), "seq": number(1, i64::MAX as u64), "prev": hex(32),
            "kind": { "type": "string", "pattern": "^[a-z_]{1,32}$" }, "schema": number(0, u64::from(u16::MAX)),
            "body_len": number(0, wire::limits::BODY_BYTES as u64), "body_hash": hex(32)
        }), &["kiosk", "incarnation", "seq", "prev", "kind", "schema", "body_len", "body_hash"]),
        "Acknowledgement": open(json!({
            "kiosk": hex(16), "head": { "type": "object" }, "epoch": { "type": "string" }, "at": instant(),
            "key": hex(4), "signature": hex(64)
        }), &["kiosk", "head", "epoch", "at", "key", "signature"]),
        "ChangesAnswer": open(json!({
            "epoch": { "type": "string" }, "received": acknowledged(), "durable": {}, "cursor": number(0, u64::MAX),
            "mark": { "type": "string", "maxLength": 16 }, "more": { "type": "boolean" },
            "changes": { "type": "array", "maxItems": wire::limits::PULL_CHANGES, "items": { "type": "object", "required": ["change"] } },
            "roster": { "type": ["object", "null"] }, "lists": { "type": "array", "items": signed_list() },
            "ring": { "type": ["object", "null"] }, "checkpoint": checkpoint(), "retired": { "type": "boolean" }, "quarantined": { "type": "boolean" }, "now": instant()
        }), &["epoch", "received", "durable", "cursor", "mark", "more", "changes", "roster", "lists", "ring", "checkpoint", "retired", "quarantined", "now"]),
        "LeaseRequest": strict(json!({
            "today": day(), "incarnation": number(1, i32::MAX as u64)
        }), &["today", "incarnation"]),
        "LeaseAnswer": open(json!({ "lent": number(0, u64::from(u32::MAX)) }), &["lent"]),
        "FollowUpRequest": strict(json!({
            "code": { "type": "string" }, "year": { "type": "integer", "minimum": -9999, "maximum": 9999 },
            "month": { "type": ["integer", "null"], "minimum": 1, "maximum": 12 },
            "day": { "type": ["integer", "null"], "minimum": 1, "maximum": 31 }
        }), &["code", "year"]),
        "FollowUpAnswer": open(json!({ "found": { "type": ["object", "null"] } }), &["found"]),
        "OfferRequest": strict(json!({
            "code": { "type": "string" }, "year": { "type": "integer", "minimum": -9999, "maximum": 9999 },
            "month": { "type": ["integer", "null"], "minimum": 1, "maximum": 12 },
            "day": { "type": ["integer", "null"], "minimum": 1, "maximum": 31 },
            "offer": hex(16), "accept": { "type": "boolean" }
        }), &["code", "year", "offer", "accept"]),
        "OfferAnswer": open(json!({
            "state": { "enum": ["accepted", "declined", "over", null] }, "at": { "type": ["string", "null"] }
        }), &["state", "at"]),
        "WordRequest": strict(json!({
            "word": hex(16), "code": { "type": "string" }, "year": { "type": "integer", "minimum": -9999, "maximum": 9999 },
            "month": { "type": ["integer", "null"], "minimum": 1, "maximum": 12 },
            "day": { "type": ["integer", "null"], "minimum": 1, "maximum": 31 },
            "says": { "enum": Word::ALL.map(Word::key) }, "appointment": { "oneOf": [civil(), { "type": "null" }] },
            "mediator": text(32), "document_seen": { "type": "boolean" }
        }), &["word", "code", "year", "says", "mediator", "document_seen"]),
        "WordAnswer": open(json!({
            "state": { "enum": ["done", "otherwise", "honoured", "annulled", "transferred", "too_late", "paper_alone", null] },
            "registration": { "type": ["string", "null"] }, "at": { "type": ["string", "null"] }, "until": { "type": ["string", "null"] }
        }), &["state", "registration", "at", "until"]),
        "DeliveryAnswer": open(json!({
            "state": { "enum": ["uploading", "reading", "done", "refused"] }, "code": { "type": ["string", "null"] },
            "records": named("Counted"), "pages": named("Counted")
        }), &["state", "code", "records", "pages"]),
        "Counted": open(json!({
            "received": number(0, u64::from(u32::MAX)), "known": number(0, u64::from(u32::MAX)), "refused": number(0, u64::from(u32::MAX))
        }), &["received", "known", "refused"]),
        "Part": { "type": "string", "format": "binary", "minLength": 1, "maxLength": wire::limits::CHUNK_BYTES }
    })
}

/// Nothing but these fields.
fn strict(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties })
}

/// These fields; a later version may add some.
fn open(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn named(shape: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{shape}") })
}

fn acknowledged() -> Value {
    json!({ "oneOf": [named("Acknowledgement"), { "type": "null" }] })
}

fn birth() -> Value {
    let year = json!({ "type": "integer", "minimum": 1850, "maximum": 2100 });
    json!({ "oneOf": [
        strict(json!({ "known": { "const": "whole" }, "date": day() }), &["known", "date"]),
        strict(json!({ "known": { "const": "year" }, "year": year.clone() }), &["known", "year"]),
        strict(json!({ "known": { "const": "customary" }, "year": year }), &["known", "year"])
    ] })
}

fn text(most: u32) -> Value {
    json!({ "type": "string", "maxLength": most })
}

fn number(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// So many bytes in hexadecimal.
fn hex(bytes: usize) -> Value {
    json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{}}}$", bytes * 2) })
}

fn base64() -> Value {
    json!({ "type": "string", "contentEncoding": "base64" })
}

fn day() -> Value {
    json!({ "type": "string", "format": "date" })
}

/// An hour of the clock on the wall, without an offset: every text of this pattern is one.
fn civil() -> Value {
    let pattern = "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:00$";
    json!({ "type": "string", "pattern": pattern })
}

fn signed_list() -> Value {
    open(
        json!({
            "kind": { "enum": ["configuration", "issuers", "papers"] }, "list": { "type": "string" },
            "key": hex(4), "signature": hex(64)
        }),
        &["kind", "list", "key", "signature"],
    )
}

fn checkpoint() -> Value {
    let signed = open(
        json!({
            "size": number(0, i64::MAX as u64), "head": hex(32), "at": instant(), "key": hex(4), "signature": hex(64)
        }),
        &["size", "head", "at", "key", "signature"],
    );
    json!({ "oneOf": [signed, { "type": "null" }] })
}

fn instant() -> Value {
    json!({ "type": "string", "format": "date-time" })
}
