//! What callers notice of a service that was told to end.

use crate::app::TestApp;

#[actix_web::test]
async fn a_service_that_was_told_to_end_is_not_ready_and_answers_everything_else() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let nobody = app.nobody();
    assert_eq!(nobody.get("/readyz").await.status, 200);
    app.draining.begin();
    let ready = nobody.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.code().as_str()),
        (503, "draining"),
        "{}",
        ready.text()
    );
    let seconds: u32 = ready.header("retry-after").parse().expect("Retry-After in seconds");
    assert!((1..=60).contains(&seconds));
    assert_eq!(nobody.get("/livez").await.status, 200);
    let kept = acme.submitted("team", "forming", "maturing").await;
    assert_eq!(acme.get(&kept).await.status, 200);
}
