//! The settings of `landfall setup`: where to listen, and which GitHub. There is no App yet.

use std::net::SocketAddr;

use url::Url;

use super::{Fault, Reader, Variables};

/// What `landfall setup` runs with.
#[derive(Debug, Clone)]
pub struct SetupSettings {
    /// `LANDFALL_LISTEN`, as for a server.
    pub listen: SocketAddr,
    /// `GITHUB_API_URL`, as for a server.
    pub api_url: Url,
    /// `GITHUB_URL`, as for a server.
    pub web_url: Url,
}

impl SetupSettings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Every variable that is wrong, and a GitHub of which only one address is known.
    pub fn read(variables: &Variables<'_>) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { variables, faults: Vec::new() };
        reader.whole_github();
        let settings = Self {
            listen: reader.listen(),
            api_url: reader.github_api_url(),
            web_url: reader.github_url(),
        };
        if reader.faults.is_empty() { Ok(settings) } else { Err(reader.faults) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_github_of_one_s_own_has_two_addresses() {
        let read = |pairs: &[(&str, &str)]| {
            SetupSettings::read(&|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(read(&[]).unwrap().web_url.as_str(), "https://github.com/");
        let both =
            [("GITHUB_URL", "https://ghe.lan"), ("GITHUB_API_URL", "https://ghe.lan/api/v3")];
        assert_eq!(read(&both).unwrap().api_url.as_str(), "https://ghe.lan/api/v3");
        assert_eq!(read(&both[..1]).unwrap_err()[0].variable, "GITHUB_URL");
        assert_eq!(read(&both[1..]).unwrap_err()[0].variable, "GITHUB_URL");
    }
}
