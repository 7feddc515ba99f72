//! A model in several languages: translations are data beside the model's own text, and sealed with it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{Definition, ElementKey, KeptTranslation, ModelTranslation, Theme, Translation, TranslationItem};
use crate::domain::{
    fault::{Fault, pointer},
    language::LanguageTag,
};

/// The most languages that a model version is translated into.
pub const MOST_LANGUAGES: usize = 50;
/// The most bytes (UTF-8) of all translations of a model version together: 1 MiB, as many as a body has.
pub const MOST_BYTES: usize = 1024 * 1024;

/// What a model says to readers of one language: every rendering takes its words from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InLanguage<'a> {
    /// The language.
    pub language: LanguageTag,
    /// The model, with its words in that language.
    pub definition: Cow<'a, Definition>,
    /// What is in the model's own words all the same, as pointers into the translation, in the order of the model.
    pub untranslated: Vec<String>,
}

/// A text that can be translated: its pointer into a translation, the model's own, and the translated one.
type Text<'a> = (String, &'a mut String, Option<&'a String>);

/// Everything that a model says in words, in its order. The one place that says what can be translated.
fn texts<'a>(definition: &'a mut Definition, words: &'a Translation) -> Vec<Text<'a>> {
    let mut texts: Vec<Text<'a>> = vec![(pointer(["title"]), &mut definition.title, words.title.as_ref())];
    for level in &mut definition.levels {
        let key = level.key.key();
        texts.push((pointer(["levels", key]), &mut level.label, words.levels.get(key)));
    }
    for theme in &mut definition.themes {
        texts.extend(texts_of_theme(theme, words));
    }
    let (safety, label) = (&mut definition.safety, words.safety.label.as_ref());
    texts.push((pointer(["safety", "label"]), &mut safety.label, label));
    for consideration in &mut safety.considerations {
        let key = consideration.key.as_str();
        let translated = words.elements.get(key);
        texts.push((pointer(["elements", key]), &mut consideration.label, translated));
    }
    for step in &mut definition.guide {
        let (key, said) = (&step.key, words.guide.get(&step.key));
        let (title, text) = (pointer(["guide", key, "title"]), pointer(["guide", key, "text"]));
        texts.push((title, &mut step.title, said.and_then(|said| said.title.as_ref())));
        texts.push((text, &mut step.text, said.and_then(|said| said.text.as_ref())));
    }
    texts
}

fn texts_of_theme<'a>(theme: &'a mut Theme, words: &'a Translation) -> impl Iterator<Item = Text<'a>> {
    let key = theme.key.as_str();
    let said = words.themes.get(key);
    let stem = said.map(|said| &said.stem);
    let at = |names: &[&str]| pointer(["themes", key].iter().chain(names));
    let texts = [
        (
            at(&["label"]),
            &mut theme.label,
            said.and_then(|said| said.label.as_ref()),
        ),
        (at(&["need"]), &mut theme.need, said.and_then(|said| said.need.as_ref())),
        (
            at(&["stem", "individual"]),
            &mut theme.stem.individual,
            stem.and_then(|stem| stem.individual.as_ref()),
        ),
        (
            at(&["stem", "collective"]),
            &mut theme.stem.collective,
            stem.and_then(|stem| stem.collective.as_ref()),
        ),
    ];
    let elements = theme.elements.iter_mut().map(|element| {
        let key = element.key.as_str();
        (pointer(["elements", key]), &mut element.label, words.elements.get(key))
    });
    texts.into_iter().chain(elements)
}

impl Definition {
    /// What it says to readers of this language; in its own words where there is no such translation.
    pub fn in_language(&self, language: Option<&LanguageTag>) -> InLanguage<'_> {
        match language.and_then(|language| self.translations.get_key_value(language)) {
            None => InLanguage {
                language: LanguageTag::own(),
                definition: Cow::Borrowed(self),
                untranslated: Vec::new(),
            },
            Some((language, kept)) => {
                let mut definition = self.without_translations();
                let untranslated = texts(&mut definition, &kept.words)
                    .into_iter()
                    .filter_map(|(at, own, translated)| match translated {
                        Some(translated) => {
                            own.clone_from(translated);
                            None
                        }
                        None => (!own.is_empty()).then_some(at),
                    })
                    .collect();
                InLanguage {
                    language: language.clone(),
                    definition: Cow::Owned(definition),
                    untranslated,
                }
            }
        }
    }

    /// A copy that does not copy the translations, which may be many times as long as the rest.
    fn without_translations(&self) -> Self {
        Self {
            title: self.title.clone(),
            attribution: self.attribution.clone(),
            copyright: self.copyright.clone(),
            levels: self.levels.clone(),
            themes: self.themes.clone(),
            safety: self.safety.clone(),
            guide: self.guide.clone(),
            lineage: self.lineage.clone(),
            translations: BTreeMap::new(),
        }
    }

    fn item(&self, language: &LanguageTag, kept: &KeptTranslation) -> TranslationItem {
        let missing = self.in_language(Some(language)).untranslated;
        TranslationItem {
            language: language.clone(),
            complete: missing.is_empty(),
            missing,
            outdated: kept.outdated.clone(),
        }
    }

    /// Its translations, without what they say, by language.
    pub fn languages(&self) -> Vec<TranslationItem> {
        let translations = self.translations.iter();
        translations.map(|(language, kept)| self.item(language, kept)).collect()
    }

    /// One of its translations.
    pub fn translation(&self, language: &LanguageTag) -> Option<ModelTranslation> {
        let kept = self.translations.get(language)?;
        Some(ModelTranslation {
            item: self.item(language, kept),
            words: kept.words.clone(),
        })
    }

    /// Takes a translation, made of what the model says now, in place of the one there was; or says all that is wrong with it.
    pub fn translate(&mut self, language: LanguageTag, words: Translation) -> Result<(), Vec<Fault>> {
        let mut faults = self.unknown_keys(&words);
        for (at, _, translated) in texts(&mut self.without_translations(), &words) {
            if translated.is_some_and(|text| text.trim().is_empty()) {
                faults.push(Fault::new(at, "required", "What is not translated is left out."));
            }
        }
        let kept = KeptTranslation {
            words,
            outdated: BTreeSet::new(),
        };
        let others = self.translations.iter().filter(|(other, _)| **other != language);
        let (languages, bytes) = others.fold((1, kept.bytes()), |(languages, bytes), (_, other)| {
            (languages + 1, other.bytes().saturating_add(bytes))
        });
        if languages > MOST_LANGUAGES {
            faults.push(Fault::new(
                "",
                "too_many",
                "A model is translated into at most 50 languages.",
            ));
        }
        if bytes > MOST_BYTES {
            let detail = "All translations of a model together have at most 1,048,576 bytes.";
            faults.push(Fault::new("", "too_large", detail));
        }
        if faults.is_empty() {
            self.translations.insert(language, kept);
            return Ok(());
        }
        Err(faults)
    }

    /// The keys under which a translation can say something: of levels, themes, elements and steps.
    fn keys_of_texts(&self) -> [BTreeSet<&str>; 4] {
        [
            self.levels.iter().map(|level| level.key.key()).collect(),
            self.themes.iter().map(|theme| theme.key.as_str()).collect(),
            self.keys().map(ElementKey::as_str).collect(),
            self.guide.iter().map(|step| step.key.as_str()).collect(),
        ]
    }

    fn unknown_keys(&self, words: &Translation) -> Vec<Fault> {
        let [levels, themes, elements, guide] = self.keys_of_texts();
        let unknown = |member: &'static str, known: BTreeSet<&str>, said: Vec<&String>| {
            let unknown = said.into_iter().filter(|key| !known.contains(key.as_str()));
            let fault = |key| {
                Fault::new(
                    pointer([member, key]),
                    "unknown_key",
                    "The model says nothing of this key.",
                )
            };
            unknown.map(|key| fault(key.as_str())).collect::<Vec<_>>()
        };
        [
            unknown("levels", levels, words.levels.keys().collect()),
            unknown("themes", themes, words.themes.keys().collect()),
            unknown("elements", elements, words.elements.keys().collect()),
            unknown("guide", guide, words.guide.keys().collect()),
        ]
        .concat()
    }

    /// The model's own texts, by pointer.
    fn own_texts(&self) -> BTreeMap<String, String> {
        let (mut copy, nothing) = (self.without_translations(), Translation::default());
        let texts = texts(&mut copy, &nothing).into_iter();
        texts.map(|(at, own, _)| (at, own.clone())).collect()
    }

    /// Notes which translated texts may be out of date, now that the model's own are no longer those of `before`.
    pub fn note_outdated(&mut self, before: &Self) {
        if self.translations.is_empty() {
            return;
        }
        let (before, now, mut copy) = (before.own_texts(), self.own_texts(), self.without_translations());
        for kept in self.translations.values_mut() {
            let translated = texts(&mut copy, &kept.words).into_iter();
            let translated = translated.filter_map(|(at, _, translated)| translated.map(|_| at));
            kept.outdated
                .extend(translated.filter(|at| before.get(at) != now.get(at)));
        }
    }

    /// Drops what translations say of keys that the model no longer has. A draft keeps it, for they may come back.
    pub fn drop_unknown_translations(&mut self) {
        let mut translations = std::mem::take(&mut self.translations);
        let ([levels, themes, elements, guide], own) = (self.keys_of_texts(), self.own_texts());
        for kept in translations.values_mut() {
            kept.words.levels.retain(|key, _| levels.contains(key.as_str()));
            kept.words.themes.retain(|key, _| themes.contains(key.as_str()));
            kept.words.elements.retain(|key, _| elements.contains(key.as_str()));
            kept.words.guide.retain(|key, _| guide.contains(key.as_str()));
            kept.outdated.retain(|at| own.contains_key(at));
        }
        self.translations = translations;
    }
}

impl KeptTranslation {
    /// The bytes of its JSON, which is what keeping it costs.
    fn bytes(&self) -> usize {
        serde_json::to_vec(&self.words).map_or(usize::MAX, |json| json.len())
    }
}
