//! How a gap analysis is computed: everything is read, nothing is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Checked, Error, Result, models::referred, round_analysis};
use crate::{
    domain::{
        fault::{Broken, Fault},
        gap_analysis::{
            Analysis, Baseline, GapAnalysis, Life, MOST_INPUTS, MOST_PERSPECTIVES, ModelRef, Options, Request, Select,
            Sources, Voice, analyse,
        },
        id::{AssessmentId, GapAnalysisId, ModelId},
        life_cycle::{Sealed, Version},
        model::Definition,
        ratings::{self, Ratings},
        slug::{ElementKey, Slug},
    },
    store::{
        self,
        assessment_lists::{Input, Selection},
        db::Tx,
        models::{Name, SealedModel},
    },
};

/// Ratings from one perspective that are not stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnsavedRatings {
    /// From whose perspective.
    pub perspective: Slug,
    /// The ratings, by element; what is not rated counts in nothing.
    #[schema(value_type = BTreeMap<ElementKey, ratings::Rating>)]
    pub ratings: Ratings,
}

/// What to preview: stored assessments as in a gap analysis, or ratings that are not stored, of a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewGapAnalysis)]
pub struct Preview {
    /// What to call the analysis.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// These assessments, in any order.
    #[schema(nullable = false, max_items = 10_000)]
    pub assessments: Option<Vec<AssessmentId>>,
    /// Those that meet this selection.
    #[schema(nullable = false)]
    pub select: Option<Select>,
    /// The gap analysis to compare with.
    #[schema(nullable = false)]
    pub baseline: Option<GapAnalysisId>,
    /// The model that `ratings` rate.
    #[schema(nullable = false)]
    pub model: Option<Slug>,
    /// The version of that model; the newest where it is not said.
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub model_version: Option<Version>,
    /// Ratings that are not stored.
    #[schema(nullable = false, max_items = 500)]
    pub ratings: Option<Vec<UnsavedRatings>>,
}

/// An analysis, computed and ready to be sealed while its inputs stand.
#[derive(Debug, Clone)]
pub struct Computed {
    pub(super) request: Request,
    pub(super) analysis: Analysis,
    pub(super) sources: Sources,
}

/// A fault of the inputs that has a problem of its own.
pub(super) fn refused(pointer: impl Into<String>, code: &'static str, detail: &str) -> Error {
    Broken::fault(pointer, code, detail).into()
}

/// The inputs that a request names, or every fault of theirs.
fn named_inputs(tx: &mut Tx<'_>, ids: &[AssessmentId]) -> Result<Vec<Input>> {
    if ids.len() > MOST_INPUTS {
        return Err(refused(
            "/assessments",
            "too_many_inputs",
            "At most 10,000 assessments.",
        ));
    }
    let mut found: BTreeMap<AssessmentId, Input> = store::assessment_lists::inputs(tx, ids)?
        .into_iter()
        .map(|input| (input.id, input))
        .collect();
    let (mut inputs, mut faults, mut seen) = (Vec::with_capacity(ids.len()), Vec::new(), BTreeSet::new());
    for (place, id) in ids.iter().enumerate() {
        let at = format!("/assessments/{place}");
        if !seen.insert(id) {
            faults.push(Fault::new(at, "duplicate", "This assessment is named twice."));
            continue;
        }
        match found.remove(id) {
            None => faults.push(Fault::new(at, "unknown_reference", "There is no such assessment.")),
            Some(Input { withdrawn: true, .. }) => {
                faults.push(Fault::new(at, "not_submitted", "The assessment is withdrawn."));
            }
            Some(Input { sealed: None, .. }) => {
                faults.push(Fault::new(at, "not_submitted", "The assessment was never submitted."));
            }
            Some(input) => inputs.push(input),
        }
    }
    Broken::unless_empty(faults)?;
    Ok(inputs)
}

/// The assessments that a request selects.
fn selected_inputs(tx: &mut Tx<'_>, select: &Select) -> Result<Vec<Input>> {
    let head = store::models::head(tx, &Name::Slug(select.model.clone()))?
        .ok_or_else(|| refused("/select/model", "unknown_reference", "There is no model of this name."))?;
    if let Some(id) = select.relationship
        && store::constellations::standing(tx, id)?.is_none()
    {
        let detail = "There is no such relationship.";
        return Err(refused("/select/relationship", "unknown_reference", detail));
    }
    let selection = Selection {
        model: head.id,
        model_version: select.model_version,
        perspectives: select.perspectives.clone(),
        relationship: select.relationship,
        submitted_from: select.submitted_from,
        submitted_to: select.submitted_to,
    };
    let most = i64::try_from(MOST_INPUTS).unwrap_or(i64::MAX);
    let inputs = store::assessment_lists::selected(tx, &selection, most.saturating_add(1))?;
    if inputs.len() > MOST_INPUTS {
        return Err(refused(
            "/select",
            "too_many_inputs",
            "More than 10,000 assessments are selected.",
        ));
    }
    Ok(inputs)
}

/// The one model version that all inputs share.
fn shared_model(tx: &mut Tx<'_>, inputs: &[Input], pointer: &str) -> Result<(ModelRef, Arc<SealedModel>)> {
    let Some(first) = inputs.first() else {
        return Err(refused(
            pointer,
            "no_inputs",
            "No submitted assessment is left to analyse.",
        ));
    };
    if inputs
        .iter()
        .any(|input| (input.model, input.model_version) != (first.model, first.model_version))
    {
        let detail = "All assessments must share one model version; migrate the older ones first.";
        return Err(refused(pointer, "mixed_model_versions", detail));
    }
    model_ref(tx, first.model, first.model_version)
}

fn model_ref(tx: &mut Tx<'_>, model: ModelId, version: Version) -> Result<(ModelRef, Arc<SealedModel>)> {
    let sealed = store::models::sealed_for_sure(tx, model, version)?;
    let head = store::models::head(tx, &Name::Id(model))?.ok_or(Error::NotFound("model"))?;
    Ok((
        ModelRef {
            slug: head.slug,
            version,
            digest: sealed.seal.digest.clone(),
        },
        sealed,
    ))
}

/// Computes an analysis of these inputs, compared with the newest version of the baseline.
pub(super) fn computed(
    tx: &mut Tx<'_>,
    model: ModelRef,
    definition: &Definition,
    voices: Vec<Voice>,
    baseline: Option<&Life>,
    options: Options<'_>,
) -> Result<(Analysis, Sources)> {
    let analysed = |voices: Vec<Voice>, options: Options<'_>| {
        let sources = Sources::of(&voices, options.withholding, options.baseline);
        (analyse(definition, model, voices, options), sources)
    };
    let Some(life) = baseline else {
        return Ok(analysed(voices, options));
    };
    let Sealed { version, content, seal } = &life.newest;
    let (_, then) = referred(tx, &content.model.slug, Some(content.model.version))?;
    let done = store::next_steps::done(tx, life.id)?;
    let baseline = Baseline {
        gap_analysis: life.id,
        version: *version,
        digest: seal.digest.clone(),
        analysis: content,
        definition: &then.content,
        done: &done,
    };
    let options = Options {
        baseline: Some(&baseline),
        ..options
    };
    Ok(analysed(voices, options))
}

pub(super) fn voices(inputs: Vec<Input>) -> Vec<Voice> {
    inputs
        .into_iter()
        .filter_map(
            |Input {
                 id,
                 perspective,
                 relationship,
                 sealed,
                 ..
             }| {
                let (version, digest, levels) = sealed?;
                Some(Voice {
                    assessment: Some(id),
                    version: Some(version),
                    digest: Some(digest),
                    perspective,
                    relationship,
                    levels,
                })
            },
        )
        .collect()
}

/// The same, unless they speak from more perspectives than can be compared with each other.
fn comparable(voices: Vec<Voice>, pointer: &str) -> Result<Vec<Voice>> {
    let perspectives: BTreeSet<&Slug> = voices.iter().map(|voice| &voice.perspective).collect();
    if perspectives.len() > MOST_PERSPECTIVES {
        return Err(refused(pointer, "too_many_perspectives", "At most 20 perspectives."));
    }
    Ok(voices)
}

/// Computes what a checked body asks for.
pub fn compute_checked(tx: &mut Tx<'_>, body: Checked<Request>) -> Result<Computed> {
    let neither = |request: &Request| request.assessments.is_none() && request.select.is_none();
    if !body.faults.is_empty() && body.said.as_ref().is_some_and(neither) {
        // What is at fault was left out; that nothing else is there says nothing more.
        return Err(Broken::Invalid(body.faults).into());
    }
    body.check(|request| compute(tx, request))
}

/// Computes what a request asks for.
pub(super) fn compute(tx: &mut Tx<'_>, request: Request) -> Result<Computed> {
    if let Some(round) = request.round {
        return round_analysis::compute(tx, round, request);
    }
    let (inputs, pointer) = match (&request.assessments, &request.select) {
        (Some(ids), None) => (named_inputs(tx, ids), "/assessments"),
        (None, Some(select)) => (selected_inputs(tx, select), "/select"),
        _ => {
            let detail = "Either `assessments` or `select`, one of the two.";
            return Err(refused("", "assessments_or_select", detail));
        }
    };
    let (inputs, baseline) = both(inputs, baseline(tx, request.baseline))?;
    let (model, sealed) = shared_model(tx, &inputs, pointer)?;
    let voices = comparable(voices(inputs), pointer)?;
    let options = Options {
        title: request.title.clone(),
        ..Options::default()
    };
    let (analysis, sources) = computed(tx, model, &sealed.content, voices, baseline.as_ref(), options)?;
    Ok(Computed {
        request,
        analysis,
        sources,
    })
}

/// The analysis to compare with, where there is to be one.
pub(super) fn baseline(tx: &mut Tx<'_>, id: Option<GapAnalysisId>) -> Result<Option<Life>> {
    let Some(id) = id else { return Ok(None) };
    let found = store::gap_analyses::find(tx, id)?;
    let unknown = || refused("/baseline", "unknown_reference", "There is no such gap analysis.");
    found.ok_or_else(unknown).map(Some)
}

/// Both, or the faults of both.
fn both<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
    match (a, b) {
        (Err(Error::Broken(Broken::Invalid(mut faults))), Err(Error::Broken(Broken::Invalid(more)))) => {
            faults.extend(more);
            Err(Broken::Invalid(faults).into())
        }
        (a, b) => Ok((a?, b?)),
    }
}

/// Computes an analysis that is not kept.
pub fn preview(tx: &mut Tx<'_>, body: Checked<Preview>) -> Result<GapAnalysis> {
    let Preview {
        title,
        assessments,
        select,
        baseline,
        model,
        model_version,
        ratings,
    } = body.valid()?;
    let (Some(slug), Some(unsaved)) = (&model, &ratings) else {
        if model.is_some() || ratings.is_some() || model_version.is_some() {
            let detail = "`model` and `ratings` go together, without `assessments` and `select`.";
            return Err(refused("", "assessments_or_select", detail));
        }
        let request = Request {
            title,
            assessments,
            select,
            baseline,
            round: None,
        };
        return Ok(GapAnalysis::preview(compute(tx, request)?.analysis));
    };
    if assessments.is_some() || select.is_some() {
        let detail = "Either stored assessments or `ratings`, one of the two.";
        return Err(refused("", "assessments_or_select", detail));
    }
    let (head, sealed) = referred(tx, slug, model_version)?;
    let voices = unsaved_voices(tx, unsaved, &sealed.content);
    let (voices, baseline) = both(voices, self::baseline(tx, baseline))?;
    let model = ModelRef {
        slug: head.slug,
        version: sealed.version,
        digest: sealed.seal.digest.clone(),
    };
    let voices = comparable(voices, "/ratings")?;
    let options = Options {
        title,
        ..Options::default()
    };
    let (analysis, _) = computed(tx, model, &sealed.content, voices, baseline.as_ref(), options)?;
    Ok(GapAnalysis::preview(analysis))
}

/// Unsaved ratings as inputs, or every fault of theirs.
fn unsaved_voices(tx: &mut Tx<'_>, unsaved: &[UnsavedRatings], definition: &Definition) -> Result<Vec<Voice>> {
    if unsaved.is_empty() {
        return Err(refused("/ratings", "no_inputs", "There is nothing to analyse."));
    }
    let (mut voices, mut faults) = (Vec::new(), Vec::new());
    for (place, UnsavedRatings { perspective, ratings }) in unsaved.iter().enumerate() {
        let at = format!("/ratings/{place}");
        if store::perspectives::find(tx, &store::perspectives::Name::Slug(perspective.clone()))?.is_none() {
            let detail = "There is no perspective of this name.";
            faults.push(Fault::new(format!("{at}/perspective"), "unknown_reference", detail));
        }
        let own = ratings::faults(ratings, definition.keys());
        faults.extend(own.into_iter().map(|fault| Fault {
            pointer: format!("{at}{}", fault.pointer),
            ..fault
        }));
        let (levels, _) = ratings::pack(ratings, definition.keys());
        voices.push(Voice {
            assessment: None,
            version: None,
            digest: None,
            perspective: perspective.clone(),
            relationship: None,
            levels,
        });
    }
    Broken::unless_empty(faults)?;
    Ok(voices)
}

/// What to analyse when an analysis is recomputed: withdrawn and erased assessments are dropped, and so is a lost baseline.
pub(super) fn renewed(tx: &mut Tx<'_>, request: &Request) -> Result<Request> {
    let mut renewed = request.clone();
    if let Some(ids) = &request.assessments {
        let standing = store::assessment_lists::standing(tx, ids)?;
        renewed.assessments = Some(ids.iter().filter(|id| standing.contains_key(id)).copied().collect());
    }
    if let Some(baseline) = request.baseline
        && store::gap_analyses::newest_version(tx, baseline)?.is_none()
    {
        renewed.baseline = None;
    }
    Ok(renewed)
}
