//! Creating an App from a manifest: our own client and the simulator, held against the description.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use landfall_github::manifest::{Manifest, Owner, exchange, form_address};
use landfall_github::{App, AppSettings, Timeouts, needs};
use landfall_os::http::{AddressRules, Client, Method, Settings as ClientSettings};
use landfall_sim::github::{Access, GithubSim, Settings};
use secrecy::SecretString;
use url::{Url, form_urlencoded};

use crate::caller::assert_faithful;

/// What a browser does: posts the form, and is led back with a code.
async fn code_for(manifest: &Manifest, github: &GithubSim) -> String {
    let web: Url = github.url().parse().unwrap();
    let form = form_address(&web, &Owner::Organization("acme".to_owned()), "state");
    let rules = AddressRules::parse("127.0.0.1").unwrap();
    let client = Client::new(&ClientSettings { rules, ..ClientSettings::new(web) }).unwrap();
    let manifest = serde_json::to_string(manifest).unwrap();
    let body =
        form_urlencoded::Serializer::new(String::new()).append_pair("manifest", &manifest).finish();
    let request = client.request(Method::POST, form.path_segments().unwrap());
    let request = request.query("state", "state").body("application/x-www-form-urlencoded", body);
    let answer = request.send().await.unwrap();
    let back: Url = answer.headers["location"].to_str().unwrap().parse().unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code");
    code.unwrap().1.into_owned()
}

#[tokio::test]
async fn an_app_is_made_and_looked_after_as_github_describes_it() {
    let github = GithubSim::start(Settings::default()).await.unwrap();
    let url = |text: &str| text.parse::<Url>().unwrap();
    let manifest = Manifest::new(
        "Landfall of Acme".to_owned(),
        url("https://landfall.invalid"),
        url("https://landfall.invalid/webhook"),
        url("http://127.0.0.1:8080/setup/callback"),
    );
    let code = code_for(&manifest, &github).await;
    let api_url = url(&github.api_url());
    let created = exchange(&api_url, Timeouts::default(), &code).await.unwrap();
    exchange(&api_url, Timeouts::default(), &code).await.expect_err("a code is good once");

    let settings = AppSettings {
        app_id: created.id,
        private_key: created.private_key,
        api_url,
        web_url: url(&github.url()),
        timeouts: Timeouts::default(),
    };
    let app = App::new(settings, Arc::new(|_| {}), Arc::new(Timestamp::now)).unwrap();
    let registered = app.registration().await.unwrap();
    assert_eq!(registered.id, created.id);
    assert_eq!(needs::missing(&registered.permissions), []);
    assert_eq!(app.hook().await.unwrap().content_type, "form");
    let secret = SecretString::from("correct horse battery");
    assert_eq!(app.sign_deliveries(&secret).await.unwrap().content_type, "json");
    assert!(app.clock_skew().await.unwrap().unwrap().abs().as_secs() <= 5);
    assert_faithful(github.exchanges());
}

#[tokio::test]
async fn an_app_at_the_simulator_may_do_and_hears_what_we_ask_for() {
    let Settings { permissions, events, .. } = Settings::default();
    let granted = permissions.iter().map(|(name, access)| {
        let level = match access {
            Access::Read => "read",
            Access::Write => "write",
        };
        (name.clone(), level.to_owned())
    });
    let granted: BTreeMap<String, String> = granted.collect();
    assert_eq!(needs::missing(&granted), []);
    assert_eq!(needs::unneeded(&granted), []);
    let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
    events.sort_unstable();
    assert_eq!(events, needs::EVENTS.map(|known| known.event));
}
