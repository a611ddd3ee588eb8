//! The descriptions themselves: found, or missed with a sentence.

use std::path::Path;

use landfall_tests::contract::{Contract, samples};

#[test]
fn a_missing_description_is_named_with_the_way_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Contract::read(folder.path()).unwrap_err();
    assert!(missing.starts_with("the contract tests need the vendor's description "), "{missing}");
    assert!(missing.contains("github-openapi-subset.json"), "{missing}");
    assert!(missing.ends_with("set LANDFALL_SPECS to the folder that has it"), "{missing}");
}

#[test]
fn a_description_that_is_none_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("github-openapi-subset.json"), "not JSON").unwrap();
    let unfit = Contract::read(Path::new(folder.path())).unwrap_err();
    assert!(unfit.contains("is no OpenAPI document"), "{unfit}");
}

#[test]
fn missing_payloads_are_named_with_the_way_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    for place in [folder.path().to_path_buf(), folder.path().join("webhooks")] {
        let missing = samples::read(&place).unwrap_err();
        assert!(missing.contains(&place.display().to_string()), "{missing}");
        assert!(
            missing.ends_with("set LANDFALL_SPECS to the folder that has them beside it"),
            "{missing}"
        );
    }
}
