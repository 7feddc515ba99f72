//! What the errors of a schema mean to who sent the body.

use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::{Value, json};

use crate::domain::{
    fault::{Fault, pointer},
    gap_analysis::MOST_INPUTS,
};

/// The faults that a schema's error stands for. Their words never repeat a value of the body.
pub(super) fn schema_faults(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    let at = error.instance_path().to_string();
    let mut fault = |code, detail: String| faults.push(Fault::new(at.clone(), code, detail));
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                let at = format!("{at}{}", pointer([name]));
                faults.push(Fault::new(at, "unknown_field", "There is no such field here."));
            }
        }
        ValidationErrorKind::Required { property } => {
            let at = format!("{at}{}", pointer([property.as_str().unwrap_or_default()]));
            faults.push(Fault::new(at, "required", "This field is missing."));
        }
        ValidationErrorKind::PropertyNames { error } => {
            let at = format!("{at}{}", pointer([error.instance().as_str().unwrap_or_default()]));
            faults.push(Fault::new(at, "unknown_element", "This is not the key of an element."));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            // `null` or something else: what keeps it from being the something else is the fault.
            let branch = context.iter().max_by_key(|errors| errors.iter().map(depth).max());
            for error in branch.into_iter().flatten() {
                schema_faults(error, faults);
            }
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            fault("unknown_value", format!("One of {}.", options.join(", ")));
        }
        ValidationErrorKind::Type { .. } => fault("type", "This has another type.".to_owned()),
        ValidationErrorKind::MaxLength { limit } => fault("max_length", format!("At most {limit} characters.")),
        ValidationErrorKind::MinLength { limit } => fault("min_length", format!("At least {limit} characters.")),
        ValidationErrorKind::Pattern { pattern } => fault("pattern", format!("This must match {pattern}")),
        ValidationErrorKind::Format { format } => fault("format", format!("This is not a {format}.")),
        ValidationErrorKind::Minimum { limit } => fault("minimum", format!("At least {limit}.")),
        ValidationErrorKind::Maximum { limit } => fault("maximum", format!("At most {limit}.")),
        // The one limit that has a name of its own.
        ValidationErrorKind::MaxItems { limit } if *limit == json!(MOST_INPUTS) => {
            fault("too_many_inputs", format!("At most {limit} assessments."));
        }
        ValidationErrorKind::MaxItems { limit } => fault("too_many", format!("At most {limit} items.")),
        other => fault("invalid", format!("This breaks the schema's `{}`.", other.keyword())),
    }
}

/// How specific an error is: how far down it stands, and whether it says more than that the type is wrong.
fn depth(error: &ValidationError<'_>) -> (usize, bool) {
    let wrong_type = matches!(error.kind(), ValidationErrorKind::Type { .. });
    (error.instance_path().to_string().matches('/').count(), !wrong_type)
}
