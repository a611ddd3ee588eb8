//! A record set as a resource's value: `{"values": ["192.168.1.50"], "ttl": 300}`.
//!
//! `values` are sorted. `ttl` is one number, 0 for the console's own choice, and absent for types
//! that have none; a list, value by value, only if the records of a set found differ. `disabled` and
//! `system` name the values that the gateway does not answer with and those that are the console's
//! own; no set that is wanted has them, so such a set is never equal to a wanted one.

use std::fmt;

use landfall_core::plan::{Landed, Value};
use serde::{Deserialize, Serialize};

use crate::unifi::record::{Origin, Record, RecordType};

/// The records of one name and type, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordSet(Vec<Record>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    disabled: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    system: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Ttl {
    Same(u32),
    Each(Vec<u32>),
}

impl RecordSet {
    /// The set of `records`.
    pub(crate) fn new(mut records: Vec<Record>) -> Self {
        records.sort();
        Self(records)
    }

    /// The records, sorted.
    pub(crate) fn records(&self) -> &[Record] {
        &self.0
    }

    /// The value of a resource; none for no records.
    pub(crate) fn to_value(&self, rtype: &str) -> Option<Value> {
        let first = self.0.first()?;
        let named = |wanted: fn(&Record) -> bool| -> Vec<String> {
            self.0
                .iter()
                .filter(|record| wanted(record))
                .map(|record| record.text.clone())
                .collect()
        };
        let ttl = if self.0.iter().all(|record| record.ttl == first.ttl) {
            Ttl::Same(first.ttl)
        } else {
            Ttl::Each(self.0.iter().map(|record| record.ttl).collect())
        };
        let form = Form {
            values: named(|_| true),
            ttl: RecordType::named(rtype).is_some_and(RecordType::has_ttl).then_some(ttl),
            disabled: named(|record| !record.enabled),
            system: named(|record| record.origin == Origin::Console),
        };
        Some(serde_json::to_value(form).expect("texts and numbers are JSON"))
    }

    /// The set that a value says; none if the value is none of ours.
    pub(crate) fn from_value(value: Option<&Value>) -> Option<Self> {
        let Some(value) = value else { return Some(Self::default()) };
        let Form { values, ttl, disabled, system } = Form::deserialize(value).ok()?;
        let ttls = match ttl {
            None => vec![0; values.len()],
            Some(Ttl::Same(ttl)) => vec![ttl; values.len()],
            Some(Ttl::Each(ttls)) => ttls,
        };
        if ttls.len() != values.len() {
            return None;
        }
        let record = |(text, ttl): (String, u32)| Record {
            enabled: !disabled.contains(&text),
            origin: if system.contains(&text) { Origin::Console } else { Origin::User },
            text,
            ttl,
        };
        Some(Self::new(values.into_iter().zip(ttls).map(record).collect()))
    }

    /// Whether a record of it is the console's own, so that it cannot be changed.
    pub(crate) fn has_the_consoles_own(&self) -> bool {
        self.0.iter().any(|record| record.origin == Origin::Console)
    }

    /// How this set, which lives, stands to a change from `before` to `after`.
    pub(crate) fn progress(&self, before: &Self, after: &Self) -> Landed {
        let among = |record: &Record, set: &Self| set.0.contains(record);
        let known = self.0.iter().all(|record| among(record, before) || among(record, after));
        let kept = before.0.iter().all(|record| !among(record, after) || among(record, self));
        if self == after {
            Landed::After
        } else if self == before {
            Landed::Before
        } else if known && kept {
            Landed::Partly
        } else {
            Landed::Foreign
        }
    }
}

/// For a message: `192.168.1.50 (TTL 60), 192.168.1.51 (disabled)`.
impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for (at, Record { text, ttl, enabled, origin }) in self.0.iter().enumerate() {
            write!(f, "{}{text}", if at == 0 { "" } else { ", " })?;
            if *ttl != 0 {
                write!(f, " (TTL {ttl})")?;
            }
            if !enabled {
                f.write_str(" (disabled)")?;
            }
            if *origin == Origin::Console {
                f.write_str(" (the console's own)")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(texts: &[&str]) -> RecordSet {
        RecordSet::new(texts.iter().map(|text| Record::new((*text).to_owned(), 0)).collect())
    }

    #[test]
    fn a_set_is_sorted_and_its_ttl_is_one_number() {
        let records = ["b", "a"].map(|text| Record::new(text.to_owned(), 300));
        let value = RecordSet::new(records.to_vec()).to_value("A");
        assert_eq!(value, Some(json!({ "values": ["a", "b"], "ttl": 300 })));
        assert_eq!(set(&["x"]).to_value("TXT"), Some(json!({ "values": ["x"] })));
        assert_eq!(set(&[]).to_value("A"), None);
    }

    #[test]
    fn what_differs_between_records_shows_and_is_read_back() {
        let odd = RecordSet::new(vec![
            Record { enabled: false, ..Record::new("a".to_owned(), 0) },
            Record { origin: Origin::Console, ..Record::new("b".to_owned(), 60) },
        ]);
        assert_eq!(odd.to_string(), "a (disabled), b (TTL 60) (the console's own)");
        let value = odd.to_value("A");
        let shown =
            json!({ "values": ["a", "b"], "ttl": [0, 60], "disabled": ["a"], "system": ["b"] });
        assert_eq!(value, Some(shown));
        assert_eq!(RecordSet::from_value(value.as_ref()), Some(odd));
        assert_eq!(RecordSet::from_value(None), Some(set(&[])));
        assert_eq!(RecordSet::from_value(Some(&json!({ "values": 1 }))), None);
        assert_eq!(RecordSet::from_value(Some(&json!({ "values": ["a"], "ttl": [1, 2] }))), None);
    }

    #[test]
    fn progress_is_part_of_the_change_and_nothing_else() {
        let (before, after) = (set(&["1", "2"]), set(&["2", "3"]));
        let of = |texts: &[&str]| set(texts).progress(&before, &after);
        assert_eq!(of(&["1", "2"]), Landed::Before);
        assert_eq!(of(&["2", "3"]), Landed::After);
        assert_eq!(of(&["2"]), Landed::Partly);
        assert_eq!(of(&["1", "2", "3"]), Landed::Partly);
        assert_eq!(of(&["1", "3"]), Landed::Foreign, "what both have is gone");
        assert_eq!(of(&["1", "2", "4"]), Landed::Foreign);
        assert_eq!(of(&[]), Landed::Foreign);
        assert_eq!(set(&[]).progress(&set(&["1"]), &set(&["2"])), Landed::Partly);
    }
}
