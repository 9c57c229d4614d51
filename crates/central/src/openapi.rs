//! The OpenAPI 3.1 document, written beside the routes it describes; a test compares
//! the two and keeps the snapshot in `docs/openapi.json`.

use serde_json::{Value, json};

/// The document served at `/v1/openapi.json`.
#[must_use]
pub fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Jalon central",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Waitlist, dates, leases and acknowledgements. See docs/protocol.md.",
            "license": { "name": "MIT", "identifier": "MIT" }
        },
        "paths": {
            "/healthz": { "get": operation("Does the database answer?", None, "text/plain", &[503]) },
            "/v1/openapi.json": { "get": operation("This document.", None, "application/json", &[]) },
            "/v1/enrol": { "post": operation("A single-use code makes a new key a kiosk of one site.",
                Some("EnrolRequest"), "application/json", &[400, 401, 403, 409, 413, 503]) },
            "/v1/return": { "post": signed(operation("A kiosk a restored database does not know comes back by its certificate.",
                Some("ReturnRequest"), "application/json", &[400, 401, 403, 409, 413, 503])) },
            "/v1/registrations": { "post": signed(operation("A date at once; the same again for the same id.",
                Some("DateRequest"), "application/json", &[400, 401, 403, 409, 413, 503])) },
            "/v1/journal": { "post": signed(operation("Records of one chain, in order. Idempotent.",
                Some("PushRequest"), "application/json", &[400, 401, 403, 409, 413, 422, 503])) },
            "/v1/changes": { "get": with_cursor(signed(operation("What is new for this kiosk.",
                None, "application/json", &[400, 401, 503]))) },
            "/v1/lease": { "post": signed(operation("Fills the kiosk's lease; the slots arrive by pull.",
                Some("LeaseRequest"), "application/json", &[400, 401, 413, 503])) },
            "/v1/follow-up": { "post": signed(operation("The date behind a paper's code and a birth date.",
                Some("FollowUpRequest"), "application/json", &[400, 401, 413, 429, 503])) },
            "/v1/pieces": {
                "post": signed(created(operation("Begins the tus upload of one locked page.",
                    None, "application/octet-stream", &[400, 401, 409, 413, 503]))),
                "options": operation("What of tus 1.0 is spoken here.", None, "application/octet-stream", &[])
            },
            "/v1/pieces/{page}": {
                "parameters": [{ "name": "page", "in": "path", "required": true,
                    "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" } }],
                "get": signed(operation("A complete locked page.", None, "application/octet-stream", &[401, 404, 503])),
                "head": signed(operation("Where the upload stands.", None, "application/octet-stream", &[401, 404, 503])),
                "patch": signed(operation("One part at the upload's offset.",
                    Some("Part"), "application/octet-stream", &[400, 401, 404, 409, 413, 460, 503]))
            }
        },
        "components": {
            "securitySchemes": {
                "device": {
                    "type": "apiKey", "in": "header", "name": "jalon-signature",
                    "description": "Ed25519 over method, target, body hash and time, with jalon-kiosk and jalon-time."
                }
            },
            "schemas": {
                "Problem": {
                    "type": "object", "required": ["code", "status"],
                    "properties": {
                        "code": { "type": "string" },
                        "status": { "type": "integer" },
                        "args": { "type": "object", "additionalProperties": { "type": "string" } }
                    }
                },
                "EnrolRequest": object(&["code", "key", "proof"]),
                "ReturnRequest": object(&["certificate"]),
                "DateRequest": { "type": "object", "required": ["registration"], "additionalProperties": false,
                    "properties": { "registration": { "type": "object" } } },
                "PushRequest": { "type": "object", "required": ["records"], "additionalProperties": false,
                    "properties": { "records": { "type": "array", "maxItems": wire::limits::PUSH_RECORDS,
                        "items": { "type": "object", "required": ["header", "signature", "salt", "body"] } } } },
                "LeaseRequest": { "type": "object", "required": ["today", "incarnation"], "additionalProperties": false,
                    "properties": { "today": { "type": "string", "format": "date" }, "incarnation": { "type": "integer", "minimum": 1 } } },
                "FollowUpRequest": { "type": "object", "required": ["code", "year"], "additionalProperties": false,
                    "properties": { "code": { "type": "string" }, "year": { "type": "integer" },
                        "month": { "type": ["integer", "null"] }, "day": { "type": ["integer", "null"] } } },
                "Part": { "type": "string", "format": "binary", "maxLength": wire::limits::CHUNK_BYTES }
            }
        }
    })
}

fn operation(summary: &str, takes: Option<&str>, gives: &str, refusals: &[u16]) -> Value {
    let mut responses = serde_json::Map::new();
    let media = json!({ gives: {} });
    responses.insert("200".into(), json!({ "description": "Done.", "content": media }));
    for status in refusals {
        responses.insert(
            status.to_string(),
            json!({
                "description": "Refused; the code says why.",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
            }),
        );
    }
    let mut operation = json!({ "summary": summary, "responses": responses });
    if let (Some(schema), Some(fields)) = (takes, operation.as_object_mut()) {
        let media = if schema == "Part" { "application/octet-stream" } else { "application/json" };
        let reference = format!("#/components/schemas/{schema}");
        let body = json!({ "required": true, "content": { media: { "schema": { "$ref": reference } } } });
        fields.insert("requestBody".into(), body);
    }
    operation
}

fn signed(operation: Value) -> Value {
    with(operation, "security", json!([{ "device": [] }]))
}

fn with_cursor(operation: Value) -> Value {
    let number =
        |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "integer", "minimum": 0 } });
    with(
        operation,
        "parameters",
        json!([number("cursor"), { "name": "mark", "in": "query", "schema": { "type": "string", "maxLength": 16 } }, number("roster"), {
            "name": "head", "in": "query", "schema": { "type": "string", "pattern": "^[0-9a-f]{64}$" }
        }]),
    )
}

fn created(mut operation: Value) -> Value {
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut)
        && let Some(done) = responses.remove("200")
    {
        responses.insert("201".into(), done);
    }
    operation
}

fn with(mut operation: Value, key: &str, value: Value) -> Value {
    if let Some(fields) = operation.as_object_mut() {
        fields.insert(key.into(), value);
    }
    operation
}

fn object(fields: &[&str]) -> Value {
    let properties: serde_json::Map<_, _> =
        fields.iter().map(|field| ((*field).to_owned(), json!({ "type": "string" }))).collect();
    json!({ "type": "object", "required": fields, "additionalProperties": false, "properties": properties })
}
