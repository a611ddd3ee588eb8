//! What resolves, what is refused, and what the messages keep to themselves.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use landfall_os::redact::MARK;

use super::*;

fn resolver() -> Resolver {
    let value = |name: &str| match name {
        "LANDFALL_SECRET_A" | "GITHUB_PRIVATE_KEY" | "TEAM_TOKEN" => {
            Some(SecretString::from("hunter2hunter2"))
        }
        "LANDFALL_SECRET_JSON" => {
            Some(SecretString::from(r#"{"a":{"b":"inner value"},"n":7654321,"l":[1]}"#))
        }
        "LANDFALL_SECRET_EMPTY" => Some(SecretString::from("")),
        "LANDFALL_SECRET_SHORT" => Some(SecretString::from("abcde")),
        "LANDFALL_SECRET_LONG_ENOUGH" => Some(SecretString::from("abcdef")),
        _ => None,
    };
    Resolver::new(value, Redactor::new())
}

async fn resolve(reference: &str, policy: &Policy) -> Result<String, String> {
    let secret = resolver().resolve(&SecretRef::parse(reference).unwrap(), policy).await;
    secret.map(|s| s.expose_secret().to_owned()).map_err(|e| e.to_string())
}

fn folders(folder: &Path) -> Policy {
    Policy { folders: vec![folder.to_owned()], ..Policy::default() }
}

#[tokio::test]
async fn a_variable_resolves_and_the_redactor_knows_it() {
    let resolver = resolver();
    let reference = SecretRef::parse("ref+env://LANDFALL_SECRET_A").unwrap();
    let found = resolver.resolve_all([&reference, &reference], &Policy::default()).await.unwrap();
    assert_eq!(found[&reference].expose_secret(), "hunter2hunter2");
    assert_eq!(resolver.redactor.redact("x hunter2hunter2"), format!("x {MARK}"));
    assert!(!format!("{found:?}{resolver:?}").contains("hunter2"));
}

#[tokio::test]
async fn what_resolves_is_always_kept_out_of_text() {
    let resolver = resolver();
    let reference = SecretRef::parse("ref+env://LANDFALL_SECRET_LONG_ENOUGH").unwrap();
    let secret = resolver.resolve(&reference, &Policy::default()).await.unwrap();
    assert_eq!(resolver.redactor.redact(secret.expose_secret()), MARK);
}

#[tokio::test]
async fn only_variables_with_an_allowed_prefix_are_read() {
    let team = Policy {
        env_prefixes: vec!["TEAM_".into(), String::new(), "GITHUB_".into()],
        ..Policy::default()
    };
    assert_eq!(resolve("ref+env://TEAM_TOKEN", &team).await.unwrap(), "hunter2hunter2");
    for refused in [
        "ref+env://LANDFALL_SECRET_A",
        "ref+env://GITHUB_PRIVATE_KEY",
        "ref+env://LANDFALL_DATABASE_URL",
    ] {
        let error = resolve(refused, &team).await.unwrap_err();
        assert!(error.contains("is not allowed by the operator"), "{error}");
    }
    assert_eq!(
        resolve("ref+env://HOME", &Policy::default()).await.unwrap_err(),
        "`ref+env://HOME` is not allowed by the operator of this server: the names of its variables begin with `LANDFALL_SECRET_`"
    );
    assert_eq!(
        resolve("ref+env://LANDFALL_SECRET_A", &Policy::nothing()).await.unwrap_err(),
        "`ref+env://LANDFALL_SECRET_A` is not allowed by the operator of this server: this repository may read no variable"
    );
}

#[tokio::test]
async fn a_field_of_an_object_is_picked() {
    let pick = async |fragment| {
        resolve(&format!("ref+env://LANDFALL_SECRET_JSON#/{fragment}"), &Policy::default()).await
    };
    assert_eq!(pick("a/b").await.unwrap(), "inner value");
    assert_eq!(pick("n").await.unwrap(), "7654321");
    for bad in ["a", "l/0", "x", "a/b/c"] {
        let error = pick(bad).await.unwrap_err();
        assert!(error.contains("has no such field") && !error.contains("inner"), "{error}");
    }
    let error = resolve("ref+env://LANDFALL_SECRET_A#/x", &Policy::default()).await.unwrap_err();
    assert!(error.ends_with("the secret is not JSON"), "{error}");
}

#[tokio::test]
async fn a_file_is_read_only_inside_the_operators_folders() {
    let (inner, outer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outer.path().join("key"), "outer secret").unwrap();
    fs::write(inner.path().join("key"), "inner secret\r\n").unwrap();
    fs::create_dir(inner.path().join("data")).unwrap();
    fs::rename(inner.path().join("key"), inner.path().join("data/key")).unwrap();
    symlink("data/key", inner.path().join("key")).unwrap();
    symlink(outer.path().join("key"), inner.path().join("out")).unwrap();
    let (policy, root) = (folders(inner.path()), inner.path().display());

    assert_eq!(resolve(&format!("ref+file://{root}/key"), &policy).await.unwrap(), "inner secret");
    let outside = outer.path().join("key").display().to_string();
    let up = format!("{root}/../{}/key", outer.path().file_name().unwrap().display());
    for refused in [format!("{root}/out"), outside, up, "key".to_owned(), format!("{root}-x/key")] {
        let error = resolve(&format!("ref+file://{refused}"), &policy).await.unwrap_err();
        assert!(error.contains("is not allowed"), "{error}");
    }
    assert!(resolve(&format!("ref+file://{root}/key"), &Policy::default()).await.is_err());
}

#[tokio::test]
async fn a_file_that_is_no_secret_says_why() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("long"), vec![b'x'; (1 << 20) + 1]).unwrap();
    fs::write(folder.path().join("binary"), [0xff, 0xfe]).unwrap();
    fs::write(folder.path().join("empty"), "\n").unwrap();
    for (name, why) in
        [("long", "1 MiB"), ("binary", "not text"), ("empty", "empty"), ("none", "no such file")]
    {
        let reference = format!("ref+file://{}/{name}", folder.path().display());
        let error = resolve(&reference, &folders(folder.path())).await.unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let itself = format!("ref+file://{}", folder.path().display());
    assert!(resolve(&itself, &folders(folder.path())).await.unwrap_err().contains("not a file"));
}

#[tokio::test]
async fn other_backends_are_refused_each_for_its_reason() {
    let policy = Policy::default();
    for (reference, why) in [
        ("ref+exec://rm/-rf", "`exec` is always refused"),
        ("ref+op://vault/item/field", "does not have yet"),
        ("ref+sops://file.yaml", "does not have yet"),
        ("ref+echo://x", "does not exist"),
        ("ref+env://LANDFALL_SECRET_A?decode=base64", "parameter `decode`"),
        ("ref+env://LANDFALL_SECRET_EMPTY", "empty value"),
        ("ref+env://LANDFALL_SECRET_NONE", "no such environment variable"),
        ("ref+env://LANDFALL_SECRET_SHORT", "less than 6 bytes"),
    ] {
        let error = resolve(reference, &policy).await.unwrap_err();
        assert!(error.contains(why) && error.contains(reference), "{error}");
    }
}

#[tokio::test]
async fn all_failures_are_told_at_once() {
    let references = ["ref+exec://x", "ref+op://x", "ref+env://LANDFALL_SECRET_A"]
        .map(|r| SecretRef::parse(r).unwrap());
    let errors = resolver().resolve_all(&references, &Policy::default()).await.unwrap_err();
    assert_eq!(errors.len(), 2);
}
