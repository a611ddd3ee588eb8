//! What a simulated Cloudflare account is like: zones, plan, tokens, limits.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::Clock;
use crate::exchange::ExchangeLog;
use crate::ids::Ids;

/// An account to start. The default has the zone `example.com`, one token that may do everything,
/// the free plan, the documented rate limit and the machine's clock.
#[derive(Debug, Clone)]
pub struct CloudflareSettings {
    /// The account's id: 32 hexadecimal digits.
    pub account: String,
    pub zones: Vec<ZoneSettings>,
    pub tokens: Vec<TokenSettings>,
    pub plan: Plan,
    /// How TXT contents come back.
    pub txt: TxtContent,
    /// `None` never answers 429.
    pub rate_limit: Option<RateLimit>,
    /// The port on 127.0.0.1; any free one if `None`.
    pub port: Option<u16>,
    pub clock: Clock,
    /// Where exchanges are written; may be shared with other simulators.
    pub exchanges: ExchangeLog,
}

/// A zone to start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSettings {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The domain, in lower case.
    pub name: String,
    pub status: ZoneStatus,
}

/// How far a zone's set-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneStatus {
    Active,
    /// Its name servers are not Cloudflare's yet.
    Pending,
}

/// What the account pays for. It decides sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// 200 operations in a batch, 100 characters in a comment.
    Free,
    /// 3500 operations in a batch, 500 characters in a comment.
    Paid,
}

/// How TXT contents come back. Both were seen; which one is a matter of when a record was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxtContent {
    /// As they were sent, with quotes or without.
    AsGiven,
    /// Always in double quotes.
    Quoted,
}

/// How many requests a token may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    pub requests: usize,
    pub window: Duration,
    /// For how long everything is refused once there were too many.
    pub penalty: Duration,
}

/// An API token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// What stands behind `Bearer`.
    pub value: String,
    /// 32 hexadecimal digits.
    pub id: String,
    pub owner: TokenOwner,
    pub status: TokenStatus,
    pub permissions: BTreeSet<Permission>,
    /// The zones it is for; all of them if `None`.
    pub zones: Option<BTreeSet<String>>,
}

/// Whose a token is: each kind has its own address for verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOwner {
    User,
    Account,
}

/// Whether a token still opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    Active,
    Disabled,
    Expired,
}

/// What a token may do. Edit includes read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    ZoneRead,
    DnsRead,
    DnsEdit,
    TunnelRead,
    TunnelEdit,
}

impl ZoneSettings {
    /// An active zone; its id follows from its name.
    pub fn active(name: &str) -> Self {
        let id = Ids::new(format!("cloudflare zone {name}")).hex(32);
        Self { id, name: name.to_owned(), status: ZoneStatus::Active }
    }
}

impl TokenSettings {
    /// A user's token that may do these things in every zone.
    pub fn new(value: &str, permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self {
            value: value.to_owned(),
            id: Ids::new(format!("cloudflare token {value}")).hex(32),
            owner: TokenOwner::User,
            status: TokenStatus::Active,
            permissions: permissions.into_iter().collect(),
            zones: None,
        }
    }

    pub(super) fn may(&self, wanted: Permission) -> bool {
        let includes = match wanted {
            Permission::DnsRead => Some(Permission::DnsEdit),
            Permission::TunnelRead => Some(Permission::TunnelEdit),
            _ => None,
        };
        self.permissions.contains(&wanted)
            || includes.is_some_and(|wider| self.permissions.contains(&wider))
    }
}

impl std::fmt::Debug for TokenSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSettings").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Plan {
    pub(super) fn largest_batch(self) -> usize {
        match self {
            Self::Free => 200,
            Self::Paid => 3500,
        }
    }

    pub(super) fn longest_comment(self) -> usize {
        match self {
            Self::Free => 100,
            Self::Paid => 500,
        }
    }
}

impl Default for RateLimit {
    /// As documented: 1200 requests in five minutes, then five minutes of refusals.
    fn default() -> Self {
        let five_minutes = Duration::from_secs(300);
        Self { requests: 1200, window: five_minutes, penalty: five_minutes }
    }
}

impl Default for CloudflareSettings {
    fn default() -> Self {
        let everything = [Permission::ZoneRead, Permission::DnsEdit, Permission::TunnelEdit];
        Self {
            account: "0123456789abcdef0123456789abcdef".to_owned(),
            zones: vec![ZoneSettings::active("example.com")],
            tokens: vec![TokenSettings::new("simulated-cloudflare-token", everything)],
            plan: Plan::Free,
            txt: TxtContent::AsGiven,
            rate_limit: Some(RateLimit::default()),
            port: None,
            clock: Clock::machine(),
            exchanges: ExchangeLog::default(),
        }
    }
}
