//! `#/a/b`: one field of a secret that is a JSON object. Maps are walked, lists are not, as in vals.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::Why;

pub(crate) fn pick(secret: &SecretString, fragment: &str) -> Result<SecretString, Why> {
    let whole: Value = serde_json::from_str(secret.expose_secret())
        .map_err(|_| Why::Fragment("the secret is not JSON"))?;
    let mut value = &whole;
    for key in fragment.split('/') {
        let fields = value
            .as_object()
            .ok_or(Why::Fragment("something on the way to it is not an object"))?;
        value = fields.get(key).ok_or(Why::Fragment("a key on the way to it is missing"))?;
    }
    match value {
        Value::String(text) => Ok(SecretString::from(text.as_str())),
        Value::Number(_) | Value::Bool(_) => Ok(SecretString::from(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(Why::Fragment("it is not a single value"))
        }
    }
}
