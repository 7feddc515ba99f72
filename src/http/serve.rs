//! Serving: the API on one address, the metrics on another.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::HttpServer;

use super::{House, app, scrape};

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

/// Serves until told to stop (SIGINT, SIGTERM): what has begun is ended first. `page` tells the metrics.
pub async fn serve(house: House, listen: Listen, page: impl Fn() -> String + Clone + Send + 'static) -> io::Result<()> {
    let metrics = scrape::server(&house, listen.metrics, page)?;
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
