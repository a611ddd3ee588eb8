//! A zone: its records and the rules that records have among each other.
//!
//! The API changes records through [`Zone::create`], [`Zone::replace`] and [`Zone::delete`]. What a
//! test seeds or changes behind a client's back obeys no rule.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::envelope::ApiError;
use super::record::{CloudflareRecord, RecordFields, time};
use super::settings::{ZoneSettings, ZoneStatus};

/// A zone with its records in the order they were made.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) settings: ZoneSettings,
    pub(super) records: Vec<CloudflareRecord>,
}

impl Zone {
    /// Adds a record without asking any rule.
    pub(super) fn insert(
        &mut self,
        id: String,
        fields: RecordFields,
        now: Timestamp,
    ) -> CloudflareRecord {
        let record = CloudflareRecord {
            id,
            comment_modified_on: fields.comment.is_some().then_some(now),
            fields,
            created_on: now,
            modified_on: now,
        };
        self.records.push(record.clone());
        record
    }

    pub(super) fn create(
        &mut self,
        id: String,
        fields: RecordFields,
        now: Timestamp,
    ) -> Result<CloudflareRecord, ApiError> {
        self.check(&fields, None)?;
        Ok(self.insert(id, fields, now))
    }

    /// Gives the record other fields. Answers it as it was and as it is.
    pub(super) fn replace(
        &mut self,
        id: &str,
        fields: RecordFields,
        now: Timestamp,
    ) -> Result<(CloudflareRecord, CloudflareRecord), ApiError> {
        let place = self.place(id)?;
        self.check(&fields, Some(id))?;
        let record = &mut self.records[place];
        let before = record.clone();
        if record.fields.comment != fields.comment {
            record.comment_modified_on = Some(now);
        }
        record.fields = fields;
        record.modified_on = now;
        Ok((before, record.clone()))
    }

    pub(super) fn delete(&mut self, id: &str) -> Result<CloudflareRecord, ApiError> {
        let place = self.place(id)?;
        Ok(self.records.remove(place))
    }

    pub(super) fn get(&self, id: &str) -> Result<&CloudflareRecord, ApiError> {
        self.place(id).map(|place| &self.records[place])
    }

    fn place(&self, id: &str) -> Result<usize, ApiError> {
        let place = self.records.iter().position(|record| record.id == id);
        place.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, 81_044, "Record does not exist."))
    }

    /// A, AAAA and CNAME exclude each other where one is a CNAME; NS below the apex stands alone.
    fn check(&self, fields: &RecordFields, except: Option<&str>) -> Result<(), ApiError> {
        let apex = fields.name == self.settings.name;
        let others = self.records.iter().filter(|record| Some(record.id.as_str()) != except);
        for other in others.map(|record| &record.fields).filter(|other| other.name == fields.name) {
            if other == fields {
                return Err(ApiError::bad_request(81_058, "An identical record already exists."));
            }
            if other.answers_like(fields) {
                return Err(ApiError::bad_request(81_057, "The record already exists."));
            }
            let types = [other.record_type.as_str(), fields.record_type.as_str()];
            if types.contains(&"CNAME")
                && types.iter().all(|kind| matches!(*kind, "A" | "AAAA" | "CNAME"))
            {
                let message = "An A, AAAA, or CNAME record with that host already exists.";
                return Err(ApiError::bad_request(81_053, message));
            }
            if !apex && types.contains(&"NS") && types[0] != types[1] {
                // The code is unverified.
                let message = "A record with that host already exists beside which NS cannot be.";
                return Err(ApiError::bad_request(81_056, message));
            }
        }
        Ok(())
    }

    /// The zone as it is answered.
    pub(super) fn json(&self, account: &str, since: Timestamp) -> Value {
        let status = match self.settings.status {
            ZoneStatus::Active => "active",
            ZoneStatus::Pending => "pending",
        };
        json!({
            "id": self.settings.id,
            "name": self.settings.name,
            "status": status,
            "paused": false,
            "type": "full",
            "development_mode": 0,
            "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
            "original_name_servers": null,
            "original_registrar": null,
            "original_dnshost": null,
            "created_on": time(since),
            "modified_on": time(since),
            "activated_on": (status == "active").then(|| time(since)),
            "owner": { "id": account, "type": "organization", "name": "Simulated" },
            "account": { "id": account, "name": "Simulated" },
            "meta": { "step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": false },
        })
    }
}
