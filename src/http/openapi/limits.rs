//! What follows for a schema from its type and its format: how long a text can be, what no text holds, how large a number can be.

use serde_json::{Map, Value, json};

use crate::http::negotiate::Format;

/// What no text holds that is taken or sent: the controls of C0, but for tab, line feed and carriage return.
pub(super) const TEXT: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$";

/// Says it of every schema in the document that does not say so itself.
pub(super) fn say(part: &mut Value) {
    match part {
        Value::Object(words) => {
            if is(words, "string") {
                of_text(words);
            } else if is(words, "integer") {
                of_number(words);
            }
            let parts = words
                .iter_mut()
                .filter(|(word, _)| !matches!(word.as_str(), "example" | "examples" | "default"));
            for (word, part) in parts {
                // The only texts as long as an analysis is: as long as a text can be.
                if let Some(schema) = part.get_mut("schema").and_then(Value::as_object_mut)
                    && Format::of_media_type(word).is_some_and(|format| format != Format::Json)
                {
                    schema.entry("maxLength").or_insert(json!(i32::MAX));
                }
                say(part);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(say),
        _ => {}
    }
}

/// Whether this is a schema of this type, `null` aside.
fn is(words: &Map<String, Value>, name: &str) -> bool {
    match words.get("type") {
        Some(Value::String(given)) => given == name,
        Some(Value::Array(given)) => given.contains(&json!(name)),
        _ => false,
    }
}

fn of_text(words: &mut Map<String, Value>) {
    let says = |words: &Map<String, Value>, names: &[&str]| names.iter().any(|name| words.contains_key(*name));
    if says(words, &["enum", "const"]) {
        return;
    }
    if !says(words, &["pattern", "format"]) {
        words.insert("pattern".to_owned(), json!(TEXT));
    }
    let word = |name| words.get(name).and_then(Value::as_str);
    let longest = match (word("format"), word("pattern")) {
        (Some("uuid"), _) => Some(36),
        (Some("date"), _) => Some(10),
        (Some("date-time"), _) => Some(64),
        (_, Some(pattern)) => longest(pattern),
        _ => None,
    };
    if let Some(longest) = longest {
        words.entry("maxLength").or_insert(json!(longest));
    }
}

/// How many characters a pattern matches at most, where it is of the simple kind that all of ours are: parts that match one
/// character, with or without a `{number}`.
fn longest(pattern: &str) -> Option<usize> {
    let mut rest = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let mut longest = 0;
    while let Some(first) = rest.chars().next() {
        let part = match first {
            '[' => rest.find(']')? + 1,
            '\\' => 2,
            '(' | ')' | '|' | '*' | '+' | '?' | '.' => return None,
            other => other.len_utf8(),
        };
        rest = rest.get(part..)?;
        let times = match rest.strip_prefix('{').and_then(|times| times.split_once('}')) {
            Some((times, after)) => {
                rest = after;
                times.rsplit(',').next()?.parse().ok()?
            }
            None if rest.starts_with(['*', '+']) => return None,
            None => 1,
        };
        longest += times;
    }
    Some(longest)
}

fn of_number(words: &mut Map<String, Value>) {
    let largest = match words.get("format").and_then(Value::as_str) {
        Some("int32") => i64::from(i32::MAX),
        // Whatever reads JSON as JavaScript does reads no larger ones rightly.
        Some("int64") => 9_007_199_254_740_991,
        _ => return,
    };
    words.entry("maximum").or_insert(json!(largest));
}

#[cfg(test)]
mod tests {
    use super::longest;

    #[test]
    fn the_longest_match_of_a_simple_pattern_is_counted() {
        assert_eq!(longest("^[a-z][a-z0-9_]{0,59}$"), Some(60));
        assert_eq!(longest(r"^[a-z]{0,59}\.[a-z]{3}$"), Some(63));
        assert_eq!(longest("^sha256:[0-9a-f]{64}$"), Some(71));
        assert_eq!(longest("^[a-z]+$"), None);
        assert_eq!(longest("^(a|bc)$"), None);
    }
}
