//! One environment of the repository config.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::budget::{MAX_LISTED, at_most};
use super::commands::{self, Within};
use super::connection::{self, NamedConnection};
use super::{Registry, Variables, digest, later};
use crate::coverage::PlanChanged;
use crate::diagnostic::{Diagnostic, Span};
use crate::guardrail::{Guardrails, Protect};
use crate::name::{BranchName, ConnectionName, EnvironmentName, KindName, NameError};
use crate::plan::{Adoption, Digest};
use crate::rights::Rights;
use crate::yaml::{Entries, Key, Node, Spanned, decode, did_you_mean};

/// The longest value of a variable, in bytes.
const MAX_VARIABLE: usize = 1024;

/// One environment: which branches it follows, what it reaches, how careful it is.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Where it is declared.
    pub span: Span,
    /// The branches it may follow; with none it is for the command line only.
    pub branches: Vec<BranchName>,
    /// Its variables.
    pub vars: BTreeMap<String, Spanned<String>>,
    /// What it reaches, by name.
    pub connections: BTreeMap<ConnectionName, NamedConnection>,
    /// What may be taken over without being asked for at the entry.
    pub adopt: Adoption,
    /// What a run does whose plan was not reviewed.
    pub plan_changed: PlanChanged,
    /// The limits of its plans.
    pub guardrails: Guardrails,
    /// Who may give which command for it; what is not in it is as in the whole repository.
    pub commands: Rights,
    /// Of all that is written about it, without places: what was made of a service file and an
    /// environment may be kept as long as the blob and this are the same.
    pub digest: Digest,
}

/// An environment as it is written. Connections are taken from the tree: their kinds decode them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct Written {
    /// The branches it follows. Without any it is for the command line only.
    #[serde(default)]
    branches: Vec<BranchName>,
    /// Variables: `${name}` in the values and keys of a service file.
    #[serde(default)]
    vars: Entries<String, Spanned<String>>,
    /// `equal`: what exists just as wanted and is nobody's becomes ours without being asked for.
    adopt: Option<Adopt>,
    /// What a run does whose plan was not reviewed.
    plan_changed: Option<OnChange>,
    /// Limits on what one plan may take away.
    guardrails: Option<WrittenGuardrails>,
    /// Who may give which command for it, in place of what `commands` at the top says.
    #[serde(default)]
    commands: commands::Written,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Adopt {
    /// What is already as wanted.
    Equal,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OnChange {
    /// Wait for `/apply` with the digest.
    Hold,
    /// Go on and say so.
    Apply,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct WrittenGuardrails {
    /// How much of what the environment owns one plan may delete: `30%`.
    max_deletes: Option<Percent>,
    /// What must not be deleted, replaced or taken over: `apex`, `wildcard`, `provider:type:name`.
    /// A list here stands in place of the default one.
    #[schemars(with = "Option<Vec<String>>")]
    protect: Option<Vec<Spanned<Protect>>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Percent(u8);

impl TryFrom<String> for Percent {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        let number = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
        let number = number.filter(|number| *number <= 100).map(Self);
        number.ok_or_else(|| NameError::new("a share", &text, "from `0%` to `100%`"))
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(100|[0-9]{1,2})%$" })
    }
}

impl Environment {
    /// Reads the environment `key: node`.
    pub(super) fn read(
        registry: Registry<'_>,
        key: &Key,
        node: &Node,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Vec::new();
        let name = EnvironmentName::new(key.text.as_str());
        let name = name.map_err(|e| findings.push(named_badly(&e, key.span.clone()))).ok();
        let (rest, not_yet) = later::split(
            node,
            &[&["connections"], later::ENVIRONMENT].concat(),
            later::ENVIRONMENT,
        );
        findings.extend(not_yet);
        let written = decode::<Written>(&rest).map_err(|errors| findings.extend(errors)).ok();
        let connections = connection::read_all(registry, node.get("connections"), &mut findings);
        let written = written.unwrap_or_default();
        let protect = written.guardrails.as_ref().and_then(|limits| limits.protect.as_ref());
        for (what, count) in [
            ("branches", written.branches.len()),
            ("variables", written.vars.0.len()),
            ("connections", connections.len()),
            ("protected patterns", protect.map_or(0, Vec::len)),
        ] {
            findings.extend(at_most(MAX_LISTED, what, count, &key.span));
        }
        for named in connections.values() {
            let zones = named.connection.zones().len();
            findings.extend(at_most(MAX_LISTED, "zones", zones, &named.span));
        }
        let vars = variables(written.vars, &mut findings);
        let guardrails = guardrails(registry, written.guardrails, &mut findings);
        let commands = written.commands.rights(Within::Environment, &mut findings);
        match name {
            Some(name) if findings.is_empty() => Ok(Self {
                name,
                span: key.span.clone(),
                branches: written.branches,
                vars,
                connections,
                adopt: written.adopt.map_or(Adoption::Listed, |Adopt::Equal| Adoption::Equal),
                plan_changed: match written.plan_changed {
                    Some(OnChange::Apply) => PlanChanged::Apply,
                    Some(OnChange::Hold) | None => PlanChanged::Hold,
                },
                guardrails,
                commands,
                digest: digest::digest(node),
            }),
            _ => Err(findings),
        }
    }

    /// The variables of `service` here.
    #[must_use]
    pub fn variables<'a>(&'a self, service: &'a str) -> Variables<'a> {
        let own = self.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Variables::new(own, self.name.as_str(), service)
    }

    /// The connections of one kind.
    pub fn connections_of<'a>(
        &'a self,
        kind: &'a KindName,
    ) -> impl Iterator<Item = &'a NamedConnection> {
        self.connections.values().filter(move |connection| connection.kind == *kind)
    }
}

/// The finding for a key that is no name.
pub(super) fn named_badly(error: &NameError, span: Span) -> Diagnostic {
    Diagnostic::error("invalid-value", span, error.to_string())
}

fn variables(
    written: Entries<String, Spanned<String>>,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Spanned<String>> {
    for (name, value) in &written.0 {
        let mut refuse = |code, span: &Span, message: String| {
            findings.push(Diagnostic::error(code, span.clone(), message));
        };
        if Variables::BUILT_IN.contains(&name.as_str()) {
            refuse(
                "invalid-value",
                &name.span,
                format!("the variable `{}` is built in", name.value),
            );
        } else if !Variables::is_name(name) {
            let message = "a variable's name has lower-case letters, digits and `_`, and begins with a letter";
            refuse("invalid-value", &name.span, message.to_owned());
        }
        if value.len() > MAX_VARIABLE {
            refuse(
                "too-large",
                &value.span,
                format!("a variable has at most {MAX_VARIABLE} bytes"),
            );
        }
    }
    written.0.into_iter().map(|(name, value)| (name.value, value)).collect()
}

fn guardrails(
    registry: Registry<'_>,
    written: Option<WrittenGuardrails>,
    findings: &mut Vec<Diagnostic>,
) -> Guardrails {
    let mut guardrails = Guardrails::default();
    let Some(written) = written else { return guardrails };
    if let Some(Percent(percent)) = written.max_deletes {
        guardrails.max_deletes = percent;
    }
    let Some(listed) = written.protect else { return guardrails };
    let kinds = registry.kind_names();
    for Spanned { value: protect, span } in &listed {
        let Protect::Pattern { provider, .. } = protect else { continue };
        if !provider.contains('*') && !kinds.contains(provider) {
            let message = format!("there is no kind of component `{provider}`");
            let mut finding = Diagnostic::error("unknown-value", span.clone(), message);
            finding.help = did_you_mean(provider, kinds.iter().map(String::as_str));
            findings.push(finding);
        }
    }
    guardrails.protect = listed.into_iter().map(|protect| protect.value).collect();
    guardrails
}
