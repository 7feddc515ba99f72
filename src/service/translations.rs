//! Translations of models: written into the draft, and sealed with it.

use super::{
    Checked, Error, Expected, Result, Revised,
    models::{get_draft, own_life, patchable},
};
use crate::{
    domain::{
        fault::Broken,
        language::LanguageTag,
        model::{ModelTranslation, Translation, TranslationItem},
    },
    store::{self, db::Tx, models::Name},
};

const TRANSLATION: &str = "translation";

/// The translations of the draft of one of the organisation's models.
pub fn list_of_draft(tx: &mut Tx<'_>, name: &Name) -> Result<Revised<Vec<TranslationItem>>> {
    let draft = get_draft(tx, name)?;
    Ok(Revised {
        shown: draft.shown.languages,
        revision: draft.revision,
    })
}

/// A translation of the draft of one of the organisation's models.
pub fn get_of_draft(tx: &mut Tx<'_>, name: &Name, language: &LanguageTag) -> Result<Revised<ModelTranslation>> {
    let draft = get_draft(tx, name)?;
    let translation = draft.shown.definition.translation(language);
    Ok(Revised {
        shown: translation.ok_or(Error::NotFound(TRANSLATION))?,
        revision: draft.revision,
    })
}

/// Puts a translation into the draft; where there is none, opens it from the newest version. Says whether the language is new.
pub fn put(
    tx: &mut Tx<'_>,
    name: &Name,
    language: &LanguageTag,
    expected: &Expected,
    body: Checked<Translation>,
) -> Result<(Revised<ModelTranslation>, bool)> {
    let mut life = own_life(tx, name)?;
    expected.required()?;
    if language.is_own() {
        return Err(Broken::ReadOnly("The model's own text is English; what it says is changed in its draft.").into());
    }
    let draft = patchable(&mut life, expected)?;
    let is_new = !draft.content.translations.contains_key(language);
    body.check(|words| {
        let taken = draft.content.translate(language.clone(), words);
        taken.map_err(|faults| Broken::Invalid(faults).into())
    })?;
    let put = draft.content.translation(language);
    store::models::save(tx, &mut life)?;
    let put = Revised {
        shown: put.ok_or(Error::NotFound(TRANSLATION))?,
        revision: life.versioned.revision,
    };
    Ok((put, is_new))
}

/// Takes a translation out of the draft.
pub fn remove(tx: &mut Tx<'_>, name: &Name, language: &LanguageTag, expected: &Expected) -> Result<()> {
    let mut life = own_life(tx, name)?;
    let draft = life.versioned.draft.as_ref();
    if !draft.is_some_and(|draft| draft.content.translations.contains_key(language)) {
        return Err(Error::NotFound(TRANSLATION));
    }
    expected.required()?;
    let draft = patchable(&mut life, expected)?;
    draft.content.translations.remove(language);
    Ok(store::models::save(tx, &mut life)?)
}
