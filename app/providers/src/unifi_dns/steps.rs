//! From the records that live to those that are wanted, one request at a time: pure.
//!
//! The order keeps a name resolving for as long as the console allows it, and never lets two CNAMEs
//! stand at one name: on a gateway that ends DHCP and DNS for the whole network. [`hazard`] is asked
//! about every record before it is written.

use crate::unifi::record::{Listed, Record, RecordType};

/// One request that changes one record of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A new record.
    Create(Record),
    /// Another value in place of the one it has.
    Change {
        /// The record as it lives.
        from: Listed,
        /// What it will say.
        to: Record,
    },
    /// A record that goes.
    Delete(Listed),
}

/// Whether a record can be changed in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changing {
    /// With one request.
    InPlace,
    /// Only by deleting and creating it.
    ByReplacing,
}

/// The steps from `live` to `wanted`; none if they are equal.
pub(super) fn steps(
    rtype: RecordType,
    live: &[Listed],
    wanted: &[Record],
    changing: Changing,
) -> Vec<Step> {
    let (mut missing, mut surplus) = (wanted.to_vec(), Vec::new());
    for listed in live {
        match missing.iter().position(|record| *record == listed.record) {
            Some(kept) => drop(missing.remove(kept)),
            None => surplus.push(listed.clone()),
        }
    }
    match changing {
        Changing::InPlace => in_place(missing, surplus),
        Changing::ByReplacing => by_replacing(rtype, missing, &surplus),
    }
}

/// What is too many goes first, so that the last record of an alias is changed alone.
fn in_place(missing: Vec<Record>, mut surplus: Vec<Listed>) -> Vec<Step> {
    let (mut changes, mut creates) = (Vec::new(), Vec::new());
    // A record keeps its value where it can (its TTL changes): no other may have it for a moment.
    let (same, other): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|to| surplus.iter().any(|from| from.record.text == to.text));
    for to in same.into_iter().chain(other) {
        let same = surplus.iter().position(|from| from.record.text == to.text);
        match same.or((!surplus.is_empty()).then_some(0)) {
            Some(place) => changes.push(Step::Change { from: surplus.remove(place), to }),
            None => creates.push(Step::Create(to)),
        }
    }
    let deletes = surplus.into_iter().map(Step::Delete);
    deletes.chain(changes).chain(creates).collect()
}

/// What can stand beside the old is created before the old goes. An alias cannot, and a console
/// takes the same value with another TTL for the same record.
fn by_replacing(rtype: RecordType, missing: Vec<Record>, surplus: &[Listed]) -> Vec<Step> {
    let stands = |to: &Record| surplus.iter().any(|from| from.record.text == to.text);
    let (before, behind): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|to| rtype != RecordType::Cname && !stands(to));
    let deletes = surplus.iter().cloned().map(Step::Delete);
    let creates = |records: Vec<Record>| records.into_iter().map(Step::Create);
    creates(before).chain(deletes).chain(creates(behind)).collect()
}

/// What stands at a name and lets no record of `rtype` be written there; `changed` is the id of the
/// record that is changed in place.
pub(super) fn hazard<'l>(
    listing: &'l [Listed],
    name: &str,
    rtype: RecordType,
    changed: Option<&str>,
) -> Option<&'l Listed> {
    let cname = RecordType::Cname.as_str();
    listing.iter().find(|listed| {
        let there = listed.name == name && Some(listed.id.as_str()) != changed;
        there && (listed.rtype == cname || rtype == RecordType::Cname)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, text: &str, ttl: u32) -> Listed {
        Listed::new(id.to_owned(), "nas.lan", "A", Record::new(text.to_owned(), ttl))
    }

    fn told(
        rtype: RecordType,
        live: &[(&str, &str, u32)],
        wanted: &[(&str, u32)],
        how: Changing,
    ) -> Vec<String> {
        let live: Vec<_> = live.iter().map(|(id, text, ttl)| listed(id, text, *ttl)).collect();
        let wanted: Vec<_> =
            wanted.iter().map(|(text, ttl)| Record::new((*text).to_owned(), *ttl)).collect();
        let tell = |step| match step {
            Step::Create(to) => format!("+{}/{}", to.text, to.ttl),
            Step::Change { from, to } => format!("{}:{}/{}", from.id, to.text, to.ttl),
            Step::Delete(from) => format!("-{}", from.id),
        };
        steps(rtype, &live, &wanted, how).into_iter().map(tell).collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        let live = [("a", "1", 0), ("b", "2", 0)];
        for how in [Changing::InPlace, Changing::ByReplacing] {
            assert!(told(RecordType::A, &live, &[("1", 0), ("2", 0)], how).is_empty());
            assert_eq!(told(RecordType::A, &live, &[("2", 0)], how), ["-a"]);
            assert_eq!(told(RecordType::A, &live, &[("1", 0), ("2", 0), ("3", 0)], how), ["+3/0"]);
            assert_eq!(told(RecordType::A, &live, &[], how), ["-a", "-b"]);
        }
    }

    #[test]
    fn a_change_in_place_keeps_a_value_at_its_record() {
        let told = |live, wanted| told(RecordType::A, live, wanted, Changing::InPlace);
        assert_eq!(told(&[("a", "1", 0)], &[("2", 0)]), ["a:2/0"]);
        assert_eq!(
            told(&[("a", "1", 0), ("b", "2", 0)], &[("2", 60), ("3", 60)]),
            ["b:2/60", "a:3/60"]
        );
        assert_eq!(told(&[("a", "1", 0)], &[("2", 0), ("3", 0)]), ["a:2/0", "+3/0"]);
        assert_eq!(told(&[("a", "1", 0), ("b", "2", 0)], &[("3", 0)]), ["-b", "a:3/0"]);
    }

    #[test]
    fn a_replacement_comes_before_the_old_goes_where_both_can_stand() {
        let told =
            |rtype, wanted: &[_]| told(rtype, &[("a", "1", 0)], wanted, Changing::ByReplacing);
        assert_eq!(told(RecordType::A, &[("2", 0)]), ["+2/0", "-a"]);
        assert_eq!(told(RecordType::Cname, &[("2", 0)]), ["-a", "+2/0"]);
        assert_eq!(told(RecordType::A, &[("1", 60)]), ["-a", "+1/60"]);
    }

    #[test]
    fn nothing_is_written_beside_a_cname_and_no_cname_beside_anything() {
        let cname = Listed { rtype: "CNAME".into(), ..listed("c", "x.lan", 0) };
        let forward = Listed { rtype: "NS".into(), ..listed("f", "9.9.9.9", 0) };
        let of = |live: &[Listed], rtype, changed| {
            hazard(live, "nas.lan", rtype, changed).map(|l| l.id.clone())
        };
        assert_eq!(of(std::slice::from_ref(&cname), RecordType::A, None), Some("c".into()));
        assert_eq!(of(std::slice::from_ref(&cname), RecordType::Cname, None), Some("c".into()));
        assert_eq!(of(std::slice::from_ref(&cname), RecordType::Cname, Some("c")), None);
        assert_eq!(of(std::slice::from_ref(&forward), RecordType::Cname, None), Some("f".into()));
        assert_eq!(of(&[listed("a", "1", 0)], RecordType::Txt, None), None);
        assert_eq!(hazard(&[cname], "other.lan", RecordType::A, None), None);
    }
}
