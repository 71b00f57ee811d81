//! Retries as load.

use std::fmt::Write;

use crate::study::{Study, flow, ratio, station};

/// Where everything fails at the bottom, L layers of callers with r + 1 attempts each make (r + 1)^L calls there of one
/// request: 64 = 4^3 (Beyer et al., Site Reliability Engineering, chapter 22), 243 = 3^5 (Amazon Builders' Library, Timeouts,
/// retries and backoff with jitter), 16 = 2^4.
#[test]
fn retries_in_layers_multiply() {
    for (attempts, layers, expected) in [(4, 3, 64), (3, 5, 243), (2, 4, 16)] {
        let mut text = format!(
            "[policies.default]\nmax-attempts = {attempts}\n[clients.source]\nrate = \"1/s\"\ncount = 10\ncall = \
             \"layer1\"\n"
        );
        for layer in 1..layers {
            writeln!(text, "[services.layer{layer}]\ncall = \"layer{}\"", layer + 1).unwrap();
        }
        writeln!(text, "[services.layer{layers}]\nfail = 1").unwrap();
        let run = Study::exact(60, &text);
        assert_eq!(flow(&run, "source").offered, 10);
        assert_eq!(station(&run, &format!("layer{layers}")).arrived, 10 * expected);
    }
}

/// A backend that fails every attempt at once sees three times the load if requests have three attempts (Beyer et al.,
/// chapter 21).
#[test]
fn three_attempts_treble_the_load_of_an_outage() {
    let run = Study::exact(
        100,
        r#"
        [clients.source]
        rate = "1000/s"
        call = "backend"
        max-attempts = 3
        [services.backend]
        fail = 1
        "#,
    );
    let book = flow(&run, "source");
    assert_eq!((book.attempts, book.confirmed), (3 * book.offered, 0));
    assert_eq!(ratio(station(&run, "backend").arrived, book.offered), 3.0);
}
