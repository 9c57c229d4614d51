//! The OpenAPI 3.1 document, written beside the routes it describes; a test compares
//! the two and keeps the snapshot in `docs/openapi.json`.

use serde_json::{Value, json};

/// Each value in base64: 32 hexadecimal digits make 44 characters, 64 make 88.
const METADATA: &str = "^registration [A-Za-z0-9+/]{43}=,page [A-Za-z0-9+/]{43}=,sha256 [A-Za-z0-9+/]{86}==$";
const DELIVERY: &str = "^sha256 [A-Za-z0-9+/]{86}==$";
const CHECKSUM: &str = "^sha256 [A-Za-z0-9+/]{43}=$";

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
            "/healthz": { "get": operation("Does the database answer, and is no key of this central retired?", &[503], done("text/plain", None)) },
            "/v1/openapi.json": { "get": operation("This document.", &[], done("application/json", None)) },
            "/v1/enrol": { "post": taking("EnrolRequest", operation("A single-use code makes a new key a kiosk of one site.",
                &[400, 401, 403, 409, 413, 503], answering("EnrolAnswer"))) },
            "/v1/return": { "post": signed(taking("ReturnRequest",
                operation("A kiosk a restored database does not know comes back by its certificate.",
                    &[400, 401, 403, 409, 413, 503], answering("ReturnAnswer")))) },
            "/v1/registrations": { "post": signed(taking("DateRequest",
                operation("A date at once; the same again for the same id.",
                    &[400, 401, 403, 409, 413, 503], answering("DateAnswer")))) },
            "/v1/journal": { "post": signed(taking("PushRequest", operation("Records of one chain, in order. Idempotent.",
                &[400, 401, 403, 409, 413, 422, 503], answering("PushAnswer")))) },
            "/v1/changes": { "get": with_cursor(signed(operation("What is new for this kiosk.",
                &[400, 401, 403, 413, 503], answering("ChangesAnswer")))) },
            "/v1/lease": { "post": knowing(signed(taking("LeaseRequest", operation("Fills the kiosk's lease; the slots arrive by pull.",
                &[400, 401, 403, 413, 503], answering("LeaseAnswer"))))) },
            "/v1/follow-up": { "post": signed(taking("FollowUpRequest",
                operation("The date behind a paper's code and a birth date.",
                    &[400, 401, 403, 413, 429, 503], answering("FollowUpAnswer")))) },
            "/v1/offers": { "post": signed(taking("OfferRequest",
                operation("A person's answer to the offer of an earlier date. Idempotent.",
                    &[400, 401, 403, 409, 413, 429, 503], answering("OfferAnswer")))) },
            "/v1/words": { "post": signed(taking("WordRequest",
                operation("What a person says of their appointment, at another kiosk than their paper's. Idempotent.",
                    &[400, 401, 403, 409, 413, 429, 503], answering("WordAnswer")))) },
            "/v1/tasks": {
                "get": by_agent(with(operation("What the desk of the agent's site has to do, the most urgent first.",
                    &[400, 401, 413, 503], answering("Tasks")), "parameters",
                    json!([{ "name": "all", "in": "query", "schema": { "type": "boolean" } }]))),
                "post": by_agent(with_headers(&[("idempotency-key", "^.{1,64}$")], taking("QuestionRequest",
                    operation("A question that came in about a registration of the site. Idempotent.",
                        &[400, 401, 404, 409, 413, 503], answering("TaskAnswer")))))
            },
            "/v1/tasks/{task}": {
                "parameters": [{ "name": "task", "in": "path", "required": true, "schema": { "type": "integer" } }],
                "post": by_agent(taking("AnswerRequest", operation("An agent's answer; it stands once given. Idempotent.",
                    &[400, 401, 404, 409, 413, 503], answering("TaskAnswer"))))
            },
            "/v1/pieces": {
                "post": signed(with_headers(&[("upload-length", "^[0-9]{1,8}$"), ("upload-metadata", METADATA)],
                    operation("Begins the tus upload of one locked page.", &[400, 401, 403, 404, 409, 413, 503], ("201", json!({ "description": "Begun." }))))),
                "options": operation("What of tus 1.0 is spoken here.", &[], nothing())
            },
            "/v1/pieces/{page}": {
                "parameters": [{ "name": "page", "in": "path", "required": true,
                    "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" } }],
                "get": signed(operation("A complete locked page.", &[400, 401, 403, 404, 413, 503], done("application/octet-stream", None))),
                "head": signed(operation("Where the upload stands.", &[400, 401, 403, 404, 413, 503], ("200", json!({ "description": "Done." })))),
                "patch": signed(taking("Part", with_headers(&[("upload-offset", "^[0-9]{1,8}$"), ("upload-checksum", CHECKSUM)],
                    operation("One part at the upload's offset.", &[400, 401, 403, 404, 409, 413, 460, 503], nothing()))))
            },
            "/v1/deliveries": {
                "post": signed(with_headers(&[("upload-length", "^[0-9]{1,10}$"), ("upload-metadata", DELIVERY)],
                    operation("Begins the upload of another kiosk's export file.", &[400, 401, 403, 409, 413, 503], ("201", json!({ "description": "Begun." })))))
            },
            "/v1/deliveries/{sha256}": {
                "parameters": [{ "name": "sha256", "in": "path", "required": true,
                    "schema": { "type": "string", "pattern": "^[0-9a-f]{64}$" } }],
                "get": signed(operation("What became of the file; asking has a whole one taken.",
                    &[400, 401, 403, 404, 413, 503], answering("DeliveryAnswer"))),
                "head": signed(operation("Where the upload stands.", &[400, 401, 403, 404, 413, 503], ("200", json!({ "description": "Done." })))),
                "patch": signed(taking("Part", with_headers(&[("upload-offset", "^[0-9]{1,10}$"), ("upload-checksum", CHECKSUM)],
                    operation("One part at the upload's offset.", &[400, 401, 403, 404, 409, 413, 460, 503], nothing()))))
            }
        },
        "components": {
            "securitySchemes": {
                "device": {
                    "type": "apiKey", "in": "header", "name": "jalon-signature",
                    "description": "Ed25519 over method, target, body hash and time, with jalon-kiosk and jalon-time."
                },
                "agent": {
                    "type": "http", "scheme": "bearer",
                    "description": "A key of `central admin agent`: 64 hexadecimal digits, good for one site."
                }
            },
            "schemas": crate::openapi_shapes::shapes()
        }
    })
}

/// A status and what comes with it.
type Answer = (&'static str, Value);

fn done(media: &str, shape: Option<&str>) -> Answer {
    let schema = shape.map(|shape| json!({ "schema": { "$ref": format!("#/components/schemas/{shape}") } }));
    ("200", json!({ "description": "Done.", "content": { media: schema.unwrap_or_else(|| json!({})) } }))
}

fn answering(shape: &str) -> Answer {
    done("application/json", Some(shape))
}

fn nothing() -> Answer {
    ("204", json!({ "description": "Done." }))
}

fn operation(summary: &str, refusals: &[u16], answer: Answer) -> Value {
    let mut responses = serde_json::Map::new();
    responses.insert(answer.0.into(), answer.1);
    for status in refusals {
        responses.insert(
            status.to_string(),
            json!({
                "description": "Refused; the code says why.",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
            }),
        );
    }
    json!({ "summary": summary, "responses": responses })
}

fn taking(shape: &str, operation: Value) -> Value {
    let media = if shape == "Part" { "application/octet-stream" } else { "application/json" };
    let reference = format!("#/components/schemas/{shape}");
    let body = json!({ "required": true, "content": { media: { "schema": { "$ref": reference } } } });
    with(operation, "requestBody", body)
}

fn with_headers(headers: &[(&str, &str)], operation: Value) -> Value {
    let header = |(name, pattern): &(&str, &str)| {
        json!({
            "name": name, "in": "header", "required": true, "schema": { "type": "string", "pattern": pattern }
        })
    };
    with(operation, "parameters", headers.iter().map(header).collect())
}

fn signed(operation: Value) -> Value {
    with(operation, "security", json!([{ "device": [] }]))
}

fn by_agent(operation: Value) -> Value {
    with(operation, "security", json!([{ "agent": [] }]))
}

fn with_cursor(operation: Value) -> Value {
    let number =
        |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "integer", "minimum": 0 } });
    with(
        operation,
        "parameters",
        json!([number("cursor"), { "name": "mark", "in": "query", "schema": { "type": "string", "maxLength": 16 } }, number("roster"), number("configuration"), number("issuers"), number("papers"), number("ring"), {
            "name": "head", "in": "query", "schema": { "type": "string", "pattern": "^[0-9a-f]{64}$" }
        }, {
            "name": "checkpoint", "in": "query", "schema": { "type": "string", "pattern": "^[0-9a-f]{64}$" }
        }, {
            "name": "cosigned", "in": "query", "schema": { "type": "string", "pattern": "^[0-9a-f]{128}$" }
        }]),
    )
}

/// A kiosk that knows slots may serve some procedures only says so.
fn knowing(operation: Value) -> Value {
    let one = json!({ "name": "procedures", "in": "query", "schema": { "type": "integer", "enum": [1] } });
    with(operation, "parameters", json!([one]))
}

fn with(mut operation: Value, key: &str, value: Value) -> Value {
    if let Some(fields) = operation.as_object_mut() {
        fields.insert(key.into(), value);
    }
    operation
}
