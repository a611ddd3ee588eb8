//! The pages themselves: plain HTML that loads nothing. Everything in them is escaped by the engine.

use landfall_github::manifest::{Manifest, Owner};
use landfall_github::needs::{EVENTS, PERMISSIONS};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};
use url::Url;

use super::Order;
use crate::settings::Webhooks;

/// The engine escapes what goes into a template by the ending of its name.
const TEMPLATES: [(&str, &str); 3] = [
    ("frame.html", include_str!("../../../../../templates/setup/frame.html")),
    ("form.html", include_str!("../../../../../templates/setup/form.html")),
    ("problem.html", include_str!("../../../../../templates/setup/problem.html")),
];

pub(super) struct Pages {
    environment: Environment<'static>,
}

impl Pages {
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
        environment.set_syntax(syntax);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in TEMPLATES {
            environment.add_template(name, text)?;
        }
        Ok(Self { environment })
    }

    /// What App will be created, and the button that does it.
    pub(super) fn form(
        &self,
        order: &Order,
        action: &Url,
        manifest: &Manifest,
    ) -> anyhow::Result<String> {
        let permissions = PERMISSIONS.map(|permission| {
            let level = permission.asked.as_str();
            context! { name => permission.name, level, purpose => permission.purpose }
        });
        let events = EVENTS.map(|subscription| {
            context! { name => subscription.event, purpose => subscription.purpose }
        });
        let organization = match &order.owner {
            Owner::Person => None,
            Owner::Organization(login) => Some(login),
        };
        let page = context! {
            action => action.as_str(),
            manifest => serde_json::to_string(manifest)?,
            name => &order.name,
            organization,
            hook => order.hook.as_str(),
            fetched => order.webhooks == Webhooks::Pull,
            github => order.web_url.host_str(),
            permissions,
            events,
        };
        Ok(self.environment.get_template("form.html")?.render(page)?)
    }

    /// That the setup could not continue, and why.
    pub(super) fn problem(&self, why: &str) -> anyhow::Result<String> {
        Ok(self.environment.get_template("problem.html")?.render(context! { why })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_becomes_markup() {
        let pages = Pages::new().unwrap();
        let hostile = "</code><script>alert(1)</script>\"'&";
        let problem = pages.problem(hostile).unwrap();
        let url: Url = "https://landfall.example.com/".parse().unwrap();
        let order = Order {
            name: hostile.to_owned(),
            owner: Owner::Organization(hostile.to_owned()),
            home: url.clone(),
            hook: url.clone(),
            webhooks: Webhooks::Push,
            pages: url.clone(),
            api_url: url.clone(),
            web_url: url.clone(),
        };
        let manifest = Manifest::new(hostile.to_owned(), url.clone(), url.clone(), url.clone());
        let form = pages.form(&order, &url, &manifest).unwrap();
        for page in [problem, form] {
            assert!(!page.contains("<script"), "{page}");
            assert!(!page.contains("http://") && !page.contains("src="), "{page}");
        }
    }
}
