//! Turns the arguments of a tool into a query string of the API, which checks their values.

use rmcp::model::JsonObject;
use serde_json::Value;

use super::tool::Tool;
use crate::http::Problem;

/// Entries of an answer where the call sets no limit.
pub(super) const DEFAULT_LIMIT: u32 = 20;

/// Characters of a name from outside in an error.
const MAX_NAME: usize = 64;

/// The query string for a call of `tool`.
///
/// # Errors
///
/// An argument is unknown, missing, or not a text, a number or true or false.
pub(super) fn query(tool: Tool, arguments: Option<&JsonObject>) -> Result<String, Problem> {
    let known = tool.arguments();
    let is_given = |name: &str| {
        arguments.is_some_and(|all| all.get(name).is_some_and(|value| !value.is_null()))
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in arguments.into_iter().flatten() {
        if !known.iter().any(|argument| argument.name == name) {
            let names: Vec<_> = known.iter().map(|argument| argument.name).collect();
            return Err(Problem::bad_parameter(format!(
                "`{}` is not an argument of `{}`; it takes: {}.",
                printable(name),
                tool.name(),
                names.join(", ")
            )));
        }
        match value {
            Value::Null => {}
            Value::String(text) => {
                query.append_pair(name, text);
            }
            Value::Number(_) | Value::Bool(_) => {
                query.append_pair(name, &value.to_string());
            }
            Value::Array(_) | Value::Object(_) => {
                return Err(Problem::bad_parameter(format!(
                    "`{name}` must be one text or number, not a list or an object."
                )));
            }
        }
    }
    for argument in known {
        if argument.is_required && !is_given(argument.name) {
            return Err(Problem::bad_parameter(format!(
                "`{}` is missing.",
                argument.name
            )));
        }
    }
    if !is_given("limit") {
        query.append_pair("limit", &DEFAULT_LIMIT.to_string());
    }
    Ok(query.finish())
}

/// A name for an error: short, control characters escaped.
pub(super) fn printable(name: &str) -> String {
    let short = name.chars().take(MAX_NAME);
    short.flat_map(char::escape_debug).collect()
}
