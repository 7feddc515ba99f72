//! What is concealed until a round is revealed.

/// Whether the organisation's clients see an assessment: one of a round is concealed until that is revealed.
macro_rules! disclosed {
    () => {{
        use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, dsl::exists};
        use $crate::{
            domain::round::RoundStatus,
            store::schema::{assessments::dsl as assessments, rounds::dsl as rounds},
        };
        let of_it = rounds::rounds
            .filter(rounds::organisation_id.eq(assessments::organisation_id))
            .filter(rounds::id.nullable().eq(assessments::round_id))
            .filter(rounds::status.eq(RoundStatus::Revealed.key()));
        assessments::round_id.is_null().or(exists(of_it))
    }};
}
pub(super) use disclosed;
