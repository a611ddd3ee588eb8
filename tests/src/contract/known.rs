//! What is real although a vendor's description leaves it out or gets it wrong, each with the reason.
//!
//! Nothing else is passed over. An entry is added when the vendor's behaviour is established elsewhere, never to silence a
//! simulator.

use landfall_sim::exchange::{Exchange, Wire};
use serde_json::{Value, json};

use super::document::{Place, Vendor};

/// Where the Integration API is: behind UniFi OS, and on a self-hosted controller.
const INTEGRATION: [&str; 2] = ["/proxy/network/integration", "/integration"];

const CLOUDFLARE: &str = "/client/v4";

/// Where an Enterprise Server has what github.com has on a host of its own.
const ENTERPRISE: &str = "/api/v3";

/// The path as the description writes it, or `None` where the vendor describes nothing at all:
/// - UniFi describes its Integration API alone. Logins, the static-dns API and the client listings are known from what
///   consoles answer.
/// - GitHub describes its REST API here, and GraphQL elsewhere.
/// - GitHub leads requests for a renamed repository to `/repositories/ID/...`, which answers like `/repos/OWNER/NAME/...`
///   and is in no description.
pub(super) fn described_path(exchange: &Exchange) -> Option<&str> {
    let path = exchange.path.as_str();
    match exchange.wire {
        Wire::Unifi => INTEGRATION
            .iter()
            .find_map(|base| path.strip_prefix(base).filter(|rest| rest.starts_with("/v1/"))),
        Wire::GitHub => {
            let path = path.strip_prefix(ENTERPRISE).unwrap_or(path);
            let elsewhere = ["/graphql", "/api/graphql"].contains(&path);
            (!elsewhere && !path.starts_with("/repositories/")).then_some(path)
        }
        // Outside of it there is nothing, so no operation is found.
        Wire::Cloudflare => Some(path.strip_prefix(CLOUDFLARE).unwrap_or_default()),
        Wire::Git | Wire::Webhook | Wire::S3 | Wire::Chat => None,
    }
}

/// Puts right what a description gets wrong, before anything is read from it.
///
/// # Errors
/// The description has no such place any more, so the entry is out of date.
pub(super) fn amend(vendor: Vendor, description: &mut Value) -> Result<(), String> {
    for (place, keywords) in amendments(vendor) {
        let schema = description.pointer_mut(&place).and_then(Value::as_object_mut);
        let schema = schema.ok_or_else(|| format!("there is nothing to put right at {place}"))?;
        schema.extend(keywords.as_object().cloned().unwrap_or_default());
    }
    Ok(())
}

/// Places of schemas, and the keywords that each gets instead of its own.
fn amendments(vendor: Vendor) -> Vec<(String, Value)> {
    let named = |name: &str, keywords: Value| (format!("/components/schemas/{name}"), keywords);
    let null = || json!({ "nullable": true });
    let open = || json!({ "additionalProperties": true });
    let with_id = || json!({ "required": ["id"], "properties": { "id": { "type": "string" } } });
    match vendor {
        Vendor::Unifi => Vec::new(),
        Vendor::Webhooks => {
            // The list of events that an App may have is older here than elsewhere in the description.
            let suite = "webhook-check-suite-rerequested/properties/check_suite";
            let events = format!("{suite}/properties/app/properties/events");
            vec![named(&events, json!({ "items": { "type": "string" } }))]
        }
        Vendor::GitHub => {
            // In the list of installations alone, `allOf` wants the owner to be a user and an enterprise at once.
            let listed = "/paths/~1app~1installations/get/responses/200/content/application~1json/schema/items";
            let one = json!({ "$ref": "#/components/schemas/installation/properties/account" });
            // Null once the fork is deleted: https://docs.github.com/en/pull-requests says that the pull
            // request stays, and real answers and webhooks have it so.
            let gone = json!({ "$ref": "#/components/schemas/nullable-repository" });
            let head = |name: &str| {
                named(&format!("{name}/properties/head/properties/repo"), gone.clone())
            };
            let account = (format!("{listed}/properties/account"), one);
            let issues = ("/paths".to_owned(), json!({ "/repos/{owner}/{repo}/issues": issues() }));
            vec![account, head("pull-request"), head("pull-request-simple"), issues]
        }
        Vendor::Cloudflare => vec![
            // Null where nothing was ever connected, deleted or commented. The texts of the first two say so.
            named("tunnel_conns_active_at", null()),
            named("tunnel_conns_inactive_at", null()),
            named("tunnel_deleted_at", null()),
            named("dns-records_comment", null()),
            // One schema describes a record in requests and in answers, and only an answer has an id.
            named("dns-records_identifier", json!({ "readOnly": true })),
            // The last rule of a tunnel must have no hostname.
            named("tunnel_ingressRule", json!({ "required": ["service"] })),
            // A configuration is replaced as a whole, so what others set in it is sent back, known here or not.
            named("tunnel_config", open()),
            named("tunnel_ingressRule", open()),
            named("tunnel_originRequest", open()),
            // A batch says by id what it changes. The description has these types without the id that they are joined with.
            named("overlay_batch_patch", with_id()),
            named("overlay_batch_put", with_id()),
        ],
    }
}

/// The list of issues and the opening of one, of which the part of GitHub's description that tests are given has the answers'
/// schema alone. The rest is what <https://docs.github.com/en/rest/issues/issues> says of the parameters used here.
fn issues() -> Value {
    let parameter = |name: &str| json!({ "$ref": format!("#/components/parameters/{name}") });
    let text = || json!({ "type": "string" });
    let query =
        |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
    let answer = |status: &str, schema: Value| {
        let content = json!({ "application/json": { "schema": schema } });
        json!({ status: { "description": "", "content": content } })
    };
    let (owner, repository) = (parameter("owner"), parameter("repo"));
    let issue = json!({ "$ref": "#/components/schemas/issue" });
    let state = json!({ "type": "string", "enum": ["open", "closed", "all"] });
    let opened = json!({
        "type": "object",
        "properties": { "title": text(), "body": text() },
        "required": ["title"],
        "additionalProperties": false,
    });
    json!({
        "get": {
            "parameters": [
                owner, repository, query("state", state), query("creator", text()),
                parameter("per-page"), parameter("page"),
            ],
            "responses": answer("200", json!({ "type": "array", "items": issue })),
        },
        "post": {
            "parameters": [owner, repository],
            "requestBody": { "required": true, "content": { "application/json": { "schema": opened } } },
            "responses": answer("201", issue),
        },
    })
}

/// GitHub says why with every refusal, where its description says that a status has no body.
pub(super) fn may_say_why(exchange: &Exchange) -> Option<&'static str> {
    let refused = exchange.status.is_some_and(|status| status >= 400);
    (exchange.wire == Wire::GitHub && refused).then_some("basic-error")
}

/// GitHub gives an empty text for an address that nobody set, such as a repository's homepage.
pub(super) fn is_address(text: &str) -> bool {
    text.is_empty()
        || url::Url::parse(text).is_ok_and(|_| !text.contains(['[', ']', '{', '}', ' ']))
}

/// Cloudflare's description wants `{}` with a DELETE; its API takes one without a body, and its own clients send none.
pub(super) fn body_may_be_left_out(exchange: &Exchange) -> bool {
    exchange.wire == Wire::Cloudflare && exchange.method == "DELETE"
}

/// Cloudflare describes errors as `allOf` a success, whose `success` is true, and a failure, whose `success` is false: no
/// answer can be both. The failure is what is meant.
pub(super) fn failure_alone(schema: Place<'_>) -> Place<'_> {
    let parts = schema.value["allOf"].as_array();
    let failure = parts.and_then(|parts| {
        parts.iter().position(|part| {
            part["$ref"].as_str().is_some_and(|to| to.ends_with("api-response-common-failure"))
        })
    });
    let failure =
        failure.and_then(|place| schema.under(&["allOf"])?.elements().into_iter().nth(place));
    failure.unwrap_or(schema)
}

/// What a status means that the operation itself does not list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undescribed {
    /// No body.
    Nothing,
    /// A web page, not JSON.
    Page,
    /// A schema of the same description, by its name.
    Schema(&'static str),
    /// JSON with something at this pointer.
    Refusal(&'static str),
}

/// Statuses that an operation may answer with although it does not list them.
struct Known(Wire, &'static [u16], Undescribed);

const KNOWN: [Known; 7] = [
    // Any operation refuses a body that is no JSON, a token, a missing permission or a caller that asks too often, and hides
    // what the caller may not see. Operations list these now and then.
    Known(Wire::GitHub, &[400, 401, 403, 404, 429], Undescribed::Schema("basic-error")),
    // Any operation that takes a body refuses one that is not valid.
    Known(Wire::GitHub, &[422], Undescribed::Schema("validation-error")),
    // Any operation on a renamed repository leads to its new place.
    Known(Wire::GitHub, &[301, 307], Undescribed::Schema("basic-error")),
    // Any read answers so to `If-None-Match`.
    Known(Wire::GitHub, &[304], Undescribed::Nothing),
    // The description has the schema of errors but names it at no operation.
    Known(
        Wire::Unifi,
        &[400, 401, 403, 404, 405, 409, 415, 429],
        Undescribed::Schema("Error Message"),
    ),
    // UniFi OS refuses in its own words before a request reaches the Network application.
    Known(Wire::Unifi, &[401, 403], Undescribed::Refusal("/error/code")),
    // A console that is too old for the Integration API answers its path with a page.
    Known(Wire::Unifi, &[404], Undescribed::Page),
];

/// What an answer with this status may be.
pub(super) fn undescribed(exchange: &Exchange) -> impl Iterator<Item = Undescribed> {
    let (wire, status) = (exchange.wire, exchange.status.unwrap_or_default());
    KNOWN.iter().filter_map(move |Known(at, statuses, means)| {
        (*at == wire && statuses.contains(&status)).then_some(*means)
    })
}

/// A webhook that GitHub sends and its description says nothing about: nothing subscribes to the first, but every App gets
/// it; the others are left out of the part of the description that tests are given.
pub(super) fn is_undescribed_event(event: &str, payload: &Value) -> bool {
    let action = payload["action"].as_str().unwrap_or_default();
    let sent = [
        ("installation_target", "renamed"),
        ("repository", "unarchived"),
        ("repository", "edited"),
    ];
    sent.contains(&(event, action))
}
