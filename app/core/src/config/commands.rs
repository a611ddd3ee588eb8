//! `commands:`: who may give which command, for the repository or for one environment of it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::budget::{MAX_LISTED, at_most};
use crate::command::{About, Usage, is_later, usages};
use crate::diagnostic::{Diagnostic, Span};
use crate::rights::{Right, Rights, WORDS};
use crate::yaml::{Entries, OneOrMany, Spanned, did_you_mean};

/// As it is written: for each command one right, or several of which any is enough.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Written(Entries<String, OneOrMany<Spanned<String>>>);

/// What the commands are given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Repository,
    Environment,
}

impl Written {
    /// Reads the rights; what is wrong goes to `findings`.
    pub(super) fn rights(self, within: Within, findings: &mut Vec<Diagnostic>) -> Rights {
        let mut rights = Rights::default();
        for (word, any) in self.0.0 {
            let usage = match command(&word, within) {
                Ok(usage) => usage,
                Err(finding) => {
                    findings.push(*finding);
                    continue;
                }
            };
            findings.extend(at_most(MAX_LISTED, "rights", any.0.len(), &word.span));
            if any.0.is_empty() {
                let message = format!("nobody could give `/{}`", usage.word);
                let finding = Diagnostic::error("invalid-value", word.span.clone(), message);
                findings.push(finding.help("name at least one right"));
            }
            let right = |right: Spanned<String>| match read(usage, &right, &right.span) {
                Ok(right) => Some(right),
                Err(finding) => {
                    findings.push(*finding);
                    None
                }
            };
            rights.put(usage, any.0.into_iter().filter_map(right).collect());
        }
        rights
    }
}

fn command(word: &Spanned<String>, within: Within) -> Result<Usage, Box<Diagnostic>> {
    let wrong = |code, message| Box::new(Diagnostic::error(code, word.span.clone(), message));
    let Some(usage) = usages().find(|usage| usage.word == word.value) else {
        if is_later(word) {
            return Err(wrong("not-yet", format!("there is no command `{}` yet", word.value)));
        }
        let shown: String = word.chars().take(80).collect();
        let mut finding = wrong("unknown-key", format!("there is no command `{shown}`"));
        finding.help = did_you_mean(word, usages().map(|usage| usage.word));
        return Err(finding);
    };
    if within == Within::Environment && usage.about == About::Nothing {
        let message = format!("`/{}` is about no environment", usage.word);
        let finding = wrong("invalid-value", message);
        return Err(Box::new(finding.help("say it in `commands:` at the top of the file")));
    }
    Ok(usage)
}

fn read(usage: Usage, text: &str, span: &Span) -> Result<Right, Box<Diagnostic>> {
    let right = text.parse::<Right>().map_err(|error| {
        let mut finding = Diagnostic::error("unknown-value", span.clone(), error.to_string());
        finding.help = did_you_mean(text, WORDS);
        finding
    })?;
    if right == Right::Owner && usage.about != About::Services {
        let message =
            format!("`/{}` is about no service, so nobody owns what it is about", usage.word);
        return Err(Box::new(Diagnostic::error("invalid-value", span.clone(), message)));
    }
    Ok(right)
}

impl JsonSchema for Written {
    fn schema_name() -> Cow<'static, str> {
        "Commands".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let any = Value::from(generator.subschema_for::<OneOrMany<Right>>());
        let words = usages().map(|usage| {
            let mut schema = any.clone();
            schema["description"] = json!(format!("Who may give `{}`.", usage.form));
            (usage.word.to_owned(), schema)
        });
        json_schema!({
            "type": "object",
            "properties": words.collect::<Map<String, Value>>(),
            "additionalProperties": false,
        })
    }
}
