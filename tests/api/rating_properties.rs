//! What holds of all ratings, whatever they say.

use meaningful_connections::domain::{
    model::meaningful_connections,
    ratings::{Ratings, faults, pack, unpack},
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::{
    app::{TestApp, keys_of_the_model},
    making::drafted,
};

/// One rating as a caller may send it, never saying nothing.
fn rating() -> impl Strategy<Value = Value> {
    let level = || {
        prop::option::of(prop::sample::select(vec![
            "early_stages",
            "forming",
            "maturing",
            "embedded",
        ]))
    };
    let words = || prop::option::of("[ -~äß中🗣\n]{0,20}");
    let rated = (level(), level(), words())
        .prop_map(|(current, desired, note)| json!({"current": current, "desired": desired, "note": note}));
    let not_applicable =
        (words(), words()).prop_map(|(note, reason)| json!({"not_applicable": true, "note": note, "reason": reason}));
    prop_oneof![4 => rated, 1 => not_applicable]
        .prop_map(|mut rating| {
            if let Some(members) = rating.as_object_mut() {
                members.retain(|_, said| !said.is_null());
            }
            rating
        })
        .prop_filter("a rating that says nothing", |rating| rating != &json!({}))
}

/// Ratings of any elements of the seed model.
fn ratings() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop::sample::select(keys_of_the_model());
    prop::collection::btree_map(key, rating(), 0..34).prop_map(|ratings| ratings.into_iter().collect())
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked_as_it_was(said in ratings()) {
        let definition = meaningful_connections().expect("the seed");
        let ratings: Ratings = serde_json::from_value(Value::Object(said.clone())).expect("ratings");
        prop_assert_eq!(faults(&ratings, definition.keys()), vec![]);
        let (levels, remarks) = pack(&ratings, definition.keys());
        prop_assert_eq!(levels.as_bytes().len(), 34);
        let unpacked = unpack(&levels, remarks, definition.keys());
        prop_assert_eq!(serde_json::to_value(&unpacked).expect("JSON"), Value::Object(said));
        prop_assert_eq!(unpacked, ratings);
    }
}

#[actix_web::test]
async fn ratings_saved_one_by_one_are_those_saved_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    for _ in 0..8 {
        let said = ratings().new_tree(&mut runner).expect("ratings").current();
        let empty = json!({"model": "meaningful-connections", "perspective": "team"});
        let mut whole = empty.clone();
        whole["ratings"] = Value::Object(said.clone());
        let at_once = drafted(&acme, whole).await;
        let one_by_one = drafted(&acme, empty).await.uri();
        // The last first, and each over what was said of it before.
        for (key, rating) in said.iter().rev() {
            let before = json!({"ratings": {key: {"note": "Not yet."}}});
            assert_eq!(acme.patch(&one_by_one, before).await.status, 200);
            let mut rating = rating.clone();
            if rating.get("note").is_none() {
                rating["note"] = Value::Null;
            }
            let patched = acme.patch(&one_by_one, json!({"ratings": {key: rating}})).await;
            assert_eq!(patched.status, 200, "{}", patched.text());
        }
        assert_eq!(
            acme.get(&one_by_one).await.json()["ratings"],
            Value::Object(said.clone())
        );
        assert_eq!(acme.get(&at_once.uri()).await.json()["ratings"], Value::Object(said));
    }
}
