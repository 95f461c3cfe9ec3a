//! The state of an instance, its queue, and new instances.

use serde_json::Value;

use super::answer;

/// The state of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceState {
    /// `authorized`, `notAuthorized`, `starting` and so on; `creating` while GREEN-API returns null.
    pub name: String,
    /// Until when the messenger restricts the account, in seconds since 1970.
    pub suspended_until: Option<i64>,
}

impl InstanceState {
    pub(super) fn read(json: &Value) -> Self {
        let name = answer::text(json, "stateInstance");
        let until = ["suspendedUntil", "yellowCardUntil"];
        let until = until.iter().find_map(|field| answer::number(json, field));
        Self {
            name: if name.is_empty() {
                "creating".to_owned()
            } else {
                name
            },
            suspended_until: until.filter(|until| *until > 0),
        }
    }
}

/// An instance that was just created.
#[derive(Debug)]
pub struct NewInstance {
    /// `idInstance`.
    pub id_instance: i64,
    /// `typeInstance`; empty if it is not told.
    pub type_instance: String,
    /// Its `apiTokenInstance`.
    pub token: secrecy::SecretString,
}

impl NewInstance {
    pub(super) fn read(json: &Value) -> Option<Self> {
        let token = answer::text(json, "apiTokenInstance");
        Some(Self {
            id_instance: answer::number(json, "idInstance")?,
            type_instance: answer::text(json, "typeInstance"),
            token: (!token.is_empty()).then(|| token.into())?,
        })
    }
}

/// The length of the queue. The key is documented with a Latin and with a Cyrillic first letter, and the answer as an
/// object and as an array of one object.
pub(super) fn queue_length(json: &Value) -> Option<i64> {
    let json = match json {
        Value::Array(all) => all.first()?,
        other => other,
    };
    let keys = ["count", "\u{441}ount"];
    keys.iter().find_map(|key| answer::number(json, key))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{InstanceState, queue_length};

    #[test]
    fn queue_length_is_found_under_either_spelling() {
        for answer in [
            json!({ "count": 17 }),
            json!({ "\u{441}ount": "17" }),
            json!([{ "count": 17 }]),
        ] {
            assert_eq!(queue_length(&answer), Some(17), "{answer}");
        }
        assert_eq!(queue_length(&Value::Null), None);
    }

    #[test]
    fn state_of_an_instance_that_is_being_created_is_null() {
        assert_eq!(InstanceState::read(&Value::Null).name, "creating");
        let json = json!({ "stateInstance": "suspended", "suspendedUntil": "1760009999" });
        assert_eq!(
            InstanceState::read(&json).suspended_until,
            Some(1_760_009_999)
        );
    }
}
