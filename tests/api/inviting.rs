//! What tests of rounds begin with: a round, who is invited to it, and what they answer.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp, assessment};

/// What an organiser writes of a round that asks service users and the team.
pub fn round(privacy: &str) -> Value {
    json!({
        "title": "Spring", "model": "meaningful-connections", "privacy": privacy,
        "perspectives": [{"perspective": "service_user", "expected": 5}, {"perspective": "team", "expected": 3}],
        "consent": {"text": "We use your answers to improve our service.", "version": "1", "language": "en"},
    })
}

/// An open round: its URI.
pub async fn opened(client: &Client, body: Value) -> String {
    let made = client.post("/v1/rounds", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    acted(client, &made.uri(), "open").await;
    made.uri()
}

/// Does this with the round, which works.
pub async fn acted(client: &Client, round: &str, action: &str) -> Value {
    let done = client.act(&format!("{round}/{action}")).await;
    assert_eq!(done.status, 200, "{action}: {}", done.text());
    done.json()
}

/// The tokens of so many new invitations.
pub async fn tokens(client: &Client, round: &str, perspective: &str, count: usize) -> Vec<String> {
    let invitations: Vec<Value> = (0..count).map(|_| json!({"perspective": perspective})).collect();
    let made = client
        .post(&format!("{round}/invitations"), json!({"invitations": invitations}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let all = made["invitations"].as_array().expect("invitations");
    all.iter()
        .map(|one| one["token"].as_str().expect("a token").to_owned())
        .collect()
}

/// Redeems a token.
pub async fn redeem(app: &TestApp, token: &str) -> Answer {
    app.nobody()
        .post("/v1/invitations/redeem", json!({"token": token}))
        .await
}

/// Redeems a receipt.
pub async fn redeem_receipt(app: &TestApp, receipt: &str) -> Answer {
    app.nobody()
        .post("/v1/receipts/redeem", json!({"receipt": receipt}))
        .await
}

/// Somebody who was let in: a caller with the access token, and the URI of their assessment.
pub struct Respondent {
    pub client: Client,
    pub uri: String,
    pub access: Value,
}

impl Respondent {
    pub fn of(app: &TestApp, redeemed: &Answer) -> Self {
        assert_eq!(redeemed.status, 200, "{}", redeemed.text());
        let access = redeemed.json();
        let mut client = app.nobody();
        client.token = access["access_token"].as_str().map(ToOwned::to_owned);
        let uri = format!("/v1/assessments/{}", access["assessment"].as_str().expect("an id"));
        Self { client, uri, access }
    }

    pub async fn invited(app: &TestApp, token: &str) -> Self {
        Self::of(app, &redeem(app, token).await)
    }

    pub async fn with_receipt(app: &TestApp, receipt: &str) -> Self {
        Self::of(app, &redeem_receipt(app, receipt).await)
    }

    /// Saves every rating alike.
    pub async fn rate(&self, current: &str, desired: &str) -> Answer {
        let ratings = assessment("team", current, desired)["ratings"].clone();
        let saved = self.client.patch(&self.uri, json!({"ratings": ratings})).await;
        assert_eq!(saved.status, 200, "{}", saved.text());
        saved
    }

    pub async fn submit(&self) -> Answer {
        self.client.act(&format!("{}/submit", self.uri)).await
    }

    /// Submits, with this idempotency key.
    pub async fn submit_with_key(&self, key: &str) -> Answer {
        let request = TestRequest::post().uri(&format!("{}/submit", self.uri));
        self.client.send(request.insert_header(("Idempotency-Key", key))).await
    }

    /// Rates everything alike and submits it: the receipt.
    pub async fn answer(&self, current: &str, desired: &str) -> String {
        self.rate(current, desired).await;
        let submitted = self.submit().await;
        assert_eq!(submitted.status, 200, "{}", submitted.text());
        submitted.json()["receipt"].as_str().expect("a receipt").to_owned()
    }
}
