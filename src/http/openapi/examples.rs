//! Examples of answers: values of the very types that are sent, so that they cannot drift.

mod access;
mod follow_up;
mod rounds;
mod world;

use std::error::Error;

use serde::Serialize;
use serde_json::{Map, Value, json};

use self::world::{World, commissioner, constellation, id, moment, ratings, seal};

use crate::{
    domain::{
        assessment::{self, Assessment, migration_effects},
        constellation::{ConstellationItem, Summary},
        digest::Digest,
        fault::Fault,
        gap_analysis::{GapAnalysis, GapAnalysisItem, GapAnalysisStatus, ModelRef, Options, Voice as Input, analyse},
        language::LanguageTag,
        level::Level,
        life_cycle::{Draft, Sealed, Versioned},
        model::{Definition, Form, Translation, element_changes, language_changes},
        ratings::pack,
    },
    http::{
        problem::NOT_FOUND,
        reply::List,
        routes::{
            VersionItem, model_versions,
            operations::OK,
            root::{ProblemKind, ROOT},
        },
    },
    service::{
        diff::Diff,
        migration::Migration,
        models::{ModelDiff, ModelItem, Validation},
    },
};

/// Examples by name: that of the schema, with what tells apart several of one schema.
#[derive(Default)]
pub(super) struct Examples(Map<String, Value>);

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

impl Examples {
    /// All of them.
    pub(super) fn all() -> Outcome<Self> {
        let mut examples = Self::default();
        let world = World::new()?;
        examples.service()?;
        examples.access()?;
        examples.models(&world)?;
        examples.constellations()?;
        examples.rounds()?;
        examples.follow_up(&world)?;
        examples.assessments(&world)?;
        examples.gap_analyses(&world)?;
        Ok(examples)
    }

    /// What the document keeps of them.
    pub(super) fn components(&self) -> Value {
        let described = self
            .0
            .iter()
            .map(|(name, value)| (name.clone(), json!({"value": value})));
        Value::Object(described.collect())
    }

    /// The document's own example is its beginning.
    pub(super) fn add_document(&mut self, document: &Value) {
        let beginning =
            ["openapi", "info"].map(|name| (name.to_owned(), document.get(name).cloned().unwrap_or_default()));
        let rest = ("paths".to_owned(), json!({}));
        self.0.insert(
            "Document".to_owned(),
            Value::Object(beginning.into_iter().chain([rest]).collect()),
        );
    }

    /// Shows an answer's example, where it is JSON.
    pub(super) fn show(&self, status: &str, response: &mut Value) {
        let description = response.get("description").and_then(Value::as_str).unwrap_or_default();
        let special = ["draft", "secret", "preview"]
            .into_iter()
            .find(|word| description.contains(word));
        let Some(content) = response
            .pointer_mut("/content/application~1json")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        let reference = content.get("schema").and_then(|schema| schema.get("$ref")?.as_str());
        let schema = reference.and_then(|path| path.rsplit('/').next()).unwrap_or("Document");
        let names = [special.unwrap_or(status), status].map(|word| format!("{schema}.{word}"));
        let name = names
            .into_iter()
            .chain([schema.to_owned()])
            .find(|name| self.0.contains_key(name));
        if let Some(name) = name {
            let reference = format!("#/components/examples/{name}");
            content.insert("examples".to_owned(), json!({"example": {"$ref": reference}}));
        }
    }

    fn add(&mut self, name: &str, value: impl Serialize) -> Outcome {
        self.0.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }

    /// A thing, and a page of its kind.
    fn add_with_page<T: Serialize>(&mut self, name: &str, item: T) -> Outcome {
        self.add(name, &item)?;
        self.add_page(name, item)
    }

    fn add_page<T: Serialize>(&mut self, name: &str, item: T) -> Outcome {
        let page = List {
            data: vec![item],
            next_cursor: None,
        };
        self.add(&format!("List_{name}"), page)
    }

    fn service(&mut self) -> Outcome {
        self.add("Root", ROOT)?;
        self.add("Health", OK)?;
        self.add_with_page("ProblemKind", ProblemKind::from(&NOT_FOUND))?;
        self.add(
            "Validation",
            Validation::from(vec![Fault::new(
                "/ratings/feelings.heard",
                "required",
                "Neither rated nor marked as not applicable.",
            )]),
        )
    }

    fn models(&mut self, world: &World) -> Outcome {
        let World {
            head,
            model,
            reworded,
            seal,
            ..
        } = world;
        let sealed = head.showing_newest(model);
        let draft = Draft {
            based_on: Some(1),
            content: reworded.clone(),
        };
        self.add("Model.draft", head.showing_draft(&draft))?;
        self.add(
            "ModelDiff",
            ModelDiff {
                diff: Diff::between((1, &model.content), (2, reworded))?,
                elements: element_changes(&model.content, reworded),
                translations: language_changes(&model.content, reworded),
            },
        )?;
        self.add("Diff", Diff::between((1, &commissioner(1)?), (2, &commissioner(2)?))?)?;
        let mut form = Form::of(&sealed, 1, &commissioner(1)?, &model.content.in_language(None));
        // Its references lead to places within itself, where tools that read the whole document look in vain.
        if let Some(words) = form.answer_schema.as_object_mut() {
            words.retain(|word, _| word != "properties" && word != "$defs");
        }
        self.add("Form", form)?;
        self.add(
            "Guide",
            model_versions::Guide::of(head, 1, &model.content.in_language(None)),
        )?;
        self.add_page(
            "VersionItem",
            VersionItem {
                version: 1,
                seal: seal.clone(),
            },
        )?;
        self.translations(&model.content)?;
        let definition = sealed.definition.clone();
        let item = ModelItem {
            id: sealed.id,
            slug: sealed.slug.clone(),
            version: sealed.version,
            status: sealed.status,
            has_draft: head.has_draft,
            title: definition.title,
            attribution: definition.attribution,
            copyright: definition.copyright,
            lineage: definition.lineage,
            seal: sealed.seal.clone(),
        };
        self.add_page("ModelItem", item)?;
        self.add("Model", sealed)?;
        self.add_with_page("Perspective", commissioner(1)?)
    }

    fn constellations(&mut self) -> Outcome {
        let whole = constellation()?;
        let item = ConstellationItem {
            id: whole.id,
            version: whole.version,
            status: whole.status,
            summary: Summary {
                title: whole.content.title.clone(),
                description: None,
                external_ids: Vec::new(),
            },
            seal: whole.seal.clone().ok_or("no seal")?,
        };
        self.add_page("ConstellationItem", item)?;
        self.add("Constellation", whole)
    }

    fn translations(&mut self, definition: &Definition) -> Outcome {
        let (mut definition, language) = (definition.clone(), "en-GB-x-easyread".parse::<LanguageTag>()?);
        let words = Translation {
            title: Some("Our connections, in easy words".to_owned()),
            elements: [("feelings.heard", "know that somebody listens")]
                .map(|(key, label)| (key.to_owned(), label.to_owned()))
                .into(),
            ..Translation::default()
        };
        definition
            .translate(language.clone(), words)
            .map_err(|_| "a translation at fault")?;
        let translation = definition.translation(&language).ok_or("no translation")?;
        self.add_page("TranslationItem", &translation.item)?;
        self.add("ModelTranslation", translation)
    }

    fn assessments(&mut self, world: &World) -> Outcome {
        let answers = &world.answers;
        let life = |versioned| assessment::Life {
            id: id(4),
            created_at: moment(),
            updated_at: moment(),
            withdrawn_at: None,
            versioned,
        };
        let draft = Assessment::shown(&life(Versioned::drafted(answers.clone()))).ok_or("no draft")?;
        let mut submitted = Versioned::drafted(answers.clone());
        let document = Assessment::of_version(id(4), moment(), 1, answers);
        submitted.seal(Sealed {
            version: 1,
            content: answers.clone(),
            seal: seal(&document)?,
        });
        let submitted = Assessment::shown(&life(submitted)).ok_or("no version")?;
        self.add_page(
            "Assessment",
            Assessment {
                ratings: None,
                ..submitted.clone()
            },
        )?;
        self.add("Assessment", submitted)?;
        self.add("Assessment.draft", &draft)?;
        let effects = migration_effects(&world.model.content, &world.reworded);
        self.add(
            "Migration",
            Migration {
                from_version: 1,
                to_version: 2,
                dry_run: true,
                effects,
                draft: None,
            },
        )
    }

    fn gap_analyses(&mut self, world: &World) -> Outcome {
        let definition = &world.model.content;
        let model = ModelRef {
            slug: world.head.slug.clone(),
            version: 1,
            digest: world.seal.digest.clone(),
        };
        let document = Assessment::of_version(id(4), moment(), 1, &world.answers);
        let digest = Digest::of(&document)?;
        let input = |number, perspective: &str, current, desired| {
            Ok::<_, Box<dyn Error>>(Input {
                assessment: Some(id(number)),
                version: Some(1),
                digest: Some(digest.clone()),
                perspective: perspective.parse()?,
                relationship: Some(id(8)),
                levels: pack(&ratings(definition, current, desired), definition.keys()).0,
            })
        };
        let inputs = vec![
            input(4, "service_user", Level::EarlyStages, Level::Maturing)?,
            input(5, "team", Level::Maturing, Level::Embedded)?,
        ];
        let options = Options {
            title: Some("Spring review".to_owned()),
            ..Options::default()
        };
        let analysis = analyse(definition, model, inputs, options);
        self.add("GapAnalysis.preview", GapAnalysis::preview(analysis.clone()))?;
        let seal = seal(&GapAnalysis::of_version(id(6), 1, analysis.clone()))?;
        let item = GapAnalysisItem {
            id: id(6),
            version: 1,
            status: GapAnalysisStatus::Sealed,
            summary: analysis.summary(),
            updated_at: moment(),
            seal: seal.clone(),
        };
        let whole = GapAnalysis::of_version(id(6), 1, analysis);
        self.add(
            "GapAnalysis",
            GapAnalysis {
                seal: Some(seal),
                ..whole
            },
        )?;
        self.add_page("GapAnalysisItem", item)
    }
}
