//! OpenAPI's schemas as JSON Schema 2020-12.
//!
//! OpenAPI 3.0 has its own dialect (`nullable`, siblings of `$ref` mean nothing); 3.1 is JSON Schema already. On top of that both
//! are made to say what their authors mean. A `discriminator` without `oneOf` sends a value on to the schema of its kind. In what
//! we send, a property that only the vendor sets is not wanted, and one that no schema names is refused: a misspelt field is
//! ignored by vendors in silence. In what they send, unknown properties pass, because vendors add some every month.

use serde_json::{Map, Value, json};

use super::pointer;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// What we send to a vendor.
    Ours,
    /// What a vendor answers or delivers.
    Theirs,
}

/// Translates the schemas of one document for one side. Everything stays at its place, so a fragment means the same in both.
pub(super) struct Translator<'a> {
    root: &'a Value,
    side: Side,
    /// OpenAPI 3.0.
    old_dialect: bool,
}

/// Keywords that say nothing about whether a value is valid, or that the translation itself consumes.
const SILENT: [&str; 12] = [
    "default",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "nullable",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
];

/// References deeper than this are taken as endless.
const DEEPEST: usize = 32;

impl<'a> Translator<'a> {
    pub(super) fn new(root: &'a Value, side: Side) -> Translator<'a> {
        let old_dialect =
            root["openapi"].as_str().is_some_and(|version| version.starts_with("3.0"));
        Translator { root, side, old_dialect }
    }

    /// The whole document with its schemas translated and its prose left out.
    pub(super) fn document(&self) -> Value {
        let mut document = self.around(self.root);
        let named = self.root["components"]["schemas"].as_object();
        let mut schemas = Map::new();
        for (name, schema) in named.into_iter().flatten() {
            schemas.insert(name.clone(), self.schema(schema));
            if let Some(any) = self.any_kind(name, schema) {
                schemas.insert(any_kind_of(name), any);
            }
        }
        document["components"]["schemas"] = schemas.into();
        document
    }

    /// What stands around schemas.
    fn around(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.around(item)).collect(),
            Value::Object(fields) => {
                let kept = fields.iter().filter(|(key, _)| !is_prose(key) && *key != "schemas");
                kept.map(|(key, value)| match key.as_str() {
                    "schema" => (key.clone(), self.whole(value)),
                    _ => (key.clone(), self.around(value)),
                })
                .collect()
            }
            other => other.clone(),
        }
    }

    /// A schema that describes a whole value, not a part of what `allOf` and its like put together.
    fn whole(&self, schema: &Value) -> Value {
        let mut translated = self.schema_at(schema, Place::Whole);
        if self.side == Side::Ours
            && self.names_properties(schema, 0)
            && let Some(keywords) = translated.as_object_mut()
        {
            keywords.entry("unevaluatedProperties").or_insert(false.into());
        }
        translated
    }

    fn schema(&self, schema: &Value) -> Value {
        self.schema_at(schema, Place::Part)
    }

    fn schema_at(&self, schema: &Value, place: Place) -> Value {
        let Some(keywords) = schema.as_object() else { return schema.clone() };
        let reference = keywords.get("$ref").and_then(Value::as_str);
        if let (Some(reference), true) = (reference, self.old_dialect) {
            return json!({ "$ref": self.reference(reference, place) });
        }
        let kept = keywords.iter().filter(|(key, _)| !SILENT.contains(&key.as_str()));
        let translated = kept.filter(|(key, _)| !key.starts_with("x-")).map(|(key, value)| {
            let value = match key.as_str() {
                "$ref" => self.reference(value.as_str().unwrap_or_default(), place).into(),
                "required" => self.required(schema, value),
                _ => self.keyword(key, value),
            };
            (key.clone(), value)
        });
        let translated: Value = translated.collect::<Map<_, _>>().into();
        if self.old_dialect && keywords.get("nullable") == Some(&true.into()) {
            return or_null(translated);
        }
        translated
    }

    fn keyword(&self, key: &str, value: &Value) -> Value {
        let each = |translate: &dyn Fn(&Value) -> Value| match value {
            Value::Array(items) => items.iter().map(translate).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, schema)| (name.clone(), translate(schema))).collect()
            }
            other => other.clone(),
        };
        match key {
            "properties" | "patternProperties" => each(&|schema| self.whole(schema)),
            "items" | "additionalProperties" => self.whole(value),
            "allOf" => each(&|schema| self.schema(schema)),
            // A branch is the whole of a value where nothing else describes it; closing it is the parent's task all the same.
            "anyOf" | "oneOf" => each(&|schema| self.schema_at(schema, Place::Whole)),
            "not" => self.schema(value),
            _ => value.clone(),
        }
    }

    /// A reference to a schema that is only the common part of several kinds means any of these kinds, unless one of the kinds
    /// itself refers to it.
    fn reference(&self, reference: &str, place: Place) -> String {
        let base = place == Place::Whole
            && pointer::find(self.root, reference).is_some_and(|target| kinds(target).is_some());
        let reference = if base { any_kind_of(reference) } else { reference.to_owned() };
        pointer::tidy(&reference)
    }

    /// For a schema whose discriminator names the kinds it is the common part of: one that sends a value on to its kind.
    fn any_kind(&self, name: &str, schema: &Value) -> Option<Value> {
        let (property, kinds) = kinds(schema)?;
        let each = kinds.iter().map(|(kind, target)| {
            let target = target.as_str().unwrap_or_default();
            json!({
                "if": { "properties": { property: { "const": kind } }, "required": [property] },
                "then": { "$ref": pointer::tidy(target) },
            })
        });
        let base = pointer::fragment(&["components", "schemas", name]);
        Some(json!({
            "$ref": base,
            "required": [property],
            "properties": { property: { "enum": kinds.keys().collect::<Vec<_>>() } },
            "allOf": each.collect::<Vec<_>>(),
        }))
    }

    /// Of the properties that a schema requires, those that its author has to write.
    fn required(&self, schema: &Value, names: &Value) -> Value {
        if self.side == Side::Theirs {
            return names.clone();
        }
        let names = names.as_array().into_iter().flatten();
        let ours = names.filter(|name| !self.sets(schema, name.as_str().unwrap_or_default(), 0));
        ours.cloned().collect()
    }

    /// Whether the vendor sets a property itself, in one of the kinds at least; other kinds require it for themselves.
    fn sets(&self, schema: &Value, name: &str, depth: usize) -> bool {
        let schema = self.resolved(schema);
        let here = schema["properties"].get(name);
        let parts = ["allOf", "anyOf", "oneOf"].into_iter();
        let mut parts = parts.filter_map(|key| schema[key].as_array()).flatten();
        here.is_some_and(|property| self.resolved(property)["readOnly"] == true)
            || (depth < DEEPEST && parts.any(|part| self.sets(part, name, depth + 1)))
    }

    /// Whether a schema says by name what an object may contain. One that does not describes objects of any form.
    fn names_properties(&self, schema: &Value, depth: usize) -> bool {
        let schema = self.resolved(schema);
        if depth > DEEPEST {
            return false;
        }
        let branches = |key: &str| schema[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let names = |branch: &Value| self.names_properties(branch, depth + 1);
        let choices: Vec<&Value> =
            [branches("anyOf"), branches("oneOf")].into_iter().flatten().collect();
        let mut objects =
            choices.into_iter().filter(|choice| self.may_be_object(choice)).peekable();
        schema.get("properties").is_some()
            || branches("allOf").iter().any(names)
            || (objects.peek().is_some() && objects.all(names))
    }

    fn may_be_object(&self, schema: &Value) -> bool {
        let kind = &self.resolved(schema)["type"];
        kind.is_null()
            || kind == "object"
            || kind.as_array().is_some_and(|k| k.contains(&"object".into()))
    }

    fn resolved<'s>(&'s self, mut schema: &'s Value) -> &'s Value {
        for _ in 0..DEEPEST {
            let target = schema["$ref"].as_str().and_then(|to| pointer::find(self.root, to));
            match target {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Whole,
    Part,
}

fn is_prose(key: &str) -> bool {
    matches!(key, "description" | "example" | "examples" | "summary" | "externalDocs" | "tags")
}

/// The property that tells kinds apart and the schemas of the kinds. With `oneOf` beside it a discriminator is only a hint.
fn kinds(schema: &Value) -> Option<(&str, &Map<String, Value>)> {
    let alone = schema.get("oneOf").is_none() && schema.get("anyOf").is_none();
    let discriminator = schema.get("discriminator").filter(|_| alone)?;
    Some((discriminator["propertyName"].as_str()?, discriminator["mapping"].as_object()?))
}

fn any_kind_of(name: &str) -> String {
    format!("{name}.any")
}

/// OpenAPI 3.0 takes `nullable` for a word about `type`; vendors write it beside `allOf` and `$ref` too, and mean the same.
fn or_null(mut schema: Value) -> Value {
    if let Some(choices) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        choices.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(kind) => {
            *kind = json!([kind.take(), "null"]);
            schema
        }
        None => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}
