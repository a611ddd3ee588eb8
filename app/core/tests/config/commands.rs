//! `commands:`: who may give which command.

use landfall_core::command::usages;
use landfall_core::config::{RepositoryConfig, schema};
use landfall_core::rights::{Level, Right, any_of};

use crate::kinds::REGISTRY;

fn config(top: &str, production: &str) -> Result<RepositoryConfig, Vec<String>> {
    let text = format!(
        "version: 1\n{top}\nenvironments:\n  staging: {{}}\n  production:\n    branches: [main]\n{production}\n"
    );
    RepositoryConfig::load(REGISTRY, "landfall.yaml", text.as_bytes()).map_err(|found| {
        let told = |finding: &landfall_core::diagnostic::Diagnostic| {
            let help = finding.help.clone().unwrap_or_default();
            format!("{}: {} {}: {}; {help}", finding.span, finding.code, "", finding.message)
        };
        found.iter().map(told).collect()
    })
}

fn rights(config: &RepositoryConfig, word: &str, environment: Option<&str>) -> Vec<Right> {
    let usage = usages().find(|usage| usage.word == word).unwrap();
    config.rights(usage, environment.map(|name| name.parse().unwrap()).as_ref())
}

#[test]
fn an_environment_says_it_before_the_repository_and_both_before_the_default() {
    let config = config(
        "commands: { apply: maintain, plan: [triage, \"team:ops\"] }",
        "    commands: { apply: [owner, \"team:platform\"] }",
    )
    .unwrap();
    let (team, level) = (|slug: &str| Right::Team(slug.to_owned()), Right::Level);
    let production = [Right::Owner, team("platform")];
    assert_eq!(rights(&config, "apply", Some("production")), production);
    assert_eq!(rights(&config, "apply", Some("staging")), [level(Level::Maintain)]);
    assert_eq!(rights(&config, "apply", Some("gone")), [level(Level::Maintain)]);
    assert_eq!(rights(&config, "plan", Some("production")), [level(Level::Triage), team("ops")]);
    assert_eq!(rights(&config, "help", None), [level(Level::Read)]);
    assert_eq!(rights(&config, "unlock", None), [level(Level::Write)]);
    assert_eq!(
        any_of(&production),
        "have to own every service that it is about, or have to be in the team `platform`"
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_would_be_right() {
    let errors = |top: &str, production: &str| config(top, production).unwrap_err().join("\n");
    let said = errors("commands: { aply: write, promote: write, apply: wirte }", "");
    for part in [
        "landfall.yaml:2:13: unknown-key : there is no command `aply`; did you mean `apply`?",
        "not-yet : there is no command `promote` yet",
        "unknown-value : `wirte` is not a right",
        "did you mean `write`?",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let said = errors("commands: { status: owner, apply: [] }", "    commands: { help: read }");
    for part in [
        "`/status` is about no service",
        "nobody could give `/apply`; name at least one right",
        "`/help` is about no environment; say it in `commands:` at the top of the file",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    for wrong in ["\"team:\"", "\"team:Platform\"", "\"@alice\"", "none"] {
        let said = errors(&format!("commands: {{ apply: {wrong} }}"), "");
        assert!(said.contains("unknown-value"), "{wrong}: {said}");
    }
}

#[test]
fn the_schema_lists_the_commands_and_no_others() {
    let schema = schema::repository(REGISTRY);
    let environment = &schema["properties"]["environments"]["additionalProperties"];
    for commands in [&schema, environment].map(|schema| &schema["properties"]["commands"]) {
        assert_eq!(commands["additionalProperties"], false);
        for usage in usages() {
            assert!(commands["properties"][usage.word].is_object(), "{}", usage.word);
        }
    }
}
