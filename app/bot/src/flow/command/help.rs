//! `/help`

use super::{Answer, Said};

pub(super) fn help(said: &Said<'_>) -> anyhow::Result<Answer> {
    Ok(Answer::Say(said.house.templates.help()?))
}
