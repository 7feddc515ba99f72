//! The metrics, on an address of their own.

use std::{io, net::SocketAddr};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, web};

use super::House;

/// Serves the metrics, as they stand when they are asked for.
pub(super) fn server(
    house: &House,
    address: SocketAddr,
    page: impl Fn() -> String + Clone + Send + 'static,
) -> io::Result<Server> {
    let (db, gate) = (house.db.clone(), house.gate.clone());
    let answer = move || {
        db.observe();
        gate.observe();
        let page = HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(page());
        async { page }
    };
    let server = HttpServer::new(move || App::new().route("/metrics", web::get().to(answer.clone())));
    Ok(server.workers(1).disable_signals().bind(address)?.run())
}
