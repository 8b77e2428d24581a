//! Reads JSON with errors that name the field.

use serde::de::DeserializeOwned;

use super::ApiError;

/// Reads a body, which must be one JSON object.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // Checked first because serde would say it of the place in the middle of a string where it noticed.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ApiError::MalformedJson(format!("byte {} is not UTF-8", error.valid_up_to())))?;
    let first = text.trim_start_matches([' ', '\t', '\r', '\n']).chars().next();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    if matches!(first, Some('[' | '"' | 't' | 'f' | 'n' | '-' | '0'..='9'))
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    {
        // serde's derive would take an array for the fields in their order.
        return Err(ApiError::InvalidField {
            field: String::new(),
            message: "the body must be a JSON object".to_owned(),
        });
    }
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() {
            invalid_field(&path, &cause)
        } else {
            malformed(&cause)
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(parsed)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let problem = error.to_string();
    // serde's name for a `\u` escape of one half of a character whose other half does not follow.
    if problem.contains("hex escape") || problem.contains("surrogate") {
        let place = problem.split_once(" at ").map_or("", |(_, place)| place);
        return ApiError::MalformedJson(format!("a \\u escape is no whole character, at {place}"));
    }
    ApiError::MalformedJson(problem)
}

fn invalid_field(path: &str, error: &serde_json::Error) -> ApiError {
    let full = error.to_string();
    let problem = full
        .rsplit_once(" at line ")
        .map_or(full.as_str(), |(problem, _)| problem);
    let field = if path == "." { "" } else { path };
    let message = if field.is_empty() || problem.starts_with("unknown field") {
        problem.to_owned()
    } else {
        format!("`{field}`: {problem}")
    };
    ApiError::InvalidField {
        field: field.to_owned(),
        message,
    }
}
