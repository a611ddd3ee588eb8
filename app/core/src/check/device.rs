//! Devices: one that has two names is more likely a copy that was not edited.

use std::collections::HashMap;

use super::scene::Scene;
use crate::config::names::Device;
use crate::diagnostic::Diagnostic;
use crate::name::MacAddress;

/// A hardware address from which two names are looked up.
pub(super) fn two_names(scene: &Scene<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for stage in &scene.stages {
        let mut first: HashMap<&MacAddress, &Device> = HashMap::new();
        for device in stage.parts.iter().flat_map(|part| &part.unit.names.devices) {
            let other = *first.entry(&device.mac).or_insert(device);
            if other.name == device.name {
                continue;
            }
            let message = format!(
                "the device {} has two names, {} and {}",
                device.mac, other.name, device.name
            );
            let finding =
                Diagnostic::warning("device-with-two-names", device.span.clone(), message);
            let help = format!(
                "if that is meant, make one of them a CNAME: `{}: {{ cname: {} }}`",
                device.name, other.name
            );
            findings.push(finding.help(help).related(other.span.clone(), "the other name"));
        }
    }
    findings
}
