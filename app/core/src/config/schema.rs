//! JSON Schema of both files, from the types and the kinds: for editors, and for `landfall schema`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{Registry, environment, repository, service};

/// The schema of `landfall.yaml`.
#[must_use]
pub fn repository(registry: Registry<'_>) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut connections = Map::new();
    let mut named = Vec::new();
    for kind in registry.connections {
        let schema = Value::from(kind.schema(&mut generator));
        let name = kind.name();
        named.push(json!({
            "allOf": [schema.clone()],
            "properties": { "kind": { "const": name.as_str() } },
            "required": ["kind"],
        }));
        connections.insert(name.to_string(), schema);
    }
    let mut environment = closed::<environment::Written>(&mut generator);
    put(
        &mut environment,
        "connections",
        json!({
            "type": "object",
            "description": "What the environment reaches: by kind, or by a name of your own with `kind`.",
            "properties": open(Value::Object(connections)),
            "additionalProperties": { "anyOf": open(Value::Array(named)) },
        }),
    );
    let mut root = closed::<repository::Written>(&mut generator);
    put(
        &mut root,
        "environments",
        json!({
            "type": "object", "minProperties": 1, "additionalProperties": environment,
        }),
    );
    require(&mut root, "environments");
    finish(root, "landfall.yaml", generator)
}

/// The schema of a service file.
#[must_use]
pub fn service(registry: Registry<'_>) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut components = Map::new();
    let mut overrides = Map::new();
    for kind in registry.kinds {
        let schema = with_common_keys(kind.schema(&mut generator));
        // An override is merged first, so any part of a component may stand there.
        overrides.insert(kind.name().to_string(), json!({ "type": ["object", "null"] }));
        components.insert(kind.name().to_string(), schema);
    }
    let mut root = closed::<service::Written>(&mut generator);
    for (name, schema) in components {
        put(&mut root, &name, schema);
    }
    put(
        &mut root,
        "environments",
        json!({
            "type": "object",
            "description": "What single environments have otherwise: maps merge by key, null removes.",
            "additionalProperties": {
                "type": "object", "properties": overrides, "additionalProperties": false,
            },
        }),
    );
    finish(root, "A service", generator)
}

/// A type's own schema with no other keys than it has and those that are put in.
fn closed<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let mut schema = Value::from(T::json_schema(generator));
    schema["additionalProperties"] = Value::Bool(false);
    schema
}

fn put(schema: &mut Value, key: &str, value: Value) {
    schema["properties"][key] = value;
}

fn require(schema: &mut Value, key: &str) {
    if let Some(required) = schema["required"].as_array_mut() {
        required.push(Value::from(key));
    }
}

/// Kinds close their objects; keys that are added beside theirs must not be refused for it.
fn open(mut value: Value) -> Value {
    let each = |value: &mut Value| {
        if let Some(schema) = value.as_object_mut() {
            schema.remove("additionalProperties");
        }
    };
    match &mut value {
        Value::Object(map) => map.values_mut().for_each(each),
        Value::Array(items) => items.iter_mut().for_each(each),
        _ => {}
    }
    value
}

fn with_common_keys(schema: Schema) -> Value {
    let mut schema = Value::from(schema);
    put(
        &mut schema,
        "connection",
        json!({ "type": "string", "description": "Which connection, where there are several." }),
    );
    put(
        &mut schema,
        "only",
        json!({
            "description": "The environments it lives in.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        }),
    );
    schema
}

fn finish(mut root: Value, title: &str, mut generator: SchemaGenerator) -> Value {
    root["$schema"] = Value::from("https://json-schema.org/draft/2020-12/schema");
    root["title"] = Value::from(title);
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        root["$defs"] = Value::Object(definitions);
    }
    root
}
