//! Serving: the API on one address, the metrics on another.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

use super::{House, app};

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// For the API.
    pub api: SocketAddr,
    /// For the metrics, which are nobody else's business.
    pub metrics: SocketAddr,
}

/// How long the head of a request may take to arrive; after that, 408.
const SLOWEST_HEAD: Duration = Duration::from_secs(5);
/// How long requests may take to end once the server was told to stop, in seconds.
const SLOWEST_END: u64 = 25;
/// Upper bounds of the latency histogram, in seconds.
const BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Serves until told to stop (SIGINT, SIGTERM): what has begun is ended first.
pub async fn serve(house: House, listen: Listen) -> io::Result<()> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("http_request_duration_seconds".to_owned()), BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(io::Error::other)?;
    let metrics = HttpServer::new(move || {
        let recorder = recorder.clone();
        App::new().route(
            "/metrics",
            web::get().to(move || {
                let page = recorder.render();
                async move {
                    HttpResponse::Ok()
                        .content_type("text/plain; version=0.0.4; charset=utf-8")
                        .body(page)
                }
            }),
        )
    })
    .workers(1)
    .disable_signals()
    .bind(listen.metrics)?
    .run();
    let api = HttpServer::new(move || app(&house))
        .client_request_timeout(SLOWEST_HEAD)
        .shutdown_timeout(SLOWEST_END)
        .bind(listen.api)?
        .run();
    tracing::info!(api = %listen.api, metrics = %listen.metrics, "listening");
    let metrics_handle = metrics.handle();
    let metrics = actix_web::rt::spawn(metrics);
    let served = api.await;
    metrics_handle.stop(false).await;
    metrics.await.map_err(io::Error::other)??;
    served
}
