//! JSON values for the formats that are made of it.

use serde_json::Value as Json;

use super::FormatError;
use super::contents::Value;
use super::error::shown;

/// The value of `text`.
pub(super) fn parse(text: &str, format: &'static str) -> Result<Json, FormatError> {
    serde_json::from_str(text).map_err(|error| FormatError::Syntax { format, reason: error.to_string() })
}

/// An attribute's value as JSON.
pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::from(text.as_str()),
        Value::Number(number) => Json::from(*number),
        Value::Integer(number) => Json::from(*number),
        Value::Flag(flag) => Json::from(*flag),
    }
}

/// JSON as an attribute's value; lists and objects as their text, null as none.
pub(super) fn of_json(json: &Json) -> Option<Value> {
    match json {
        Json::Null => None,
        Json::Bool(flag) => Some(Value::Flag(*flag)),
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Some(Value::Integer(number)),
            None => number.as_f64().filter(|number| number.is_finite()).map(Value::Number),
        },
        Json::Array(_) | Json::Object(_) => Some(Value::Text(json.to_string())),
    }
}

/// A name or number as a name.
pub(super) fn name_of(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `json` in a message.
pub(super) fn brief(json: Option<&Json>) -> String {
    json.map_or_else(|| "nothing".to_owned(), |json| shown(&json.to_string()))
}
