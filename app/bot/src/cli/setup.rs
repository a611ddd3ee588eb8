//! `landfall setup`: creates the App from a browser, and keeps what a server needs of it.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{ArgGroup, Args};
use landfall_github::manifest::Owner;
use landfall_os::redact::Redactor;
use tokio::net::TcpListener;
use url::{Host, Url};

use super::{Ended, log};
use crate::server::setup::{Finished, Order, invitation, random, serve};
use crate::settings::{SetupSettings, Webhooks, told};

mod keep;

use keep::{Form, Kept, Place};

/// Create the GitHub App from a browser, and keep its key and settings.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("webhooks").required(true).args(["url", "pull"])),
    after_help = "Examples:
  landfall setup --url https://landfall.example.com    GitHub reaches the server there
  landfall setup --pull                                it does not: the server fetches its events
  landfall setup --pull --organization acme --output ~/landfall
  landfall setup --url https://landfall.fly.dev --print fly

It prints the address of a page, which is good once and for an hour. The page says what the App may
do and has a button that creates it at GitHub, with the least permissions. Nothing is asked for twice:
what GitHub gives is written to landfall.env and landfall.pem, for you alone (mode 0600), or printed
with --print. Then the page is gone.

On a machine without a browser: ssh -L 8080:127.0.0.1:8080 MACHINE, and open the address on yours.

Environment:
  LANDFALL_LISTEN             address and port [127.0.0.1:8080]
  GITHUB_URL, GITHUB_API_URL  a GitHub Enterprise Server: https://HOST and https://HOST/api/v3

Exit code: 0 the App is there and kept; 1 it is not."
)]
pub(super) struct Setup {
    /// Where GitHub will reach the server.
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// The server will fetch its events: GitHub does not have to reach it.
    #[arg(long)]
    pull: bool,
    /// The organisation that the App is to belong to; without it, it is yours.
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// What the App is called. GitHub has each name once.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where to put landfall.env and landfall.pem.
    #[arg(long, value_name = "FOLDER", default_value = ".", conflicts_with = "print")]
    output: PathBuf,
    /// Print them instead: as environment lines, or as a command for fly.io.
    #[arg(long, value_enum, value_name = "FORM")]
    print: Option<Form>,
    /// Where to listen, instead of LANDFALL_LISTEN.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where your browser reaches this page, if that is not where it listens.
    #[arg(long, value_name = "URL")]
    page: Option<Url>,
}

/// Where no delivery ever arrives (RFC 6761, section 6.4).
const NOWHERE: &str = "https://landfall.invalid/webhook";

impl Setup {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let settings = SetupSettings::read(&|name| std::env::var(name).ok());
        let settings = settings.map_err(|faults| told(&faults))?;
        log::begin(&Redactor::new(), "warn");
        // Before anything is created: what GitHub gives for it is given once.
        let place = match self.print {
            Some(form) => Place::Printed(form),
            None => Place::folder(&self.output)?,
        };
        let listener = TcpListener::bind(self.listen.unwrap_or(settings.listen)).await;
        let listener =
            listener.context("the page cannot be served; --listen names another port")?;
        let order = self.order(&settings, listener.local_addr()?)?;
        let token = random();
        say(&format!(
            "Open this in a browser. It is good once, and for an hour:\n\n  {}\n\n",
            invitation(&order, &token)
        ))?;
        let kept = Kept::new(place, &order);
        let finished = serve(order, kept.keep(), token, listener).await?;
        report(&finished, &kept)?;
        Ok(Ended::Done)
    }

    fn order(&self, settings: &SetupSettings, listens: SocketAddr) -> anyhow::Result<Order> {
        let SetupSettings { api_url, web_url, .. } = settings.clone();
        let (home, hook, webhooks) = match &self.url {
            Some(url) => (url.clone(), hook_at(url)?, Webhooks::Push),
            None => (web_url.clone(), NOWHERE.parse()?, Webhooks::Pull),
        };
        let pages = match &self.page {
            Some(page) => page.clone(),
            None => format!("http://{}", reached_at(listens)).parse()?,
        };
        let owner = match &self.organization {
            Some(login) => Owner::Organization(login.clone()),
            None => Owner::Person,
        };
        let name = self.name.clone().unwrap_or_else(|| match &self.organization {
            Some(login) => format!("landfall-{login}"),
            None => format!("landfall-{}", &random()[..6]),
        });
        Ok(Order { name, owner, home, hook, webhooks, pages, api_url, web_url })
    }
}

/// Where deliveries go on the server that is reached at `url`.
fn hook_at(url: &Url) -> anyhow::Result<Url> {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => true,
    };
    let web = matches!(url.scheme(), "http" | "https");
    ensure!(
        web && !local,
        "--url {url}: GitHub cannot reach that. Name the address that the server has outside, or use --pull"
    );
    let mut hook = url.clone();
    hook.set_query(None);
    if let Ok(mut path) = hook.path_segments_mut() {
        path.pop_if_empty().push("webhook");
    }
    Ok(hook)
}

/// What a browser on this machine opens.
fn reached_at(listens: SocketAddr) -> SocketAddr {
    match listens.ip().is_unspecified() {
        true => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listens.port()),
        false => listens,
    }
}

fn report(finished: &Finished, kept: &Kept) -> anyhow::Result<()> {
    let Finished { created, left } = finished;
    let left = left.as_ref().map(|left| {
        format!(
            "GitHub did not take the settings of the webhook: {left}\n\
             `landfall doctor` says what is left to set on the App's page.\n"
        )
    });
    say(&format!(
        "The App {} is there, with the number {}.\n{}{}\
         \nNext: install it on your repositories, on the page that your browser shows now:\n\n  \
         {}/installations/new\n",
        created.name,
        created.id,
        kept.told(),
        left.unwrap_or_default(),
        created.page.as_str().trim_end_matches('/'),
    ))
}

/// To standard output, as it is: the address has a token in it, and `--print` is for secrets.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(url: &str) -> Option<String> {
        hook_at(&url.parse().unwrap()).ok().map(|hook| hook.to_string())
    }

    #[test]
    fn github_is_led_to_where_it_can_come() {
        let there = hook("https://landfall.example.com");
        assert_eq!(there.as_deref(), Some("https://landfall.example.com/webhook"));
        let below = hook("https://example.com/landfall/?x=1");
        assert_eq!(below.as_deref(), Some("https://example.com/landfall/webhook"));
        for local in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]/", "file:///x"] {
            assert_eq!(hook(local), None, "{local}");
        }
    }

    #[test]
    fn a_page_on_all_addresses_is_opened_on_this_machine() {
        let reached = |text: &str| reached_at(text.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(reached("192.168.1.9:80"), "192.168.1.9:80");
    }
}
