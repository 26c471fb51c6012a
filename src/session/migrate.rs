//! Old sessions become new ones step by step, on the JSON, before it is given types.

use serde_json::{Map, Value};

use super::{SessionError, VERSION};

/// Turns the body of one version into that of the next.
pub(super) type Step = fn(Map<String, Value>) -> Map<String, Value>;

/// The step at position i leads from version i + 1 to version i + 2. A released version's step never changes.
pub(super) const STEPS: &[Step] = &[];

const _: () = assert!(STEPS.len() as u64 + 1 == VERSION, "every version but the last needs a step to the next");

/// Lead `body` of `version` through the remaining `steps`.
pub(super) fn migrate(
    body: Map<String, Value>,
    version: u64,
    steps: &[Step],
) -> Result<Map<String, Value>, SessionError> {
    let newest = steps.len() as u64 + 1;
    if version > newest {
        return Err(SessionError::TooNew { found: version, newest });
    }
    if version == 0 {
        return Err(SessionError::Damaged { reason: "version 0 never existed".to_owned() });
    }
    Ok(steps[version as usize - 1..].iter().fold(body, |body, step| step(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_goes_through_the_steps_after_it() {
        fn rename(mut body: Map<String, Value>) -> Map<String, Value> {
            if let Some(value) = body.remove("old") {
                body.insert("new".into(), value);
            }
            body
        }
        fn double(mut body: Map<String, Value>) -> Map<String, Value> {
            let value = body["new"].as_i64().unwrap();
            body.insert("new".into(), (2 * value).into());
            body
        }
        let steps: &[Step] = &[rename, double];
        let body = |key: &str| Map::from_iter([(key.to_owned(), Value::from(4))]);
        assert_eq!(migrate(body("old"), 1, steps).unwrap()["new"], 8);
        assert_eq!(migrate(body("new"), 2, steps).unwrap()["new"], 8);
        assert_eq!(migrate(body("new"), 3, steps).unwrap()["new"], 4);
        assert!(matches!(migrate(body("new"), 4, steps), Err(SessionError::TooNew { found: 4, newest: 3 })));
        assert!(matches!(migrate(body("new"), 0, steps), Err(SessionError::Damaged { .. })));
    }
}
