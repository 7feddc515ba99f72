//! Traces (`OpenTelemetry`), sent by OTLP over HTTP where `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.
//!
//! The variables are those of OpenTelemetry's specification; none of them set, nothing of this runs.

use std::{env, time::Duration};

use async_trait::async_trait;
use opentelemetry::{KeyValue, global, trace::TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{SdkTracer, SdkTracerProvider},
};
use ureq::Agent;

/// How long the end of the program waits for the last spans to be sent.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long sending may take where nothing else is said, after the specification.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Traces cannot be sent as the environment says.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable has a value that cannot be heeded.
    #[error("{0}: {1}")]
    Variable(&'static str, &'static str),
    /// The exporter refuses.
    #[error("traces: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Traces on their way; what is left is sent when this is dropped.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to trace, where the environment says where to.
    pub fn start() -> Result<Option<Self>, Error> {
        if !are_wanted()? {
            return Ok(None);
        }
        let timeout = variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| variable("OTEL_EXPORTER_OTLP_TIMEOUT"));
        let timeout = timeout.and_then(|milliseconds| milliseconds.parse().ok());
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout.map_or(TIMEOUT, Duration::from_millis)))
            .http_status_as_error(false)
            .build();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Post(agent.into()))
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_batch_exporter(exporter)
            .build();
        global::set_tracer_provider(provider.clone());
        Ok(Some(Self(provider)))
    }

    /// What makes spans.
    pub fn tracer(&self) -> SdkTracer {
        self.0.tracer(env!("CARGO_PKG_NAME"))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_WORDS) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// A variable, unless it is empty, which counts as not set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn are_wanted() -> Result<bool, Error> {
    const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"];
    const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    if variable("OTEL_SDK_DISABLED").is_some_and(|disabled| disabled.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    match variable("OTEL_TRACES_EXPORTER").as_deref() {
        Some("none") => return Ok(false),
        None | Some("otlp") => {}
        Some(_) => return Err(Error::Variable("OTEL_TRACES_EXPORTER", "it is otlp or none")),
    }
    let endpoints = ENDPOINTS.map(|name| (name, variable(name)));
    let endpoints = endpoints.into_iter().filter_map(|(name, url)| Some((name, url?)));
    let mut are_wanted = false;
    for (name, url) in endpoints {
        if !url.starts_with("http://") {
            return Err(Error::Variable(
                name,
                "it must begin with http:// (TLS is the collector's part)",
            ));
        }
        are_wanted = true;
    }
    for name in PROTOCOLS {
        if are_wanted && variable(name).is_some_and(|protocol| protocol != "http/protobuf") {
            return Err(Error::Variable(name, "only http/protobuf is spoken"));
        }
    }
    Ok(are_wanted)
}

/// Who says all this: this service and its version, and what `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say.
fn resource() -> Resource {
    let named = variable("OTEL_SERVICE_NAME").map(|name| KeyValue::new("service.name", name));
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detectors(&[
            Box::new(TelemetryResourceDetector),
            Box::new(EnvResourceDetector::new()),
        ])
        .with_attributes(named)
        .build()
}

/// Posts spans. It blocks the thread that it is called on, which is the batch processor's own.
#[derive(Debug)]
struct Post(Agent);

#[async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(head, body.as_ref()))?;
        let (head, mut body) = answer.into_parts();
        Ok(Response::from_parts(head, body.read_to_vec()?.into()))
    }
}
