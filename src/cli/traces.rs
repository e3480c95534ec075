//! Traces of calls, sent by OTLP over HTTP to whom the operator names. Nothing is sent, and nothing is kept for it, until somebody is.
//!
//! What spans say is written where calls and requests are made, in lines of the target [`TARGET`]: which tool, on which connection, how
//! it ended and how long it took; never who asked, with what, or for whom.

/// Where spans are told of.
pub(super) const TARGET: &str = "rolecall::trace";

/// The address that spans go to: the one that the environment names, as all programs read it, else the one of the configuration.
pub(super) fn address(configured: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name: &str| variable(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
    let off = set("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|it| it.eq_ignore_ascii_case("none"));
    if off {
        return None;
    }
    let of_all = |it: String| format!("{}/v1/traces", it.trim_end_matches('/'));
    set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        .or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT").map(of_all))
        .or_else(|| configured.map(str::to_owned).map(of_all))
}

pub(super) use sending::{Traces, start};

/// A program that was built without them says so.
#[cfg(not(feature = "otlp"))]
mod sending {
    /// What sends nothing.
    #[derive(Debug)]
    pub(in crate::cli) struct Traces;

    pub(in crate::cli) fn start(_: &str) -> Result<(crate::cli::logging::Over, Traces), String> {
        Err("this program was built without the feature `otlp`".to_owned())
    }

    impl Traces {
        #[expect(clippy::unused_async, reason = "the one that sends waits")]
        pub(in crate::cli) async fn end(self) {}
    }
}

#[cfg(feature = "otlp")]
mod sending {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use async_trait::async_trait;
    use opentelemetry::{KeyValue, trace::TracerProvider as _};
    use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
    use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
    use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
    use tokio::runtime::Handle;
    use tracing::Level;
    use tracing_subscriber::{Layer, Registry, filter::Targets};

    /// How long the last spans may take to arrive when the program ends, and how long any may.
    const AT_THE_END: Duration = Duration::from_secs(3);
    const ANSWER: Duration = Duration::from_secs(10);

    /// What sends spans, a few at a time.
    #[derive(Debug)]
    pub(in crate::cli) struct Traces(SdkTracerProvider);

    /// Begins to send spans to an address: what is to be laid over the log, and what sends.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub(in crate::cli) fn start(address: &str) -> Result<(Box<dyn Layer<Registry> + Send + Sync>, Traces), String> {
        let url = reqwest::Url::parse(address).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it begins with http:// or https://".to_owned());
        }
        // Another part of the program may have chosen a provider before; one is as good as the other.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(ANSWER).build().map_err(|error| error.to_string())?;
        let sender = Sender { client, runtime: Handle::current(), fails: AtomicBool::new(false) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(address)
            .build()
            .map_err(|error| error.to_string())?;
        let mut resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("rolecall");
        }
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("rolecall"))
            // Files and lines of this program, threads and idle times say nothing to an operator.
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(super::TARGET, Level::INFO));
        Ok((Box::new(layer), Traces(provider)))
    }

    impl Traces {
        /// Sends what is left.
        pub(in crate::cli) async fn end(self) {
            // The sending itself needs this thread.
            let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(AT_THE_END)).await;
            if let Ok(Err(error)) = ended {
                tracing::warn!(%error, "the last traces were not sent");
            }
        }
    }

    /// Sends with the client and on the threads of the program.
    #[derive(Debug)]
    struct Sender {
        client: reqwest::Client,
        runtime: Handle,
        /// Whether it has been said that they do not arrive.
        fails: AtomicBool,
    }

    impl Sender {
        /// Says once that spans do not arrive, and once that they do again.
        fn tell(&self, failed: Option<&str>) {
            if self.fails.swap(failed.is_some(), Ordering::Relaxed) == failed.is_some() {
                return;
            }
            if let Some(why) = failed {
                tracing::warn!("traces do not arrive: {why}; calls are answered all the same");
            } else {
                tracing::warn!("traces arrive again");
            }
        }
    }

    #[async_trait]
    impl HttpClient for Sender {
        async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let (parts, body) = request.into_parts();
            let request = self.client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
            let sent = self.runtime.spawn(async move {
                let answer = request.send().await.map_err(reqwest::Error::without_url)?;
                let status = answer.status();
                Ok::<_, reqwest::Error>((status, answer.bytes().await.map_err(reqwest::Error::without_url)?))
            });
            let (status, body) = match sent.await? {
                Ok(answer) => answer,
                Err(error) => {
                    self.tell(Some(&crate::error::chain(&error)));
                    return Err(error.into());
                }
            };
            self.tell((!status.is_success()).then(|| format!("the collector answered {status}")).as_deref());
            Ok(Response::builder().status(status).body(body)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_where_spans_go_before_the_file_does() {
        let at = |configured: Option<&str>, variables: &[(&str, &str)]| {
            address(configured, |name| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned()))
        };
        let (all, own) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        assert_eq!(at(None, &[]), None);
        assert_eq!(at(Some("http://a:4318"), &[]).as_deref(), Some("http://a:4318/v1/traces"));
        assert_eq!(at(Some("http://a:4318"), &[(all, "http://b:4318/")]).as_deref(), Some("http://b:4318/v1/traces"));
        assert_eq!(at(None, &[(all, "http://b"), (own, "http://c/spans")]).as_deref(), Some("http://c/spans"));
        assert_eq!(at(Some("http://a"), &[(all, " ")]).as_deref(), Some("http://a/v1/traces"));
        assert_eq!(at(Some("http://a"), &[("OTEL_SDK_DISABLED", "true")]), None);
        assert_eq!(at(Some("http://a"), &[("OTEL_TRACES_EXPORTER", "none")]), None);
    }
}
