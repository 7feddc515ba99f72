//! The ceiling: actix-web answering one answer's bytes from memory, with no middleware.
//!
//! `bench-ceiling ADDRESS FILE`; the file holds an answer as it came over the wire.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on ends")]

use std::{env, fs, io};

use actix_web::{
    App, HttpResponse, HttpServer,
    http::header::{HeaderName, HeaderValue},
    web::{self, Bytes},
};

/// What actix-web writes by itself.
const ITS_OWN: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

/// Headers and body of an answer.
#[derive(Clone)]
struct Answer {
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    fn read(wire: &[u8]) -> Self {
        let end = wire.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let (head, body) = wire.split_at(end);
        let head = std::str::from_utf8(head).expect("a head of text");
        let headers = head.lines().skip(1).filter_map(|line| {
            let (name, value) = line.split_once(':').expect("a header");
            let name: HeaderName = name.parse().expect("a name");
            let value = value.trim().parse().expect("a value");
            (!ITS_OWN.contains(&name.as_str())).then_some((name, value))
        });
        Self {
            headers: headers.collect(),
            body: Bytes::copy_from_slice(body.strip_prefix(b"\r\n\r\n").expect("a body")),
        }
    }

    fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        for (name, value) in &self.headers {
            response.append_header((name.clone(), value.clone()));
        }
        response.body(self.body.clone())
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().expect("an address");
    let answer = Answer::read(&fs::read(arguments.next().expect("a file"))?);
    let server = HttpServer::new(move || {
        let answer = answer.clone();
        App::new().default_service(web::to(move || {
            let response = answer.response();
            async move { response }
        }))
    });
    actix_web::rt::System::new().block_on(server.bind(address)?.run())
}
