//! What a simulated console is like: which software, which version, who may come in.

use std::fmt;

use super::device::Device;
use crate::clock::Clock;
use crate::exchange::ExchangeLog;

/// A console to start. The default is a UniFi OS console with the Integration API, an API key, a
/// user, one site `default`, plain HTTP and the machine's clock.
#[derive(Clone)]
pub struct UnifiSettings {
    /// All ids follow from this name, so two consoles of one test need two names, or they are one
    /// and the same to whoever knows them by their sites.
    pub name: String,
    /// What runs the Network application.
    pub software: Software,
    /// The Network application's version. From 10.1 on it has DNS policies in the Integration API.
    pub version: String,
    /// The value that `X-API-KEY` must have; `None` on a console without keys.
    pub api_key: Option<String>,
    /// Who may log in.
    pub user: Option<User>,
    /// Whether a session that began with a login is enough for the Integration API.
    pub sessions_in_integration: SessionsInIntegration,
    /// How many logins a minute are let through before the console answers 429.
    pub logins_per_minute: usize,
    /// The sites; the first is the one that the handle's own methods mean.
    pub sites: Vec<SiteSettings>,
    /// What it listens with.
    pub transport: Transport,
    /// The port on 127.0.0.1; any free one if `None`.
    pub port: Option<u16>,
    pub clock: Clock,
    /// Where exchanges are written; may be shared with other simulators.
    pub exchanges: ExchangeLog,
}

/// What runs the Network application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// A console with UniFi OS: everything is below `/proxy/network`, and `GET /` answers 200.
    UnifiOs,
    /// The application alone: no prefix, and `GET /` answers 302.
    SelfHosted,
}

/// Whether a login is enough for the Integration API. Its description knows API keys alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionsInIntegration {
    /// 401 without a key.
    Refused,
    /// A session does as well as a key.
    Accepted,
}

/// What a console listens with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Http,
    /// With a self-signed certificate for `localhost` and 127.0.0.1, made at the start.
    HttpsSelfSigned,
}

/// Someone who may log in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub password: String,
}

/// A site to start with.
#[derive(Debug, Clone)]
pub struct SiteSettings {
    /// The name in old paths.
    pub reference: String,
    /// The name that people see.
    pub name: String,
    /// The network's own domain: records in it are refused.
    pub local_domain: Option<String>,
    pub devices: Vec<Device>,
}

impl SiteSettings {
    /// A site whose network has the domain `localdomain`, as out of the box.
    pub fn new(reference: &str, name: &str) -> Self {
        Self {
            reference: reference.to_owned(),
            name: name.to_owned(),
            local_domain: Some("localdomain".to_owned()),
            devices: Vec::new(),
        }
    }
}

impl fmt::Debug for UnifiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnifiSettings")
            .field("name", &self.name)
            .field("software", &self.software)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Default for UnifiSettings {
    fn default() -> Self {
        Self {
            name: "unifi".to_owned(),
            software: Software::UnifiOs,
            version: "10.4.57".to_owned(),
            api_key: Some("simulated-unifi-key".to_owned()),
            user: Some(User {
                name: "landfall".to_owned(),
                password: "simulated-unifi-password".to_owned(),
            }),
            sessions_in_integration: SessionsInIntegration::Refused,
            logins_per_minute: 5,
            sites: vec![SiteSettings::new("default", "Default")],
            transport: Transport::Http,
            port: None,
            clock: Clock::machine(),
            exchanges: ExchangeLog::default(),
        }
    }
}
