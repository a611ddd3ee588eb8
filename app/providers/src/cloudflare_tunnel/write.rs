//! Writing a tunnel: read its configuration, replace our rules in it, send it, read it again.
//!
//! The vendor replaces the whole configuration at once, has no conditional write, and counts a
//! version up with every write. Other runs of ours are kept out by the target's lease. Others (a
//! person at the dashboard, another program) are not, and these are the races:
//!
//! - They write before our read: their rules are in what we read, and stay.
//! - They write between our read and our write: our write takes theirs back. The version that our
//!   write got is then more than one higher than what we read. Nobody can know what was lost, so
//!   the outcome is unknown and says so.
//! - They write after our write: what is read afterwards has a higher version than our write got.
//!   If our rules are still in it, all is well; if not, the outcome is unknown and says so.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::plan::{Change, Effect, Landed, Outcome, ResourceKey, Value};

use super::api::{Found, Versioned, configuration, create, find, own_name, replace};
use super::ingress::Configuration;
use crate::cloudflare::Session;
use crate::hold::Hold;
use crate::provider::{Later, ProviderError};

/// The vendor's code for a tunnel name that is taken.
const NAME_TAKEN: i64 = 1013;

/// Does one effect with one write of the configuration; creates the tunnel if it is missing.
pub(crate) async fn apply(
    session: &Session,
    effect: &Effect,
    hold: Hold<'_>,
) -> Result<Outcome, Later> {
    let found = match find(session, &effect.target).await {
        Ok(found) => found,
        Err(error) => return error.before_write(),
    };
    let values = found.as_ref().map(|found| found.live.configuration.values()).unwrap_or_default();
    if let Some(moved) = effect.changes.iter().find_map(|change| moved(change, &values)) {
        return Ok(Outcome::Moved(moved));
    }
    if let Some(found) = found {
        return write(session, effect, hold, found).await;
    }
    let found = match ensure(session, effect, hold).await {
        Ok(found) => found,
        Err(ended) => return ended,
    };
    // The tunnel is there now, so something was done.
    let written = write(session, effect, hold, found).await;
    Ok(written.unwrap_or_else(|later| Outcome::Failed(later.why)))
}

/// Creates the tunnel. Somebody else may do so at the same moment: then theirs is taken, if it is
/// as empty as the plan found it.
async fn ensure(
    session: &Session,
    effect: &Effect,
    hold: Hold<'_>,
) -> Result<Found, Result<Outcome, Later>> {
    let name = own_name(session, &effect.target).map_err(ProviderError::before_write)?;
    let created = create(session, hold, name).await;
    session.forget_tunnels().await;
    match created {
        Ok(id) => {
            let live = configuration(session, &id).await;
            let live =
                live.map_err(|error| Ok(Outcome::Failed(ProviderError::from(error).to_string())))?;
            Ok(Found { id, live })
        }
        Err(error) if error.has_code(NAME_TAKEN) => match find(session, &effect.target).await {
            Ok(Some(found)) => {
                let values = found.live.configuration.values();
                let moved = effect.changes.iter().find_map(|change| moved(change, &values));
                moved.map_or(Ok(found), |moved| Err(Ok(Outcome::Moved(moved))))
            }
            Ok(None) => Err(error.into_outcome()),
            Err(error) => Err(error.before_write()),
        },
        Err(error) => Err(error.into_outcome()),
    }
}

async fn write(
    session: &Session,
    effect: &Effect,
    hold: Hold<'_>,
    found: Found,
) -> Result<Outcome, Later> {
    let Found { id, live } = found;
    let wanted =
        effect.changes.iter().map(|change| (change.key.name.clone(), change.after.as_ref()));
    let new = live.configuration.clone().with(&wanted.collect());
    let written = match replace(session, hold, &id, new).await {
        Ok(version) => version,
        Err(error) => return error.into_outcome(),
    };
    Ok(match configuration(session, &id).await {
        Ok(after) => match verify(effect, &live, written, &after) {
            Ok(()) => Outcome::Done(ids(effect, &id, &after.configuration)),
            Err(message) => Outcome::Unknown(message),
        },
        Err(error) => {
            let reason = ProviderError::from(error);
            Outcome::Unknown(format!(
                "the tunnel's configuration was written but cannot be read again: {reason}"
            ))
        }
    })
}

/// Whether what lives after our write is what we wrote, and what belongs to others is as it was.
fn verify(
    effect: &Effect,
    before: &Versioned,
    written: u64,
    after: &Versioned,
) -> Result<(), String> {
    let expected = before.version + 1;
    if written != expected {
        return Err(format!(
            "the tunnel's configuration was version {} when it was read and {written} once it was written: somebody \
             else wrote it in between, and what they changed may be lost; look at the tunnel's routes",
            before.version
        ));
    }
    let values = after.configuration.values();
    if let Some(change) =
        effect.changes.iter().find(|change| values.get(&change.key.name) != change.after.as_ref())
    {
        let found = after.version;
        return Err(format!(
            "{} is not as it was written in version {written}: version {found} has other rules",
            change.key
        ));
    }
    let ours: BTreeSet<&str> =
        effect.changes.iter().map(|change| change.key.name.as_str()).collect();
    // With a later version the rules of others are as those others wrote them since.
    if after.version == expected
        && after.configuration.others(&ours) != before.configuration.others(&ours)
    {
        return Err(format!(
            "version {expected} of the tunnel's configuration is not what was sent: rules of others differ"
        ));
    }
    Ok(())
}

/// What became of an effect.
pub(crate) async fn read_back(
    session: &Session,
    effect: &Effect,
) -> Result<(Vec<Landed>, BTreeMap<ResourceKey, Vec<String>>), ProviderError> {
    own_name(session, &effect.target)?;
    let found = find(session, &effect.target).await?;
    let values = found.as_ref().map(|found| found.live.configuration.values()).unwrap_or_default();
    let landed = effect.changes.iter().map(|change| landed(change, &values)).collect();
    let ids =
        found.map(|found| ids(effect, &found.id, &found.live.configuration)).unwrap_or_default();
    Ok((landed, ids))
}

fn landed(change: &Change, values: &BTreeMap<String, Value>) -> Landed {
    let found = values.get(&change.key.name);
    if found == change.after.as_ref() {
        Landed::After
    } else if found == change.before.as_ref() {
        Landed::Before
    } else {
        Landed::Foreign
    }
}

fn moved(change: &Change, values: &BTreeMap<String, Value>) -> Option<String> {
    let found = values.get(&change.key.name);
    if found == change.before.as_ref() {
        return None;
    }
    let say = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let (before, found) = (say(change.before.as_ref()), say(found));
    Some(format!(
        "{} is not what the plan found: it found {before}, now there is {found}",
        change.key
    ))
}

/// A rule has no id of its own: it is in the tunnel with this one.
fn ids(
    effect: &Effect,
    tunnel: &str,
    configuration: &Configuration,
) -> BTreeMap<ResourceKey, Vec<String>> {
    let values = configuration.values();
    let there = effect.changes.iter().filter(|change| values.contains_key(&change.key.name));
    there.map(|change| (change.key.clone(), vec![tunnel.to_owned()])).collect()
}
