//! The one table of hostile values, and how to put each into every field of a message. The
//! fields come from the message itself: a new one is in the table the day it is made.

use serde_json::{Value, json};

/// Texts that have hurt programs before.
#[must_use]
pub fn texts() -> Vec<String> {
    [
        "",
        " ",
        "\t\n",
        "a\0b",
        "a\u{1b}[31mb",
        "a\u{7f}b",
        "a\u{85}b",
        "a\u{202e}b",
        "a\u{2066}b\u{2069}",
        "\u{feff}a",
        "\u{301}",
        "\u{200d}",
        "e\u{301}\u{301}\u{301}\u{301}",
        "\u{fffe}\u{10ffff}",
        "😀👩\u{200d}👧",
        "مرحبا abc مرحبا",
        "'; DROP TABLE registration;--",
        "\" OR \"\"=\"",
        "<script>alert(1)</script>",
        "$(touch x) `touch x` | touch x",
        "{ $name }",
        "%s%n%00",
        "../../../etc/passwd",
        "..\\..\\con",
        "31",
        "0",
        "-1",
        "1e309",
        "99999999999999999999",
        "2027-02-30",
        "0000-00-00",
        "9999-12-31",
        "-009999-01-01",
        "9999-12-31T23:59:59Z",
        "-009999-01-02T01:59:59Z",
        "null",
        "A",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        "x".repeat(10_000),
        "é".repeat(201),
        "0".repeat(32),
        "f".repeat(64),
        "ab".repeat(64),
        "[".repeat(300),
    ])
    .collect()
}

/// The texts, and values of every other kind.
#[must_use]
pub fn values() -> Vec<Value> {
    let mut deep = json!([]);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let others = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e308),
        json!(u8::MAX),
        json!(u16::MAX),
        json!(u32::MAX),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!([]),
        json!({}),
        json!([""]),
        json!({ "a": "b" }),
        deep,
    ];
    texts().into_iter().map(Value::String).chain(others).collect()
}

/// Every place of a message where a value stands, as JSON pointers (RFC 6901): the fields, and
/// the objects and lists that hold them.
#[must_use]
pub fn places(message: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(message, "", &mut found);
    found
}

fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| walk(field, &format!("{at}/{name}"), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| walk(item, &format!("{at}/{n}"), found))
        }
        _ => {}
    }
}

/// The message with this value at that place.
#[must_use]
pub fn with(message: &Value, place: &str, value: &Value) -> Value {
    let mut message = message.clone();
    if let Some(field) = message.pointer_mut(place) {
        *field = value.clone();
    }
    message
}
