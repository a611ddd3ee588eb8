//! `/help`

use super::{Answer, Said};

pub(super) fn help(said: &Said<'_>) -> anyhow::Result<Answer> {
    let text = said.house.templates.help(&said.words.login)?;
    Ok(Answer::Say { word: "help", text })
}
