//! Addresses looked up by MAC address, and the names that a component declares.

use landfall_core::config::names::Space;
use landfall_sim::unifi::Device;

use crate::world::{SETUPS, World, decode};

#[tokio::test]
async fn a_device_has_its_fixed_address_else_the_one_now_else_the_last() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        let (now, fixed, last) = ([192, 168, 1, 1], [192, 168, 1, 2], [192, 168, 1, 3]);
        for device in [
            Device::wired("aa:bb:cc:dd:ee:01", "fixed", now.into()).with_fixed_ip(fixed.into()),
            Device::wireless("aa:bb:cc:dd:ee:02", "now", now.into()).with_last_ip(last.into()),
            Device::away("aa:bb:cc:dd:ee:03", "last").with_last_ip(last.into()),
            Device::away("aa:bb:cc:dd:ee:04", "away").with_fixed_ip(fixed.into()),
        ] {
            world.site().connect(device);
        }
        world.set(
            "one.lan: { a: { mac: AA-BB-CC-DD-EE-01 } }\ntwo.lan: { a: { mac: 'aa:bb:cc:dd:ee:02' } }\n\
             three.lan: { a: { mac: aabbccddee03 } }\nfour.lan: { a: [{ mac: 'aa:bb:cc:dd:ee:04' }, 192.168.1.9] }",
        );
        world.run().await;
        let a = |name: &str| world.sim.record(name, "A").join(" ");
        assert_eq!(
            [a("one.lan"), a("two.lan"), a("three.lan")],
            ["192.168.1.2", "192.168.1.1", "192.168.1.3"]
        );
        assert_eq!(a("four.lan"), "192.168.1.2 192.168.1.9");
    }
}

#[tokio::test]
async fn many_devices_are_asked_for_in_a_few_requests() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        let mut yaml = String::new();
        for n in 0..120_u8 {
            let mac = format!("aa:bb:cc:dd:ee:{n:02x}");
            world.site().connect(Device::wired(&mac, "x", [10, 0, 0, n].into()));
            yaml += &format!("host-{n}.lan: {{ a: {{ mac: '{mac}' }} }}\n");
        }
        world.set(&yaml);
        let _held = world.reader().await;
        let before = world.sim.exchanges().count(|_| true);
        assert_eq!(world.desired().await.unwrap().len(), 120);
        let asked = world.sim.exchanges().count(|_| true) - before;
        assert!(asked <= 4, "{asked} requests");
    }
}

#[tokio::test]
async fn a_device_that_nobody_knows_is_told_at_its_place() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("one.lan: { a: 192.168.1.1 }\ntv.lan:\n  a: { mac: 'aa:bb:cc:dd:ee:01' }");
        let findings = world.desired().await.unwrap_err();
        assert_eq!(findings.len(), 1);
        let told = findings[0].to_string();
        assert!(
            told.starts_with(
                "services/nas.yaml:3:13: the console knows no address of the device aa:bb"
            ),
            "{told}"
        );
    }
}

#[test]
fn a_component_declares_its_names_its_targets_and_its_devices() {
    let component = decode(
        "nas.lan: { a: [192.168.1.9, { mac: 'aa:bb:cc:dd:ee:01' }], txt: x }\nm.lan: { cname: NAS.lan }",
    );
    let names = component.unwrap().names();
    let records: Vec<_> =
        names.records.iter().map(|r| (r.name.as_str(), r.rtype, r.values.join(" "))).collect();
    assert_eq!(
        records,
        [
            ("nas.lan", "A", "192.168.1.9".into()),
            ("nas.lan", "TXT", "x".into()),
            ("m.lan", "CNAME", "nas.lan".into())
        ] as [(&str, &str, String); 3]
    );
    assert!(names.records.iter().all(|record| record.space == Space::Local));
    assert_eq!((names.devices.len(), names.devices[0].name.as_str()), (1, "nas.lan"));
}

#[test]
fn what_makes_no_sense_is_told_at_its_place() {
    let long = format!("{}.lan: {{ a: 192.168.1.1 }}", ["abcdefghijklmno"; 9].join("."));
    let far = format!("lan: {{ mx: 10 {}.lan }}", ["abcdefghijklmno"; 9].join("."));
    for (text, told) in [
        ("a.lan: {}", "services/nas.yaml:1:1: the name has no record"),
        ("a.lan: { a: 192.168.1.500 }", "services/nas.yaml:1:13: "),
        ("a.lan: { a: { mac: nonsense } }", "is not a MAC address"),
        ("a.lan: { a: { mak: 'aa:bb:cc:dd:ee:01' } }", "did you mean `mac`?"),
        ("a.lan: { a: [192.168.1.1, 192.168.1.1] }", "the A `192.168.1.1` stands twice"),
        ("a.lan: { mx: mail.lan }", "as in `10 mail.lan`"),
        ("a.lan: { mx: { priority: 70000, host: mail.lan } }", "from 0 to 65535"),
        (
            "a.lan: { srv: { priority: 0, weight: 0, port: 1, target: b.lan } }",
            "`_service._protocol.`",
        ),
        ("a.lan: { txt: '' }", "services/nas.yaml:1:15: a TXT has 1 to 1022 bytes"),
        ("a.lan: { txt: 'say \"hi\" there' }", "no double quotes inside"),
        (
            "a.lan: { txt: ' v=1' }",
            "services/nas.yaml:1:15: a TXT at a console has no spaces around",
        ),
        ("a.lan: { txt: '\"v=1 \"' }", "no spaces around it"),
        (
            "a.lan: { a: 192.168.1.1, ttl: 90000 }",
            "services/nas.yaml:1:31: 90000 is not a TTL: 0 to 86400",
        ),
        ("a.lan: { cname: b.lan, ttl: 700000 }", "0 to 604800"),
        ("a.lan: { txt: x, ttl: 60 }", "only A, AAAA and CNAME records have a TTL"),
        ("a.lan: { cnam: b.lan }", "did you mean `cname`?"),
        (
            "NAS.lan: { a: 192.168.1.1 }\nnas.lan: { a: 192.168.1.2 }",
            "the same name as the one in line 1",
        ),
        (long.as_str(), "at most 127 characters"),
        (far.as_str(), "is longer than the 127 characters"),
    ] {
        let findings: String = decode(text).unwrap_err().iter().map(|d| format!("{d}\n")).collect();
        assert!(findings.contains(told), "{text}: {findings}");
    }
}
