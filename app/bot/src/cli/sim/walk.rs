//! What a person types to act at the simulators: git and curl, ready to be copied.
//!
//! Everything goes through the doors that the real ones have: smart HTTP for git, the REST API for
//! the rest. Only the tokens are printed here that the simulators gave out themselves.

use super::simulators::{PERSON, REPOSITORY, STAGING, Simulators};

/// A new service for the repository.
pub(in crate::cli) const PHOTOS: (&str, &str) =
    ("services/photos.yaml", include_str!("photos.yaml"));

/// The addresses, one a line.
pub(in crate::cli) fn addresses(simulators: &Simulators) -> String {
    let Simulators { github, home, lab, cloudflare, .. } = simulators;
    format!(
        "  GitHub               {}\n  its API              {}\n  UniFi (production)   {}\n  \
         UniFi (staging)      {}\n  Cloudflare           {}\n",
        github.url(),
        github.api_url(),
        home.url(),
        lab.url(),
        cloudflare.url()
    )
}

/// `export` lines for a shell.
pub(in crate::cli) fn exports<'a>(
    variables: impl IntoIterator<Item = &'a (&'static str, String)>,
) -> String {
    let line = |(name, value): &(&str, String)| format!("   export {name}={}\n", quoted(value));
    variables.into_iter().map(line).collect()
}

/// What git clones as [`PERSON`].
pub(in crate::cli) fn clone_url(simulators: &Simulators, token: &str) -> String {
    let url = simulators.github.git_url(REPOSITORY);
    url.replace("http://", &format!("http://{PERSON}:{token}@"))
}

/// A webhook by hand, to a server that was started with the variables of [`exports`].
pub(in crate::cli) fn webhook(url: &str) -> String {
    format!(
        r#"   body='{{"zen":"Keep it logically awesome."}}'
   signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$GITHUB_WEBHOOK_SECRET" | sed 's/.*= //')
   curl -i {url} -H 'Content-Type: application/json' -H 'X-GitHub-Event: ping' \
     -H 'X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958' \
     -H "X-Hub-Signature-256: sha256=$signature" --data-raw "$body"
"#
    )
}

/// A pull request from its first commit to the records at the providers, step by step from `first`.
pub(in crate::cli) fn walk(simulators: &Simulators, first: usize) -> String {
    let api = simulators.github.api_url();
    let token = simulators.github.person_token(PERSON);
    let clone = clone_url(simulators, "$TOKEN");
    let (path, photos) = PHOTOS;
    let step = |n: usize| first + n;
    let staging_key = &simulators.secrets()[1].1;
    let lab = simulators.lab.url();
    format!(
        r#"{}. Clone the repository as {PERSON}, and push a branch with one more service:

   export TOKEN={token} REPO={api}/repos/{REPOSITORY}
   git clone -b {STAGING} {clone} homelab && cd homelab
   git checkout -b photos
   cat > {path} <<'END'
{photos}END
   git add . && git -c user.name={PERSON} -c user.email={PERSON}@example.com commit -m 'Add photos'
   git push origin photos

{}. Open a pull request, and read the plan that Landfall comments:

   curl -sH "Authorization: Bearer $TOKEN" $REPO/pulls -d '{{"head":"photos","base":"{STAGING}","title":"Add photos"}}'
   curl -sH "Authorization: Bearer $TOKEN" $REPO/issues/1/comments | sed 's/\\n/\n/g'

{}. Merge it. The first run of an environment waits until somebody names the plan that they saw:

   curl -sH "Authorization: Bearer $TOKEN" $REPO/pulls/1/merge -X PUT -d '{{}}'
   curl -sH "Authorization: Bearer $TOKEN" $REPO/issues/1/comments -d '{{"body":"/apply staging DIGEST"}}'

{}. Look at what the console has now:

   site=$(curl -sH 'X-API-KEY: {staging_key}' {lab}/proxy/network/integration/v1/sites | sed 's/.*"id":"\([^"]*\)".*/\1/')
   curl -sH 'X-API-KEY: {staging_key}' {lab}/proxy/network/integration/v1/sites/$site/dns/policies
"#,
        step(0),
        step(1),
        step(2),
        step(3),
    )
}

/// As one word of a shell.
pub(in crate::cli) fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    match value.chars().all(plain) && !value.is_empty() {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_of_a_shell_whatever_is_in_it() {
        assert_eq!(quoted("http://127.0.0.1:8101"), "http://127.0.0.1:8101");
        assert_eq!(quoted("It's a $ecret"), r"'It'\''s a $ecret'");
        assert_eq!(quoted(""), "''");
    }
}
