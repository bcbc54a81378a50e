//! Tracing events, which contain no text of a token.

mod support;

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use claimgate_tower::{AuthLayer, Authorities};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use support::*;
use tower::{Layer, ServiceExt, service_fn};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Collects the fields of all events of the crate.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<String>>);

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("claimgate")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Fields<'s>(&'s mut String);

        impl Visit for Fields<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, "{field}={value:?} ").unwrap();
            }
        }

        let mut text = self.0.lock().unwrap();
        event.record(&mut Fields(&mut text));
        text.push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn events_name_fetches_and_verdicts_and_contain_no_text_of_a_token() {
    let collector = Collector::default();
    let _guard = tracing::subscriber::set_default(collector.clone());
    let (signer, other) = (Signer::rsa("a"), Signer::rsa("b"));
    let issuer = TestIssuer::with_keys(&[&signer]).await;
    let clock = TestClock::at(now());
    let builder = Authorities::builder([issuer.authority()]).clock(clock.read());
    let authorities = builder.build().unwrap();
    authorities.ready().await;
    clock.advance(60);
    let layer = AuthLayer::new(authorities, POLICY);
    let expired = with(claims(&issuer.url), "exp", now() - 600);
    let tokens = [
        signer.sign(&claims(&issuer.url)),
        signer.sign(&expired),
        other.sign(&claims(&issuer.url)),
        "not-a-token-but-perhaps-a-password".to_owned(),
    ];
    for token in &tokens {
        let request = Request::builder().header(AUTHORIZATION, format!("Bearer {token}"));
        let greet = |_| async { Ok::<_, std::convert::Infallible>(Response::new(String::new())) };
        let service = layer.layer(service_fn(greet));
        let _: Response<String> = service.oneshot(request.body(()).unwrap()).await.unwrap();
    }
    let text = collector.0.lock().unwrap().clone();
    for expected in
        ["key set fetched", "valid", "expired", "waiting for keys", "unknown_key", "opaque_token"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let parts = tokens.iter().flat_map(|token| token.split('.'));
    for part in parts.chain(["alice", "read:patients", "not-a-token"]) {
        assert!(!text.contains(part), "{part}: {text}");
    }
}
